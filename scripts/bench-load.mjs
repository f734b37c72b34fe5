// A client with one of the loads of bench-pauses.mjs, in a thread of its own: it sends some commands, waits for the
// reply of an ECHO behind them, and sends the next ones. Tells its parent when the data are there and the load begins.

import { parentPort, workerData } from 'node:worker_threads'
import { encode, open, send, sendOn } from './bench-client.mjs'

const BATCH = 16
const KEYS = 200_000
const FILL_STEP = 1000
const SUBSCRIBERS = 10_000
const CHANNELS = 100
const AGAIN_MS = 5000
const SCRIPT = "for i = 1, 100 do redis.call('INCR', KEYS[1]) end return redis.call('HGETALL', KEYS[2])"

const { port, load } = workerData
const random = n => Math.floor(Math.random() * n)
const id = n => String(n).padStart(12, '0')
const VALUE = 'v'.repeat(100)

// prepare: before the load; make: one command; again: commands that are sent once in AGAIN_MS.
const LOADS = {
  strings: {
    prepare: fill,
    make: i => (i % 2 === 0 ? ['SET', `str:${id(random(KEYS))}`, VALUE] : ['GET', `str:${id(random(KEYS))}`]),
  },
  'big collections': {
    make: i =>
      [
        () => ['HSET', 'hash', `field${id(random(1e6))}`, VALUE],
        () => ['ZADD', 'zset', random(1e6), `member${id(random(1e6))}`],
        () => ['RPUSH', 'list', VALUE],
        () => ['SADD', 'set', `member${id(random(1e6))}`],
        () => ['ZRANGE', 'zset', '0', '99'],
        () => ['HSCAN', 'hash', '0', 'COUNT', '100'],
      ][i % 6](),
    again: [['DEL', 'list', 'set']],
  },
  scripts: {
    prepare: () => send(port, [['HSET', 'hash', 'one', '1', 'two', '2', 'three', '3']]),
    make: () => ['EVAL', SCRIPT, '2', `counter:${random(1000)}`, 'hash'],
  },
  '10,000 subscribers': {
    prepare: subscribe,
    make: () => ['PUBLISH', `channel:${random(CHANNELS)}`, VALUE],
  },
  snapshots: { prepare: fill, make: () => ['SET', `str:${id(random(KEYS))}`, VALUE], again: [['BGSAVE']] },
  'AOF rewrites': {
    prepare: async () => {
      await fill()
      await send(port, [['CONFIG', 'SET', 'appendonly', 'yes']])
    },
    make: () => ['SET', `str:${id(random(KEYS))}`, VALUE],
    again: [['BGREWRITEAOF']],
  },
  eviction: {
    prepare: async () => {
      await send(port, [['CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru']])
      for (let n = 0; n < 4; n++) await fill(n * KEYS)
    },
    make: () => ['SET', `new:${id(random(1e9))}`, VALUE.repeat(1 + random(4))],
  },
}

async function fill(from = 0) {
  for (let at = from; at < from + KEYS; at += FILL_STEP)
    await send(
      port,
      Array.from({ length: FILL_STEP }, (_, i) => ['SET', `str:${id(at + i)}`, VALUE]),
    )
}

async function subscribe() {
  for (let n = 0; n < SUBSCRIBERS; n++) {
    const socket = await open(port)
    socket.on('data', () => {})
    socket.write(encode(['SUBSCRIBE', `channel:${n % CHANNELS}`]))
  }
}

const chosen = LOADS[load]
await chosen.prepare?.()
const socket = await open(port)
parentPort.postMessage('running')
let sent = 0
let nextMs = performance.now() + AGAIN_MS / 5
for (;;) {
  const commands = Array.from({ length: BATCH }, () => chosen.make(sent++))
  if (chosen.again !== undefined && performance.now() > nextMs) {
    nextMs = performance.now() + AGAIN_MS
    commands.push(...chosen.again)
  }
  await sendOn(socket, commands)
}
