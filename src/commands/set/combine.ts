// SINTER, SUNION, SDIFF, their ...STORE forms, and SINTERCARD.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/messaging/events.ts'
import { ENC_INTSET, TYPE_SET } from '../../keyspace/types.ts'
import type { MemberSet } from '../../keyspace/values/set/set.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import { parseInt64 } from '../../lib/number.ts'
import type { Ref } from '../../memory/arena.ts'
import type { Element } from '../../memory/element.ts'
import { NUMKEYS_NOT_POSITIVE, TOO_MANY_KEYS } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { replyElement } from '../shared/element-reply.ts'
import { elementOf } from './shared.ts'

const LIMIT_NEGATIVE = errorBytes("ERR LIMIT can't be negative")

const sInter: Command = {
  name: 'sinter',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1..-1',
  since: '1.0.0',
  group: 'set',
  summary: 'Return the members that all the sets have.',
  complexity: 'O(N*M) at worst, N = members of the smallest set, M = sets.',
  args: 'key#0...',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    const { reply } = ctx
    const sets = inputsOrReply(ctx, 1, ctx.argc - 1)
    if (sets === undefined) return
    if (sets.missing > 0) return reply.emptySet()
    const e = elementOf(ctx)
    const mark = reply.beginDeferredArray()
    let found = 0
    intersect(ctx, sets, () => {
      replyElement(reply, e)
      found++
      return true
    })
    reply.endSet(mark, found)
  },
}

const sInterCard: Command = {
  name: 'sintercard',
  arity: -3,
  flags: 'readonly',
  keys: 'RO ACCESS @1#0+1',
  keyFinder: 'numkeys1',
  since: '7.0.0',
  group: 'set',
  summary: 'Count the members that all the sets have, up to a limit.',
  complexity: 'O(N*M) at worst, N = members of the smallest set, M = sets.',
  args: 'numkeys:integer key#0... [LIMIT limit:integer]',
  run(ctx) {
    const { reply } = ctx
    const keys = ctx.longOrReply(1, NUMKEYS_NOT_POSITIVE)
    if (Number.isNaN(keys)) return
    if (keys < 1) return reply.fixedError(NUMKEYS_NOT_POSITIVE)
    if (keys > ctx.argc - 2) return reply.fixedError(TOO_MANY_KEYS)
    let limit = 0
    const opt = ctx.options(2 + keys)
    while (opt.more()) {
      if (!opt.eat('limit', 1)) return opt.syntaxError()
      limit = opt.longOrReply(LIMIT_NEGATIVE)
      if (opt.failed) return
      if (limit < 0) return reply.fixedError(LIMIT_NEGATIVE)
    }
    const sets = inputsOrReply(ctx, 2, keys + 1)
    if (sets === undefined) return
    let found = 0
    if (sets.missing === 0) intersect(ctx, sets, () => ++found !== limit)
    reply.integer(found)
  },
}

const sInterStore: Command = {
  name: 'sinterstore',
  arity: -3,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1; RO ACCESS @2..-1',
  since: '1.0.0',
  group: 'set',
  summary: 'Store the members that all the sets have.',
  complexity: 'O(N*M) at worst, N = members of the smallest set, M = sets.',
  args: 'destination#0 key#1...',
  run(ctx) {
    const sets = inputsOrReply(ctx, 2, ctx.argc - 1)
    if (sets === undefined) return
    if (sets.missing > 0) return storeNothing(ctx)
    const { result } = SetType.of(ctx.keyspace)
    const e = elementOf(ctx)
    const smallest = smallestFirst(sets)
    if (smallest.encoding === ENC_INTSET) result.createIntset()
    else result.createListpack()
    let onlyIntegers = true
    intersect(ctx, sets, () => {
      if (onlyIntegers) onlyIntegers = e.isInteger || !Number.isNaN(parseInt64(e.bytes))
      result.addElement(e)
      return true
    })
    if (onlyIntegers && result.length > 0) result.toIntset()
    store(ctx, result, 'sinterstore')
  },
}

const sUnion: Command = {
  name: 'sunion',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1..-1',
  since: '1.0.0',
  group: 'set',
  summary: 'Return the members that any of the sets has.',
  complexity: 'O(N), N = members of all the sets together.',
  args: 'key#0...',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    const sets = inputsOrReply(ctx, 1, ctx.argc - 1)
    if (sets !== undefined) replyMade(ctx, unite(ctx, sets))
  },
}

const sUnionStore: Command = {
  name: 'sunionstore',
  arity: -3,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2..-1',
  since: '1.0.0',
  group: 'set',
  summary: 'Store the members that any of the sets has.',
  complexity: 'O(N), N = members of all the sets together.',
  args: 'destination#0 key#1...',
  run(ctx) {
    const sets = inputsOrReply(ctx, 2, ctx.argc - 1)
    if (sets !== undefined) store(ctx, unite(ctx, sets), 'sunionstore')
  },
}

const sDiff: Command = {
  name: 'sdiff',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1..-1',
  since: '1.0.0',
  group: 'set',
  summary: 'Return the members of the first set that are in none of the others.',
  complexity: 'O(N), N = members of all the sets together.',
  args: 'key#0...',
  tips: 'nondeterministic_output_order',
  run(ctx) {
    const sets = inputsOrReply(ctx, 1, ctx.argc - 1)
    if (sets !== undefined) replyMade(ctx, subtract(ctx, sets))
  },
}

const sDiffStore: Command = {
  name: 'sdiffstore',
  arity: -3,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2..-1',
  since: '1.0.0',
  group: 'set',
  summary: 'Store the members of the first set that are in none of the others.',
  complexity: 'O(N), N = members of all the sets together.',
  args: 'destination#0 key#1...',
  run(ctx) {
    const sets = inputsOrReply(ctx, 2, ctx.argc - 1)
    if (sets !== undefined) store(ctx, subtract(ctx, sets), 'sdiffstore')
  },
}

/** The sets a command reads. */
interface Inputs {
  /** In the order of the keys; undefined for a key that does not exist. */
  sets: (MemberSet | undefined)[]
  /** Their keys' entries; a key named twice has two equal ones. */
  entries: Ref[]
  missing: number
}

function inputsOrReply(ctx: Context, first: number, last: number): Inputs | undefined {
  const kind = SetType.of(ctx.keyspace)
  const inputs: Inputs = { sets: [], entries: [], missing: 0 }
  for (let i = first; i <= last; i++) {
    const entry = ctx.readOrReply(ctx.args[i], TYPE_SET)
    if (entry === WRONG) return undefined
    inputs.entries.push(entry)
    if (entry === 0) inputs.missing++
    const set =
      entry === 0 ? undefined : kind.input(i).open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry))
    inputs.sets.push(set)
  }
  return inputs
}

/** Sorts inputs, all of which exist, and returns the smallest. */
function smallestFirst(inputs: Inputs): MemberSet {
  const { sets, entries } = inputs
  const order = sets.map((_, i) => i).sort((a, b) => sets[a]!.length - sets[b]!.length)
  inputs.sets = order.map(i => sets[i])
  inputs.entries = order.map(i => entries[i])
  return inputs.sets[0]!
}

/** Calls `visit` for each common member, in the shared element, until it returns false. */
function intersect(ctx: Context, inputs: Inputs, visit: () => boolean): void {
  const e = elementOf(ctx)
  const smallest = smallestFirst(inputs)
  smallest.rewind()
  while (smallest.next(e)) if (isInOthers(inputs, e) && !visit()) return
}

function isInOthers({ sets, entries }: Inputs, e: Element): boolean {
  for (let i = 1; i < sets.length; i++) if (entries[i] !== entries[0] && !sets[i]!.hasElement(e)) return false
  return true
}

function unite(ctx: Context, { sets }: Inputs): MemberSet {
  const result = SetType.of(ctx.keyspace).result.createIntset()
  const e = elementOf(ctx)
  for (const set of sets) {
    if (set === undefined) continue
    set.rewind()
    while (set.next(e)) result.addElement(e)
  }
  return result
}

function subtract(ctx: Context, inputs: Inputs): MemberSet {
  const result = SetType.of(ctx.keyspace).result.createIntset()
  const { sets, entries } = inputs
  const first = sets[0]
  if (first === undefined || entries.indexOf(entries[0], 1) > 0) return result
  let lookUps = 0
  let visits = 0
  for (const set of sets) {
    if (set === undefined) continue
    lookUps += first.length
    visits += set.length
  }
  // Looking up members costs less than adding and removing them.
  if (lookUps / 2 <= visits) addUnlessElsewhere(ctx, inputs, result)
  else addThenRemove(ctx, inputs, result)
  return result
}

function addUnlessElsewhere(ctx: Context, { sets }: Inputs, result: MemberSet): void {
  const e = elementOf(ctx)
  const first = sets[0]!
  // The largest first: it most likely has a member.
  const others = sets.slice(1).sort((a, b) => (b?.length ?? 0) - (a?.length ?? 0))
  first.rewind()
  while (first.next(e)) if (!others.some(other => other?.hasElement(e))) result.addElement(e)
}

function addThenRemove(ctx: Context, { sets }: Inputs, result: MemberSet): void {
  const e = elementOf(ctx)
  for (const set of sets) {
    if (set === undefined) continue
    set.rewind()
    while (set.next(e)) {
      if (set === sets[0]) result.addElement(e)
      else result.removeElement(e)
    }
    if (result.length === 0) return
  }
}

function replyMade(ctx: Context, result: MemberSet): void {
  const { reply } = ctx
  const e = elementOf(ctx)
  reply.set(result.length)
  result.rewind()
  while (result.next(e)) replyElement(reply, e)
  result.discard()
}

/** Stores the set under key args[1]; an empty one deletes the key. */
function store(ctx: Context, result: MemberSet, event: string): void {
  const { args, db, reply } = ctx
  if (result.length === 0) {
    result.discard()
    return storeNothing(ctx)
  }
  const { length } = result
  db.put(args[1], TYPE_SET, result.encoding, result.value)
  ctx.touched(args[1], event, NOTIFY_SET)
  reply.integer(length)
}

function storeNothing(ctx: Context): void {
  const key = ctx.args[1]
  if (ctx.db.delete(key)) ctx.touched(key, 'del', NOTIFY_GENERIC)
  ctx.reply.integer(0)
}

export const combiningCommands: readonly Command[] = [
  sInter,
  sInterCard,
  sInterStore,
  sUnion,
  sUnionStore,
  sDiff,
  sDiffStore,
]
