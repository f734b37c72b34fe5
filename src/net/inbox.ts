// Inbox: one read buffer for all connections, so that the parser always sees the same typed array and data view.

const START_BYTES = 64 * 1024

export class Inbox {
  u8 = new Uint8Array(START_BYTES)
  dv = new DataView(this.u8.buffer)

  /** Copies `bytes` to the start of the buffer. */
  put(bytes: Uint8Array): void {
    if (bytes.length > this.u8.length) {
      this.u8 = new Uint8Array(Math.max(bytes.length, this.u8.length * 2))
      this.dv = new DataView(this.u8.buffer)
    }
    this.u8.set(bytes)
  }
}
