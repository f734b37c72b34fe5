// HalfSipHash-1-3: a keyed 32-bit hash over 32-bit words, against hash flooding by clients that do not know the seed.
// Source: Aumasson & Bernstein, the reference description of SipHash's 32-bit variant.

import type { Slice } from './slice.ts'

export class Hasher {
  private k0: number
  private k1: number

  /** Two random 32-bit words. */
  constructor(k0: number, k1: number) {
    this.k0 = k0 | 0
    this.k1 = k1 | 0
  }

  get seed(): readonly [number, number] {
    return [this.k0, this.k1]
  }

  /** Whatever was hashed before must not be looked up any more. */
  reseed([k0, k1]: readonly [number, number]): void {
    this.k0 = k0
    this.k1 = k1
  }

  hash(s: Slice): number {
    return this.hashBytes(s.dv, s.off, s.len)
  }

  /** Unsigned 32-bit hash of dv's bytes [off, off + len). */
  hashBytes(dv: DataView, off: number, len: number): number {
    let v0 = this.k0
    let v1 = this.k1
    let v2 = 0x6c796765 ^ this.k0
    let v3 = 0x74656462 ^ this.k1
    const end = off + (len & ~3)
    for (let i = off; i < end; i += 4) {
      const m = dv.getInt32(i, true)
      v3 ^= m
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= m
    }
    let last = len << 24
    const rest = len & 3
    if (rest > 2) last |= dv.getUint8(end + 2) << 16
    if (rest > 1) last |= dv.getUint8(end + 1) << 8
    if (rest > 0) last |= dv.getUint8(end)
    v3 ^= last
    for (let round = 0; round < 4; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      if (round === 0) {
        v0 ^= last
        v2 ^= 0xff
      }
    }
    return (v1 ^ v3) >>> 0
  }
}
