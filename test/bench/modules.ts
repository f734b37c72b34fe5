// What commands of modules, calls and listeners cost beside commands of the core: processor time of a command in
// pipelines of 16, in one process without a network.
//
//   npm run bench:modules [-- ROUNDS]

import process from 'node:process'
import { defineModule, type ModuleCommand, type RedstartModule } from '../../src/module.ts'
import { virtualSystem } from '../../src/system/virtual.ts'
import { MachineServer } from '../harness/machine.ts'
import { encodeCommand } from '../harness/resp.ts'

const PIPELINE = 16
const BATCHES = 6000
const rounds = Number(process.argv[2] ?? 5)

const facts = { arity: -1, flags: 'write' } as const
const commands: readonly ModuleCommand[] = [
  { ...facts, name: 'm.one', run: () => 1 },
  { ...facts, name: 'm.args', run: ctx => ctx.args[1] },
  { ...facts, name: 'm.text', run: ctx => ctx.text(1) },
  { ...facts, name: 'm.get', run: ctx => ctx.call('GET', ctx.args[1]) },
  { ...facts, name: 'm.read', run: ctx => ctx.keys.string(ctx.args[1]) },
  { ...facts, name: 'm.set', run: ctx => ctx.call('SET', ctx.args[1], ctx.args[2]) },
]
const bench = defineModule({ name: 'bench', version: 1, apiVersion: 1, commands })

const listening = defineModule({
  name: 'listening',
  version: 1,
  apiVersion: 1,
  setup: server => void server.on('key-changed', () => {}),
})

async function start(module: RedstartModule): Promise<MachineServer> {
  return MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules: [{ module }] })
}

/** Microseconds of processor time a command, the least of the rounds. */
function measured({ server, machine }: MachineServer, words: readonly string[]): number {
  const socket = server.memory.connect()
  socket.onData = () => {}
  const one = encodeCommand(words)
  const bytes = new Uint8Array(one.length * PIPELINE)
  for (let i = 0; i < PIPELINE; i++) bytes.set(one, i * one.length)
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < BATCHES; i++) {
      socket.write(bytes)
      machine.settle()
    }
    const { user } = process.cpuUsage(before)
    if (round > 0) least = Math.min(least, user / BATCHES / PIPELINE)
  }
  return least
}

const plain = await start(bench)
measured(plain, ['ping'])
plain.call('set', 'key:1', 'value of 16 byte')
for (const words of [
  ['ping'],
  ['m.one'],
  ['echo', 'key:1'],
  ['m.args', 'key:1'],
  ['m.text', 'key:1'],
  ['get', 'key:1'],
  ['m.get', 'key:1'],
  ['m.read', 'key:1'],
  ['set', 'key:1', 'value of 16 byte'],
  ['m.set', 'key:1', 'value of 16 byte'],
])
  console.log(words[0].padEnd(20), measured(plain, words).toFixed(3))
const heard = await start(listening)
console.log('set, one listener'.padEnd(20), measured(heard, ['set', 'key:1', 'value of 16 byte']).toFixed(3))
