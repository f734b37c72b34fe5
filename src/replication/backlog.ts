// Backlog: the replication backlog: the last bytes of the stream, for partial resynchronisation, and what replicas in a
// full synchronisation still wait for.
//
//           start                                               end = offset of the stream
//     [ ----|xxxxxxxx ][ xxxxxxxxxxxxx ][ xxxxxxxxxxxxx ][ xxxxxxx|----- ]      blocks, each of BLOCK_BYTES
//       in a file (stream-spool.ts) ──┘ └── in memory
//
// Always: a byte is dropped only when `limit` bytes remain without it, and no replica still has to be sent it: the
// output of replicas are views of the blocks, so that one copy serves all. A block that no output views is written
// anew, unless sockets may still read it. Beyond `memoryMax` bytes the first blocks without views go to the file.

import { releaseBuffer } from '../lib/bytes.ts'
import type { StreamSpool } from './stream-spool.ts'

/** No buffer of other output has this length (engine/output.ts). */
const BLOCK_BYTES = 64 * 1024
/** Blocks that are dropped at once. */
const DROPPED_MAX = 64
const SPARE_MAX = 4
const IN_FILE = new Uint8Array(0)

interface BacklogParts {
  /** False: sockets may still read what they have taken, so that blocks are left to the collector. */
  mayReuse(): boolean
  /** undefined: all of it stays in memory. */
  readonly spool: StreamSpool | undefined
}

/** What is still needed; offsets of the stream. */
export interface BacklogNeeds {
  /** repl-backlog-size. */
  limit: number
  /** From here on a replica still has to be sent the stream. */
  neededFrom: number
  /** From here on views of blocks may be the output of a replica. */
  viewedFrom: number
  /** So many bytes may stay in memory. */
  memoryMax: number
}

export class Backlog {
  /** Offsets count the bytes of the stream from 0. */
  start: number
  end: number
  private readonly parts: BacklogParts
  private readonly blocks: Uint8Array[] = []
  /** The offset of the first block's first byte. */
  private firstAt: number
  /** Of the blocks, the first ones, which are in the file. */
  private inFile = 0
  private readonly spare: Uint8Array[] = []
  private writing: Uint8Array | undefined
  private viewedFrom = 0

  constructor(offset: number, parts: BacklogParts) {
    this.parts = parts
    this.start = this.end = this.firstAt = offset
  }

  get bytes(): number {
    return this.end - this.start
  }

  /** Where the part in memory begins. */
  get memoryStart(): number {
    return Math.max(this.start, this.firstAt + this.inFile * BLOCK_BYTES)
  }

  /** Appends u8[from .. to), as much of it as fits in a block, and returns a view of that. */
  append(u8: Uint8Array, from: number, to: number): Uint8Array {
    const position = this.end - this.firstAt
    const at = position % BLOCK_BYTES
    if (position === this.blocks.length * BLOCK_BYTES) this.blocks.push(this.spare.pop() ?? new Uint8Array(BLOCK_BYTES))
    const block = this.blocks[this.blocks.length - 1]
    const length = Math.min(to - from, BLOCK_BYTES - at)
    const piece = block.subarray(at, at + length)
    piece.set(u8.subarray(from, from + length))
    this.end += length
    return piece
  }

  /** Drops what is beyond the limit, and moves what is beyond memoryMax. */
  trim({ limit, neededFrom, viewedFrom, memoryMax }: BacklogNeeds): void {
    this.viewedFrom = viewedFrom
    this.start = Math.max(this.start, Math.min(this.end - limit, neededFrom))
    for (let left = DROPPED_MAX; left > 0 && this.firstAt + BLOCK_BYTES <= this.start; left--) {
      const block = this.blocks.shift()!
      this.firstAt += BLOCK_BYTES
      if (block === IN_FILE) this.inFile--
      else if (block !== this.writing) this.reuse(block)
    }
    const { spool } = this.parts
    if (spool === undefined) return
    if (this.end - this.memoryStart > memoryMax) this.moveToFile(spool)
    else if (this.inFile === 0 && this.writing === undefined) spool.end()
  }

  private moveToFile(spool: StreamSpool): void {
    const offset = this.firstAt + this.inFile * BLOCK_BYTES
    if (!spool.isReady || offset + BLOCK_BYTES > Math.min(this.viewedFrom, this.end)) return
    const block = this.blocks[this.inFile]
    this.writing = block
    spool.write(block, offset, isWritten => {
      this.writing = undefined
      const isThere = this.blocks[this.inFile] === block
      if (isThere && !isWritten) return
      if (isThere) this.blocks[this.inFile++] = IN_FILE
      if (offset + BLOCK_BYTES <= this.viewedFrom) this.reuse(block)
    })
  }

  private reuse(block: Uint8Array): void {
    if (!this.parts.mayReuse()) return
    if (this.spare.length < SPARE_MAX) this.spare.push(block)
    else releaseBuffer(block.buffer)
  }

  /** The stream goes on at `offset` from here. */
  has(offset: number): boolean {
    return offset >= this.start && offset <= this.end
  }

  /** What comes from `offset` on, to the end of its block; undefined: nothing is there, or it cannot be read. */
  view(offset: number): Uint8Array | undefined {
    if (offset < this.start || offset >= this.end) return undefined
    const at = offset - this.firstAt
    const block = this.blocks[Math.floor(at / BLOCK_BYTES)]
    const from = at % BLOCK_BYTES
    const to = Math.min(BLOCK_BYTES, from + this.end - offset)
    if (block === IN_FILE) return this.parts.spool!.read(offset, to - from)
    if (offset < this.viewedFrom) this.viewedFrom = offset
    return block.subarray(from, to)
  }
}
