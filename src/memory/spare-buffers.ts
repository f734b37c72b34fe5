// SpareBuffers: buffers of empty segments, retained for new ones.

import { SEGMENT_BYTES } from './segment.ts'

export class SpareBuffers {
  private readonly buffers: ArrayBuffer[] = []
  private fewest = 0

  get bytes(): number {
    return this.buffers.length * SEGMENT_BYTES
  }

  add(buffer: ArrayBuffer): void {
    this.buffers.push(buffer)
  }

  take(): ArrayBuffer | undefined {
    const buffer = this.buffers.pop()
    this.fewest = Math.min(this.fewest, this.buffers.length)
    return buffer
  }

  /** Drops a buffer, whose memory the collector frees. Undefined when there is none. */
  release(): WeakRef<ArrayBuffer> | undefined {
    const buffer = this.take()
    return buffer && new WeakRef(buffer)
  }

  /** How many have been here all the time since the last call. */
  takeFewest(): number {
    const { fewest } = this
    this.fewest = this.buffers.length
    return fewest
  }
}
