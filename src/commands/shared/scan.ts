// Shared by SSCAN, HSCAN and ZSCAN: arguments and options.

import { type Context, WRONG } from '../../engine/context.ts'
import type { Options } from '../../engine/options.ts'
import { STAR } from '../../lib/ascii.ts'
import { globMatch } from '../../lib/glob.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import type { Reply } from '../../protocol/reply.ts'
import { cursorOrReply } from './cursor.ts'

/** Buckets visited per requested element at most. */
const BUCKETS_PER_COUNT = 10

export class ScanOptions {
  cursor = 0
  count = 10
  /** Elements visited, whether they match or not. */
  seen = 0
  /** Undefined: everything matches. */
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

  /** matches(), and counts the element against COUNT. */
  accepts(text: Slice): boolean {
    this.seen++
    return this.matches(text)
  }

  matches(text: Slice): boolean {
    return this.pattern === undefined || globMatch(this.pattern, text)
  }
}

/** Reads the arguments of `key cursor [options]` into `options`. Returns the entry; 0 after a reply. */
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

/** Replies with all of a small collection; `replyMatching` writes the matches and returns the number of words. */
export function replyWhole(reply: Reply, replyMatching: () => number): void {
  reply.array(2)
  reply.bulkInteger(0)
  const mark = reply.beginDeferredArray()
  reply.endArray(mark, replyMatching())
}

/**
 * Steps through a table until COUNT elements were visited, and replies with the next cursor and the elements found,
 * `words` each. `step` adds those accepted by options.accepts() at a cursor to `found`, and returns the next cursor.
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
