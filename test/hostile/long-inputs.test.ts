// Every command and every script function that reads a text, with each of its words replaced by hostile words of 100
// KB: all reply within a test's time, which quadratic time would exceed. long-inputs.ts compares with redis-server and
// uses larger words.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands } from '../../src/commands/index.ts'
import { encodeCommand, latin1Bytes } from '../harness/resp.ts'
import { splitWords } from '../harness/words.ts'
import { COMMANDS, LEFT_OUT, SETUP } from './long-commands.ts'
import { KINDS, lists, type Probe, probesOfCommands, probesOfScripts } from './long-kinds.ts'
import { Bystander, Victim } from './victim.ts'

const LONG = 100_000
const NAMES = 20_000
/** Far more than all of it takes on a slow machine, far less than one command of quadratic time. */
const TIMEOUT = { timeout: 60_000 }
const CLEAN = ['FLUSHALL', 'SCRIPT FLUSH', 'SLOWLOG RESET', ...SETUP]
const PROBES_PER_TEST = 40
/** A probe gets every third kind; the next probe the following ones. */
const TURNS = 3

for (const [group, lines] of Object.entries(COMMANDS)) {
  const probes = probesOfCommands({ [group]: lines })
  for (let from = 0; from < probes.length; from += PROBES_PER_TEST)
    test(`long words in commands: ${group} from ${from}`, TIMEOUT, () =>
      send(probes.slice(from, from + PROBES_PER_TEST)),
    )
  test(`long lists in commands: ${group}`, TIMEOUT, () => sendLists(lines))
}

const scripts = probesOfScripts()
for (let from = 0; from < scripts.length; from += PROBES_PER_TEST)
  test(`long words in scripts from ${from}`, TIMEOUT, () => send(scripts.slice(from, from + PROBES_PER_TEST)))

test('there is an example of every command', () => {
  const lines = Object.values(COMMANDS).flat()
  const names = allCommands.flatMap(({ name, subcommands }) =>
    subcommands === undefined ? [name] : subcommands.map(sub => `${name} ${sub.name}`),
  )
  const without = names
    .map(name => name.toUpperCase())
    .filter(name => !name.startsWith('CLUSTER ') && !LEFT_OUT.includes(name))
    .filter(name => !lines.some(line => `${line} `.startsWith(`${name} `)))
  assert.equal(without.join(', '), '')
})

/** Sends every kind of each probe over connections that may be closed for it; then another client is still served. */
function send(probes: readonly Probe[]): Promise<void> {
  const makers = Object.values(KINDS).map(make => latin1Bytes(make(LONG)))
  return sendAll(
    probes.map(({ words }, i) =>
      makers
        .filter((_, kind) => (kind + i) % TURNS === 0)
        .map(hostile => encodeCommand(words.map(word => word ?? hostile))),
    ),
  )
}

function sendLists(lines: readonly string[]): Promise<void> {
  return sendAll(lines.map(line => lists(line, NAMES).map(words => encodeCommand(words))))
}

async function sendAll(commands: Uint8Array[][]): Promise<void> {
  const clean = CLEAN.map(line => encodeCommand(splitWords(line)))
  await Victim.treat({ 'slowlog-log-slower-than': '-1' }, async victim => {
    const bystander = await Bystander.come(victim)
    for (const batch of commands) {
      const socket = await victim.open()
      socket.resume()
      const gone = new Promise(resolve => socket.once('close', resolve))
      for (const bytes of [...clean, ...batch]) socket.write(bytes)
      socket.write(encodeCommand(['QUIT']))
      await gone
    }
    await bystander.check()
    assert.equal(victim.server.engine.clients.size, 1)
  })
}
