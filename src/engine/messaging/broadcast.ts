// Broadcast: messages to several clients, one after the other in one buffer, until the turn ends.
//
//   reply.u8  [ message 1 | message 2 | message 3 | free … ]
//             ^sharedReplyFrom                    ^sharedReplyEnd   of a client that gets all three: one write
//
// Always: a client's range follows whatever its `out` holds; ranges are written or copied before the buffer is
// reused.

import { Reply } from '../../protocol/reply.ts'

export class Broadcast {
  /** The messages, in the protocol of all receivers. */
  readonly reply = new Reply()
  /** The event loop turn it belongs to. */
  turn = -1
  /** A connection still reads from the buffer. */
  bufferInUse = false

  get u8(): Uint8Array {
    return this.reply.u8
  }

  get end(): number {
    return this.reply.pos
  }

  clear(): void {
    const { reply } = this
    reply.pos = 0
    if (this.bufferInUse) reply.renew()
    else reply.trim()
    this.bufferInUse = false
    this.turn = -1
  }
}
