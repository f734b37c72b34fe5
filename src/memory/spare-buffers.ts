// SpareBuffers: buffers of empty segments. Those of the usual size are retained for new segments; larger ones are
// freed as soon as no command runs.

import { releaseBuffer } from '../lib/bytes.ts'
import { SEGMENT_BYTES } from './segment.ts'

export class SpareBuffers {
  /** Bytes of larger buffers that were left to the collector, ever. */
  leftBytes = 0
  private readonly buffers: ArrayBuffer[] = []
  private readonly large: ArrayBuffer[] = []
  private fewest = 0

  get bytes(): number {
    return this.buffers.length * SEGMENT_BYTES
  }

  add(buffer: ArrayBuffer): void {
    if (buffer.byteLength === SEGMENT_BYTES) this.buffers.push(buffer)
    else this.large.push(buffer)
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

  /** Frees the larger buffers, which the running command may still have read. */
  releaseLarge(): void {
    if (this.large.length === 0) return
    for (const buffer of this.large) this.leftBytes += releaseBuffer(buffer)
    this.large.length = 0
  }

  /** How many have been here all the time since the last call. */
  takeFewest(): number {
    const { fewest } = this
    this.fewest = this.buffers.length
    return fewest
  }
}
