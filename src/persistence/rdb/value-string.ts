// Strings in RDB files and DUMP payloads. A long one is written in pieces: compressed piece by piece, which LZF allows
// since a copy never needs to reach beyond its own piece, and as it is where that does not make it shorter.

import type { Database } from '../../keyspace/database.ts'
import { ENC_INT } from '../../keyspace/types.ts'
import { LzfCompressor } from '../../lib/lzf.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { RDB_STRING, STRING_LZF } from './format.ts'
import type { RdbOutput } from './output.ts'
import type { ValueWriter } from './value.ts'

const PIECE_BYTES = 64 * 1024
const LONG_BYTES = 256 * 1024
const GAIN_MIN = 4

export class StringWriter implements ValueWriter {
  private readonly s = new Slice()
  private readonly lzf = new LzfCompressor()
  /** Bytes of the string that are done in the current pass. */
  private done = 0
  /** A long string, compressed so far; undefined when it is written as it is. */
  private packed: Uint8Array | undefined
  private packedLen = 0
  /** The length is written and pieces follow. */
  private writing = false

  rdbType(): number {
    return RDB_STRING
  }

  begin(db: Database, entry: Ref): void {
    db.stringOf(entry, this.s)
    // An integer's text stands where the next one will be written.
    if (db.encodingOf(entry) === ENC_INT) this.s.alias(this.s.copy())
    this.done = 0
    this.packedLen = 0
    this.writing = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { s } = this
    if (!this.writing) {
      if (s.len <= LONG_BYTES) {
        out.string(s)
        return true
      }
      if (!this.pack(out, until)) return false
    }
    const source = this.packed ?? s.u8
    const from = this.packed === undefined ? s.off : 0
    const len = this.packed === undefined ? s.len : this.packedLen
    while (this.done < len) {
      if (out.pos > until) return false
      const piece = Math.min(PIECE_BYTES, len - this.done)
      out.reserve(piece)
      out.u8.set(source.subarray(from + this.done, from + this.done + piece), out.pos)
      out.pos += piece
      this.done += piece
    }
    this.packed = undefined
    return true
  }

  /** Compresses on; true when that has ended, the length is written, and the pieces may follow. */
  private pack(out: RdbOutput, until: number): boolean {
    const { s } = this
    if (out.compress) {
      if (this.done === 0) this.packed = new Uint8Array(s.len - GAIN_MIN)
      for (let left = until - out.pos; this.done < s.len && this.packed !== undefined; left -= PIECE_BYTES) {
        if (left < 0) return false
        const end = Math.min(s.len, this.done + PIECE_BYTES)
        const bytes = this.lzf.compress(s.u8, s.off + this.done, s.off + end, this.packed, this.packedLen)
        this.packedLen += bytes
        this.done = end
        if (bytes === 0) this.packed = undefined
      }
    } else this.packed = undefined
    if (this.packed !== undefined) {
      out.byte(STRING_LZF)
      out.length(this.packedLen)
    }
    out.length(s.len)
    this.done = 0
    this.writing = true
    return true
  }
}
