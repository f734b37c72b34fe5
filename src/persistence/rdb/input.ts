// RdbInput: a window on RDB bytes that arrive over time, and the primitives of the format.
//
//   u8  [ done | ......... to be read ......... | free ]         base: offset in the file of u8[0]
//              ^pos                             ^end
//
// A read that needs more bytes than are there throws NEED_MORE, without lasting effect, and is repeated from
// `checkpoint` once more bytes are there; with `final` set it throws an RdbError.
//
// Always: no length is trusted for an allocation: strings are made of bytes that are there.

import { TWO_32 } from '../../lib/bits.ts'
import { type Long, longOf } from '../../lib/long-field.ts'
import { lzfDecompress } from '../../lib/lzf.ts'
import { writeInt } from '../../lib/number.ts'
import { Slice } from '../../lib/slice.ts'
import { LENGTH_32, LENGTH_64, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF } from './format.ts'

/** Thrown by a read that needs more bytes. */
export const NEED_MORE = Symbol('need more')

/** What else is known of an error. */
interface RdbErrorFacts {
  /** A line of the log before it. */
  before?: string
  /** What it begins with is not an RDB of a known version. */
  isHead?: true
  /** The bytes are a valid RDB, of something that this server does not have. */
  isValid?: true
}

/** Not a valid RDB; `offset` is where that was detected. */
export class RdbError extends Error {
  readonly offset: number
  readonly facts: RdbErrorFacts
  constructor(message: string, offset: number, facts: RdbErrorFacts = {}) {
    super(message)
    this.name = 'RdbError'
    this.offset = offset
    this.facts = facts
  }
}

/** The bytes end too soon. */
export function endOfFile(offset: number): RdbError {
  return new RdbError('Unexpected EOF reading RDB file', offset, {
    before: 'Short read or OOM loading DB. Unrecoverable error, aborting now.',
  })
}

/** The highest expansion of LZF: 3 bytes become at most this many. */
const LZF_GAIN_MAX = 264
/** The longest string: four times the default of proto-max-bulk-len. */
const STRING_BYTES_MAX = 2 ** 31 - 1
/** A larger buffer, needed for one large string, is released afterwards. */
const KEPT_BYTES_MAX = 1 << 20
const BELIEVED_MAX = 1 << 20

export class RdbInput {
  u8: Uint8Array = EMPTY
  dv: DataView = EMPTY_VIEW
  pos = 0
  end = 0
  base = 0
  /** The checkpoint: reading resumes here after NEED_MORE. */
  checkpoint = 0
  /** No more bytes will arrive. */
  final = false
  /** Total bytes of the input, where that is known. */
  total = Number.POSITIVE_INFINITY
  /** At least so many bytes after pos were missing at the last NEED_MORE. */
  wanted = 0

  /** Reads from u8[from .. to), which is the whole input. */
  open(u8: Uint8Array, dv: DataView, from: number, to: number): this {
    this.u8 = u8
    this.dv = dv
    this.pos = from
    this.end = to
    this.base = -from
    this.checkpoint = from
    this.final = true
    return this
  }

  get offset(): number {
    return this.base + this.pos
  }

  /**
   * The element count of a length, limited to what the remaining bytes allow (each element has at least `bytesMin`) and
   * to what may be allocated in advance.
   */
  plausibleCount(elements: number, bytesMin: number): number {
    const bytes = this.total === Number.POSITIVE_INFINITY ? this.available : this.total - this.offset
    return Math.min(elements, bytes / bytesMin, BELIEVED_MAX)
  }

  get available(): number {
    return this.end - this.pos
  }

  /**
   * Ensures `bytes` free bytes after `end`, where the caller writes and then advances `end`. Keeps the bytes from pos
   * on; those before pos are discarded.
   */
  reserve(bytes: number): void {
    const keep = this.end - this.pos
    if (this.pos > 0) {
      this.base += this.pos
      if (keep + bytes <= this.u8.length) this.u8.copyWithin(0, this.pos, this.end)
    }
    if (keep + bytes > this.u8.length) {
      const grown = new Uint8Array(Math.max(keep + bytes, Math.min(this.u8.length * 2, this.u8.length + (64 << 20))))
      grown.set(this.u8.subarray(this.pos, this.end))
      this.u8 = grown
      this.dv = new DataView(grown.buffer)
    }
    this.pos = this.checkpoint = 0
    this.end = keep
  }

  need(bytes: number): void {
    if (bytes > this.end - this.pos) this.lack(bytes)
  }

  private lack(bytes: number): never {
    if (this.final || this.offset + bytes > this.total) throw endOfFile(Math.min(this.total, this.base + this.end))
    this.wanted = bytes
    throw NEED_MORE
  }

  fail(message: string, facts?: RdbErrorFacts): never {
    throw new RdbError(message, this.offset, facts)
  }

  // ---- primitives ----

  byte(): number {
    this.need(1)
    return this.u8[this.pos++]
  }

  uint16(): number {
    this.need(2)
    const n = this.dv.getUint16(this.pos, true)
    this.pos += 2
    return n
  }

  int32(): number {
    this.need(4)
    const n = this.dv.getInt32(this.pos, true)
    this.pos += 4
    return n
  }

  /** A signed 64-bit integer, rounded past 2^53. */
  int64(): number {
    this.need(8)
    const n = this.dv.getInt32(this.pos + 4, true) * TWO_32 + this.dv.getUint32(this.pos, true)
    this.pos += 8
    return n
  }

  exactInt64(): Long {
    const n = this.int64()
    return Number.isSafeInteger(n) ? n : longOf(this.dv.getBigInt64(this.pos - 8, true))
  }

  float(): number {
    this.need(4)
    const n = this.dv.getFloat32(this.pos, true)
    this.pos += 4
    return n
  }

  double(): number {
    this.need(8)
    const n = this.dv.getFloat64(this.pos, true)
    this.pos += 8
    return n
  }

  /** The halves of the last length64(). */
  high = 0
  low = 0

  /** A length, rounded past 2^53; an encoded string is an error. */
  length(): number {
    this.need(1)
    const { u8, pos } = this
    const b = u8[pos]
    if (b < 0x40) {
      this.pos = pos + 1
      return b
    }
    if (b < 0x80) {
      this.need(2)
      this.pos = pos + 2
      return ((b & 63) << 8) | u8[pos + 1]
    }
    if (b === LENGTH_32) {
      this.need(5)
      this.pos = pos + 5
      return this.dv.getUint32(pos + 1)
    }
    if (b === LENGTH_64) {
      this.need(9)
      this.pos = pos + 9
      return this.dv.getUint32(pos + 1) * TWO_32 + this.dv.getUint32(pos + 5)
    }
    return this.fail(`Invalid length encoding ${b} in rdbLoadLen()`)
  }

  /** A length of 64 bits, exact, into `high` and `low`. */
  length64(): void {
    this.need(1)
    if (this.u8[this.pos] === LENGTH_64) {
      this.need(9)
      this.high = this.dv.getUint32(this.pos + 1)
      this.low = this.dv.getUint32(this.pos + 5)
      this.pos += 9
      return
    }
    this.low = this.length()
    this.high = 0
  }

  /** length64() as one signed integer. */
  longLength(): Long {
    this.length64()
    const n = this.high * TWO_32 + this.low
    return Number.isSafeInteger(n) ? n : longOf(BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low)))
  }

  /** Points `out` at the string: valid until the next read through the window or `out`. */
  string(out: RdbString): RdbString {
    this.need(1)
    const b = this.u8[this.pos]
    switch (b) {
      case STRING_INT8:
        this.need(2)
        out.digits(this.dv.getInt8(this.pos + 1))
        this.pos += 2
        return out
      case STRING_INT16:
        this.need(3)
        out.digits(this.dv.getInt16(this.pos + 1, true))
        this.pos += 3
        return out
      case STRING_INT32:
        this.need(5)
        out.digits(this.dv.getInt32(this.pos + 1, true))
        this.pos += 5
        return out
      case STRING_LZF:
        return this.packedString(out)
    }
    if (b >= STRING_INT8) this.fail(`Unknown RDB string encoding type ${b & 63}`)
    const len = this.length()
    if (len > STRING_BYTES_MAX) this.fail(`A string claims to have ${len} bytes`)
    this.need(len)
    out.set(this.u8, this.dv, this.pos, len)
    this.pos += len
    return out
  }

  private packedString(out: RdbString): RdbString {
    const start = this.pos++
    const packed = this.length()
    const len = this.length()
    if (len === 0 || len > packed * LZF_GAIN_MAX || len > STRING_BYTES_MAX) this.fail('Invalid LZF compressed string')
    this.need(packed)
    const u8 = out.reserve(len)
    if (lzfDecompress(this.u8, this.pos, this.pos + packed, u8, 0, len) !== len) {
      this.pos = start
      this.fail('Invalid LZF compressed string')
    }
    this.pos += packed
    return out
  }

  /** Skips a string without decoding it. */
  skipString(): void {
    this.need(1)
    const b = this.u8[this.pos]
    if (b >= STRING_INT8) {
      if (b === STRING_LZF) {
        this.pos++
        const packed = this.length()
        this.length()
        this.need(packed)
        this.pos += packed
        return
      }
      if (b > STRING_LZF) this.fail(`Unknown RDB string encoding type ${b & 63}`)
      const bytes = b === STRING_INT8 ? 2 : b === STRING_INT16 ? 3 : 5
      this.need(bytes)
      this.pos += bytes
      return
    }
    const len = this.length()
    this.need(len)
    this.pos += len
  }

  /** A score in the old format: text, or one byte for NaN and the infinities. */
  textDouble(): number {
    const len = this.byte()
    if (len === 255) return Number.NEGATIVE_INFINITY
    if (len === 254) return Number.POSITIVE_INFINITY
    if (len === 253) return Number.NaN
    this.need(len)
    let text = ''
    for (let i = 0; i < len; i++) text += String.fromCharCode(this.u8[this.pos + i])
    this.pos += len
    return text === '' ? Number.NaN : Number(text)
  }
}

/** A string as it is read, with a buffer of its own for encoded strings. */
export class RdbString extends Slice {
  private own: Uint8Array = EMPTY
  private ownView: DataView = EMPTY_VIEW

  /** Becomes the decimal digits of an integer. */
  digits(n: number): void {
    this.reserve(16)
    this.len = writeInt(this.own, 0, n)
  }

  /** Points the slice at `len` bytes of its own buffer. */
  reserve(len: number): Uint8Array {
    if (this.own.length < len || (this.own.length > KEPT_BYTES_MAX && len <= KEPT_BYTES_MAX)) {
      this.own = new Uint8Array(Math.max(len, 64))
      this.ownView = new DataView(this.own.buffer)
    }
    this.set(this.own, this.ownView, 0, len)
    return this.own
  }

  /** Releases a large buffer; the slice is invalid then. */
  release(): void {
    if (this.own.length > KEPT_BYTES_MAX) this.reserve(0)
  }

  /** Copies `s`, to outlive its bytes. */
  copyFrom(s: Slice): this {
    if (s.u8 === this.own && s.off === 0) {
      this.len = s.len
      return this
    }
    const { u8, off, len } = s
    this.reserve(len).set(u8.subarray(off, off + len))
    return this
  }
}

const EMPTY = new Uint8Array(0)
const EMPTY_VIEW = new DataView(EMPTY.buffer)
