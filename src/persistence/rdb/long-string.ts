// LongString: writes a long string in pieces, each compressed separately (an LZF copy then never refers to an earlier
// piece), or uncompressed where that is not shorter.
//
//   IDLE ─[begin]─▶ MEASURING: each piece is compressed for its length only ─▶ the total is written ─▶
//                   WRITING_PACKED: each piece again, into the file ─▶ IDLE
//              └──────────────────────▶ WRITING_PLAIN: each piece uncompressed ─▶ IDLE
//
// Compressing twice costs time, but keeping the first result would cost the string's size in memory.
//
// Always: the string does not change while it is being written.

import type { LzfCompressor } from '../../lib/lzf.ts'
import { Slice } from '../../lib/slice.ts'
import { STRING_LZF } from './format.ts'
import type { RdbOutput } from './output.ts'

export const PIECE_BYTES = 64 * 1024
/** The worst case of a piece: literals, with a control byte before every 32. */
const PACKED_PIECE_BYTES = PIECE_BYTES + PIECE_BYTES / 32
const GAIN_MIN = 4
/** A string that is not shorter after this many bytes is written uncompressed. */
const TRIAL_BYTES = 1 << 20

const IDLE = 0
const MEASURING = 1
const WRITING_PACKED = 2
const WRITING_PLAIN = 3

export class LongString {
  private readonly s = new Slice()
  private readonly lzf: LzfCompressor
  /** Bytes of the string processed in the current pass. */
  private done = 0
  private packedBytes = 0
  private state: typeof IDLE | typeof MEASURING | typeof WRITING_PACKED | typeof WRITING_PLAIN = IDLE
  private scratch: Uint8Array | undefined

  constructor(lzf: LzfCompressor) {
    this.lzf = lzf
  }

  get isUnderWay(): boolean {
    return this.state !== IDLE
  }

  begin(s: Slice, out: RdbOutput): void {
    this.s.alias(s)
    this.done = 0
    this.packedBytes = 0
    if (out.compress) this.state = MEASURING
    else this.head(out)
  }

  /** Processes one piece. */
  step(out: RdbOutput): void {
    const { s } = this
    const from = s.off + this.done
    const to = Math.min(s.off + s.len, from + PIECE_BYTES)
    this.done = to - s.off
    if (this.state === MEASURING) return this.measure(out, from, to)
    if (this.state === WRITING_PACKED) {
      out.reserve(PACKED_PIECE_BYTES)
      out.pos += this.lzf.compress(s.u8, from, to, out.u8, out.pos)
    } else out.bytes(s.u8, s.dv, from, to - from)
    if (this.done === s.len) this.state = IDLE
  }

  private measure(out: RdbOutput, from: number, to: number): void {
    const { s } = this
    this.scratch ??= new Uint8Array(PACKED_PIECE_BYTES)
    this.packedBytes += this.lzf.compress(s.u8, from, to, this.scratch, 0)
    if (this.done === s.len || (this.done >= TRIAL_BYTES && this.packedBytes >= this.done)) this.head(out)
  }

  /** Writes the length header. */
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
