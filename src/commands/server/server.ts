// The server as a whole: its keys, its state, its end. DEBUG, MEMORY, SLOWLOG and LATENCY have files of their own.

import { CLIENT_SCRIPT } from '../../engine/client.ts'
import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import type { ShutdownFlag } from '../../engine/host.ts'
import type { Database } from '../../keyspace/database.ts'
import { DB_INDEX_OUT_OF_RANGE, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { int32OrReply } from '../shared/arguments.ts'
import { lolwut } from './lolwut.ts'

export const serverCommands: readonly Command[] = [
  {
    name: 'dbsize',
    arity: 1,
    flags: 'readonly fast',
    since: '1.0.0',
    group: 'server',
    summary: 'Returns the number of keys in the database.',
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
    summary: 'Removes all keys from all databases.',
    complexity: 'O(N) where N is the total number of keys in all databases',
    args: '[flush-type:(ASYNC@4.0.0|SYNC@6.2.0)]',
    history: [
      ['4.0.0', 'Added the `ASYNC` flushing mode modifier.'],
      ['6.2.0', 'Added the `SYNC` flushing mode modifier.'],
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
    summary: 'Remove all keys from the current database.',
    complexity: 'O(N) where N is the number of keys in the selected database',
    args: '[flush-type:(ASYNC@4.0.0|SYNC@6.2.0)]',
    history: [
      ['4.0.0', 'Added the `ASYNC` flushing mode modifier.'],
      ['6.2.0', 'Added the `SYNC` flushing mode modifier.'],
    ],
    tips: 'request_policy:all_shards response_policy:all_succeeded',
    acl: 'keyspace dangerous',
    run: flushDb,
  },
  {
    name: 'info',
    arity: -1,
    flags: 'loading stale sentinel',
    since: '1.0.0',
    group: 'server',
    summary: 'Returns information and statistics about the server.',
    complexity: 'O(1)',
    args: '[section...]',
    history: [['7.0.0', 'Added support for taking multiple section arguments.']],
    tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
    acl: 'dangerous',
    run: info,
  },
  {
    name: 'lolwut',
    arity: -1,
    flags: 'readonly fast',
    since: '5.0.0',
    group: 'server',
    summary: 'Displays computer art and the Redis version',
    args: '[VERSION version:integer]',
    run: lolwut,
  },
  {
    name: 'replicaof',
    arity: 3,
    flags: 'no_async_loading admin noscript stale',
    since: '5.0.0',
    group: 'server',
    summary: 'Configures a server as replica of another, or promotes it to a master.',
    complexity: 'O(1)',
    args: 'args:(host-port:(host port:integer)|no-one:(NO ONE))',
    run: replicaOf,
  },
  {
    name: 'role',
    arity: 1,
    flags: 'noscript loading stale fast sentinel',
    since: '2.8.12',
    group: 'server',
    summary: 'Returns the replication role.',
    complexity: 'O(1)',
    acl: 'admin dangerous',
    run: role,
  },
  {
    name: 'shutdown',
    arity: -1,
    flags: 'admin noscript loading stale no_multi sentinel allow_busy',
    since: '1.0.0',
    group: 'server',
    summary: 'Synchronously saves the database(s) to disk and shuts down the Redis server.',
    complexity:
      'O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)',
    args: '[save-selector:(NOSAVE|SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]',
    history: [['7.0.0', 'Added the `NOW`, `FORCE` and `ABORT` modifiers.']],
    run: shutdown,
  },
  {
    name: 'slaveof',
    arity: 3,
    flags: 'no_async_loading admin noscript stale',
    since: '1.0.0',
    group: 'server',
    summary: 'Sets a Redis server as a replica of another, or promotes it to being a master.',
    complexity: 'O(1)',
    args: 'args:(host-port:(host port:integer)|no-one:(NO ONE))',
    deprecated: { since: '5.0.0', replacedBy: '`REPLICAOF`' },
    run: replicaOf,
  },
  {
    name: 'swapdb',
    arity: 3,
    flags: 'write fast',
    since: '4.0.0',
    group: 'server',
    summary: 'Swaps two Redis databases.',
    complexity: 'O(N) where N is the count of clients watching or blocking on keys from both databases.',
    args: 'index1:integer index2:integer',
    acl: 'keyspace dangerous',
    run: swapDb,
  },
  {
    name: 'time',
    arity: 1,
    flags: 'loading stale fast',
    since: '2.6.0',
    group: 'server',
    summary: 'Returns the server time.',
    complexity: 'O(1)',
    tips: 'nondeterministic_output',
    run: time,
  },
]

const INVALID_FIRST_DB = errorBytes('ERR invalid first DB index')
const INVALID_SECOND_DB = errorBytes('ERR invalid second DB index')
const NO_SHUTDOWN = errorBytes('ERR No shutdown in progress.')
const SHUTDOWN_FAILED = 'ERR Errors trying to SHUTDOWN. Check logs.'
const MAY_NOT_WAIT = errorBytes("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client")

/** FLUSHALL SYNC frees this much before it answers; what is more goes in slices, as with ASYNC. */
const SYNC_FREED_MAX = 100_000

function dbsize(ctx: Context): void {
  ctx.reply.integer(ctx.db.size)
}

/** INFO [section ...] */
function info(ctx: Context): void {
  const sections = ctx.args.slice(1, ctx.argc).map(arg => arg.latin1())
  ctx.reply.verbatim('txt', ctx.engine.host.infoText(sections))
}

/** FLUSHALL [SYNC | ASYNC] */
function flushAll(ctx: Context): void {
  const lazy = isLazyOrReply(ctx)
  if (lazy === undefined) return
  flush(ctx, ctx.keyspace.databases, lazy)
  ctx.engine.host.afterFlushAll()
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
  const { engine, keyspace } = ctx
  let removed = 0
  for (const db of databases) {
    engine.watches.touchAll(db.index)
    removed += db.clear()
    engine.blocking.databaseReady(db)
    engine.trackingHook?.(db, null)
  }
  keyspace.dirty += removed
  // Replicas flush too, even when there was nothing here to remove.
  if (removed === 0) ctx.propagateAs(...ctx.args.slice(0, ctx.argc))
  if (!lazy) keyspace.freeNow(SYNC_FREED_MAX)
}

/** SWAPDB first second */
function swapDb(ctx: Context): void {
  const { engine, keyspace, reply } = ctx
  const first = int32OrReply(ctx, 1, INVALID_FIRST_DB)
  if (Number.isNaN(first)) return
  const second = int32OrReply(ctx, 2, INVALID_SECOND_DB)
  if (Number.isNaN(second)) return
  const a = keyspace.databases[first]
  const b = keyspace.databases[second]
  if (a === undefined || b === undefined) return reply.fixedError(DB_INDEX_OUT_OF_RANGE)
  if (a !== b) {
    engine.watches.touchAll(first, second)
    engine.watches.touchAll(second, first)
    keyspace.swap(first, second)
    engine.blocking.databaseReady(a)
    engine.blocking.databaseReady(b)
  }
  keyspace.dirty++
  reply.ok()
}

function time(ctx: Context): void {
  // Time stands still for a script.
  const us = ctx.client.has(CLIENT_SCRIPT) ? ctx.engine.scripting.nowUs : ctx.engine.host.nowUs()
  ctx.reply.array(2)
  ctx.reply.bulkInteger(Math.floor(us / 1e6))
  ctx.reply.bulkInteger(us % 1e6)
}

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. Who asked waits: there is an answer only when the server goes on. */
function shutdown(ctx: Context): void {
  const { argc, client, engine, reply } = ctx
  const flags = new Set<ShutdownFlag>()
  let abort = false
  for (let i = 1; i < argc; i++) {
    const word = ctx.args[i].latin1().toLowerCase()
    if (word === 'abort') abort = true
    else if (word === 'save' || word === 'nosave' || word === 'now' || word === 'force') flags.add(word)
    else return reply.fixedError(SYNTAX)
  }
  if ((abort && flags.size > 0) || (flags.has('save') && flags.has('nosave'))) return reply.fixedError(SYNTAX)
  if (abort) return engine.host.abortShutdown() ? reply.ok() : reply.fixedError(NO_SHUTDOWN)
  if (!ctx.canBlock && !flags.has('now')) return reply.fixedError(MAY_NOT_WAIT)
  engine.blocking.blockOther(client, 0, () => {}, ctx)
  client.blocked!.unblockable = false
  engine.host.shutdown([...flags], () => {
    if (client.blocked === undefined) return
    engine.blocking.abort(client, SHUTDOWN_FAILED)
    engine.settle()
  })
}

function role(ctx: Context): void {
  const { reply, engine } = ctx
  const online = engine.replicas.list().filter(one => one.state === 'online')
  reply.array(3)
  reply.bulkText('master')
  reply.integer(engine.replicas.offset)
  reply.array(online.length)
  for (const { client, port, ackOffset } of online) {
    reply.array(3)
    reply.bulkText(client.connection.peer.replace(/:\d+$/, ''))
    reply.bulkText(String(port))
    reply.bulkText(String(ackOffset))
  }
}

/** REPLICAOF NO ONE. This server cannot follow another one yet. */
function replicaOf(ctx: Context): void {
  if (ctx.is(1, 'no') && ctx.is(2, 'one')) ctx.reply.ok()
  else ctx.reply.error('ERR Redstart cannot be a replica yet')
}
