// Warm-up: a JavaScript engine compiles code that has run often. So at its start the program runs the common commands
// on a separate in-memory server without sockets, and the first clients find compiled code. It runs in slices of
// SLICE_US with input handled in between; the server is dropped at the end.

import { ServerFailed } from '../engine/boundary.ts'
import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import type { Connection } from '../system/network.ts'
import type { System } from '../system/system.ts'
import { virtualSystem } from '../system/virtual.ts'
import { hiddenServer } from './hidden-server.ts'

const SLICE_US = 500
/** How often the whole list of requests is run: enough for the optimising compilers to have compiled each command. */
const ROUNDS = 60
const PIPELINE = 16

interface WarmUpOptions {
  rounds?: number
  onReply?: (bytes: Uint8Array) => void
}

/** Runs each common command (1 + PIPELINE) * `rounds` times; resolves when it is done and dropped. */
export async function warmUp(system: System, options: WarmUpOptions = {}): Promise<void> {
  const { clock, timers } = system
  let workload: Workload | undefined = await start(system, options)
  const rounds = options.rounds ?? ROUNDS
  await new Promise<void>(resolve => {
    const step = () => {
      const until = clock.monotonicUs() + SLICE_US
      try {
        while (workload !== undefined && clock.monotonicUs() < until)
          if (workload.step() >= rounds) workload = undefined
      } catch (error) {
        // The first client would see the same fault; the warm-up ends early.
        if (!(error instanceof ServerFailed)) throw error
        workload = undefined
      }
      if (workload !== undefined) timers.soon(step)
      // In a turn of its own: the stack has no reference to the workload left, which the collector would find.
      else timers.soon(resolve)
    }
    timers.soon(step)
  })
  system.process.collectGarbage()
}

async function start(system: System, options: WarmUpOptions): Promise<Workload> {
  const hidden = virtualSystem()
  const { engine } = await hiddenServer(system, hidden.system)
  return new Workload(engine, () => hidden.settle(), options.onReply)
}

/** The requests, in order, from two clients. */
class Workload {
  private readonly engine: Engine
  private readonly settle: () => void
  private readonly clients: readonly Client[]
  private readonly requests: readonly Request[]
  private next = 0
  private rounds = 0

  constructor(engine: Engine, settle: () => void, onReply: ((bytes: Uint8Array) => void) | undefined) {
    this.engine = engine
    this.settle = settle
    const buffer = new CommandWriter()
    this.requests = COMMANDS.flatMap(text => [new Request(text, 1, buffer), new Request(text, PIPELINE, buffer)])
    const connection = connectionTo(onReply)
    this.clients = [engine.connections.connect(connection), engine.connections.connect(connection)]
  }

  /**
   * One request of each client, in one turn, so that their replies are sent together. Returns the rounds done.
   */
  step(): number {
    for (const client of this.clients) {
      const { u8, dv } = this.requests[this.next].numbered(this.rounds)
      this.engine.input.receive(client, u8, dv, 0, u8.length)
      if (++this.next < this.requests.length) continue
      this.next = 0
      this.rounds++
    }
    this.settle()
    return this.rounds
  }
}

/** A connection that accepts all bytes at once. */
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

/** The most frequent commands; a # at the end of a word is replaced by one of a thousand numbers, in DIGITS digits. */
const COMMANDS: readonly string[] = [
  'PING',
  `SET key:# ${VALUE}`,
  'GET key:#',
  'INCR counter:#',
  `MSET key:# ${VALUE} key:# ${VALUE} key:# ${VALUE} key:# ${VALUE}`,
  `LPUSH list ${VALUE}`,
  `RPUSH list ${VALUE}`,
  'LPOP list',
  'RPOP list',
  'DEL long',
  `RPUSH long ${VALUE}`,
  'LRANGE long 0 99',
  'SADD set element:#',
  'SPOP set',
  `HSET hash element:# ${VALUE}`,
  `HSET small:# field ${VALUE} other #`,
  'HGETALL small:#',
  'ZADD zset # element:#',
  'ZPOPMIN zset',
  `XADD stream * field # value ${VALUE}`,
  `XADD stream MAXLEN 1000 * field # value ${VALUE}`,
  'RPUSH queue element:#',
  'DEL small:#',
  'EXPIRE key:# 1000',
]

const NUMBERS = 1000
const DIGITS = 12

/** A command in RESP, once or pipelined, with the numbers' positions. */
class Request {
  readonly u8: Uint8Array
  readonly dv: DataView
  /** Positions of the last digit of each number. */
  private readonly at: number[] = []

  /** `buffer` is empty, before and afterwards. */
  constructor(text: string, times: number, buffer: CommandWriter) {
    const words = text.split(' ')
    for (; times > 0; times--) {
      buffer.count(words.length)
      for (const word of words) {
        buffer.word(word.replace('#', '0'.repeat(DIGITS)))
        if (word.endsWith('#')) this.at.push(buffer.len - '0\r\n'.length)
      }
    }
    this.u8 = buffer.take()
    this.dv = new DataView(this.u8.buffer)
  }

  /** The request with numbers that follow from `n`. */
  numbered(n: number): this {
    for (let i = 0; i < this.at.length; i++) {
      const number = (n * 397 + i * 61) % NUMBERS
      this.u8[this.at[i]] = 48 + (number % 10)
      this.u8[this.at[i] - 1] = 48 + (Math.floor(number / 10) % 10)
      this.u8[this.at[i] - 2] = 48 + Math.floor(number / 100)
    }
    return this
  }
}
