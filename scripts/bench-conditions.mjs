// What a user notices beyond throughput: the first PONG, memory when idle and per key, and what one busy client does to
// a quiet one. Each function returns the rows { name, ours, theirs? } of one section of the report.

import { Worker } from 'node:worker_threads'
import { encode, pings, send, sleep } from './bench-client.mjs'
import { start } from './bench-server.mjs'

const STARTS = 5
const IDLE_MS = 4000
const FILLING = 200_000
const NEIGHBOUR_MS = 3000
const SETTLE_MS = 1000

/** The best of several starts of each server, in milliseconds. */
export async function firstPong(commands) {
  const best = []
  for (const command of commands) {
    let ms = Number.POSITIVE_INFINITY
    for (let i = 0; i < STARTS; i++) {
      const server = await start(command)
      ms = Math.min(ms, server.firstPongMs)
      server.stop()
    }
    best.push(ms)
  }
  return [row('first PONG after the start', best)]
}

/** Resident mebibytes of servers that have done nothing for a few seconds. */
export async function idle(servers) {
  await sleep(IDLE_MS)
  return [
    row(
      'resident when idle',
      servers.map(server => server.residentBytes() / 2 ** 20),
    ),
  ]
}

const id = i => String(i).padStart(12, '0')
const ten = make => Array.from({ length: 10 }, (_, i) => make(i)).flat()
const SHAPES = [
  ['string of 32 bytes', i => ['SET', `str:${id(i)}`, 'v'.repeat(32)]],
  ['hash of 10 fields', i => ['HSET', `hash:${id(i)}`, ...ten(f => [`field${f}`, `value${f}`])]],
  ['list of 10 elements', i => ['RPUSH', `list:${id(i)}`, ...ten(e => `element${e}`)]],
  ['set of 10 members', i => ['SADD', `set:${id(i)}`, ...ten(m => `member${m}`)]],
  ['sorted set of 10 members', i => ['ZADD', `zset:${id(i)}`, ...ten(m => [m, `member${m}`])]],
]

/** Bytes of resident memory that a key of each shape adds to a server of its own, between a first and a second filling. */
export async function memory(commands) {
  const rows = []
  for (const [name, make] of SHAPES) {
    const bytes = []
    for (const command of commands) {
      const server = await start(command)
      await fill(server.port, make, 0)
      await sleep(SETTLE_MS)
      const before = server.residentBytes()
      await fill(server.port, make, FILLING)
      await sleep(SETTLE_MS)
      bytes.push((server.residentBytes() - before) / FILLING)
      server.stop()
    }
    rows.push(row(name, bytes))
  }
  return rows
}

async function fill(port, make, from) {
  const step = 1000
  for (let at = from; at < from + FILLING; at += step)
    await send(
      port,
      Array.from({ length: step }, (_, i) => make(at + i)),
    )
}

const LOADS = [
  ['GET', ['GET', 'key']],
  ['SET', ['SET', 'key', 'v'.repeat(32)]],
  ['LRANGE of 100', ['LRANGE', 'list', '0', '99']],
]

/** Milliseconds that a client waits for PONG beside one that sends without a pause: the median, and 99 of 100. */
export async function neighbour(servers) {
  const rows = []
  for (const [name, command] of LOADS) {
    const found = []
    for (const server of servers) {
      await send(server.port, [
        ['FLUSHALL'],
        ['SET', 'key', 'v'.repeat(32)],
        ['RPUSH', 'list', ...Array.from({ length: 100 }, (_, i) => `element${i}`)],
      ])
      const bytes = encode(command).repeat(500)
      const flood = new Worker(new URL('./bench-flood.mjs', import.meta.url), {
        workerData: { port: server.port, bytes },
      })
      await sleep(SETTLE_MS / 2)
      found.push(await pings(server.port, NEIGHBOUR_MS))
      await flood.terminate()
    }
    rows.push(
      row(
        `${name}, median`,
        found.map(waits => waits[Math.floor(waits.length * 0.5)]),
      ),
    )
    rows.push(
      row(
        `${name}, 99 of 100`,
        found.map(waits => waits[Math.floor(waits.length * 0.99)]),
      ),
    )
  }
  return rows
}

function row(name, [ours, theirs]) {
  return { name, ours, theirs }
}
