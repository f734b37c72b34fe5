// Reading fields: HGET, HMGET, HEXISTS, HLEN, HSTRLEN, HGETALL, HKEYS, HVALS.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_HASH } from '../../keyspace/types.ts'
import { HashType } from '../../keyspace/values/hash/hash-type.ts'
import { replyElement } from '../shared/element-reply.ts'
import { openHash } from './shared.ts'

const hGet: Command = {
  name: 'hget',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Return the value of one field.',
  complexity: 'O(1)',
  args: 'key#0 field',
  run(ctx) {
    const { args, reply } = ctx
    const entry = ctx.readOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    const { text } = HashType.of(ctx.keyspace)
    if (entry === 0 || !openHash(ctx, entry).get(args[2], text)) reply.null()
    else replyElement(reply, text)
  },
}

const hMGet: Command = {
  name: 'hmget',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Return the values of the given fields, null for those that are missing.',
  complexity: 'O(N), N = fields named.',
  args: 'key#0 field...',
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.readOrReply(args[1], TYPE_HASH)
    if (entry === WRONG) return
    reply.array(argc - 2)
    const { text, current: hash } = HashType.of(ctx.keyspace)
    if (entry !== 0) openHash(ctx, entry)
    for (let i = 2; i < argc; i++) {
      if (entry === 0 || !hash.get(args[i], text)) reply.null()
      else replyElement(reply, text)
    }
  },
}

const hExists: Command = {
  name: 'hexists',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Tell whether a hash has a field.',
  complexity: 'O(1)',
  args: 'key#0 field',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_HASH)
    if (entry === WRONG) return
    ctx.reply.integer(entry !== 0 && openHash(ctx, entry).has(ctx.args[2]) ? 1 : 0)
  },
}

const hLen: Command = {
  name: 'hlen',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Count the fields of a hash.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_HASH)
    if (entry === WRONG) return
    ctx.reply.integer(entry === 0 ? 0 : openHash(ctx, entry).length)
  },
}

const hStrLen: Command = {
  name: 'hstrlen',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '3.2.0',
  group: 'hash',
  summary: 'Return how many bytes the value of a field has.',
  complexity: 'O(1)',
  args: 'key#0 field',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_HASH)
    if (entry === WRONG) return
    const { text } = HashType.of(ctx.keyspace)
    ctx.reply.integer(entry !== 0 && openHash(ctx, entry).get(ctx.args[2], text) ? text.text().len : 0)
  },
}

const hGetAll: Command = {
  name: 'hgetall',
  arity: 2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Return a whole hash, fields and values.',
  complexity: 'O(N), N = fields of the hash.',
  args: 'key#0',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    replyAll(ctx, true, true)
  },
}

const hKeys: Command = {
  name: 'hkeys',
  arity: 2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Return the fields of a hash without their values.',
  complexity: 'O(N), N = fields of the hash.',
  args: 'key#0',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    replyAll(ctx, true, false)
  },
}

const hVals: Command = {
  name: 'hvals',
  arity: 2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.0.0',
  group: 'hash',
  summary: 'Return the values of a hash without their fields.',
  complexity: 'O(N), N = fields of the hash.',
  args: 'key#0',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    replyAll(ctx, false, true)
  },
}

function replyAll(ctx: Context, withFields: boolean, withValues: boolean): void {
  const { reply } = ctx
  const entry = ctx.readOrReply(ctx.args[1], TYPE_HASH)
  if (entry === WRONG) return
  const isMap = withFields && withValues
  if (entry === 0) return isMap ? reply.emptyMap() : reply.emptyArray()
  const { field, text } = HashType.of(ctx.keyspace)
  const hash = openHash(ctx, entry)
  if (isMap) reply.map(hash.length)
  else reply.array(hash.length)
  if (isMap && hash.emitPacked(reply)) return
  hash.rewind()
  while (hash.next(field, text)) {
    if (withFields) replyElement(reply, field)
    if (withValues) replyElement(reply, text)
  }
}

export const gettingCommands: readonly Command[] = [hGet, hMGet, hExists, hLen, hStrLen, hGetAll, hKeys, hVals]
