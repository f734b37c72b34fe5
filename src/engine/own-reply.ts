// OwnReply: the replies to commands that the server runs for itself: no client gets them.
//
// Always: within a command the context is afterwards as before. Calls may nest: each leaves the buffer as it was.

import { COLON, CR, DOLLAR, MINUS, PLUS, ZERO } from '../lib/ascii.ts'
import { latin1Text } from '../lib/bytes.ts'
import { Reply, SMALL_REPLY_BYTES } from '../protocol/reply.ts'
import { ReplyReader } from '../protocol/reply-reader.ts'
import type { Value } from '../protocol/value.ts'
import type { Context } from './context.ts'

/** Of the shortest reply that is a line: its type and its end. */
const LINE_BYTES_MIN = 3
/** Any integer of so many digits is a number without loss. */
const SAFE_DIGITS = 15

export class OwnReply {
  private readonly ctx: Context
  private readonly reply = new Reply(SMALL_REPLY_BYTES)
  private readonly reader = new ReplyReader()

  constructor(ctx: Context) {
    this.ctx = ctx
  }

  /** What the command replies that `run` runs. */
  of(run: () => void): Value {
    const { ctx, reply } = this
    const saved = ctx.save()
    const from = reply.pos
    reply.resp = 2
    ctx.reply = reply
    try {
      run()
      return this.read(from)
    } finally {
      reply.pos = from
      ctx.restore(saved)
    }
  }

  /** The reply from `from` on; integers, simple and bulk strings without the reader. */
  private read(from: number): Value {
    const { reader } = this
    const { u8, pos: end } = this.reply
    const first = end - from > LINE_BYTES_MIN ? u8[from] : 0
    if (first === PLUS) return latin1Text(u8, from + 1, end - 2)
    if (first === COLON || first === DOLLAR) {
      const isNegative = u8[from + 1] === MINUS
      const digits = isNegative ? from + 2 : from + 1
      let at = digits
      let n = 0
      for (; at < end && u8[at] !== CR; at++) n = n * 10 + u8[at] - ZERO
      if (at - digits <= SAFE_DIGITS) {
        if (first === COLON) return isNegative ? -n : n
        return isNegative ? null : u8.slice(at + 2, at + 2 + n)
      }
    }
    reader.feed(u8.subarray(from, end))
    return reader.next() as Value
  }
}
