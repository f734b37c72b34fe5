// LogWriter: writes the chunks of segments to their files, in the background, and makes them durable.
//
// Always: one write is under way at a time, and segments take turns. A failed write loses nothing: its chunk stays, and
// is written again later.

import type { DiskError, Done, FileSystem } from '../system/system.ts'
import type { Buffers } from './buffers.ts'
import { CHUNK_BYTES, type Chunk, type Segment } from './segment.ts'
import type { ValueLogFigures } from './value-log.ts'

interface LogWriterParts {
  disk: FileSystem
  segments: ReadonlyMap<number, Segment>
  buffers: Buffers
  figures: ValueLogFigures
  /** A chunk of a segment is in its file. */
  written(segment: Segment): void
  /** A write has ended. */
  ended(error: DiskError | null): void
}

export class LogWriter {
  /** To which something is being written. */
  segment: Segment | undefined
  private readonly parts: LogWriterParts
  private last: Segment | undefined
  private afterWrite: ((error: DiskError | null) => void) | undefined

  constructor(parts: LogWriterParts) {
    this.parts = parts
  }

  flush(): void {
    if (this.segment !== undefined) return
    let next: Segment | undefined
    for (const segment of this.parts.segments.values()) {
      if (segment.chunks.length === 0) continue
      next = segment
      if (segment !== this.last) break
    }
    if (next !== undefined) this.write(next, next.chunks[0])
  }

  private write(segment: Segment, chunk: Chunk): void {
    this.segment = this.last = segment
    const { disk, figures, buffers } = this.parts
    const length = chunk.used
    const begin = segment.written - chunk.from
    const done = length - begin
    disk.writeLater(segment.writeFd, chunk.u8, begin, done, segment.written, error => {
      this.segment = undefined
      if (error === null) {
        segment.written += done
        figures.writtenBytes += done
        figures.pendingBytes -= done
        // A chunk to which more was appended meanwhile stays.
        if (chunk.used === length) {
          segment.chunks.shift()
          buffers.give(chunk.u8)
        }
        this.parts.written(segment)
      } else figures.writeErrors++
      this.parts.ended(error)
      this.afterWrite?.(error)
      if (error === null && figures.pendingBytes >= CHUNK_BYTES) this.flush()
    })
  }

  /** Writes and fsyncs what is in all segments now. `done` may be called before this returns. */
  secure(done: Done): void {
    const wanted = [...this.parts.segments.values()].filter(({ synced, bytes }) => synced < bytes)
    const upTo = wanted.map(({ bytes }) => bytes)
    const next = (error: DiskError | null): void => {
      const segment = wanted[0]
      if (error !== null || segment === undefined) return done(error)
      if (segment.written < upTo[0] && !segment.dropped) return this.whenWritten(next)
      wanted.shift()
      upTo.shift()
      if (segment.dropped) next(null)
      else this.sync(segment, next)
    }
    next(null)
  }

  private whenWritten(next: Done): void {
    this.afterWrite = error => {
      this.afterWrite = undefined
      next(error)
    }
    this.flush()
  }

  private sync(segment: Segment, done: Done): void {
    const { written } = segment
    segment.readers++
    this.parts.disk.fdatasyncLater(segment.writeFd, error => {
      segment.readers--
      if (error === null) segment.synced = Math.max(segment.synced, written)
      else segment.doubtful = true
      done(error)
    })
  }
}
