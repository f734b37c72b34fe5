// Sets that are read: SCARD, SISMEMBER, SMISMEMBER, SMEMBERS, SSCAN.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import type { MemberSet } from '../../keyspace/set.ts'
import { SetKind } from '../../keyspace/set-kind.ts'
import { ENC_HASHTABLE, TYPE_SET } from '../../keyspace/types.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyElement } from '../shared/element-reply.ts'
import { BUCKETS_PER_COUNT, ScanOptions, scannedOrReply } from '../shared/scan.ts'
import { elementOf, openSet } from './shared.ts'

const sCard: Command = {
  name: 'scard',
  arity: 2,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Returns the number of members in a set.',
  complexity: 'O(1)',
  args: 'key#0',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_SET)
    if (entry === WRONG) return
    ctx.reply.integer(entry === 0 ? 0 : openSet(ctx, entry).length)
  },
}

const sIsMember: Command = {
  name: 'sismember',
  arity: 3,
  flags: 'readonly fast',
  keys: 'RO @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Determines whether a member belongs to a set.',
  complexity: 'O(1)',
  args: 'key#0 member',
  run(ctx) {
    const entry = ctx.readOrReply(ctx.args[1], TYPE_SET)
    if (entry === WRONG) return
    ctx.reply.integer(entry !== 0 && openSet(ctx, entry).has(ctx.args[2]) ? 1 : 0)
  },
}

const sMIsMember: Command = {
  name: 'smismember',
  arity: -3,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'set',
  summary: 'Determines whether multiple members belong to a set.',
  complexity: 'O(N) where N is the number of elements being checked for membership',
  args: 'key#0 member...',
  run(ctx) {
    const { args, argc, reply } = ctx
    const entry = ctx.readOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    const set = SetKind.of(ctx.keyspace).first
    if (entry !== 0) openSet(ctx, entry)
    reply.array(argc - 2)
    for (let i = 2; i < argc; i++) reply.integer(entry !== 0 && set.has(args[i]) ? 1 : 0)
  },
}

const sMembers: Command = {
  name: 'smembers',
  arity: 2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Returns all members of a set.',
  complexity: 'O(N) where N is the set cardinality.',
  args: 'key#0',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    const { reply } = ctx
    const entry = ctx.readOrReply(ctx.args[1], TYPE_SET)
    if (entry === WRONG) return
    if (entry === 0) return reply.emptySet()
    const set = openSet(ctx, entry)
    const e = elementOf(ctx)
    reply.set(set.length)
    set.rewind()
    while (set.next(e)) replyElement(reply, e)
  },
}

const sScan: Command = {
  name: 'sscan',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '2.8.0',
  group: 'set',
  summary: 'Iterates over members of a set.',
  complexity:
    'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return ' +
    'back to 0. N is the number of elements inside the collection.',
  args: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
  tips: 'nondeterministic_output',
  run(ctx) {
    const options = new ScanOptions()
    const entry = scannedOrReply(ctx, TYPE_SET, options)
    if (entry === 0) return
    const set = openSet(ctx, entry)
    if (set.encoding === ENC_HASHTABLE) scanTable(ctx, set, options)
    else scanWhole(ctx, set, options)
  },
}

function scanWhole(ctx: Context, set: MemberSet, options: ScanOptions): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  reply.array(2)
  reply.bulkInteger(0)
  const mark = reply.defer()
  let found = 0
  set.rewind()
  while (set.next(e)) {
    if (!options.matches(e.text())) continue
    reply.bulk(e.bytes)
    found++
  }
  reply.endArray(mark, found)
}

function scanTable(ctx: Context, set: MemberSet, options: ScanOptions): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  const found: Ref[] = []
  let { cursor } = options
  let seen = 0
  let bucketsLeft = options.count * BUCKETS_PER_COUNT
  do {
    cursor = set.scan(cursor, entry => {
      seen++
      set.readEntry(entry, e)
      if (options.matches(e.bytes)) found.push(entry)
    })
  } while (cursor !== 0 && bucketsLeft-- > 0 && seen < options.count)
  reply.array(2)
  reply.bulkInteger(cursor)
  reply.array(found.length)
  for (const entry of found) {
    set.readEntry(entry, e)
    reply.bulk(e.bytes)
  }
}

export const lookingCommands: readonly Command[] = [sCard, sIsMember, sMIsMember, sMembers, sScan]
