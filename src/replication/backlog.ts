// Backlog: the replication backlog: the last bytes of the stream, for partial resynchronisation.
//
//   start                              end = offset of the stream
//     [ chunk ][ chunk ][ chunk ]…[ chunk ]
//
// Always: a chunk is dropped only when `limit` bytes remain without it, and no replica still has to be sent any of it:
// chunks are shared with the output of replicas, so that one copy serves all.

const GONE = new Uint8Array(0)
const SHIFT_CHUNKS = 1000
/** Chunks that are dropped at once. */
const TRIMMED_MAX = 1024
/** A longer chunk is dropped in parts. */
const PIECE_BYTES = 4 * 1024

export class Backlog {
  /** Offsets count the bytes of the stream from 0. */
  start: number
  end: number
  private readonly chunks: Uint8Array[] = []
  private first = 0

  constructor(offset: number) {
    this.start = this.end = offset
  }

  get bytes(): number {
    return this.end - this.start
  }

  /** `neededFrom`: the offset from which on a replica still needs the stream. */
  add(chunk: Uint8Array, limit: number, neededFrom: number): void {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES)
      this.chunks.push(chunk.length <= PIECE_BYTES ? chunk : chunk.subarray(at, at + PIECE_BYTES))
    this.end += chunk.length
    this.trim(limit, neededFrom)
  }

  /** Drops what is beyond the limit, some of it at a time. */
  trim(limit: number, neededFrom: number): void {
    for (let left = TRIMMED_MAX; left > 0 && this.first < this.chunks.length; left--) {
      const { length } = this.chunks[this.first]
      if (this.bytes - length < limit || this.start + length > neededFrom) break
      this.start += length
      this.chunks[this.first++] = GONE
    }
    // Array.shift() for each chunk would move the whole array each time.
    if (this.first > SHIFT_CHUNKS && this.first * 2 > this.chunks.length) {
      this.chunks.splice(0, this.first)
      this.first = 0
    }
  }

  /** The stream from `offset` on; undefined: outside of the backlog. */
  since(offset: number): Uint8Array[] | undefined {
    if (offset < this.start || offset > this.end) return undefined
    const found: Uint8Array[] = []
    let at = this.start
    for (let i = this.first; i < this.chunks.length; i++) {
      const chunk = this.chunks[i]
      if (at + chunk.length > offset) found.push(at >= offset ? chunk : chunk.subarray(offset - at))
      at += chunk.length
    }
    return found
  }
}
