import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer, type EmbeddedServer } from '../index.ts'
import type { Timer, Timers } from '../system/system.ts'
import { type VirtualMachine, virtualSystem } from '../system/virtual.ts'

interface Talk {
  received: string
  closed: boolean
  /** Sends a line; what has come back by then. */
  say(line: string): string
}

interface Stage {
  machine: VirtualMachine
  server: EmbeddedServer
  connect(): Talk
}

async function start(config: Record<string, string> = {}): Promise<Stage> {
  const machine = virtualSystem({ seed: 3 })
  const server = await createServer({ system: machine.system, config })
  const connect = (): Talk => {
    const socket = server.connect()
    const talk: Talk = {
      received: '',
      closed: false,
      say(line) {
        talk.received = ''
        socket.write(new TextEncoder().encode(`${line}\r\n`))
        machine.settle()
        return talk.received
      },
    }
    socket.onData = bytes => {
      talk.received += new TextDecoder('latin1').decode(bytes)
    }
    socket.onClose = () => {
      talk.closed = true
    }
    return talk
  }
  return { machine, server, connect }
}

test('a wait with a time-out ends at its millisecond, not at the next tick', async () => {
  const { machine, connect } = await start()
  const talk = connect()
  assert.equal(talk.say('BLPOP k 0.123'), '')
  machine.advance(122)
  assert.equal(talk.received, '')
  machine.advance(1)
  assert.equal(talk.received, '*-1\r\n')
})

test('of several waits each ends at its own time, also when the first one is over early', async () => {
  const { machine, connect } = await start()
  const [a, b, c] = [connect(), connect(), connect()]
  a.say('BLPOP k 0.2')
  b.say('BLPOP other 0.3')
  c.say('LPUSH k v')
  assert.match(a.received, /^\*2/)
  machine.advance(250)
  assert.equal(b.received, '')
  machine.advance(50)
  assert.equal(b.received, '*-1\r\n')
})

test('a pause ends by itself, at its millisecond', async () => {
  const { machine, connect } = await start()
  const [a, b] = [connect(), connect()]
  assert.equal(a.say('CLIENT PAUSE 250'), '+OK\r\n')
  assert.equal(b.say('PING'), '')
  machine.advance(249)
  assert.equal(b.received, '')
  machine.advance(1)
  assert.equal(b.received, '+PONG\r\n')
})

test('idle clients are closed, those that wait or listen are not', async () => {
  const { machine, connect } = await start({ timeout: '2' })
  const [idle, busy, waiting] = [connect(), connect(), connect()]
  waiting.say('BLPOP k 0')
  for (let i = 0; i < 5; i++) {
    machine.advance(1000)
    busy.say('PING')
  }
  assert.deepEqual([idle.closed, busy.closed, waiting.closed], [true, false, false])
})

test('keys run out although nobody asks for them', async () => {
  const { machine, connect } = await start()
  const talk = connect()
  for (let i = 0; i < 50; i++) talk.say(`SET k${i} v PX 500`)
  talk.say('SET stays v')
  assert.equal(talk.say('DBSIZE'), ':51\r\n')
  machine.advance(1000)
  assert.equal(talk.say('DBSIZE'), ':1\r\n')
  assert.match(talk.say('INFO stats'), /expired_keys:50\r\n/)
})

test('a large value that was unlinked is freed in slices', async () => {
  const { machine, connect } = await start()
  const talk = connect()
  const members = Array.from({ length: 5000 }, (_, i) => `m${i}`)
  talk.say(`SADD set ${members.join(' ')}`)
  talk.say('UNLINK set')
  machine.advance(500)
  assert.match(talk.say('INFO memory'), /lazyfree_pending_objects:0\r\nlazyfreed_objects:1\r\n/)
})

test('FLUSHALL frees what it removes, not what was unlinked before', async () => {
  const { machine, connect, server } = await start()
  const talk = connect()
  const members = Array.from({ length: 5000 }, (_, i) => `m${i}`)
  talk.say(`SADD set ${members.join(' ')}`)
  const figures = /lazyfree_pending_objects:1\r\nlazyfreed_objects:0\r\n/
  assert.match(talk.say('UNLINK set\r\nSADD other a\r\nFLUSHALL\r\nINFO memory'), figures)
  machine.advance(500)
  assert.match(talk.say('INFO memory'), /lazyfree_pending_objects:0\r\nlazyfreed_objects:1\r\n/)
  await server.close()
})

test('what FLUSHALL had no time to free is freed in slices, and not counted as lazily freed', async () => {
  const { machine, connect, server } = await start()
  const talk = connect()
  const members = Array.from({ length: 60_000 }, (_, i) => `m${i}`).join(' ')
  for (const key of ['a', 'b', 'c']) talk.say(`SADD ${key} ${members}`)
  assert.match(talk.say('FLUSHALL\r\nINFO memory'), /lazyfree_pending_objects:0\r\nlazyfreed_objects:0\r\n/)
  machine.advance(500)
  assert.match(talk.say('INFO memory'), /lazyfree_pending_objects:0\r\nlazyfreed_objects:0\r\n/)
  await server.close()
})

test('the rate of commands is the mean of the last samples', async () => {
  const { machine, connect } = await start()
  const talk = connect()
  for (let i = 0; i < 40; i++) {
    machine.advance(100)
    for (let j = 0; j < 10; j++) talk.say('PING')
  }
  const rate = Number(/instantaneous_ops_per_sec:(\d+)/.exec(talk.say('INFO stats'))?.[1])
  assert.ok(rate > 80 && rate <= 110, `${rate}`)
})

test('a closed server has no timer left', async () => {
  const machine = virtualSystem({ seed: 3 })
  const timers = new CountedTimers(machine.system.timers)
  const server = await createServer({ system: { ...machine.system, timers } })
  server.connect().write(new TextEncoder().encode('BLPOP k 10\r\n'))
  machine.settle()
  assert.ok(timers.running.size > 1)
  await server.close()
  machine.settle()
  assert.equal(timers.running.size, 0)
})

/** Timers, and which of them have yet to fire. */
class CountedTimers implements Timers {
  readonly running = new Set<Timer>()
  private readonly timers: Timers

  constructor(timers: Timers) {
    this.timers = timers
  }

  after(ms: number, fn: () => void): Timer {
    const timer = this.timers.after(ms, () => {
      this.running.delete(timer)
      fn()
    })
    this.running.add(timer)
    return timer
  }

  every(ms: number, fn: () => void): Timer {
    const timer = this.timers.every(ms, fn)
    this.running.add(timer)
    return timer
  }

  cancel(timer: Timer): void {
    this.running.delete(timer)
    this.timers.cancel(timer)
  }

  soon(fn: () => void): void {
    this.timers.soon(fn)
  }
}
