// MurmurHash64A (Austin Appleby, public domain) for HyperLogLog, which uses a register number and a run of zeros of the
// 64 bits; so the hash stays in two 32-bit halves.
//
//   hash   63 ........................ 14 13 ....... 0
//          a run of zeros, from bit 14 up │ register

import type { Slice } from './slice.ts'

const SEED = 0xadc83b19
const M_HIGH = 0xc6a4a793
const M_LOW = 0x5bd1e995
const M_LOW_1 = M_LOW >>> 16
const M_LOW_0 = M_LOW & 0xffff
const REGISTER_BITS = 14
const RUN_BITS = 64 - REGISTER_BITS

/** The register number of the hash of `s` in bits 0..13, the length of its run (1..51) above them. */
export function registerAndRun(s: Slice): number {
  const { u8, dv, off, len } = s
  let low = Math.imul(len, M_LOW) ^ SEED
  let high = productHigh(len, 0)
  let at = off
  for (const end = off + (len & ~7); at < end; at += 8) {
    let kLow = dv.getInt32(at, true)
    let kHigh = dv.getInt32(at + 4, true)
    kHigh = productHigh(kLow, kHigh)
    kLow = Math.imul(kLow, M_LOW)
    kLow ^= kHigh >>> 15
    kHigh = productHigh(kLow, kHigh)
    kLow = Math.imul(kLow, M_LOW)
    low ^= kLow
    high ^= kHigh
    high = productHigh(low, high)
    low = Math.imul(low, M_LOW)
  }
  if ((len & 7) !== 0) {
    for (let i = (len & 7) - 1; i >= 0; i--) {
      if (i > 3) high ^= u8[at + i] << ((i - 4) * 8)
      else low ^= u8[at + i] << (i * 8)
    }
    high = productHigh(low, high)
    low = Math.imul(low, M_LOW)
  }
  low ^= high >>> 15
  high = productHigh(low, high)
  low = Math.imul(low, M_LOW)
  low ^= high >>> 15
  return (low & ((1 << REGISTER_BITS) - 1)) | (runOf(low, high) << REGISTER_BITS)
}

/** The upper half of (high, low) * M, modulo 2^64. */
function productHigh(low: number, high: number): number {
  const low0 = low & 0xffff
  const low1 = low >>> 16
  const middle = low1 * M_LOW_0 + ((Math.imul(low0, M_LOW_0) >>> 16) | 0)
  const other = low0 * M_LOW_1 + (middle % 0x10000)
  const carried = low1 * M_LOW_1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)
  return (carried + Math.imul(high, M_LOW) + Math.imul(low, M_HIGH)) | 0
}

/** Zeros from bit REGISTER_BITS up, plus one; at most RUN_BITS + 1. */
function runOf(low: number, high: number): number {
  const first = (low >>> REGISTER_BITS) | (high << (32 - REGISTER_BITS))
  if (first !== 0) return 32 - Math.clz32(first & -first)
  const second = (high >>> REGISTER_BITS) | (1 << (RUN_BITS - 32))
  return 64 - Math.clz32(second & -second)
}
