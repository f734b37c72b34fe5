// Broadcast: messages that several clients get, one behind the other in one buffer, until the turn ends.
//
//   u8  [ message 1 | message 2 | message 3 | free … ]
//       ^batchFrom                          ^batchEnd        of a client that gets all three: one range, one write
//
// Always: a client's range is behind whatever its `out` holds; ranges are written or copied before the buffer is used anew.

const FIRST_BYTES = 512
const KEPT_BYTES_MAX = 64 * 1024

export class Broadcast {
  u8 = new Uint8Array(FIRST_BYTES)
  end = 0
  /** The turn that it belongs to. */
  turn = -1
  /** A connection still reads from the buffer. */
  isHeld = false

  add(bytes: Uint8Array, length: number): void {
    const { u8, end } = this
    if (end + length > u8.length) {
      this.u8 = new Uint8Array(Math.max(u8.length * 2, end + length))
      this.u8.set(u8.subarray(0, end))
    }
    this.u8.set(length === bytes.length ? bytes : bytes.subarray(0, length), end)
    this.end = end + length
  }

  clear(): void {
    if (this.isHeld || this.u8.length > KEPT_BYTES_MAX) this.u8 = new Uint8Array(FIRST_BYTES)
    this.end = 0
    this.isHeld = false
    this.turn = -1
  }
}
