// SpareBuffers: buffers of empty segments. Those of the usual size are retained for new segments: only RETAINED of them
// where they can be freed at once. The others and larger ones are freed as soon as no command runs.

import { isReleasable, releaseBuffer } from '../lib/bytes.ts'
import { SEGMENT_BYTES } from './segment.ts'

/** Compaction needs some again soon; pages that the operating system hands out anew cost 0.4 ms a megabyte. */
const RETAINED = 4

export class SpareBuffers {
  /** Bytes of larger buffers that were left to the collector, ever. */
  leftBytes = 0
  private readonly buffers: ArrayBuffer[] = []
  private readonly surplus: ArrayBuffer[] = []
  private fewest = 0

  get bytes(): number {
    return this.buffers.length * SEGMENT_BYTES
  }

  add(buffer: ArrayBuffer): void {
    const { buffers } = this
    const isRetained = buffer.byteLength === SEGMENT_BYTES && (buffers.length < RETAINED || !isReleasable(buffer))
    if (isRetained) buffers.push(buffer)
    else this.surplus.push(buffer)
  }

  take(): ArrayBuffer | undefined {
    const buffer = this.buffers.pop()
    this.fewest = Math.min(this.fewest, this.buffers.length)
    return buffer
  }

  /** Frees a buffer, at once where the runtime can. Otherwise the collector frees what this returns. */
  release(): WeakRef<ArrayBuffer> | undefined {
    const buffer = this.take()
    return buffer === undefined || releaseBuffer(buffer) === 0 ? undefined : new WeakRef(buffer)
  }

  /** Frees what is not retained: until now the running command might have read it. */
  releaseSurplus(): void {
    if (this.surplus.length === 0) return
    for (const buffer of this.surplus) this.leftBytes += releaseBuffer(buffer)
    this.surplus.length = 0
  }

  /** How many have been here all the time since the last call. */
  takeFewest(): number {
    const { fewest } = this
    this.fewest = this.buffers.length
    return fewest
  }
}
