// CRC-64 of RDB files and DUMP payloads: Jones' polynomial 0xad93d23594c935a9, reflected, start 0,
// no final inversion. Eight bytes a step, over tables of two 32-bit halves (a bigint a step would be slower
// by two orders of magnitude).

// TABLE[(k * 256 + byte) * 2] is the low and [... + 1] the high half of the checksum of `byte` followed by k zeros.
const TABLE = makeTables()

function makeTables(): Int32Array {
  const poly = { lo: 0xac4bc9b5, hi: 0x95ac9329 } // the polynomial with its bits reversed
  const table = new Int32Array(8 * 256 * 2)
  for (let byte = 0; byte < 256; byte++) {
    let lo = byte
    let hi = 0
    for (let bit = 0; bit < 8; bit++) {
      const carry = lo & 1
      lo = ((lo >>> 1) | (hi << 31)) >>> 0
      hi >>>= 1
      if (carry) {
        lo = (lo ^ poly.lo) >>> 0
        hi = (hi ^ poly.hi) >>> 0
      }
    }
    table[byte * 2] = lo
    table[byte * 2 + 1] = hi
  }
  for (let i = 256; i < 8 * 256; i++) {
    const lo = table[(i - 256) * 2]
    const hi = table[(i - 256) * 2 + 1]
    const entry = (lo & 0xff) * 2
    table[i * 2] = ((lo >>> 8) | (hi << 24)) ^ table[entry]
    table[i * 2 + 1] = (hi >>> 8) ^ table[entry + 1]
  }
  return table
}

/** A running checksum. */
export class Crc64 {
  // Signed, here and in the table: an unsigned word may be a double, and each step would convert 16 of them.
  private low = 0
  private high = 0

  /** The halves, as unsigned 32-bit integers. */
  get lo(): number {
    return this.low >>> 0
  }

  get hi(): number {
    return this.high >>> 0
  }

  reset(): this {
    this.low = 0
    this.high = 0
    return this
  }

  /** Adds u8[from..to). */
  update(u8: Uint8Array, from = 0, to: number = u8.length): this {
    let lo = this.low
    let hi = this.high
    let at = from
    for (const wholeSteps = to - 7; at < wholeSteps; at += 8) {
      lo ^= u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24)
      hi ^= u8[at + 4] | (u8[at + 5] << 8) | (u8[at + 6] << 16) | (u8[at + 7] << 24)
      const a = 3584 + ((lo << 1) & 510)
      const b = 3072 + ((lo >>> 7) & 510)
      const c = 2560 + ((lo >>> 15) & 510)
      const d = 2048 + ((lo >>> 23) & 510)
      const e = 1536 + ((hi << 1) & 510)
      const f = 1024 + ((hi >>> 7) & 510)
      const g = 512 + ((hi >>> 15) & 510)
      const h = (hi >>> 23) & 510
      lo = TABLE[a] ^ TABLE[b] ^ TABLE[c] ^ TABLE[d] ^ TABLE[e] ^ TABLE[f] ^ TABLE[g] ^ TABLE[h]
      hi =
        TABLE[a + 1] ^
        TABLE[b + 1] ^
        TABLE[c + 1] ^
        TABLE[d + 1] ^
        TABLE[e + 1] ^
        TABLE[f + 1] ^
        TABLE[g + 1] ^
        TABLE[h + 1]
    }
    for (; at < to; at++) {
      const entry = ((lo ^ u8[at]) & 0xff) * 2
      lo = ((lo >>> 8) | (hi << 24)) ^ TABLE[entry]
      hi = (hi >>> 8) ^ TABLE[entry + 1]
    }
    this.low = lo
    this.high = hi
    return this
  }

  /** Writes the eight bytes of the checksum at u8[off], least significant first. */
  writeTo(u8: Uint8Array, off: number): void {
    for (let i = 0; i < 4; i++) {
      u8[off + i] = this.low >>> (8 * i)
      u8[off + 4 + i] = this.high >>> (8 * i)
    }
  }

  /** True when the eight bytes at u8[off] are this checksum. */
  equalsAt(u8: Uint8Array, off: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (u8[off + i] !== ((this.low >>> (8 * i)) & 0xff)) return false
      if (u8[off + 4 + i] !== ((this.high >>> (8 * i)) & 0xff)) return false
    }
    return true
  }

  /** The checksum in hexadecimal digits, as C prints a number. */
  hex(): string {
    return ((BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0)).toString(16)
  }
}

/** The same of the eight bytes at u8[off]. */
export function hexAt(u8: Uint8Array, off: number): string {
  return new DataView(u8.buffer, u8.byteOffset + off, 8).getBigUint64(0, true).toString(16)
}
