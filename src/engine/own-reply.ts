// OwnReply: the replies to commands that the server runs for itself: no client gets them.
//
// Always: within a command the context is afterwards as before. Calls may nest: each leaves the buffer as it was.

import { Reply, SMALL_REPLY_BYTES } from '../protocol/reply.ts'
import { ReplyReader } from '../protocol/reply-reader.ts'
import type { Value } from '../protocol/value.ts'
import type { Context } from './context.ts'

export class OwnReply {
  private readonly ctx: Context
  private readonly reply = new Reply(SMALL_REPLY_BYTES)
  private readonly reader = new ReplyReader()

  constructor(ctx: Context) {
    this.ctx = ctx
  }

  /** What the command replies that `run` runs. */
  of(run: () => void): Value {
    const { ctx, reply, reader } = this
    const saved = ctx.save()
    const from = reply.pos
    reply.resp = 2
    ctx.reply = reply
    try {
      run()
      reader.feed(reply.u8.subarray(from, reply.pos))
      return reader.next() as Value
    } finally {
      reply.pos = from
      ctx.restore(saved)
    }
  }
}
