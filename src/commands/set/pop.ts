// SPOP.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/messaging/events.ts'
import { ENC_INTSET, ENC_LISTPACK, TYPE_SET } from '../../keyspace/types.ts'
import type { MemberSet } from '../../keyspace/values/set/set.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { MUST_BE_POSITIVE, SYNTAX } from '../../protocol/errors.ts'
import { replyElement } from '../shared/element-reply.ts'
import { replyAll } from './random.ts'
import { elementOf, openSet, storeBack } from './shared.ts'

/** When fewer than one in so many remain, the remaining ones are chosen instead. */
const STAYING_SHARE = 5

/** Members per propagated SREM at most. */
const PROPAGATED_MAX = 1024

const sPop: Command = {
  name: 'spop',
  arity: -2,
  flags: 'write fast',
  keys: 'RW ACCESS DELETE @1',
  since: '1.0.0',
  group: 'set',
  summary: 'Take members picked at random from a set.',
  complexity: 'O(N), N = the count given; O(1) without one.',
  args: 'key#0 [count:integer@3.2.0]',
  history: [['3.2.0', 'A `count` may be given.']],
  tips: 'nondeterministic_output',
  run(ctx) {
    const { args, argc, reply } = ctx
    if (argc > 3) return reply.fixedError(SYNTAX)
    const count = argc === 3 ? ctx.longOrReply(2, MUST_BE_POSITIVE) : 1
    if (Number.isNaN(count)) return
    if (count < 0) return reply.fixedError(MUST_BE_POSITIVE)
    const entry = ctx.writeOrReply(args[1], TYPE_SET)
    if (entry === WRONG) return
    if (entry === 0) return argc === 3 ? reply.emptySet() : reply.null()
    if (argc === 3) return count === 0 ? reply.emptySet() : popSome(ctx, entry, count)
    const set = openSet(ctx, entry)
    const e = elementOf(ctx)
    set.sample(e)
    replyElement(reply, e)
    if (ctx.hasSinks) ctx.propagateAs('SREM', args[1], e.text())
    set.removeSampled()
    finish(ctx, entry, set, 1)
  },
}

function finish(ctx: Context, entry: Ref, set: MemberSet, count: number): void {
  const key = ctx.args[1]
  const gone = storeBack(ctx, entry, key, set)
  ctx.touched(key, 'spop', NOTIFY_SET, count)
  if (gone) ctx.notify(key, 'del', NOTIFY_GENERIC)
}

function popSome(ctx: Context, entry: Ref, count: number): void {
  const { args, db, reply } = ctx
  const set = openSet(ctx, entry)
  const length = set.length
  if (count >= length) {
    reply.set(length)
    replyAll(ctx, set)
    // Redis answers with a union of this set alone, which is one more lookup.
    ctx.keyspace.hits++
    ctx.touched(args[1], 'spop', NOTIFY_SET, length)
    db.delete(args[1])
    ctx.notify(args[1], 'del', NOTIFY_GENERIC)
    ctx.propagateAs(ctx.settings.lazyfreeLazyServerDel ? 'UNLINK' : 'DEL', args[1])
    return
  }
  reply.set(count)
  const e = elementOf(ctx)
  const removal = new Removal(ctx)
  const staying = length - count
  if (staying * STAYING_SHARE > count || set.encoding === ENC_LISTPACK) {
    set.popDistinct(count, e, () => {
      replyElement(reply, e)
      removal.note()
    })
  } else {
    const kept = keepSome(ctx, set, staying)
    set.rewind()
    while (set.next(e)) {
      replyElement(reply, e)
      removal.note()
    }
    set.discard()
    set.open(kept.encoding, kept.value)
  }
  removal.send()
  finish(ctx, entry, set, count)
}

/** Moves `count` random members from `set` to a new set. */
function keepSome(ctx: Context, set: MemberSet, count: number): MemberSet {
  const { result: made } = SetType.of(ctx.keyspace)
  const e = elementOf(ctx)
  if (set.encoding === ENC_INTSET) made.createIntset()
  else made.createListpack()
  for (let left = count; left > 0; left--) {
    set.sample(e)
    made.addElement(e)
    set.removeSampled()
  }
  return made
}

/** SPOP is propagated as SREM of the popped members. */
class Removal {
  private readonly ctx: Context
  private readonly members: Slice[] = []

  constructor(ctx: Context) {
    this.ctx = ctx
    ctx.preventPropagation()
  }

  /** Adds the member in the shared element. */
  note(): void {
    if (!this.ctx.hasSinks) return
    this.members.push(elementOf(this.ctx).text().copy())
    if (this.members.length === PROPAGATED_MAX) this.send()
  }

  send(): void {
    const { ctx, members } = this
    if (members.length > 0) ctx.alsoPropagate(ctx.db, 'SREM', ctx.args[1], ...members)
    members.length = 0
  }
}

export const poppingCommands: readonly Command[] = [sPop]
