// DUMP, RESTORE.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NOTIFY_GENERIC } from '../../engine/messaging/events.ts'
import type { Database } from '../../keyspace/database.ts'
import { LRU_CLOCK_MASK } from '../../keyspace/entry.ts'
import { addLong } from '../../lib/long-field.ts'
import type { Ref } from '../../memory/arena.ts'
import { BUSY_KEY, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { isSanitized } from '../shared/sanitizing.ts'

const BAD_IDLETIME = errorBytes('ERR Invalid IDLETIME value, must be >= 0')
const BAD_FREQ = errorBytes('ERR Invalid FREQ value, must be >= 0 and <= 255')
const BAD_TTL = errorBytes('ERR Invalid TTL value, must be >= 0')
const BAD_PAYLOAD = errorBytes('ERR DUMP payload version or checksum are wrong')
const BAD_FORMAT = errorBytes('ERR Bad data format')

const dump: Command = {
  name: 'dump',
  arity: 2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.6.0',
  group: 'generic',
  summary: 'Serialize a value for RESTORE.',
  complexity: 'O(1) to find the key, then O(N*M), N = elements of the value, M = their average size.',
  args: 'key#0',
  tips: 'nondeterministic_output',
  run(ctx) {
    const { server, reply } = ctx
    const entry = ctx.lookupRead(ctx.args[1])
    if (entry === 0) return reply.null()
    const payload = server.payloads.dump(entry)
    if (payload !== undefined) reply.bulk(payload)
    else reply.error(`ERR ${server.payloads.failure}`)
  },
}

const restore: Command = {
  name: 'restore',
  arity: -4,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1',
  since: '2.6.0',
  group: 'generic',
  summary: 'Make a key from a payload of DUMP.',
  complexity:
    'O(1) for the key, then O(N*M), N = elements of the value, M = their average size; O(N*M*log(N)) for a sorted set.',
  args:
    'key#0 ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0] ' +
    '[FREQ frequency:integer@5.0.0]',
  history: [
    ['3.0.0', '`REPLACE` is accepted.'],
    ['5.0.0', '`ABSTTL` is accepted.'],
    ['5.0.0', 'New options `IDLETIME` and `FREQ`.'],
  ],
  acl: 'keyspace dangerous',
  run: runRestore,
}

/** MIGRATE's RESTORE in cluster mode, to a server that is importing the slot. */
const restoreAsking: Command = {
  ...restore,
  name: 'restore-asking',
  flags: 'write denyoom asking',
  since: '3.0.0',
  group: 'server',
  summary: 'RESTORE into a slot that is being imported: sent by MIGRATE in a cluster.',
  syscmd: true,
}

/** RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] */
function runRestore(ctx: Context): void {
  const options = optionsOrReply(ctx)
  if (options === undefined) return
  const { args, db, server, reply } = ctx
  const key = args[1]
  if (!options.replace && db.find(key) !== 0) return reply.fixedError(BUSY_KEY)
  const ttlMs = ctx.exactLongOrReply(2)
  if (Number.isNaN(ttlMs)) return
  if (ttlMs < 0) return reply.fixedError(BAD_TTL)
  if (!server.payloads.isSound(args[3])) return reply.fixedError(BAD_PAYLOAD)
  if (!server.payloads.read(args[3], isSanitized(ctx))) return refused(ctx)
  const removed = options.replace && db.delete(key)
  const whenMs = ttlMs === 0 || options.absolute ? ttlMs : addLong(ttlMs, ctx.nowMs)
  if (ttlMs > 0 && whenMs < ctx.nowMs) {
    server.payloads.drop()
    if (removed) {
      ctx.propagateAs(ctx.settings.lazyfreeLazyServerDel ? 'UNLINK' : 'DEL', key)
      ctx.touched(key, 'del', NOTIFY_GENERIC)
    }
    return reply.ok()
  }
  let entry = server.payloads.place(db, key)
  if (ttlMs > 0) {
    entry = db.setExpiry(key, entry, whenMs)
    if (!options.absolute) ctx.propagateAs(...args.slice(0, 2), String(whenMs), ...args.slice(3, ctx.argc), 'ABSTTL')
  }
  stampAccess(ctx, db, entry, options.idleSeconds, options.frequency)
  ctx.touched(key, 'restore', NOTIFY_GENERIC)
  reply.ok()
}

function refused(ctx: Context): void {
  ctx.server.log?.('verbose', ctx.server.payloads.failure)
  ctx.reply.fixedError(BAD_FORMAT)
}

interface RestoreOptions {
  replace: boolean
  absolute: boolean
  idleSeconds: number
  frequency: number
}

function optionsOrReply(ctx: Context): RestoreOptions | undefined {
  const options = { replace: false, absolute: false, idleSeconds: -1, frequency: -1 }
  for (let i = 4; i < ctx.argc; i++) {
    const more = i + 1 < ctx.argc
    if (ctx.is(i, 'replace')) options.replace = true
    else if (ctx.is(i, 'absttl')) options.absolute = true
    else if (ctx.is(i, 'idletime') && more && options.frequency === -1) {
      options.idleSeconds = ctx.longOrReply(++i)
      if (Number.isNaN(options.idleSeconds)) return undefined
      if (options.idleSeconds < 0) return void ctx.reply.fixedError(BAD_IDLETIME)
    } else if (ctx.is(i, 'freq') && more && options.idleSeconds === -1) {
      options.frequency = ctx.longOrReply(++i)
      if (Number.isNaN(options.frequency)) return undefined
      if (options.frequency < 0 || options.frequency > 255) return void ctx.reply.fixedError(BAD_FREQ)
    } else return void ctx.reply.fixedError(SYNTAX)
  }
  return options
}

function stampAccess(ctx: Context, db: Database, entry: Ref, idleSeconds: number, frequency: number): void {
  const { keyspace } = ctx
  if (keyspace.lfu) {
    if (frequency >= 0) db.entries.setAccess(entry, frequency | ((Math.floor(ctx.nowMs / 60000) & 0xffff) << 8))
  } else if (idleSeconds >= 0) db.entries.setAccess(entry, (keyspace.lruClock - idleSeconds) & LRU_CLOCK_MASK)
}

export const dumpCommands: readonly Command[] = [dump, restore, restoreAsking]
