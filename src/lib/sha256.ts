// SHA-256 (FIPS 180-4), for ACL passwords.

import type { Slice } from './slice.ts'

/** The 64 round constants: the first 32 bits of the fractions of the cube roots of the first 64 primes. */
const ROUNDS = rootFractions(64, Math.cbrt)
/** The initial state: those of the square roots of the first 8 primes. */
const START = rootFractions(8, Math.sqrt)

/** The digest of one byte string in 64 lower-case hex digits. */
export function sha256Hex(bytes: Slice): string {
  const state = START.slice()
  const message = padded(bytes)
  const words = new Int32Array(64)
  for (let at = 0; at < message.length; at += 64) mixBlock(state, words, message, at)
  return [...state].map(word => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

/** The message, a one bit, zeros, and its length in bits as 64 bits. */
function padded(bytes: Slice): Uint8Array {
  const out = new Uint8Array((bytes.len + 9 + 63) & ~63)
  out.set(bytes.view())
  out[bytes.len] = 0x80
  const view = new DataView(out.buffer)
  view.setUint32(out.length - 8, Math.floor(bytes.len / 0x20000000))
  view.setUint32(out.length - 4, (bytes.len << 3) >>> 0)
  return out
}

function mixBlock(state: Int32Array, w: Int32Array, u8: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++, at += 4) w[i] = (u8[at] << 24) | (u8[at + 1] << 16) | (u8[at + 2] << 8) | u8[at + 3]
  for (let i = 16; i < 64; i++) {
    const s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ (w[i - 15] >>> 3)
    const s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ (w[i - 2] >>> 10)
    w[i] = w[i - 16] + s0 + w[i - 7] + s1
  }
  let [a, b, c, d, e, f, g, h] = state
  for (let i = 0; i < 64; i++) {
    const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0
    const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  const mixed = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < 8; i++) state[i] += mixed[i]
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function rootFractions(count: number, root: (n: number) => number): Int32Array {
  const out = new Int32Array(count)
  for (let n = 2, found = 0; found < count; n++) {
    let prime = true
    for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) prime = false
    if (prime) out[found++] = Math.floor((root(n) % 1) * 0x100000000)
  }
  return out
}
