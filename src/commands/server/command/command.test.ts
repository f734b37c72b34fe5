// COMMAND with a small command table; and the metadata of all commands compared with redis-server's
// (test/harness/oracle.ts). Prose is ours: of theirs only hashes are recorded, to see that none is copied.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { TestClient } from '../../../../test/harness/client.ts'
import { type Facts, factsAreLive, withFacts } from '../../../../test/harness/oracle.ts'
import { latin1Text } from '../../../../test/harness/resp.ts'
import { startTarget } from '../../../../test/harness/target.ts'
import type { Command } from '../../../engine/catalog/command.ts'
import { CommandTable } from '../../../engine/catalog/table.ts'
import type { Context } from '../../../engine/context.ts'
import { Slice } from '../../../lib/slice.ts'
import { Reply } from '../../../protocol/reply.ts'
import { allCommands } from '../../index.ts'
import { commandCommands } from './index.ts'

const base = { since: '1.0.0', summary: 'Does.', run() {} }
const few: Command[] = [
  { ...base, name: 'get', group: 'string', arity: 2, flags: 'readonly fast', keys: 'RO ACCESS @1', args: 'key#0' },
  {
    ...base,
    name: 'set',
    group: 'string',
    arity: -3,
    flags: 'write denyoom',
    keys: 'RW ACCESS UPDATE VARIABLE_FLAGS @1',
    keyFinder: 'set',
  },
  {
    ...base,
    name: 'eval',
    group: 'scripting',
    arity: -3,
    flags: 'noscript no_mandatory_keys',
    keys: 'RW ACCESS UPDATE @2#0+1',
    keyFinder: 'numkeys2',
  },
  { ...base, name: 'ping', group: 'connection', arity: -1, flags: 'fast' },
]

/** The reply of COMMAND as bytes. */
function ask(commands: readonly Command[], resp: number, ...words: string[]): string {
  const table = new CommandTable(commands)
  const reply = new Reply()
  reply.resp = resp
  const args = words.map(word => Slice.of(word))
  const ctx = { server: { table }, args, argc: args.length, reply } as unknown as Context
  table.resolve(args, args.length)!.run(ctx)
  return new Slice(reply.u8, 0, reply.pos).latin1()
}

function told(...words: string[]): string {
  return ask([...few, ...commandCommands], 2, ...words)
}

test('COMMAND COUNT counts commands without their subcommands', () => {
  assert.equal(told('command', 'COUNT'), ':5\r\n')
})

test('COMMAND LIST names subcommands too, and filters', () => {
  assert.match(told('command', 'list'), /^\*12\r\n\$3\r\nget\r\n/)
  assert.equal(told('command', 'list', 'FILTERBY', 'aclcat', 'Scripting'), '*1\r\n$4\r\neval\r\n')
  assert.equal(told('command', 'list', 'filterby', 'pattern', '?ET'), '*2\r\n$3\r\nget\r\n$3\r\nset\r\n')
  assert.equal(told('command', 'list', 'filterby', 'module', 'json'), '*0\r\n')
  assert.equal(told('command', 'list', 'filterby', 'nothing', 'x'), '-ERR syntax error\r\n')
  assert.equal(told('command', 'list', 'filterby', 'module'), '-ERR syntax error\r\n')
})

test('COMMAND INFO describes a command, and null for what is none', () => {
  assert.equal(
    told('command', 'info', 'GET', 'nope', 'command|nope', 'get|x'),
    '*4\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n' +
      '*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n' +
      '$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n' +
      '*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n$-1\r\n$-1\r\n$-1\r\n',
  )
})

test('COMMAND DOCS leaves out what it does not know', () => {
  assert.equal(
    told('command', 'docs', 'nope', 'get'),
    '*2\r\n$3\r\nget\r\n*8\r\n$7\r\nsummary\r\n$5\r\nDoes.\r\n$5\r\nsince\r\n$5\r\n1.0.0\r\n$5\r\ngroup\r\n$6\r\nstring\r\n' +
      '$9\r\narguments\r\n*1\r\n*8\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$12\r\ndisplay_text\r\n' +
      '$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n',
  )
})

test('COMMAND GETKEYS finds keys or says why not', () => {
  assert.equal(told('command', 'getkeys', 'GET', 'a'), '*1\r\n$1\r\na\r\n')
  assert.equal(told('command', 'getkeys', 'eval', 'x', '0'), '*0\r\n')
  assert.equal(told('command', 'getkeys', 'nope', 'a'), '-ERR Invalid command specified\r\n')
  assert.equal(told('command', 'getkeys', 'ping'), '-ERR The command has no key arguments\r\n')
  assert.equal(told('command', 'getkeys', 'get'), '-ERR Invalid number of arguments specified for command\r\n')
})

test('COMMAND GETKEYSANDFLAGS tells how each key is used', () => {
  const read = '*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n'
  assert.equal(told('command', 'getkeysandflags', 'set', 'a', 'b', 'get'), read)
  assert.equal(told('command', 'getkeysandflags', 'set', 'a', 'b'), '*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n')
})

test('COMMAND HELP ends with HELP', () => {
  assert.match(told('command', 'help'), /^\*19\r\n\+COMMAND <subcommand> .*\+HELP\r\n\+ {4}Show these lines\.\r\n$/s)
})

test('the facts of all commands can be read', () => {
  const table = new CommandTable(allCommands)
  for (const entry of table.all) for (const arg of entry.arguments()) assert.notEqual(arg.name, '')
})

// Command lines whose keys are hard to find, or invalid ones. "" is an empty argument.
const keyLines = [
  'get a',
  'set a b get',
  'set a b ex 10 GET px',
  'set a b',
  'mset a 1 b 2 c 3',
  'mset a 1 b',
  'msetnx a 1 b 2',
  'del a b c',
  'rename a b',
  'lcs a b',
  'bitop and d a b',
  'bitfield a get u8 0 overflow wrap get i8 1',
  'bitfield a get u8 0 set u8 0 1',
  'bitfield a get u8',
  'bitfield a overflow sat incrby u8 0 1',
  'bitfield a',
  'blpop a b c 0',
  'blmpop 0 2 a b left',
  'blmpop 0 x a b left',
  'lmpop 3 a b left',
  'lmpop 2x a b left',
  'bzmpop 0 1 a min',
  'sort a by b get c store d',
  'sort a store d store e',
  'sort a limit 0 store store d',
  'sort a get store b store c',
  'sort a',
  'sort_ro a by b_* get c_*',
  'migrate h 1 k 0 10',
  'migrate h 1 "" 0 10 keys a b c',
  'migrate h 1 k 0 10 keys a b',
  'migrate h 1 "" 0 10 auth keys keys a',
  'migrate h 1 "" 0 10 copy replace auth2 u keys keys a b',
  'migrate h 1 "" 0 10 copy',
  'eval s 2 a b c',
  'eval s 0 a',
  'eval s -1 a',
  'eval s 3 a b',
  'eval s 01 a b',
  'eval s 1a a b',
  'eval_ro s 1 a',
  'evalsha s 1 a',
  'fcall f 2 a b',
  'fcall_ro f 1 a x',
  'zunion 2 a b weights 1 2',
  'zunionstore d 2 a b',
  'zunionstore d 3 a b',
  'zunionstore d 0 a b',
  'zunionstore d 1x a b',
  'zinterstore d 1 a',
  'zdiffstore d 1 a',
  'zrangestore d a 0 1',
  'zintercard 2 a b limit 1',
  'sintercard 2 a b limit 1',
  'zmpop 2 a b min',
  'sinterstore d a b',
  'georadius a 0 0 1 m store b',
  'georadius a 0 0 1 m store b storedist c',
  'georadius a 0 0 1 m storedist',
  'georadius a 0 0 1 m withcoord store',
  'georadiusbymember a m 1 m storedist c',
  'georadius_ro a 0 0 1 m',
  'geosearchstore d a frommember m byradius 1 m',
  'xread count 1 streams a b 0 0',
  'xread streams a b c 0 0 0',
  'xread streams a b 0',
  'xread block streams streams a 0',
  'xread streams streams 0 0',
  'xread streams',
  'xreadgroup group streams c streams a b > >',
  'xreadgroup group g c noack streams a >',
  'xreadgroup group g c block 1 nostreams a >',
  'xgroup create a g $',
  'xinfo stream a',
  'object freq a',
  'memory usage a',
  'memory doctor',
  'object nope a',
  'object',
  'copy a b',
  'lmove a b left right',
  'rpoplpush a b',
  'pfcount a b',
  'pfmerge d a b',
  'subscribe a',
  'ssubscribe a b',
  'spublish a b',
  'publish a b',
  'watch a b',
  'touch a b',
  'ping',
  'restore a 0 x',
  'dump a',
  'pfdebug encoding a',
]

/** Commands that no redis-server has. Commands newer than the server are skipped by their `since`. */
const OURS_ONLY: readonly string[] = []

function isNewer(since: string, version: string): boolean {
  const [a, b] = [since, version].map(text => text.split('.').map(Number))
  const i = a.findIndex((part, at) => part !== b[at])
  return i >= 0 && a[i] > b[i]
}

test('a command is newer than a server of an earlier version', () => {
  const against = (since: string) => isNewer(since, '7.2.4')
  assert.deepEqual(['8.4.0', '7.4.0', '7.2.10'].map(against), [true, true, true])
  assert.deepEqual(['7.2.4', '7.0.0', '2.10.0', '1.0.0'].map(against), [false, false, false, false])
})

/** The commands without those, and the subcommands, that are newer. */
function upTo(version: string): readonly Command[] {
  const isOld = ({ since }: Command) => !isNewer(since, version)
  return allCommands.filter(isOld).map(one => {
    const { subcommands } = one
    return subcommands === undefined ? one : { ...one, subcommands: subcommands.filter(isOld) }
  })
}

test('COMMAND INFO and DOCS of every command and HELP of every container have the facts of redis-server', () =>
  withFacts('commands', facts =>
    withTheirs(async theirs => {
      const known = upTo(facts.version)
      for (const entry of new CommandTable(known).all) {
        if (entry.parent !== undefined || OURS_ONLY.includes(entry.command.name)) continue
        for (const what of ['info', 'docs']) await sameFacts(known, facts, theirs, ['command', what, entry.fullName])
        if (!entry.subs.some(sub => sub.fullName.endsWith('|help'))) continue
        const help = await facts.of(`${entry.fullName} help`, async () =>
          syntaxLines(await theirs(3, entry.fullName, 'help')),
        )
        for (const resp of PROTOCOLS)
          assert.deepEqual(syntaxLines(parse(ask(allCommands, resp, entry.fullName, 'help'))), help, entry.fullName)
      }
    }),
  ))

test('COMMAND GETKEYSANDFLAGS finds the keys that redis-server finds', () =>
  withFacts('command-keys', facts =>
    withTheirs(async theirs => {
      for (const line of keyLines) {
        const words = ['command', 'getkeysandflags', ...line.split(' ').map(word => (word === '""' ? '' : word))]
        if (new CommandTable(allCommands).lookup(Slice.of(words[2])) === undefined) continue
        const keys = await facts.of(line, () => theirs(3, ...words))
        assert.deepEqual(parse(ask(allCommands, 3, ...words)), keys, line)
        assert.deepEqual(parse(ask(allCommands, 2, ...words)), inResp2(keys), line)
      }
    }),
  ))

/** Compares in both protocols; the record has RESP3. */
async function sameFacts(known: readonly Command[], facts: Facts, theirs: Theirs, words: string[]): Promise<void> {
  const question = words.join(' ')
  const answer = await facts.of(question, async () => unordered(factsOf(await theirs(3, ...words))))
  const hashes = await facts.of(`${question}, sentences`, async () =>
    sentences(await theirs(3, ...words))
      .map(hashOf)
      .sort(),
  )
  for (const resp of PROTOCOLS) {
    const ours = parse(ask(known, resp, ...words))
    assert.deepEqual(
      unordered(factsOf(ours)),
      resp === 2 ? unordered(inResp2(answer)) : answer,
      `${question}, RESP${resp}`,
    )
    const copied = sentences(ours).filter(one => hashes.includes(hashOf(one)))
    assert.deepEqual(copied, [], `${question} has sentences of its own`)
  }
}

const PROTOCOLS = [2, 3] as const

/** Asks a redis-server in a protocol. */
type Theirs = (resp: 2 | 3, ...words: string[]) => Promise<Value>

async function withTheirs(body: (theirs: Theirs) => Promise<void>): Promise<void> {
  if (!factsAreLive) return body(() => Promise.reject(new Error('no redis-server')))
  const target = await startTarget('redis', {})
  try {
    const client = await TestClient.open(target)
    let current = 2
    await body(async (resp, ...words) => {
      if (resp !== current) await client.send(['HELLO', String((current = resp))]).bytes()
      return parse(latin1Text(await client.send(words).bytes()))
    })
    client.close()
  } finally {
    await target.stop()
  }
}

function hashOf(sentence: string): string {
  return createHash('sha256').update(sentence).digest('hex').slice(0, 12)
}

/** A RESP value: text with its type for scalars; a list that starts with its type for aggregates. */
type Value = string | Value[]

function parse(text: string): Value {
  let at = 0
  const value = (): Value => {
    const end = text.indexOf('\r\n', at)
    const line = text.slice(at, end)
    at = end + 2
    const n = Number(line.slice(1))
    if ('*~%'.includes(line[0])) {
      const items: Value[] = [line[0]]
      for (let i = 0; i < (line[0] === '%' ? n * 2 : n); i++) items.push(value())
      return items
    }
    if (line[0] !== '$' || n < 0) return line
    at += n + 2
    return `$${text.slice(at - n - 2, at - 2)}`
  }
  return value()
}

/** The RESP2 form of a RESP3 value. */
function inResp2(value: Value): Value {
  if (value === '_') return '*-1'
  return typeof value === 'string' ? value : ['*', ...value.slice(1).map(inResp2)]
}

const PROSE = ['$summary', '$complexity', '$notes']

/** The value without prose: only whether it is there, and the versions of the history. */
function factsOf(value: Value): Value {
  if (typeof value === 'string') return value
  return value.map((item, i) => {
    const key = value[i - 1]
    if (typeof key === 'string' && PROSE.includes(key)) return '$…'
    if (key !== '$history' || typeof item === 'string') return factsOf(item)
    return item.map(change => (typeof change === 'string' ? change : change.slice(0, 2)))
  })
}

/** The prose removed by factsOf(), except formulas and single words. */
function sentences(value: Value): string[] {
  if (typeof value === 'string') return []
  return value.flatMap((item, i) => {
    const key = value[i - 1]
    if (typeof key === 'string' && PROSE.includes(key)) return String(item).includes(' ') ? [String(item)] : []
    if (key !== '$history' || typeof item === 'string') return sentences(item)
    return item.flatMap(change => (typeof change === 'string' ? [] : [String(change[2])]))
  })
}

/** The lines of HELP that name the subcommands. */
function syntaxLines(help: Value): Value {
  return typeof help === 'string' ? help : help.filter(line => typeof line === 'string' && !line.startsWith('+ '))
}

/** Redis lists subcommands in hash table order with a random seed: sorts whatever starts with 'x|'. */
function unordered(value: Value): Value {
  if (typeof value === 'string') return value
  const items = value.map(unordered)
  if (items.some(isSubcommand)) return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (!isSubcommandName(items[1]) || typeof items[2] === 'string') return items
  const pairs: Value[][] = []
  for (let i = 1; i < items.length; i += 2) pairs.push([items[i], items[i + 1]])
  return [items[0], ...pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1)).flat()]
}

function isSubcommand(value: Value): boolean {
  return typeof value !== 'string' && isSubcommandName(value[1]) && typeof value[2] === 'string'
}

function isSubcommandName(value: Value | undefined): boolean {
  return typeof value === 'string' && /^\$[a-z-]+\|[a-z-]+$/.test(value)
}
