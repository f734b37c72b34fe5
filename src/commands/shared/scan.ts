// What SSCAN, HSCAN and ZSCAN have in common: how they begin, and their options.

import { type Context, WRONG } from '../../engine/context.ts'
import type { Options } from '../../engine/options.ts'
import { STAR } from '../../lib/ascii.ts'
import { globMatch } from '../../lib/glob.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import type { Reply } from '../../protocol/reply.ts'
import { cursorOrReply } from './cursor.ts'

/** A scan looks at ten buckets for each element it was asked for before it gives up finding more. */
const BUCKETS_PER_COUNT = 10

export class ScanOptions {
  cursor = 0
  count = 10
  /** Elements that the table gave so far, whether they match or not. */
  seen = 0
  /** Undefined: everything passes. */
  pattern: Slice | undefined

  /** Reads MATCH and COUNT from args[from] on; false after an error reply. */
  parseOrReply(ctx: Context, from: number): boolean {
    const opt = ctx.options(from)
    while (opt.more()) {
      if (!this.eat(opt)) opt.syntaxError()
      if (opt.failed) return false
    }
    return true
  }

  /** Takes the next option if it is MATCH or COUNT. */
  eat(opt: Options): boolean {
    if (opt.eat('count', 1)) {
      this.count = opt.longOrReply()
      if (this.count < 1) opt.fail(SYNTAX)
    } else if (opt.eat('match', 1)) {
      const pattern = opt.next()
      this.pattern = isEverything(pattern) ? undefined : pattern
    } else return false
    return true
  }

  /** As matches(), and counts the element against COUNT. */
  accepts(text: Slice): boolean {
    this.seen++
    return this.matches(text)
  }

  matches(text: Slice): boolean {
    return this.pattern === undefined || globMatch(this.pattern, text)
  }
}

/**
 * Begins the scan `key cursor [options]` of a collection: reads cursor and options into `options`. The entry, 0 after a
 * reply.
 */
export function scannedOrReply(ctx: Context, type: number, options: ScanOptions): Ref {
  options.cursor = cursorOrReply(ctx, 2)
  if (Number.isNaN(options.cursor)) return 0
  const entry = ctx.readOrReply(ctx.args[1], type)
  if (entry === WRONG) return 0
  if (entry !== 0) return options.parseOrReply(ctx, 3) ? entry : 0
  replyEmptyScan(ctx.reply)
  return 0
}

function replyEmptyScan(reply: Reply): void {
  reply.array(2)
  reply.bulkInteger(0)
  reply.emptyArray()
}

/** Replies with a small collection as a whole; `replyMatching` writes what matches and says how many words that was. */
export function replyWhole(reply: Reply, replyMatching: () => number): void {
  reply.array(2)
  reply.bulkInteger(0)
  const mark = reply.beginDeferredArray()
  reply.endArray(mark, replyMatching())
}

/**
 * Steps through a table until COUNT elements were seen, and replies with the cursor to go on from and with what was
 * found, `words` each. `step` adds to `found` what options.accepts() of the buckets at a cursor, and says which is
 * next.
 */
export function replyTable<T>(
  reply: Reply,
  options: ScanOptions,
  words: number,
  step: (cursor: number, found: T[]) => number,
  replyOne: (one: T) => void,
): void {
  const found: T[] = []
  let { cursor } = options
  let bucketsLeft = options.count * BUCKETS_PER_COUNT
  do cursor = step(cursor, found)
  while (cursor !== 0 && bucketsLeft-- > 0 && options.seen < options.count)
  reply.array(2)
  reply.bulkInteger(cursor)
  reply.array(found.length * words)
  for (const one of found) replyOne(one)
}

export function isEverything(pattern: Slice): boolean {
  return pattern.len === 1 && pattern.byte(0) === STAR
}
