// Segment: a file of the value log.
//
//   [ written: in the file ········ | chunk | chunk, being filled ]
//     synced ─┘ (an fsync covers it)

import type { ValuePlace } from '../keyspace/cold.ts'
import type { Buffers } from './buffers.ts'

export const CHUNK_BYTES: number = 256 * 1024

export interface Chunk {
  u8: Uint8Array
  from: number
  used: number
}

export class Segment {
  readonly id: number
  readonly path: string
  readonly writeFd: number
  readonly readFd: number
  bytes = 0
  live = 0
  /** Of the file, of an earlier run. */
  sizeBytes = 0
  /** Reads under way. */
  readers = 0
  sealed = false
  dropped = false
  /** Bytes in the file, and those of them that an fsync has covered. */
  written = 0
  synced = 0
  /** An fsync of it has failed: what it covered may not be on the disk. */
  doubtful = false
  /** Nothing in it is live, but a checkpoint refers to it. */
  held = false
  readonly chunks: Chunk[] = []

  constructor(id: number, path: string, writeFd: number, readFd: number) {
    this.id = id
    this.path = path
    this.writeFd = writeFd
    this.readFd = readFd
  }
}

/** A copy of a record that is not in the file yet; undefined: it is. */
export function inMemory(segment: Segment, place: ValuePlace): Uint8Array | undefined {
  if (place.offset + place.bytes <= segment.written) return undefined
  for (const chunk of segment.chunks)
    if (place.offset >= chunk.from && place.offset < chunk.from + chunk.used)
      return chunk.u8.slice(place.offset - chunk.from, place.offset - chunk.from + place.bytes)
  return undefined
}

/** What is not in the file yet, from an offset to the end of its chunk; undefined: it is in the file. */
export function unwritten(segment: Segment, offset: number): Uint8Array | undefined {
  if (offset < segment.written) return undefined
  for (const { u8, from, used } of segment.chunks)
    if (offset >= from && offset < from + used) return u8.subarray(offset - from, used)
  return undefined
}

/** A chunk at the end of a segment with space for so many bytes. */
export function chunkFor(segment: Segment, bytes: number, buffers: Buffers): Chunk {
  const last = segment.chunks[segment.chunks.length - 1]
  if (last !== undefined && last.used + bytes <= last.u8.length) return last
  const chunk = { u8: buffers.take(Math.max(CHUNK_BYTES, bytes)), from: segment.bytes, used: 0 }
  segment.chunks.push(chunk)
  return chunk
}
