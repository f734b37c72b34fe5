// Broadcast: messages that several clients get, one behind the other in one buffer, until the turn ends.
//
//   reply.u8  [ message 1 | message 2 | message 3 | free … ]
//             ^batchFrom                          ^batchEnd     of a client that gets all three: one range, one write
//
// Always: a client's range is behind whatever its `out` holds; ranges are written or copied before the buffer is used
// anew.

import { Reply } from '../../protocol/reply.ts'

export class Broadcast {
  /** Messages are written here, in the protocol of all who get them. */
  readonly reply = new Reply()
  /** The turn that it belongs to. */
  turn = -1
  /** A connection still reads from the buffer. */
  isHeld = false

  get u8(): Uint8Array {
    return this.reply.u8
  }

  get end(): number {
    return this.reply.pos
  }

  clear(): void {
    const { reply } = this
    reply.pos = 0
    if (this.isHeld) reply.renew()
    else reply.trim()
    this.isHeld = false
    this.turn = -1
  }
}
