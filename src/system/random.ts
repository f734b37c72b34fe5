// Seeded random numbers: the same sequence every time, on every runtime.

import { hexOf } from '../lib/bytes.ts'
import type { Random } from './system.ts'

/** sfc32 (PractRand's small fast counter): 128 bits of state, good enough for every use here but secrets. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed >>> 0
  let counter = 1
  const u32 = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // The first outputs still correlate with the seed.
  for (let i = 0; i < 15; i++) u32()
  return {
    u32,
    unit: () => (u32() * 0x200000 + (u32() >>> 11)) / 2 ** 53,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = u32() >>> 24
      return bytes
    },
  }
}

const ID_BYTES = 20

/** Forty hexadecimal digits: the id of a run, a stream, a node, a sentinel. */
export function newId(random: Random): string {
  return hexOf(random.bytes(ID_BYTES))
}

/** True with this probability. */
export function chance(random: Random, perMillion: number): boolean {
  return perMillion > 0 && random.u32() % 1_000_000 < perMillion
}

/** A derived seed for part number `part`. */
export function partSeed(seed: number, part: number): number {
  return (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) + Math.imul(part + 1, 0x85ebca6b)) >>> 0
}
