// Warm-up: a JavaScript engine compiles what it has seen run often. So the program runs the common commands at its
// start, on a server of its own in memory that nobody can reach, and the first clients find compiled code. The work is
// done in slices of SLICE_US with input handled in between, and its server is dropped at the end.

import type { Connection } from '../engine/connection.ts'
import { bytesOf } from '../lib/bytes.ts'
import { Config } from './config/config.ts'
import { loadText } from './config/parser.ts'
import { Logger } from './log.ts'
import { Server } from './server.ts'
import type { System } from './system/system.ts'
import { virtualSystem } from './system/virtual.ts'

const SLICE_US = 500
/** How often the whole list of requests is run: enough for the optimising compilers to have taken up each command. */
const ROUNDS = 2
const VARIANTS = 64
const PIPELINE = 16

export interface WarmUpOptions {
  /** May be a fraction. */
  rounds?: number
  onReply?: (bytes: Uint8Array) => void
}

/** Runs each common command `rounds` * VARIANTS times, alone or in a pipeline; resolves when it is done. */
export async function warmUp(system: System, options: WarmUpOptions = {}): Promise<void> {
  const { clock, timers } = system
  const hidden = virtualSystem()
  const config = new Config(hidden.system.disk)
  loadText(config, 'port 0\nsave ""\nloglevel nothing')
  const surroundings: System = { ...hidden.system, clock, random: system.random }
  const server = new Server(config, surroundings, new Logger(surroundings, config))
  await server.load()
  const { engine } = server
  const connection = connectionTo(options.onReply)
  const clients = [engine.connect(connection), engine.connect(connection)]
  const lines: Uint8Array[] = []
  const views: DataView[] = []
  let next = 0
  const total = Math.ceil((options.rounds ?? ROUNDS) * LINES)
  return new Promise(resolve => {
    const step = () => {
      const until = clock.monotonicUs() + SLICE_US
      do {
        // Two clients in a turn, as a busy server has: their replies go out together.
        for (const client of clients) {
          const i = next++ % LINES
          lines[i] ??= line(i)
          views[i] ??= new DataView(lines[i].buffer)
          engine.receive(client, lines[i], views[i], 0, lines[i].length)
        }
        hidden.settle()
      } while (next < total && clock.monotonicUs() < until)
      if (next < total) timers.soon(step)
      else {
        system.process.collectGarbage()
        resolve()
      }
    }
    timers.soon(step)
  })
}

/** A connection that takes everything at once. */
function connectionTo(onReply: ((bytes: Uint8Array) => void) | undefined): Connection {
  return {
    kind: 'tcp',
    peer: '127.0.0.1:0',
    local: '127.0.0.1:0',
    fd: 0,
    write(u8, start, end) {
      onReply?.(u8.slice(start, end))
      return end - start
    },
    close() {},
    pause() {},
    resume() {},
  }
}

const VALUE = 'x'.repeat(32)
const key = (n: number) => `key:${name(n)}`

/** What clients send most, over a thousand names. */
const COMMANDS: readonly ((n: number) => string[])[] = [
  () => ['PING'],
  n => ['SET', key(n), VALUE],
  n => ['GET', key(n)],
  n => ['INCR', `counter:${name(n)}`],
  n => ['MSET', key(n), VALUE, key(n + 1), VALUE, key(n + 2), VALUE, key(n + 3), VALUE],
  () => ['LPUSH', 'list', VALUE],
  () => ['RPUSH', 'list', VALUE],
  () => ['LPOP', 'list'],
  () => ['RPOP', 'list'],
  n => ['RPUSH', `long:${n % 8}`, VALUE],
  n => ['LRANGE', `long:${n % 8}`, '0', '99'],
  n => ['SADD', 'set', `element:${name(n)}`],
  () => ['SPOP', 'set'],
  n => ['HSET', 'hash', `element:${name(n)}`, VALUE],
  n => ['HSET', `small:${n}`, 'field', VALUE, 'other', name(n)],
  n => ['HGETALL', `small:${n}`],
  n => ['ZADD', 'zset', String(n), `element:${name(n)}`],
  () => ['ZPOPMIN', 'zset'],
  n => ['XADD', `stream:${n % 8}`, 'MAXLEN', '100', '*', 'field', VALUE],
  n => ['XADD', 'stream', '*', 'field', String(n), 'value', VALUE],
  n => ['RPUSH', 'queue', `element:${n}`],
  n => ['DEL', `small:${n}`],
  n => ['EXPIRE', key(n), '1000'],
]

const LINES = COMMANDS.length * VARIANTS

/** The `i`th of LINES requests in RESP: a command alone, or a pipeline of it. */
function line(i: number): Uint8Array {
  const command = COMMANDS[i % COMMANDS.length]
  const variant = Math.floor(i / COMMANDS.length)
  let text = ''
  for (let times = variant % 2 === 0 ? 1 : PIPELINE; times > 0; times--)
    text += request(command((variant * 397 + times * 61) % 1000))
  return bytesOf(text)
}

function name(n: number): string {
  return String(n).padStart(12, '0')
}

function request(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(word => `$${word.length}\r\n${word}\r\n`).join('')}`
}
