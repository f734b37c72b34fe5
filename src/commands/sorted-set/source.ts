// Source: a sorted set or plain set as an input of ZUNION, ZINTER and ZDIFF.

import type { Context } from '../../engine/context.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import { MemberSet } from '../../keyspace/values/set/set.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import { ZSet, ZSetCursor } from '../../keyspace/values/zset/zset.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

export abstract class Source {
  weight = 1
  abstract readonly length: number
  /** The current member, after start() or next() returned true. */
  abstract readonly member: Slice
  abstract readonly score: number
  readonly entry: Ref

  constructor(entry: Ref) {
    this.entry = entry
  }

  abstract start(): boolean
  abstract next(): boolean
  /** NaN when it is not a member. */
  abstract scoreOf(member: Slice): number

  /** Both are the value of one key. */
  isSame(other: Source): boolean {
    return this.entry !== 0 && this.entry === other.entry
  }
}

export function openSource(ctx: Context, entry: Ref, type: number): Source {
  return type === TYPE_ZSET ? new SortedSource(ctx, entry) : new PlainSource(ctx, entry)
}

/** A plain set: every member has score 1. */
class PlainSource extends Source {
  readonly length: number
  readonly score = 1
  private readonly set: MemberSet

  constructor(ctx: Context, entry: Ref) {
    super(entry)
    this.set = new MemberSet(SetType.of(ctx.keyspace)).open(
      ctx.db.entries.encodingOf(entry),
      ctx.db.entries.valueOf(entry),
    )
    this.length = this.set.length
  }

  get member(): Slice {
    return this.set.element.text()
  }

  start(): boolean {
    this.set.rewind()
    return this.next()
  }

  next(): boolean {
    return this.set.next(this.set.element)
  }

  scoreOf(member: Slice): number {
    return this.set.has(member) ? 1 : Number.NaN
  }
}

class SortedSource extends Source {
  readonly length: number
  private readonly z: ZSet | undefined
  private readonly cursor = new ZSetCursor()

  constructor(ctx: Context, entry: Ref) {
    super(entry)
    if (entry !== 0)
      this.z = new ZSet(ZSetType.of(ctx.keyspace)).open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry))
    this.length = this.z?.length ?? 0
  }

  get member(): Slice {
    return this.cursor.member
  }

  get score(): number {
    return this.cursor.score
  }

  start(): boolean {
    return this.length > 0 && this.z!.seekRank(0, this.cursor)
  }

  next(): boolean {
    return this.z!.next(this.cursor)
  }

  scoreOf(member: Slice): number {
    return this.z === undefined ? Number.NaN : this.z.scoreOf(member)
  }
}
