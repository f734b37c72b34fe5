// Strings in RDB files and DUMP payloads. A long one is written in pieces: compressed piece by piece, which LZF allows
// since a copy never needs to reach beyond its own piece, and as it is where that does not make it shorter.
//
//   long:  measure: each piece is compressed for its length alone ─▶ the sums are written ─▶ each piece again, into the file
//
// Compressing twice costs time, but keeping what came out the first time would cost the string's size in memory.

import type { Database } from '../../keyspace/database.ts'
import { ENC_INT } from '../../keyspace/types.ts'
import { LzfCompressor } from '../../lib/lzf.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { RDB_STRING, STRING_LZF } from './format.ts'
import type { RdbOutput } from './output.ts'
import type { ValueWriter } from './value.ts'

const PIECE_BYTES = 64 * 1024
/** What a piece can become at worst: literals, with a mark before every 32. */
const PACKED_PIECE_BYTES = PIECE_BYTES + PIECE_BYTES / 32
const LONG_BYTES = 256 * 1024
const GAIN_MIN = 4
/** What has not become shorter up to here is taken as it is. */
const TRIAL_BYTES = 1 << 20

const BEGUN = 0
const MEASURING = 1
const WRITING_PACKED = 2
const WRITING_PLAIN = 3

export class StringWriter implements ValueWriter {
  private readonly s = new Slice()
  private readonly lzf = new LzfCompressor()
  /** Bytes of the string that are done in the current pass. */
  private done = 0
  private packedBytes = 0
  private state: typeof BEGUN | typeof MEASURING | typeof WRITING_PACKED | typeof WRITING_PLAIN = BEGUN
  private readonly scratch = new Uint8Array(PACKED_PIECE_BYTES)

  rdbType(): number {
    return RDB_STRING
  }

  begin(db: Database, entry: Ref): void {
    db.stringOf(entry, this.s)
    // An integer's text stands where the next one will be written.
    if (db.encodingOf(entry) === ENC_INT) this.s.alias(this.s.copy())
    this.done = 0
    this.packedBytes = 0
    this.state = BEGUN
  }

  step(out: RdbOutput, until: number): boolean {
    const { s } = this
    if (this.state === BEGUN) {
      if (s.len <= LONG_BYTES) {
        out.string(s)
        return true
      }
      if (out.compress) this.state = MEASURING
      else this.head(out)
    }
    let left = until - out.pos
    while (this.done < s.len) {
      if (left < 0) return false
      left -= PIECE_BYTES
      this.piece(out)
    }
    return true
  }

  private piece(out: RdbOutput): void {
    const { s } = this
    const from = s.off + this.done
    const to = Math.min(s.off + s.len, from + PIECE_BYTES)
    this.done = to - s.off
    if (this.state === MEASURING) {
      this.packedBytes += this.lzf.compress(s.u8, from, to, this.scratch, 0)
      if (this.done === s.len || (this.done >= TRIAL_BYTES && this.packedBytes >= this.done)) this.head(out)
    } else if (this.state === WRITING_PACKED) {
      out.reserve(PACKED_PIECE_BYTES)
      out.pos += this.lzf.compress(s.u8, from, to, out.u8, out.pos)
    } else {
      out.reserve(PIECE_BYTES)
      out.u8.set(s.u8.subarray(from, to), out.pos)
      out.pos += to - from
    }
  }

  /** Writes what stands before the pieces, which follow. */
  private head(out: RdbOutput): void {
    const { s } = this
    const isShorter = this.done === s.len && this.packedBytes <= s.len - GAIN_MIN
    if (isShorter) {
      out.byte(STRING_LZF)
      out.length(this.packedBytes)
    }
    out.length(s.len)
    this.done = 0
    this.state = isShorter ? WRITING_PACKED : WRITING_PLAIN
  }
}
