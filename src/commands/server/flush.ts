// FLUSHALL, FLUSHDB, SWAPDB, DBSIZE.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import type { Database } from '../../keyspace/database.ts'
import { DB_INDEX_OUT_OF_RANGE, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { int32OrReply } from '../shared/arguments.ts'

export const databaseCommands: readonly Command[] = [
  {
    name: 'dbsize',
    arity: 1,
    flags: 'readonly fast',
    since: '1.0.0',
    group: 'server',
    summary: 'Count the keys of the selected database.',
    complexity: 'O(1)',
    tips: 'request_policy:all_shards response_policy:agg_sum',
    acl: 'keyspace',
    run: dbsize,
  },
  {
    name: 'flushall',
    arity: -1,
    flags: 'write',
    since: '1.0.0',
    group: 'server',
    summary: 'Empty every database.',
    complexity: 'O(N), N = keys in all databases.',
    args: '[flush-type:(ASYNC@4.0.0|SYNC@6.2.0)]',
    history: [
      ['4.0.0', '`ASYNC` is accepted.'],
      ['6.2.0', '`SYNC` is accepted.'],
    ],
    tips: 'request_policy:all_shards response_policy:all_succeeded',
    acl: 'keyspace dangerous',
    run: flushAll,
  },
  {
    name: 'flushdb',
    arity: -1,
    flags: 'write',
    since: '1.0.0',
    group: 'server',
    summary: 'Empty the selected database.',
    complexity: 'O(N), N = keys of that database.',
    args: '[flush-type:(ASYNC@4.0.0|SYNC@6.2.0)]',
    history: [
      ['4.0.0', '`ASYNC` is accepted.'],
      ['6.2.0', '`SYNC` is accepted.'],
    ],
    tips: 'request_policy:all_shards response_policy:all_succeeded',
    acl: 'keyspace dangerous',
    run: flushDb,
  },
  {
    name: 'swapdb',
    arity: 3,
    flags: 'write fast',
    since: '4.0.0',
    group: 'server',
    summary: 'Exchange the contents of two databases.',
    complexity: 'O(N), N = clients that watch or wait for keys of either.',
    args: 'index1:integer index2:integer',
    acl: 'keyspace dangerous',
    run: swapDb,
  },
]

const INVALID_FIRST_DB = errorBytes('ERR invalid first DB index')
const INVALID_SECOND_DB = errorBytes('ERR invalid second DB index')

/** So much of what it removes FLUSHALL SYNC frees before its reply; the rest is freed in slices, as with ASYNC. */
const SYNC_FREED_MAX = 100_000
const SYNC_FREED_US = 1000

function dbsize(ctx: Context): void {
  ctx.reply.integer(ctx.db.size)
}

/** FLUSHALL [SYNC | ASYNC] */
function flushAll(ctx: Context): void {
  const lazy = isLazyOrReply(ctx)
  if (lazy === undefined) return
  flush(ctx, ctx.keyspace.databases, lazy)
  ctx.server.host.afterFlushAll()
  ctx.reply.ok()
}

/** FLUSHDB [SYNC | ASYNC] */
function flushDb(ctx: Context): void {
  const lazy = isLazyOrReply(ctx)
  if (lazy === undefined) return
  flush(ctx, [ctx.db], lazy)
  ctx.reply.ok()
}

function isLazyOrReply(ctx: Context): boolean | undefined {
  if (ctx.argc === 1) return ctx.settings.lazyfreeLazyUserFlush
  if (ctx.argc === 2 && ctx.is(1, 'sync')) return false
  if (ctx.argc === 2 && ctx.is(1, 'async')) return true
  ctx.reply.fixedError(SYNTAX)
  return undefined
}

function flush(ctx: Context, databases: readonly Database[], lazy: boolean): void {
  const { keyspace } = ctx
  const earlier = keyspace.lazy.length
  let removed = 0
  for (const db of databases) removed += ctx.flush(db)
  ctx.flushed()
  keyspace.dirty += removed
  // Propagated even when nothing was removed here.
  if (removed === 0) ctx.propagateAs(...ctx.args.slice(0, ctx.argc))
  if (lazy) return
  const { machine } = ctx.server
  const endUs = machine.monotonicUs() + SYNC_FREED_US
  keyspace.freeNow(earlier, SYNC_FREED_MAX, () => machine.monotonicUs() >= endUs)
}

/** SWAPDB first second */
function swapDb(ctx: Context): void {
  if (ctx.server.cluster !== undefined) return ctx.reply.error('ERR SWAPDB is not allowed in cluster mode')
  const { keyspace, reply } = ctx
  const first = int32OrReply(ctx, 1, INVALID_FIRST_DB)
  if (Number.isNaN(first)) return
  const second = int32OrReply(ctx, 2, INVALID_SECOND_DB)
  if (Number.isNaN(second)) return
  const a = keyspace.databases[first]
  const b = keyspace.databases[second]
  if (a === undefined || b === undefined) return reply.fixedError(DB_INDEX_OUT_OF_RANGE)
  if (a !== b) ctx.swap(a, b)
  keyspace.dirty++
  reply.ok()
}
