import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { oraclePath, oracleVersion, skipWithoutOracle as skip, skipUnlessReadsOurs } from '../../test/harness/oracle.ts'
import type { PlainValue, Word } from '../../test/harness/resp.ts'
import { ServerProcess } from '../../test/harness/server-process.ts'
import { sleep } from '../../test/harness/target.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'

// redis-server loads what Redstart wrote and the other way round, with equal data.

const LATER_MS = 4_000_000_000_000
const LIBRARY = "#!lua name=lib\nredis.register_function('f', function(keys, args) return args[1] end)"
const LOG = {
  appendonly: 'yes',
  'auto-aof-rewrite-percentage': '0',
}

const times = <T>(n: number, item: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => item(i))
const noise = (seed: number, bytes: number) => seededRandom(seed).bytes(bytes)

/** Commands that make every type in every encoding, with expiry and access figures. */
const DATASET: readonly (readonly Word[])[] = [
  ...['0', '-1', '12345', '2147483648', '-9223372036854775808', '9223372036854775807', '007', '', 'short'].map(
    (text, i) => ['set', `string ${i}`, text],
  ),
  ['set', 'string of words', 'the same words again and again '.repeat(20)],
  ['set', 'long string of words', 'the same words again and again '.repeat(20_000)],
  ['set', 'long string of noise', noise(1, 300_000)],
  ['set', 'half noise', noise(2, 200_000)],
  ['append', 'half noise', 'and words '.repeat(30_000)],
  ['set', noise(3, 20), noise(4, 100)],
  ['setbit', 'bits', 100_000, 1],
  ['rpush', 'list', 'a', 1, -5, 70_000, '', 'text '.repeat(10)],
  ['rpush', 'long list', ...times(3000, i => (i % 3 === 0 ? i * 1_000_003 : `element ${i}`))],
  ['rpush', 'list of long elements', 'x', noise(5, 20_000), 'y'.repeat(20_000), 'z'],
  ['sadd', 'integers of 16 bits', 1, 2, -30_000],
  ['sadd', 'integers of 32 bits', 1, 2, 70_000],
  ['sadd', 'integers of 64 bits', 1, 2, '9223372036854775807'],
  ['sadd', 'set', 'a', 'b', 17],
  ['sadd', 'long set', ...times(1000, i => `member ${i}`)],
  ['sadd', 'long set of integers', ...times(1000, i => i * 7)],
  ['sadd', 'set of long members', 'x'.repeat(300), 'y'],
  ['hset', 'hash', 'field', 'value', 'number', -17, '', ''],
  ['hset', 'long hash', ...times(2000, i => `field or value ${i}`)],
  ['hset', 'hash of long values', 'field', noise(6, 5000), 'other', 'v'.repeat(5000)],
  ['zadd', 'sorted set', 1, 'a', -0.5, 'b', 'inf', 'c', '-inf', 'd', 0.1, 'e', 1e300, 'f'],
  ['zadd', 'long sorted set', ...times(2000, i => (i % 2 === 0 ? i / 7 : `member ${i}`))],
  ['geoadd', 'places', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'],
  ['pfadd', 'sparse', ...times(20, i => i)],
  ...times(4, i => ['pfadd', 'dense', ...times(1000, k => i * 1000 + k)]),
  // PFCOUNT counts as a write: it caches the cardinality in the value.
  ['pfcount', 'sparse'],
  ['pfcount', 'dense'],
  ...times(300, i => ['xadd', 'stream', `${i + 1}-${i % 3}`, 'field', `value ${i}`, `other ${i % 4}`, i]),
  ['xdel', 'stream', '5-1', '6-2'],
  ['xtrim', 'stream', 'maxlen', 250],
  ['xgroup', 'create', 'stream', 'group', '60-0'],
  ['xgroup', 'create', 'stream', 'idle group', '$', 'entriesread', 100],
  ['xgroup', 'createconsumer', 'stream', 'group', 'idle consumer'],
  ['xreadgroup', 'group', 'group', 'consumer', 'count', 7, 'streams', 'stream', '>'],
  ['xreadgroup', 'group', 'group', 'other', 'count', 3, 'streams', 'stream', '>'],
  ['xack', 'stream', 'group', '62-1'],
  ['xadd', 'empty stream', '9-9', 'a', 'b'],
  ['xdel', 'empty stream', '9-9'],
  ['set', 'running out', 'v', 'pxat', LATER_MS],
  ...['list', 'long list', 'set', 'long set', 'hash', 'long hash', 'stream'].map((key, i) => [
    'pexpireat',
    key,
    LATER_MS + i,
  ]),
  ['function', 'load', LIBRARY],
  ['select', 3],
  ['set', 'elsewhere', 1],
  ['rpush', 'list elsewhere', 1, 2, 3],
  ['select', 15],
  ['set', 'far away', 1, 'pxat', LATER_MS],
  ['select', 0],
]

/** Commands after the AOF rewrite, so that they are in the incremental file. */
const MORE: readonly (readonly Word[])[] = [
  ['multi'],
  ['set', 'in a transaction', 1],
  ['select', 3],
  ['incr', 'elsewhere'],
  ['exec'],
  ['select', 0],
  ['lpop', 'long list', 3],
  ['hdel', 'hash', 'number'],
  ['xadd', 'stream', '1000-1', 'a', 'b'],
  ['set', 'running out', 'w', 'keepttl'],
]

/** Before 7.2 DEBUG DIGEST formatted scores differently. */
function digests(): Word[][] {
  if ((oracleVersion ?? '7.2') >= '7.2') return [['debug', 'digest']]
  const keys = DATASET.filter(([name]) => !/^(zadd|geoadd|select|function|x.*)$/.test(String(name))).map(
    words => words[1],
  )
  return [['debug', 'digest-value', 'stream', 'empty stream', ...keys]]
}

/** Commands for what DEBUG DIGEST does not cover. */
const QUESTIONS: readonly (readonly Word[])[] = [
  ...digests(),
  ['zcount', 'sorted set', 0.1, 0.1],
  ['zcount', 'sorted set', 1e300, 'inf'],
  ['zcount', 'long sorted set', 10 / 7, 11 / 7],
  ['zcount', 'long sorted set', '-inf', 'inf'],
  ['dbsize'],
  ['function', 'list', 'withcode'],
  ['fcall', 'f', 0, 'said'],
  ...['running out', 'list', 'long list', 'set', 'stream', 'string 0'].map(key => ['pexpiretime', key]),
  ['xinfo', 'groups', 'stream'],
  ['xpending', 'stream', 'group'],
  ['xinfo', 'stream', 'empty stream'],
  ['pfcount', 'sparse'],
  ['pfcount', 'dense'],
  ['geopos', 'places', 'Palermo'],
  ['info', 'keyspace'],
]

type Call = (...words: Word[]) => PlainValue | Promise<PlainValue>

async function say(call: Call, commands: readonly (readonly Word[])[]): Promise<void> {
  for (const words of commands) {
    const reply = await call(...words)
    assert.ok(!(reply instanceof Error) && !isError(reply), `${words.slice(0, 2).join(' ')}: ${JSON.stringify(reply)}`)
  }
}

function isError(reply: PlainValue): boolean {
  return typeof reply === 'object' && reply !== null && 'message' in reply
}

async function answers(call: Call): Promise<string[]> {
  const lines: string[] = []
  for (const words of QUESTIONS) {
    // avg_ttl depends on the moment.
    const reply = JSON.stringify(await call(...words)).replace(/avg_ttl=\d+/g, '')
    lines.push(`${words.join(' ')}: ${reply}`)
  }
  return lines
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-files-'))
  try {
    await body(folder)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

async function withTheirs(
  folder: string,
  directives: Readonly<Record<string, string>>,
  body: (call: Call) => Promise<void>,
): Promise<void> {
  const theirs = await ServerProcess.start(oraclePath!, folder, {
    save: '',
    'enable-debug-command': 'yes',
    ...directives,
  })
  try {
    await body((...words) => theirs.call(...words))
  } finally {
    await theirs.kill()
  }
}

/** All files except the server's log. */
const FILES = ['.', 'appendonlydir']

function bringOut(machine: ReturnType<typeof virtualSystem>, folder: string): void {
  for (const below of FILES) {
    if (machine.disk.stat(below) === null) continue
    fs.mkdirSync(path.join(folder, below), { recursive: true })
    for (const name of machine.disk.readdir(below))
      if (machine.disk.stat(`${below}/${name}`)?.isFile)
        fs.writeFileSync(path.join(folder, below, name), machine.disk.readFile(`${below}/${name}`))
  }
}

function bringIn(folder: string, machine: ReturnType<typeof virtualSystem>): void {
  for (const below of FILES) {
    if (!fs.existsSync(path.join(folder, below))) continue
    if (machine.disk.stat(below) === null) machine.disk.mkdir(below)
    for (const one of fs.readdirSync(path.join(folder, below), { withFileTypes: true }))
      if (one.isFile() && one.name !== 'log')
        machine.disk.writeFile(`${below}/${one.name}`, fs.readFileSync(path.join(folder, below, one.name)))
  }
}

/** Persistence by an RDB file, or by an AOF with commands after its base. */
const FORMS = [
  { name: 'an RDB file', directives: {}, write: ['save'], more: [] },
  { name: 'a log', directives: LOG, write: ['bgrewriteaof'], more: MORE },
  {
    name: 'a log without preamble',
    directives: { ...LOG, 'aof-use-rdb-preamble': 'no', 'aof-timestamp-enabled': 'yes' },
    write: ['bgrewriteaof'],
    more: MORE,
  },
] as const

for (const { name, directives, write, more } of FORMS) {
  test(`redis-server loads ${name} of ours`, { skip: skipUnlessReadsOurs }, () =>
    withFolder(async folder => {
      const machine = virtualSystem()
      const ours = await MachineServer.start(machine, { save: '', ...directives })
      const call: Call = (...words) => ours.call(...words)
      await say(call, DATASET)
      await say(call, [write])
      machine.advance(1000)
      await say(call, more)
      const expected = await answers(call)
      await ours.stop(['nosave'])
      bringOut(machine, folder)
      await withTheirs(folder, directives, async theirs => {
        assert.deepEqual(await answers(theirs), expected)
      })
    }),
  )

  test(`${name} of redis-server's is loaded`, { skip }, () =>
    withFolder(async folder => {
      let expected: string[] = []
      await withTheirs(folder, directives, async theirs => {
        await say(theirs, DATASET)
        await say(theirs, [write])
        while (/_in_progress:1/.test(String(await theirs('info', 'persistence')))) await sleep(20)
        await say(theirs, more)
        expected = await answers(theirs)
      })
      const machine = virtualSystem()
      bringIn(folder, machine)
      const ours = await MachineServer.start(machine, { save: '', ...directives })
      assert.deepEqual(await answers((...words) => ours.call(...words)), expected)
      await ours.stop(['nosave'])
    }),
  )
}
