// Every command with wrong or huge arguments, or names of JavaScript's properties: none may cause an exception.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands } from '../../src/commands/index.ts'
import type { Command } from '../../src/engine/catalog/command.ts'
import { seededRandom, virtualSystem } from '../../src/system/virtual.ts'
import { MachineServer } from '../harness/machine.ts'
import { encodeCommand } from '../harness/resp.ts'

const ROUNDS = 60
const ARGUMENTS_MAX = 7

const WORDS = [
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', '', '-', '+', '*', '$', '\0', '\r\n'],
  ...['0', '1', '-1', '7', '9223372036854775807', '-9223372036854775808', '18446744073709551615', '4294967296'],
  ...['99999999999999999999999999', '0x1p9999999999', '1e400', '-1e400', 'nan', 'inf', '-inf', '1e-400', '.', '1.5'],
  ...['string', 'list', 'set', 'hash', 'zset', 'stream', 'none', '(1', '[a', '>', '0-0', '18446744073709551615-1'],
  ...[
    'NX',
    'XX',
    'EX',
    'PX',
    'GET',
    'SET',
    'COUNT',
    'LIMIT',
    'BY',
    'WITHSCORES',
    'STREAMS',
    'GROUP',
    'MATCH',
    'u64',
    'i64',
  ],
]

/** They end the server, wait on the real clock, or close the connection by design. */
const LEFT_OUT =
  /^(?:shutdown|quit|reset|monitor|psync|sync|migrate|debug (?:panic|assert|segfault|sleep|stringmatch-test))$/

const DEBUG_WORDS = [
  ...[
    'populate',
    'object',
    'htstats',
    'htstats-key',
    'protocol',
    'listpack',
    'quicklist',
    'quicklist-packed-threshold',
  ],
  ...['replybuffer', 'set-active-expire', 'pause-cron', 'digest', 'digest-value', 'error', 'log', 'aof-flush-sleep'],
  ...['set-skip-checksum-validation', 'set-disable-deny-scripts', 'client-eviction', 'constructor', '__proto__'],
]

function names(command: Command): string[] {
  if (command.name === 'debug') return DEBUG_WORDS.map(word => `debug ${word}`)
  return [command.name, ...(command.subcommands ?? []).map(sub => `${command.name} ${sub.name}`)]
}

const FILL = [
  ...[
    'set string 10',
    'rpush list a b c',
    'sadd set 1 2 x',
    'hset hash f 1 g x',
    'zadd zset 1 a inf b',
    'xadd stream 1-1 f v',
  ],
  'xgroup create stream g 0',
]

for (const group of new Set(allCommands.map(command => command.group)))
  test(`no command of the group ${group} comes upon an exception, whatever its arguments`, () =>
    tryAll(allCommands.filter(command => command.group === group)))

async function tryAll(commands: readonly Command[]): Promise<void> {
  const { u32 } = seededRandom(1)
  const failed: string[] = []
  for (const name of commands.flatMap(names)) {
    if (LEFT_OUT.test(name)) continue
    const machine = virtualSystem({ seed: 1 })
    const server = await MachineServer.start(machine, { loglevel: 'warning' })
    const { stats } = server.server.engine
    for (const line of FILL) server.call(...line.split(' '))
    for (let round = 0; round < ROUNDS; round++) {
      const words = Array.from({ length: u32() % ARGUMENTS_MAX }, () => WORDS[u32() % WORDS.length])
      const before = stats.unexpectedErrors
      const socket = server.server.memory.connect()
      socket.write(encodeCommand([...name.split(' '), ...words]))
      machine.settle()
      socket.close()
      if (stats.unexpectedErrors !== before) failed.push(JSON.stringify([name, ...words]))
    }
    server.server.abandon()
  }
  assert.equal(failed.join('\n'), '')
}
