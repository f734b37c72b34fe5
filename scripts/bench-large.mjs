// What large things cost: processor time of one command (or one pipeline) on large values, the least of some runs, each
// behind its own preparation, which is not counted.

import { send, sleep } from './bench-client.mjs'
import { start } from './bench-server.mjs'

const RUNS = 3
/** Work that goes on after the reply (freeing, writing) is counted for so long. */
const AFTER_MS = 300
const STEP = 1000
const MB = 'x'.repeat(2 ** 20)

/** Commands made by `make`, in steps of STEP. */
function many(count, make) {
  return Array.from({ length: count / STEP }, (_, n) => Array.from({ length: STEP }, (_, i) => make(n * STEP + i)))
}

/** One command that fills a collection, in steps of STEP elements of `make`. */
function filling(words, count, make) {
  return many(count, make).map(elements => [[...words, ...elements.flat()]])
}

const zset = (key, count) => filling(['ZADD', key], count, i => [i, `member${i}`])
const list = (key, count) => filling(['RPUSH', key], count, i => [`element${i}`])
const hash = (key, count) => filling(['HSET', key], count, i => [`field${i}`, `value${i}`])
const keys = count => many(count, i => ['SET', `key:${i}`, 'v'])
const bits = ['a', 'b'].map(key => [
  ['SETRANGE', key, 100 * 2 ** 20 - 1, 'x'],
  ['SETBIT', key, 12345, 1],
])
const sketches = many(100_000, i => ['PFADD', `sketch:${i % 100}`, i])
const sketchNames = Array.from({ length: 100 }, (_, i) => `sketch:${i}`)
const loop = (count, command) => Array.from({ length: count }, () => command)

// Rows: name, lists of commands sent before (each a pipeline), commands that are counted.
const ROWS = [
  ['MULTI, 100,000 INCR, EXEC', [], [['MULTI'], ...loop(100_000, ['INCR', 'counter']), ['EXEC']]],
  ['DEL with a million arguments', [], [['DEL', ...Array.from({ length: 1e6 }, (_, i) => `none:${i}`)]]],
  ['APPEND to 100 MB in steps of 1 MB', [], loop(100, ['APPEND', 'long', MB])],
  ['SET of 100 MB', [], [['SET', 'long', MB.repeat(100)]]],
  ['GET of 100 MB', [[['SET', 'long', MB.repeat(100)]]], [['GET', 'long']]],
  ['SET of 1 MB, 200 times', [], loop(200, ['SET', 'long', MB])],
  ['KEYS without a match, a million keys', keys(1e6), [['KEYS', 'none*']]],
  ['SORT of 500,000 numbers', filling(['RPUSH', 'numbers'], 500_000, i => [(i * 7919) % 1e6]), [['SORT', 'numbers']]],
  ['COPY of a million-member sorted set', zset('zset', 1e6), [['COPY', 'zset', 'copy']]],
  ['ZADD of 100,000 at once', [], zset('zset', 100_000).map(([words]) => words)],
  ['ZREMRANGEBYRANK of 100,000', zset('zset', 100_000), [['ZREMRANGEBYRANK', 'zset', 0, -1]]],
  ['BITCOUNT of 100 MB', bits, [['BITCOUNT', 'a']]],
  ['BITPOS of 100 MB', bits, [['BITPOS', 'a', '1', '2000']]],
  ['BITOP AND of two of 100 MB', bits, [['BITOP', 'AND', 'c', 'a', 'b']]],
  ['BITCOUNT of 10 MB, 20 times', [[['SETRANGE', 'a', 10 * 2 ** 20 - 1, 'x']]], loop(20, ['BITCOUNT', 'a'])],
  ['PFCOUNT of 100, 20 times', sketches, loop(20, ['PFCOUNT', ...sketchNames])],
  ['PFMERGE of 100, 20 times', sketches, loop(20, ['PFMERGE', 'all', ...sketchNames])],
  [
    'XTRIM of 200,000 to 0',
    many(200_000, i => ['XADD', 'stream', `${i + 1}-1`, 'f', 'v']),
    [['XTRIM', 'stream', 'MAXLEN', 0]],
  ],
  ['DEL of a list of a million', list('list', 1e6), [['DEL', 'list']]],
  [
    'SUNIONSTORE of two sets of 200,000',
    [...filling(['SADD', 's'], 200_000, i => [`m${i}`]), ...filling(['SADD', 't'], 200_000, i => [`m${i * 2}`])],
    [['SUNIONSTORE', 'u', 's', 't']],
  ],
  ['DUMP of a hash of 200,000', hash('hash', 200_000), [['DUMP', 'hash']]],
  ['LPOS at the end of a million', list('list', 1e6), [['LPOS', 'list', 'element999999']]],
  ['DEBUG DIGEST of a million keys', keys(1e6), [['DEBUG', 'DIGEST']]],
  ['BGSAVE of a million keys', keys(1e6), [['BGSAVE']], 3000],
  ['BGREWRITEAOF of a million keys', keys(1e6), [['BGREWRITEAOF']], 3000],
  ['FLUSHALL of a million keys', keys(1e6), [['FLUSHALL']]],
]

/** Rows of milliseconds of processor time. */
export async function large(commands, wanted = '') {
  const rows = []
  for (const row of ROWS.filter(([name]) => name.toLowerCase().includes(wanted.toLowerCase()))) {
    const found = []
    for (const command of commands) found.push(await cost(command, row))
    rows.push({ name: row[0], ours: found[0], theirs: found[1] })
  }
  return rows
}

async function cost(command, [, before, counted, afterMs = AFTER_MS]) {
  const server = await start(`${command} --enable-debug-command yes --proto-max-bulk-len 1gb`)
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS; run++) {
    await send(server.port, [['FLUSHALL']])
    for (const pipeline of before) await send(server.port, pipeline)
    await sleep(AFTER_MS)
    const cpuBefore = server.cpuSeconds()
    await send(server.port, counted)
    await sleep(afterMs)
    least = Math.min(least, server.cpuSeconds() - cpuBefore)
  }
  server.stop()
  return least * 1000
}
