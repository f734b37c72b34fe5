// Random48: the generator of POSIX's lrand48, 48 bits of state.
//
//   x' = x * 0x5DEECE66D + 11   mod 2^48;   the result is the upper 31 bits
//
// The state is two halves of 24 bits, whose products are exact in a double.

const MULTIPLIER_LOW = 0xece66d
const MULTIPLIER_HIGH = 0x5de
const ADDEND = 11
const HALF = 2 ** 24
const SEED_LOW = 0x330e

export class Random48 {
  private high = 0x1234ab
  private low = 0xcd330e

  seed(seed: number): void {
    const bits = seed >>> 0
    this.high = bits >>> 8
    this.low = ((bits & 0xff) << 16) | SEED_LOW
  }

  /** 0 to 2^31 - 1. */
  next(): number {
    const product = this.low * MULTIPLIER_LOW + ADDEND
    const low = product % HALF
    const carry = (product - low) / HALF
    this.high = (carry + this.high * MULTIPLIER_LOW + this.low * MULTIPLIER_HIGH) % HALF
    this.low = low
    return this.high * 128 + Math.floor(low / 2 ** 17)
  }
}
