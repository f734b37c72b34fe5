// KeyScan: what SCAN and CLUSTERSCAN share: filters, the keys that were found, and when a call has done its share.

import type { Context } from '../../engine/context.ts'
import type { Options } from '../../engine/options.ts'
import { globMatch } from '../../lib/glob.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { isEverything } from './scan.ts'

const COUNT_DEFAULT = 10
/** Buckets visited per requested key at most: a sparse table must not stall the server. */
const BUCKETS_PER_COUNT = 10

type Step = (cursor: number, visit: (entry: Ref) => void) => number

export class KeyScan {
  /** Undefined: every key matches. */
  pattern: Slice | undefined
  /** The name of a type; undefined: any. */
  type: Slice | undefined
  private readonly ctx: Context
  private count = COUNT_DEFAULT
  private seen = 0
  private buckets = 0
  private readonly found: Ref[] = []

  constructor(ctx: Context) {
    this.ctx = ctx
  }

  /** Takes the next option if it is COUNT, MATCH or TYPE. */
  eat(opt: Options): boolean {
    if (opt.eat('count', 1)) {
      this.count = opt.longOrReply()
      if (this.count < 1) opt.syntaxError()
    } else if (opt.eat('match', 1)) {
      const pattern = opt.next()
      this.pattern = isEverything(pattern) ? undefined : pattern
    } else if (opt.eat('type', 1)) this.type = opt.next()
    else return false
    return true
  }

  /** This call has visited what COUNT asks for. */
  get isDone(): boolean {
    return this.seen >= this.count || this.buckets > this.count * BUCKETS_PER_COUNT
  }

  /** Steps through a table until it ends or this call is done; the cursor to continue with, 0 at the end. */
  walk(from: number, step: Step): number {
    let cursor = from
    do {
      cursor = step(cursor, this.visit)
      this.buckets++
    } while (cursor !== 0 && !this.isDone)
    return cursor
  }

  private readonly visit = (entry: Ref) => {
    const { ctx, pattern } = this
    this.seen++
    if (pattern === undefined || globMatch(pattern, ctx.db.entries.keyOf(entry, ctx.value))) this.found.push(entry)
  }

  /** Replies with the keys that are of the type and not expired. */
  replyFound(): void {
    const { db, reply, keyspace, value } = this.ctx
    const { type } = this
    const mark = reply.beginDeferredArray()
    let count = 0
    for (const entry of this.found) {
      const isDue = db.entries.isDue(entry)
      // Asking for the type is a lookup.
      if (type !== undefined) {
        if (isDue) keyspace.misses++
        else keyspace.hits++
      }
      if (isDue) db.expireNow(entry)
      else if (type === undefined || keyspace.types.isNamed(db.entries, entry, type)) {
        reply.bulk(db.entries.keyOf(entry, value))
        count++
      }
    }
    reply.endArray(mark, count)
  }
}
