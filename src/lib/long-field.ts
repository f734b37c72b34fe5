// 64-bit integers in the 8 bytes of a double: times and counters that are small in practice and must be exact when a
// client makes them large.
//
//   f64           an integer from -1 to 2^53
//   negative f64  (n - 2^53) XOR MIX, sign bit set: an integer n from 2^53 to 2^63 - 1
//
// Always: MIX moves the pattern of -1 to an n that does not occur; reading a small one costs what reading a double
// costs.

/** A number up to 2^53, a bigint beyond: longOf() normalizes. */
export type Long = number | bigint

const BASE = 2n ** 53n
const SIGN = 1n << 63n
const MIX = 0x4010000000000000n

/** The integer `n` in its normal form. */
export function longOf(n: bigint): Long {
  return n >= -BASE && n <= BASE ? Number(n) : n
}

export function writeLong(dv: DataView, at: number, n: Long): void {
  if (typeof n === 'number') dv.setFloat64(at, n, true)
  else dv.setBigUint64(at, SIGN | ((n - BASE) ^ MIX), true)
}

/** The integer, beyond 2^53 rounded to the nearest double. */
export function readRounded(dv: DataView, at: number): number {
  const n = dv.getFloat64(at, true)
  return n > 0 || n === -1 ? n : Number(readOther(dv, at))
}

export function readLong(dv: DataView, at: number): Long {
  const n = dv.getFloat64(at, true)
  return n > 0 || n === -1 ? n : readOther(dv, at)
}

function readOther(dv: DataView, at: number): Long {
  if (dv.getInt32(at + 4, true) >= 0) return dv.getFloat64(at, true)
  return longOf((dv.getBigUint64(at, true) ^ SIGN ^ MIX) + BASE)
}

// ---- counters that go all the way round, as 64-bit integers ----

export function writeCounter(dv: DataView, at: number, n: Long): void {
  if (typeof n === 'bigint') return dv.setBigInt64(at, n, true)
  dv.setUint32(at, n, true)
  dv.setInt32(at + 4, Math.floor(n / 2 ** 32), true)
}

export function readCounter(dv: DataView, at: number): Long {
  const n = dv.getInt32(at + 4, true) * 2 ** 32 + dv.getUint32(at, true)
  return Number.isSafeInteger(n) ? n : longOf(dv.getBigInt64(at, true))
}

/** a + b, exactly; beyond 64 bits it wraps around, as in C. */
export function addLong(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return longOf(BigInt.asIntN(64, BigInt(a) + BigInt(b)))
}
