// What commands of modules, calls and listeners cost beside commands of the core: processor time of a command in
// pipelines of 16. In one process without a network, and with --network at servers of their own, 50 clients each.
//
//   npm run bench:modules [-- ROUNDS] [-- --network]
//
// The two commands of a pair take turns, so that a busy machine hurts both.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { virtualSystem } from '../../src/system/virtual.ts'
import { MachineServer } from '../harness/machine.ts'
import { encodeCommand } from '../harness/resp.ts'
import { freePort, sleep } from '../harness/target.ts'
import { coreCommands, modulesWith, pairs } from './modules-under-test.ts'

const PIPELINE = 16
/** Of one measurement in the process: short, so that nobody else runs meanwhile on a busy machine. */
const BATCHES = 200
const NETWORK_BATCHES = 600
const CLIENTS = 50
const ATTEMPTS_MAX = 200
const network = process.argv.includes('--network')
const rounds = Number(process.argv.slice(2).find(word => /^\d+$/.test(word)) ?? (network ? 60 : 1000))
const SET = ['set', 'key:1', 'value of 16 byte']

/** Runs so many batches of a command; the microseconds of processor time that each command took. */
type Run = (words: readonly string[]) => Promise<number> | number

function batch(words: readonly string[]): Uint8Array {
  const one = encodeCommand(words)
  const bytes = new Uint8Array(one.length * PIPELINE)
  for (let i = 0; i < PIPELINE; i++) bytes.set(one, i * one.length)
  return bytes
}

async function inProcess(listener: boolean): Promise<Run> {
  const options = { commands: coreCommands, modules: modulesWith(listener) }
  const { server, machine } = await MachineServer.start(virtualSystem({ seed: 1 }), {}, options)
  const socket = server.memory.connect()
  socket.onData = () => {}
  return words => {
    const bytes = batch(words)
    const before = process.cpuUsage()
    for (let i = 0; i < BATCHES; i++) {
      socket.write(bytes)
      machine.settle()
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / BATCHES / PIPELINE
  }
}

const children: ChildProcess[] = []

async function overNetwork(listener: boolean): Promise<Run> {
  const port = await freePort()
  const script = new URL('modules-under-test.ts', import.meta.url).pathname
  const args = [script, listener ? 'listener' : 'nothing', '--port', String(port), '--save', '']
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  children.push(child)
  const links: Link[] = []
  while (links.length < CLIENTS) links.push(await Link.open(port))
  return async words => {
    const bytes = batch(words)
    // Every command of a batch has a reply of the same length.
    const length = (await links[0].exchange(encodeCommand(words))) * PIPELINE
    let batchesLeft = NETWORK_BATCHES
    const before = cpuUsOf(child.pid!)
    await Promise.all(
      links.map(async link => {
        while (batchesLeft-- > 0) await link.exchange(bytes, length)
      }),
    )
    return (cpuUsOf(child.pid!) - before) / NETWORK_BATCHES / PIPELINE
  }
}

/** Of the main thread. */
function cpuUsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000
}

class Link {
  private readonly socket: Socket
  private readonly received: (bytes: number) => void
  private answered: () => void = () => {}
  private left = 0

  private constructor(socket: Socket) {
    this.socket = socket
    this.received = bytes => {
      this.left -= bytes
      if (this.left <= 0) this.answered()
    }
    socket.on('data', bytes => this.received(bytes.length))
  }

  static async open(port: number): Promise<Link> {
    for (let attempt = 0; ; attempt++) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const isOpen = await new Promise<boolean>(resolve => {
        socket.once('connect', () => resolve(true))
        socket.once('error', () => resolve(false))
      })
      if (isOpen) return new Link(socket)
      if (attempt === ATTEMPTS_MAX) throw new Error('the server does not start')
      await sleep(100)
    }
  }

  /** Sends bytes; resolves when so many have come back: to their number, when it is not known. */
  async exchange(bytes: Uint8Array, length = 1): Promise<number> {
    this.left = length
    this.socket.write(bytes)
    await new Promise<void>(resolve => (this.answered = resolve))
    return length - this.left
  }
}

/**
 * Both take turns, many times; a tenth of the times are less than what is shown of each: a busy machine disturbs those
 * the least.
 */
async function compare(what: string, first: () => Promise<number> | number, second: () => Promise<number> | number) {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++)
    for (const [i, run] of [first, second].entries()) {
      const took = await run()
      if (round >= rounds / 10) times[i].push(took)
    }
  const [one, other] = times.map(all => all.sort((a, b) => a - b)[Math.floor(all.length / 10)])
  const more = ((other / one - 1) * 100).toFixed(1)
  console.log(`${what.padEnd(24)} ${one.toFixed(3)} ${other.toFixed(3)}  ${more.padStart(6)} %`)
}

const start = network ? overNetwork : inProcess
const plain = await start(false)
await plain(SET)
console.log('without, with: µs a command, and how much more')
const heard = await start(true)
await compare(
  'set, with one listener',
  () => plain(SET),
  () => heard(SET),
)
console.log('core, module: µs a command, and how much more')
for (const [core, module] of pairs)
  await compare(
    `${core[0]}, ${module[0]}`,
    () => plain(core),
    () => plain(module),
  )
for (const child of children) child.kill()
process.exit(0)
