// Inbox: one read buffer for all connections, so that the parser mostly sees the same typed array and data view. Longer
// reads are passed on in their own buffer, which the receiver may keep.

const INBOX_BYTES = 64 * 1024

export class Inbox {
  readonly u8 = new Uint8Array(INBOX_BYTES)
  readonly dv = new DataView(this.u8.buffer)
}
