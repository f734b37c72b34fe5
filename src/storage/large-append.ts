// LargeAppend: appends the record of a large value in pieces, while other records are appended elsewhere.
//
//   begin: a segment of its own meanwhile ─▶ add … [a frame is full: it goes to the segment] ─▶ end: log.last
//                                                                                          └▶ abandon: it is dead
// Always: what is in the segment is a record, or the begin of one whose end follows. A crash in between leaves a record
// without its last frame, to which nothing refers.

import { Crc64 } from '../lib/crc64.ts'
import type { Slice } from '../lib/slice.ts'
import { FRAME_BYTES, FRAME_HEAD, RECORD_HEAD, writeFrameHead, writeLargeHead } from './record.ts'
import type { Segment } from './segment.ts'
import type { ValueLog } from './value-log.ts'

const BUFFER_BYTES = RECORD_HEAD + FRAME_HEAD + FRAME_BYTES

export class LargeAppend {
  /** Of the record, in the segment so far. */
  bytes = 0
  private readonly log: ValueLog
  private readonly segment: Segment
  private readonly crc = new Crc64()
  private buffer: Uint8Array
  /** The frame that is being filled: its head, and the end of its bytes. */
  private frameAt = RECORD_HEAD
  private end = RECORD_HEAD + FRAME_HEAD

  /** Throws a DiskError when a new segment cannot be made. */
  constructor(log: ValueLog, key: Slice) {
    this.log = log
    this.segment = log.beginLarge()
    this.buffer = log.buffers.take(BUFFER_BYTES)
    writeLargeHead(this.buffer, key.len, this.crc)
    this.add(key.u8, key.off, key.off + key.len)
  }

  /** Appends bytes of the payload. */
  add(u8: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const space = this.frameAt + FRAME_HEAD + FRAME_BYTES - this.end
      const next = Math.min(to, at + space)
      this.buffer.set(u8.subarray(at, next), this.end)
      this.crc.update(this.buffer, this.end, this.end + next - at)
      this.end += next - at
      if (next - at === space) {
        this.endFrame()
        this.buffer = this.log.buffers.take(BUFFER_BYTES)
        this.frameAt = 0
        this.end = FRAME_HEAD
      }
      at = next
    }
  }

  private endFrame(): void {
    writeFrameHead(this.buffer, this.frameAt, this.end - this.frameAt - FRAME_HEAD, this.crc)
    this.log.addPiece(this.segment, this.buffer, this.end)
    this.bytes += this.end
  }

  /** The record is whole: log.last is its place. */
  finish(): void {
    this.endFrame()
    this.log.endLarge(this.segment, this.bytes)
  }

  /** The record is of no use. Its end is written, so that those behind it are found. */
  abandon(): void {
    this.endFrame()
    this.log.endLarge(this.segment, this.bytes)
    this.log.release(this.segment.id, this.bytes)
  }
}
