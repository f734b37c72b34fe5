import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createServer, type EmbeddedServer } from '../index.ts'
import { nextFakeMs } from '../system/server-time.ts'
import { durationMs } from './duration.ts'

const START_MS = 1_700_000_000_000
const DAY_MS = 86_400_000

function virtualServer(config = {}): Promise<EmbeddedServer> {
  return createServer({ clock: { mode: 'virtual', startMs: START_MS }, config })
}

/** A connection that collects what it hears, with the time of the server's clock. */
function listen(server: EmbeddedServer): { tell: (text: string) => string; heard: [atMs: number, text: string][] } {
  const socket = server.connect()
  const heard: [number, string][] = []
  let now = ''
  socket.onData = bytes => {
    now = new TextDecoder().decode(bytes)
    heard.push([server.clock.now() - START_MS, now])
  }
  const tell = (text: string) => {
    now = ''
    socket.write(`${text}\r\n`)
    return now
  }
  return { tell, heard }
}

test('durations', () => {
  assert.equal(durationMs('7d'), 7 * DAY_MS)
  assert.equal(durationMs('1h30m'), 5_400_000)
  assert.equal(durationMs('1.5s'), 1500)
  assert.equal(durationMs(250), 250)
  for (const wrong of ['', '7', 'd', '7 d', '7y', -1, Number.NaN])
    assert.throws(() => durationMs(wrong), /not a duration/)
})

test('a virtual clock stands until it is moved', async () => {
  const server = await virtualServer()
  const { tell } = listen(server)
  assert.equal(tell('TIME'), '*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n')
  tell('SET k v PX 5000')
  await server.clock.advance(4999)
  assert.equal(tell('PTTL k'), ':1\r\n')
  await server.clock.advance(1)
  assert.equal(tell('EXISTS k'), ':0\r\n')
  assert.equal(server.clock.now(), START_MS + 5000)
  server.clock.set(new Date(START_MS + DAY_MS))
  assert.equal(tell('TIME'), '*2\r\n$10\r\n1700086400\r\n$1\r\n0\r\n')
  await server.close()
})

test('expiries, time-outs and events come at their times and in their order', async () => {
  for (const how of ['advance', 'advanceSync'] as const) {
    const server = await virtualServer({ notifyKeyspaceEvents: 'Ex' })
    const events = listen(server)
    events.tell('SUBSCRIBE __keyevent@0__:expired')
    events.heard.length = 0
    const { tell } = listen(server)
    const waiting = [2500, 1000, 1001].map(ms => {
      const client = listen(server)
      client.tell(`BLPOP q ${ms / 1000}`)
      return client
    })
    for (const ms of [3000, 999, 70_000, 1000]) tell(`SET k${ms} v PX ${ms}`)
    await server.clock[how]('2m')
    for (let turns = 0; turns < 3; turns++) await new Promise(resolve => void setImmediate(resolve))
    assert.deepEqual(
      events.heard.map(([at, text]) => [at, text.trim().split('\r\n').at(-1)]),
      [
        [999, 'k999'],
        [1000, 'k1000'],
        [3000, 'k3000'],
        [70_000, 'k70000'],
      ],
    )
    assert.deepEqual(
      waiting.map(client => client.heard[0]?.[1]),
      ['*-1\r\n', '*-1\r\n', '*-1\r\n'],
    )
    if (how === 'advance')
      assert.deepEqual(
        waiting.map(client => client.heard[0][0]),
        [2500, 1000, 1001],
      )
    await server.close()
  }
})

test('keys of all databases expire in their order, however far apart their times are', async () => {
  for (const farthest of [1_000_000, 8_000_000_000_000_000]) {
    const server = await virtualServer({ notifyKeyspaceEvents: 'Ex' })
    const events = listen(server)
    events.tell('PSUBSCRIBE __keyevent@*__:expired')
    const { tell } = listen(server)
    tell(`SET farthest v PXAT ${START_MS + farthest}`)
    const times = [5, 900, 3, 40_000, 7, 600, 86_000]
    for (const [i, ms] of times.entries()) tell(`SELECT ${i % 3}\r\nSET k${ms} v PX ${ms}`)
    events.heard.length = 0
    await server.clock.advance(90_000)
    const heard = events.heard.map(([atMs, text]) => [atMs, /k\d+/.exec(text)?.[0]])
    const inOrder = [...times].sort((a, b) => a - b).map(ms => [ms, `k${ms}`])
    assert.deepEqual(heard, inOrder)
    assert.equal(server.callSync('EXISTS', 'farthest'), 1)
    await server.close()
  }
})

test('what an event causes happens before time goes on', async () => {
  const server = await virtualServer({ notifyKeyspaceEvents: 'Ex' })
  const events = server.connect()
  const { tell } = listen(server)
  let rounds = 0
  events.onData = bytes => {
    if (!new TextDecoder().decode(bytes).includes('expired\r\n$1\r\nk')) return
    if (++rounds < 5) tell('SET k v PX 1000')
  }
  events.write('SUBSCRIBE __keyevent@0__:expired\r\n')
  tell('SET k v PX 1000')
  await server.clock.advance('1m')
  assert.equal(rounds, 5)
  await server.close()
})

test('a virtual clock over TCP', async () => {
  const server = await virtualServer()
  const client = connect(await server.listen(), '127.0.0.1')
  const replies: string[] = []
  client.on('data', bytes => replies.push(String(bytes)))
  client.write('SET k v EX 60\r\nBLPOP q 30\r\n')
  await new Promise(resolve => void client.once('data', resolve))
  await server.clock.advance('1h')
  assert.deepEqual(replies, ['+OK\r\n', '*-1\r\n'])
  client.write('EXISTS k\r\n')
  await new Promise(resolve => void client.once('data', resolve))
  assert.equal(replies[2], ':0\r\n')
  client.destroy()
  await server.close()
})

test('a day takes no more steps than there are events', async () => {
  const server = await virtualServer({ notifyKeyspaceEvents: 'Ex', maxmemory: '200mb' })
  const events = listen(server)
  events.tell('SUBSCRIBE __keyevent@0__:expired')
  events.heard.length = 0
  const { tell } = listen(server)
  for (let i = 0; i < 1000; i++) tell(`SET k${i} v PX ${((i * 7919) % 1000) * 86_000 + 1}`)
  await server.clock.advance('1d')
  const times = events.heard.map(([at]) => at)
  assert.equal(times.length, 1000)
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  )
  assert.equal(tell('DBSIZE'), ':0\r\n')
  const ticks = /cron_ticks:(\d+)/.exec(tell('INFO all'))
  assert.ok(ticks === null || Number(ticks[1]) < 2000)
  await server.close()
})

test('a frozen clock stands, and goes on from where it was', async () => {
  const server = await createServer()
  const { tell } = listen(server)
  server.clock.freeze()
  const at = server.clock.now()
  tell('SET k v PX 10000')
  await server.clock.advance(9000)
  assert.equal(tell('PTTL k'), ':1000\r\n')
  assert.equal(server.clock.now(), at + 9000)
  server.clock.resume()
  assert.ok(server.clock.now() >= at + 9000)
  await server.clock.advance(1000)
  assert.equal(tell('EXISTS k'), ':0\r\n')
  await server.close()
})

test('the mock timers of node:test move the server, enabled before it was made or after', {
  skip: process.versions['bun'] ? 'Bun has no mock timers in node:test' : false,
}, async t => {
  for (const order of ['before', 'after']) {
    const apis: ('setTimeout' | 'setInterval' | 'Date')[] = ['setTimeout', 'setInterval', 'Date']
    if (order === 'before') t.mock.timers.enable({ apis, now: START_MS })
    const server = await createServer()
    if (order === 'after') t.mock.timers.enable({ apis, now: START_MS })
    const client = connect(await server.listen(), '127.0.0.1')
    const replies: string[] = []
    client.on('data', bytes => replies.push(String(bytes)))
    const reply = () => new Promise(resolve => void client.once('data', resolve))
    client.write('SET k v EX 60\r\n')
    await reply()
    client.write('BLPOP q 30\r\n')
    for (let turns = 20; turns > 0; turns--) await new Promise(resolve => void setImmediate(resolve))
    const timedOut = reply()
    t.mock.timers.tick(61_000)
    await timedOut
    client.write('EXISTS k\r\n')
    await reply()
    assert.deepEqual(replies, ['+OK\r\n', '*-1\r\n', ':0\r\n'], order)
    client.destroy()
    await server.close()
    t.mock.timers.reset()
  }
})

test('timers of a fake clock are found in an object and in a map', () => {
  const [late, soon] = [{ callAt: 30 }, { callAt: 20 }]
  assert.equal(nextFakeMs({ timers: { 1: late, 2: soon } }), 20)
  assert.equal(
    nextFakeMs({
      timers: new Map([
        [1, late],
        [2, soon],
      ]),
    }),
    20,
  )
  assert.equal(nextFakeMs({}), Number.POSITIVE_INFINITY)
})
