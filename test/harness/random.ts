// Seeded randomness for tests.

/** Integers of [0, n); the generator is Marsaglia's xorshift32. */
export function randomFrom(seed: number): (n: number) => number {
  let x = seed | 1
  return n => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % n
  }
}

/** Unsigned 32-bit integers, the keyspace's random source; the generator is mulberry32. */
export function u32From(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
}
