import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversation } from '../../test/harness/conversation.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { randomFrom } from '../../test/harness/random.ts'
import { encodeCommand, type Word } from '../../test/harness/resp.ts'
import type { Connection } from '../system/network.ts'
import { VirtualMachine } from '../system/virtual.ts'
import type { Client } from './client.ts'

/** A server and clients whose sockets record what happens to them. */
class Bench {
  readonly machine = new VirtualMachine({})
  server!: MachineServer
  readonly seen: string[] = []

  static async start(): Promise<Bench> {
    const bench = new Bench()
    bench.server = await MachineServer.start(bench.machine)
    return bench
  }

  get engine() {
    return this.server.server.engine
  }

  /** `socket`: what its connection can read directly. */
  client(name: string, socket?: Waiting): Client {
    const { seen } = this
    const connection: Connection = {
      ...(socket && { readInto: (u8, next) => socket.readInto(u8, next) }),
      kind: 'tcp',
      peer: '10.0.0.1:1',
      local: '10.0.0.2:6379',
      fd: 0,
      write(_u8, start, end) {
        seen.push(`${name} answered`)
        return end - start
      },
      close: () => void seen.push(`${name} closed`),
      pause: () => void seen.push(`${name} paused`),
      resume: () => void seen.push(`${name} read again`),
    }
    return this.engine.connections.connect(connection)
  }

  receive(client: Client, ...commands: Word[][]): void {
    const u8 = new Uint8Array(commands.flatMap(words => [...encodeCommand(words)]))
    this.engine.input.receive(client, u8, new DataView(u8.buffer), 0, u8.length)
  }

  /** What has happened since the last call. */
  take(): string[] {
    return this.seen.splice(0)
  }
}

/** 200 commands that are 200 KB. */
const long = (name: string): Word[][] => Array(200).fill(['APPEND', name, 'x'.repeat(1000)])

test('what is left of a long pipeline waits for the next turn, and its socket is not read', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  bench.receive(busy, ...long('k'))
  assert.deepEqual(bench.take(), ['busy paused', 'busy answered'])
  const { engine } = bench
  const ran = engine.stats.commandsProcessed
  assert.ok(ran > 100 && ran < 200, `${ran}`)
  bench.machine.settle()
  assert.deepEqual(bench.take(), ['busy read again', 'busy answered'])
  assert.equal(engine.stats.commandsProcessed, 200)
  assert.equal(busy.queryBytes, 0)
})

test('a short command does not wait for the clients in the queue, a long read does', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  const quiet = bench.client('quiet')
  const second = bench.client('second')
  bench.receive(busy, ...long('k'))
  bench.receive(quiet, ['PING'])
  bench.receive(second, ...long('l'))
  assert.deepEqual(bench.take(), ['busy paused', 'busy answered', 'second paused', 'quiet answered'])
  bench.machine.settle()
  assert.deepEqual(bench.take(), [
    'busy read again',
    'busy answered',
    'second answered',
    'second read again',
    'second answered',
  ])
})

test('clients in the queue get their budgets in turn', async () => {
  const bench = await Bench.start()
  const clients = ['a', 'b', 'c'].map(name => bench.client(name))
  for (const client of clients) bench.receive(client, ...long(`${client.id}`), ...long(`${client.id}`))
  bench.machine.settle()
  const order = bench.take().filter(text => text.endsWith('answered'))
  const names = order.map(text => text[0])
  assert.deepEqual(names.slice(0, 7), ['a', 'a', 'b', 'c', 'a', 'b', 'c'])
})

test('a client in the queue that blocks is read again, so that its end is seen', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  bench.receive(busy, ...long('k'), ['BLPOP', 'none', '0'], ...long('l'))
  bench.machine.settle()
  assert.ok(bench.take().includes('busy read again'))
  assert.equal(bench.server.call('STRLEN', 'l'), 0)
  bench.server.call('RPUSH', 'none', 'x')
  bench.machine.settle()
  assert.equal(bench.server.call('STRLEN', 'l'), 200_000)
})

test('a client that is closed while it waits runs nothing more', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  bench.receive(busy, ...long('k'))
  bench.engine.closeClient(busy)
  const { commandsProcessed } = bench.engine.stats
  bench.machine.settle()
  assert.equal(bench.engine.stats.commandsProcessed, commandsProcessed)
  assert.ok(!bench.take().includes('busy read again'))
})

test('a big argument that comes without a pause is read in turns', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  const whole = encodeCommand(['SET', 'k', 'x'.repeat(1_500_000)])
  const u8 = new Uint8Array(whole)
  const dv = new DataView(u8.buffer)
  for (let at = 0; at < u8.length; at += 65536) {
    if (bench.seen.at(-1) === 'busy paused') bench.machine.settle()
    bench.engine.input.receive(busy, u8, dv, at, Math.min(u8.length, at + 65536))
  }
  bench.machine.settle()
  assert.deepEqual(bench.take(), ['busy paused', 'busy read again', 'busy paused', 'busy read again', 'busy answered'])
  assert.equal(bench.server.call('STRLEN', 'k'), 1_500_000)
})

test('reads whose commands take long in all are followed by a pause', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  const read = [...long('k').slice(0, 70), ['DEBUG', 'SLEEP', '0.0003']]
  bench.receive(busy, ...read)
  assert.deepEqual(bench.take(), [])
  bench.receive(busy, ...read)
  assert.deepEqual(bench.take(), ['busy paused'])
  bench.machine.settle()
  assert.deepEqual(bench.take(), ['busy answered', 'busy answered', 'busy read again'])
})

/** A socket in which bytes wait; `bytesMax` returns how many of them a read gets at most. */
class Waiting {
  reads = 0
  private rest: Uint8Array
  private readonly bytesMax: () => number

  constructor(rest: Uint8Array, bytesMax: () => number = () => rest.length) {
    this.rest = rest
    this.bytesMax = bytesMax
  }

  /** The next bytes, as the runtime would deliver them. */
  take(bytes: number): Uint8Array {
    const taken = this.rest.slice(0, bytes)
    this.rest = this.rest.subarray(taken.length)
    return taken
  }

  readInto(u8: Uint8Array, next: Uint8Array): number {
    const taken = this.take(Math.min(u8.length + next.length, this.bytesMax()))
    if (taken.length > 0) this.reads++
    u8.set(taken.subarray(0, u8.length))
    next.set(taken.subarray(u8.length))
    return taken.length
  }
}

const encoded = (...commands: Word[][]) => new Uint8Array(Buffer.concat(commands.map(words => encodeCommand(words))))

test('big arguments one after the other are read directly, each in a turn, while the socket is full', async () => {
  const bench = await Bench.start()
  const sets = ['k', 'l', 'm'].map(key => ['SET', key, key.repeat(1_000_000)])
  const socket = new Waiting(encoded(...sets, ['INCR', 'n']))
  const busy = bench.client('busy', socket)
  const first = socket.take(65536)
  bench.engine.input.receive(busy, first, new DataView(first.buffer), 0, first.length)
  assert.deepEqual(bench.take(), ['busy paused'])
  bench.machine.settle()
  assert.deepEqual(bench.take(), ['busy answered', 'busy answered', 'busy read again', 'busy answered'])
  assert.equal(socket.reads, 3)
  for (const [, key, value] of sets) assert.equal(bench.server.call('GET', key), value)
  assert.equal(bench.server.call('GET', 'n'), '1')
  assert.equal(busy.bytesIn, encoded(...sets, ['INCR', 'n']).length)
})

test('direct reads of any length lose nothing and keep the order', async () => {
  const below = randomFrom(7)
  for (let round = 0; round < 6; round++) {
    const bench = await Bench.start()
    const lengths = Array.from({ length: 8 }, () => (below(3) === 0 ? below(50) : below(1_200_000)))
    const wanted = lengths.map((length, i) => String.fromCharCode(97 + i).repeat(length)).join('')
    const appends = lengths.map((length, i) => ['APPEND', 'k', String.fromCharCode(97 + i).repeat(length)])
    const socket = new Waiting(encoded(...appends), () => (below(4) === 0 ? 0 : below(1_000_000)))
    const busy = bench.client('busy', socket)
    for (let piece = socket.take(70_000); piece.length > 0; piece = socket.take(below(600_000) + 1)) {
      bench.engine.input.receive(busy, piece, new DataView(piece.buffer), 0, piece.length)
      bench.machine.settle()
    }
    assert.ok(socket.reads > 0)
    assert.ok(bench.server.call('GET', 'k') === wanted, `round ${round}`)
  }
})

test('an argument of more than 16 MB is read directly too, and a client that is closed meanwhile is not read', async () => {
  const bench = await Bench.start()
  const whole = encoded(['SET', 'k', 'x'.repeat(40_000_000)])
  const socket = new Waiting(whole)
  const busy = bench.client('busy', socket)
  const first = socket.take(65536)
  bench.engine.input.receive(busy, first, new DataView(first.buffer), 0, first.length)
  bench.machine.settle()
  assert.equal(bench.server.call('STRLEN', 'k'), 40_000_000)
  assert.equal(socket.reads, 39)

  const second = bench.client('second', new Waiting(whole))
  bench.engine.input.receive(second, first, new DataView(first.buffer), 0, first.length)
  bench.engine.closeClient(second)
  bench.machine.settle()
  assert.deepEqual(bench.take().slice(-2), ['second paused', 'second closed'])
  assert.equal(bench.engine.keyspace.strings.lent.bytes, 0)
})

conversation('every command of a long pipeline runs, in order, beside others', async c => {
  const other = await c.another()
  const words = (i: number) => [...encodeCommand(['APPEND', 'k', `${i}`.padEnd(99)])]
  const pipeline = new Uint8Array(Array.from({ length: 5000 }, (_, i) => words(i)).flat())
  for (const { client } of [c, other]) client.write(pipeline)
  for (const { client } of [c, other]) {
    let last = 0
    for (let i = 0; i < 5000; i++) {
      const length = (await client.message()) as number
      if (length <= last) throw new Error(`${length} after ${last}`)
      last = length
    }
  }
  await c.expect('STRLEN k', 990_000)
  await c.expect('GETRANGE k -99 -1', '4999'.padEnd(99))
})

test('a long read whose rest is used up before the event is over is let go of once', async () => {
  const bench = await Bench.start()
  const busy = bench.client('busy')
  const pause = ['CLIENT', 'PAUSE', '60000', 'WRITE']
  const u8 = new Uint8Array([...encodeCommand(pause), ...long('k').flatMap(words => [...encodeCommand(words)])])
  bench.engine.input.receive(busy, u8, new DataView(u8.buffer), 0, u8.length, true)
  bench.server.call('CLIENT', 'UNPAUSE')
  bench.machine.settle()
  assert.equal(bench.server.call('STRLEN', 'k'), 200_000)
  const again = new Uint8Array(long('l').flatMap(words => [...encodeCommand(words)]))
  bench.engine.input.receive(busy, again, new DataView(again.buffer), 0, again.length, true)
  bench.machine.settle()
  assert.equal(bench.server.call('STRLEN', 'l'), 200_000)
  assert.equal(busy.query, undefined)
})
