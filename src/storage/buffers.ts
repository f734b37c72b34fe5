// Buffers: memory for records that are on their way to or from the disk, used again.
//
//   take(bytes) ─▶ a view of so many bytes on a buffer of 1, 2, 4 … KB ─▶ give() when nothing refers to it any more
//
// Always: a buffer that is not given back is the collector's. The collector frees such memory late, since it does not
// see how much of it there is: without this a busy disk keeps tens of megabytes of it.

const SHIFT_MIN = 10
const SHIFT_MAX = 18
/** Of one size. */
const SPARE_BYTES_MAX = 1 << 20
/** Of the largest size, the chunks of segments: so much waits for the disk, and comes back together. */
const SPARE_CHUNKS_BYTES_MAX = 8 << 20

export class Buffers {
  private readonly spare: Uint8Array[][] = Array.from({ length: SHIFT_MAX - SHIFT_MIN + 1 }, () => [])

  /** Not zeroed. */
  take(bytes: number): Uint8Array {
    const shift = shiftFor(bytes)
    if (shift > SHIFT_MAX) return new Uint8Array(bytes)
    const buffer = this.spare[shift - SHIFT_MIN].pop() ?? new Uint8Array(1 << shift)
    return bytes === buffer.length ? buffer : buffer.subarray(0, bytes)
  }

  /** What take() has returned. */
  give(view: Uint8Array): void {
    const { byteLength } = view.buffer
    const shift = shiftFor(byteLength)
    if (shift > SHIFT_MAX || byteLength !== 1 << shift || view.byteOffset !== 0) return
    const spare = this.spare[shift - SHIFT_MIN]
    const most = shift === SHIFT_MAX ? SPARE_CHUNKS_BYTES_MAX : SPARE_BYTES_MAX
    if (spare.length << shift >= most) return
    spare.push(view.length === byteLength ? view : new Uint8Array(view.buffer as ArrayBuffer))
  }
}

function shiftFor(bytes: number): number {
  return bytes <= 1 << SHIFT_MIN ? SHIFT_MIN : 32 - Math.clz32(bytes - 1)
}
