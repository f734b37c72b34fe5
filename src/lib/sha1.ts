// SHA-1 (FIPS 180-4), for the names of scripts, redis.sha1hex, and digests. Incremental; an instance is reusable after
// reset(). Not for secrets.

import type { Slice } from './slice.ts'

const HEX = '0123456789abcdef'

export class Sha1 {
  private readonly state = new Int32Array(5)
  private readonly words = new Int32Array(80)
  private readonly block = new Uint8Array(64)
  private blockUsed = 0
  private totalBytes = 0

  constructor() {
    this.reset()
  }

  reset(): this {
    this.state[0] = 0x67452301
    this.state[1] = 0xefcdab89
    this.state[2] = 0x98badcfe
    this.state[3] = 0x10325476
    this.state[4] = 0xc3d2e1f0
    this.blockUsed = 0
    this.totalBytes = 0
    return this
  }

  /** Adds u8[from..to). */
  update(u8: Uint8Array, from = 0, to: number = u8.length): this {
    this.totalBytes += to - from
    for (let i = from; i < to; i++) {
      this.block[this.blockUsed++] = u8[i]
      if (this.blockUsed === 64) this.mixBlock()
    }
    return this
  }

  /** Finishes the message and writes its 20-byte digest at out[off]; call reset() before the next message. */
  digestInto(out: Uint8Array, off = 0): void {
    const totalBytes = this.totalBytes
    this.block[this.blockUsed++] = 0x80
    if (this.blockUsed > 56) {
      this.block.fill(0, this.blockUsed)
      this.mixBlock()
    }
    this.block.fill(0, this.blockUsed)
    const bitsHigh = Math.floor(totalBytes / 0x20000000)
    const bitsLow = (totalBytes << 3) >>> 0
    for (let i = 0; i < 4; i++) {
      this.block[56 + i] = bitsHigh >>> (24 - 8 * i)
      this.block[60 + i] = bitsLow >>> (24 - 8 * i)
    }
    this.mixBlock()
    for (let i = 0; i < 20; i++) out[off + i] = this.state[i >> 2] >>> (24 - 8 * (i & 3))
  }

  /** Finishes the message: its digest in 40 lower-case hex digits. */
  hex(): string {
    const digest = new Uint8Array(20)
    this.digestInto(digest)
    let text = ''
    for (const byte of digest) text += HEX[byte >> 4] + HEX[byte & 15]
    return text
  }

  private mixBlock(): void {
    const w = this.words
    const block = this.block
    for (let i = 0, at = 0; i < 16; i++, at += 4)
      w[i] = (block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3]
    for (let i = 16; i < 80; i++) {
      const x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]
      w[i] = (x << 1) | (x >>> 31)
    }
    const state = this.state
    let a = state[0]
    let b = state[1]
    let c = state[2]
    let d = state[3]
    let e = state[4]
    for (let i = 0; i < 80; i++) {
      // The constants are signed: a sum that is never above 32 bits needs no doubles.
      let f: number
      if (i < 20) f = ((b & c) | (~b & d)) + 0x5a827999
      else if (i < 40) f = (b ^ c ^ d) + 0x6ed9eba1
      else if (i < 60) f = ((b & c) | (b & d) | (c & d)) - 0x70e44324
      else f = (b ^ c ^ d) - 0x359d3e2a
      const next = (((((a << 5) | (a >>> 27)) + (f | 0)) | 0) + ((e + w[i]) | 0)) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    this.blockUsed = 0
  }
}

/** The digest of one byte string in 40 lower-case hex digits. */
export function sha1Hex(bytes: Slice): string {
  return new Sha1().update(bytes.u8, bytes.off, bytes.off + bytes.len).hex()
}
