// Twins of Redis's module tests: keys of built-in types.

import assert from 'node:assert/strict'
import { moduleServer, plain, started, twin } from '../../../test/harness/module-server.ts'
import type { CallReply, ModuleCommand, ModuleContext, ModuleReply } from '../../module.ts'

const facts = { arity: -2, flags: 'write', keys: 'RW ACCESS UPDATE @1' } as const

function command(name: string, run: (ctx: ModuleContext) => ModuleReply): ModuleCommand {
  return { ...facts, name, run }
}

twin('hash', 'HASH.SET: fields that are added, changed only where they exist, and removed', async () => {
  const server = await moduleServer([
    command('hash.set', ctx => {
      let done = 0
      for (let i = 3; i + 1 < ctx.argc; i += 2) {
        const [key, field, value] = [ctx.args[1], ctx.args[i], ctx.args[i + 1]]
        const exists = ctx.call('HEXISTS', key, field) === 1
        if ((ctx.is(2, 'nx') && exists) || (ctx.is(2, 'xx') && !exists)) continue
        if (ctx.is(i + 1, ':delete:')) done += Number(ctx.call('HDEL', key, field))
        else done += ctx.call('HSET', key, field, value) === 1 || ctx.is(2, 'xx') ? 1 : 0
      }
      return done
    }),
  ])
  server.call('set', 'k', 'mystring')
  assert.match(String(plain(server.call('hash.set', 'k', 'none', 'hello', 'world'))), /^-WRONGTYPE/)
  server.call('del', 'k')
  assert.equal(server.call('hash.set', 'k', 'xx', 'squirrel', 'yes'), 0)
  assert.equal(server.call('hash.set', 'k', 'nx', 'squirrel', 'yes', 'what', 'no'), 2)
  assert.equal(server.call('hash.set', 'k', 'nx', 'squirrel', 'no'), 0)
  assert.equal(server.call('hash.set', 'k', 'xx', 'squirrel', 'ofcourse', 'none', 'x'), 1)
  assert.deepEqual(server.call('hgetall', 'k'), ['squirrel', 'ofcourse', 'what', 'no'])
  assert.equal(server.call('hash.set', 'k', 'none', 'what', ':delete:', 'squirrel', ':delete:'), 2)
  assert.equal(server.call('exists', 'k'), 0)
})

twin('list', 'reading by index and range, replacing, inserting and removing at an index', async () => {
  const server = await moduleServer([
    command('list.getall', ctx => ctx.call('LRANGE', ctx.args[1], 0, -1)),
    command('list.getallreverse', ctx => (ctx.call('LRANGE', ctx.args[1], 0, -1) as CallReply[]).reverse()),
    command('list.edit', ctx => {
      // Letters say what becomes of each element: k keeps, d deletes, r replaces, i inserts before.
      const [, key, , ...words] = ctx.args
      let at = 0
      for (const letter of ctx.text(2)) {
        const word = letter === 'r' || letter === 'i' ? words.shift()! : ''
        if (letter === 'r') ctx.call('LSET', key, at, word)
        if (letter === 'd' || letter === 'i') {
          const here = ctx.callWith({ bytes: true }, 'LINDEX', key, at) as Uint8Array
          ctx.call('LSET', key, at, MARK)
          if (letter === 'i') {
            ctx.call('LINSERT', key, 'BEFORE', MARK, word)
            ctx.call('LSET', key, ++at, here)
          } else ctx.call('LREM', key, 1, MARK)
        }
        if (letter !== 'd') at++
      }
      return ctx.call('LLEN', key)
    }),
  ])
  server.call('rpush', 'k', 'x', 'y', 'z')
  assert.deepEqual(server.call('list.getall', 'k'), ['x', 'y', 'z'])
  assert.deepEqual(server.call('list.getallreverse', 'k'), ['z', 'y', 'x'])
  assert.equal(server.call('list.edit', 'k', 'ikd', 'foo'), 3)
  assert.deepEqual(server.call('list.getall', 'k'), ['foo', 'x', 'y'])
  assert.equal(server.call('list.edit', 'k', 'rdk', 'bar'), 2)
  assert.deepEqual(server.call('list.getall', 'k'), ['bar', 'y'])
  server.call('config', 'set', 'list-max-listpack-size', '4')
  server.call('rpush', 'k', 'a', 'b', 'c')
  assert.equal(server.call('object', 'encoding', 'k'), 'quicklist')
  assert.equal(server.call('list.edit', 'k', 'kkdkr', 'last'), 4)
  assert.deepEqual(server.call('list.getall', 'k'), ['bar', 'y', 'b', 'last'])
})

const MARK = '\u0000to go'

twin('zset', 'adding, incrementing, removing', async () => {
  const server = await moduleServer([
    command('zset.add', ctx => ctx.call('ZADD', ctx.args[1], 'CH', ctx.double(2), ctx.args[3])),
    command('zset.incrby', ctx => ctx.call('ZINCRBY', ctx.args[1], ctx.double(3), ctx.args[2])),
    command('zset.rem', ctx => ctx.call('ZREM', ctx.args[1], ctx.args[2])),
  ])
  assert.equal(server.call('zset.add', 'k', '100', 'hello'), 1)
  assert.equal(server.call('zset.add', 'k', '100', 'hello'), 0)
  assert.equal(server.call('zset.add', 'k', '200', 'world'), 1)
  server.call('zset.incrby', 'k', 'hello', '12')
  assert.deepEqual(server.call('zrange', 'k', 0, -1, 'withscores'), ['hello', '112', 'world', '200'])
  assert.match(String(plain(server.call('zset.add', 'k', 'nan', 'x'))), /^-ERR value is not a valid float/)
  assert.equal(server.call('zset.rem', 'k', 'hello'), 1)
  assert.equal(server.call('zset.rem', 'k', 'hello'), 0)
  assert.equal(server.call('zset.rem', 'k', 'world'), 1)
  assert.equal(server.call('exists', 'k'), 0)
})

twin('stream', 'adding, which serves readers; walking, deleting and trimming', async () => {
  const server = await moduleServer([
    command('stream.add', ctx => ctx.call('XADD', ctx.args[1], '*', ...ctx.args.slice(2))),
    command('stream.delete', ctx => (ctx.call('XDEL', ctx.args[1], ctx.args[2]) === 1 ? 'OK' : ctx.call('NOTHING'))),
    command('stream.range', ctx => ctx.call('XRANGE', ctx.args[1], ctx.args[2], ctx.args[3])),
    command('stream.trim', ctx => ctx.call('XTRIM', ctx.args[1], ...ctx.args.slice(2))),
    command('stream.deleteall', ctx => {
      const entries = ctx.call('XRANGE', ctx.args[1], '-', '+') as [string, string[]][]
      return entries.reduce((sum, [id]) => sum + Number(ctx.call('XDEL', ctx.args[1], id)), 0)
    }),
  ])
  const reader = started(server, 'xread', 'BLOCK', '0', 'STREAMS', 's', '$')
  const id = server.call('stream.add', 's', 'item', '1', 'value', 'a') as string
  assert.deepEqual(server.take(reader), [[['s', [[id, ['item', '1', 'value', 'a']]]]]])
  assert.equal(server.call('stream.delete', 's', id), 'OK')
  assert.match(String(plain(server.call('stream.delete', 's', id))), /^-ERR/)
  const ids = Array.from({ length: 6 }, (_, i) => server.call('stream.add', 's', 'n', String(i)) as string)
  assert.equal((server.call('stream.range', 's', ids[1], ids[3]) as unknown[]).length, 3)
  assert.equal(server.call('stream.trim', 's', 'MAXLEN', '=', '4'), 2)
  assert.equal(server.call('stream.trim', 's', 'MINID', '=', ids[4]), 2)
  assert.equal(server.call('stream.deleteall', 's'), 2)
  assert.equal(server.call('xlen', 's'), 0)
})

twin('scan', 'keys, and the elements of hashes, sets and sorted sets in each encoding', async () => {
  const all = (ctx: ModuleContext, ...words: (string | Uint8Array)[]) => {
    const found: CallReply[] = []
    let cursor = '0'
    do {
      const [next, page] = ctx.call(words[0], ...words.slice(1), cursor, 'COUNT', 3) as [string, CallReply[]]
      found.push(...page)
      cursor = next
    } while (cursor !== '0')
    return found
  }
  const server = await moduleServer([
    {
      ...facts,
      name: 'scan.scan_strings',
      arity: 1,
      flags: 'readonly',
      keys: undefined,
      run: ctx => all(ctx, 'SCAN').length,
    },
    {
      ...facts,
      name: 'scan.scan_key',
      flags: 'readonly',
      run: ctx => {
        const type = String(ctx.call('TYPE', ctx.args[1]))
        return all(ctx, type === 'hash' ? 'HSCAN' : type === 'set' ? 'SSCAN' : 'ZSCAN', ctx.args[1])
      },
    },
  ])
  for (let i = 0; i < 20; i++) server.call('set', `x${i}`, 'v')
  assert.equal(server.call('scan.scan_strings'), 20)
  const sorted = (key: string) => (server.call('scan.scan_key', key) as string[]).sort()
  server.call('hset', 'small', 'f1', '1', 'f2', '2')
  assert.deepEqual(sorted('small'), ['1', '2', 'f1', 'f2'])
  server.call('config', 'set', 'hash-max-listpack-entries', '2', 'zset-max-listpack-entries', '2')
  server.call('config', 'set', 'set-max-listpack-entries', '2')
  server.call('hset', 'hh', 'f1', '1', 'f2', '2', 'f3', '3')
  assert.equal(server.call('object', 'encoding', 'hh'), 'hashtable')
  assert.deepEqual(sorted('hh'), ['1', '2', '3', 'f1', 'f2', 'f3'])
  server.call('zadd', 'zz', '1', 'f1', '2', 'f2', '3', 'f3')
  assert.equal(server.call('object', 'encoding', 'zz'), 'skiplist')
  assert.deepEqual(sorted('zz'), ['1', '2', '3', 'f1', 'f2', 'f3'])
  server.call('sadd', 'ints', '1', '2', '3')
  assert.deepEqual([server.call('object', 'encoding', 'ints'), sorted('ints')], ['intset', ['1', '2', '3']])
  server.call('sadd', 'ss', 'a', 'b', 'c')
  assert.deepEqual([server.call('object', 'encoding', 'ss'), sorted('ss')], ['hashtable', ['a', 'b', 'c']])
})
