// The decimal digits of a double by Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately
// with Integers", 2010), which Redis uses for scores. They always read back as the same double, but in one case of a
// thousand they are not the shortest, JavaScript's digits; replies and digests must have the same bytes as Redis's.
//
// A value is f x 2^e with a 64-bit f in two halves of 32 bits: bigints would cost a microsecond.

import { TWO_32 } from './bits.ts'

export interface Decimal {
  /** Without leading or trailing zeros. */
  digits: string
  /** The decimal exponent of the last digit. */
  power: number
}

const HIDDEN_BIT_HIGH = 0x100000

// 10^k for k = -348, -340 ... 340 as mantissas of 64 bits, rounded to nearest, and exponents.
const FIRST_POWER = -348
const POWER_STEP = 8
const POWER_COUNT = 87
const POWER_HIGH = new Uint32Array(POWER_COUNT)
const POWER_LOW = new Uint32Array(POWER_COUNT)
const POWER_EXPONENT = new Int16Array(POWER_COUNT)
const EXPONENT_MAX = -32
const EXPONENT_MIN = -60
fillPowers()

function fillPowers(): void {
  for (let i = 0; i < POWER_COUNT; i++) {
    const k = FIRST_POWER + i * POWER_STEP
    // 10^k with extra bits, then rounded to 64.
    const scaled = k >= 0 ? (10n ** BigInt(k)) << 128n : (1n << 1408n) / 10n ** BigInt(-k)
    const cut = scaled.toString(2).length - 64
    const f = (scaled + (1n << BigInt(cut - 1))) >> BigInt(cut)
    POWER_HIGH[i] = Number(f >> 32n)
    POWER_LOW[i] = Number(f & 0xffffffffn)
    POWER_EXPONENT[i] = cut - (k >= 0 ? 128 : 1408)
  }
}

/** 64 bits of a mantissa. */
class Mantissa {
  readonly high: number
  readonly low: number

  constructor(high: number, low: number) {
    this.high = high
    this.low = low
  }

  shifted(n: number): Mantissa {
    if (n === 0) return this
    if (n >= 32) return new Mantissa((this.low << (n - 32)) >>> 0, 0)
    return new Mantissa(((this.high << n) | (this.low >>> (32 - n))) >>> 0, (this.low << n) >>> 0)
  }

  /** times a small factor plus a small number. */
  timesPlus(factor: number, more: number): Mantissa {
    const low = this.low * factor + more
    const carry = Math.floor(low / TWO_32)
    return new Mantissa(this.high * factor + carry, low - carry * TWO_32)
  }

  plus(n: number): Mantissa {
    return this.timesPlus(1, n)
  }

  minus(other: Mantissa): Mantissa {
    const borrow = this.low < other.low ? 1 : 0
    return new Mantissa(this.high - other.high - borrow, this.low - other.low + borrow * TWO_32)
  }

  /** The upper 64 bits of the product with the i-th power of ten, rounded. */
  timesPower(i: number): Mantissa {
    const { high: a, low: b } = this
    const c = POWER_HIGH[i]
    const d = POWER_LOW[i]
    const middle = lowHalf(a, d) + lowHalf(b, c) + highHalf(b, d) + 0x80000000
    const low = lowHalf(a, c) + highHalf(a, d) + highHalf(b, c) + Math.floor(middle / TWO_32)
    const carry = Math.floor(low / TWO_32)
    return new Mantissa(highHalf(a, c) + carry, low - carry * TWO_32)
  }

  /** Count of leading zero bits. */
  leadingZeros(): number {
    return this.high === 0 ? 32 + Math.clz32(this.low) : Math.clz32(this.high)
  }
}

function lowHalf(a: number, b: number): number {
  return Math.imul(a, b) >>> 0
}

function highHalf(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const middle = (aHigh * bLow + (Math.imul(aLow, bLow) >>> 16)) >>> 0
  const other = (aLow * bHigh + (middle & 0xffff)) >>> 0
  return aHigh * bHigh + (middle >>> 16) + (other >>> 16)
}

const scratch = new DataView(new ArrayBuffer(8)) // holds a value only inside grisu()

/** The digits of a finite n > 0. */
export function grisu(n: number): Decimal {
  scratch.setFloat64(0, n)
  const head = scratch.getUint32(0)
  const biased = head >>> 20
  const isPowerOfTwo = biased > 0 && (head & 0xfffff) === 0 && scratch.getUint32(4) === 0
  const f = new Mantissa((head & 0xfffff) | (biased === 0 ? 0 : HIDDEN_BIT_HIGH), scratch.getUint32(4))
  const e = biased === 0 ? -1074 : biased - 1075

  // The boundaries half way to the neighbouring doubles, with the exponent of the upper one.
  const twiceUpper = f.timesPlus(2, 1)
  const shift = twiceUpper.leadingZeros()
  const exponent = e - 1 - shift
  const lower = isPowerOfTwo ? f.timesPlus(4, -1).shifted(shift - 1) : f.timesPlus(2, -1).shifted(shift)

  const i = cachedPower(exponent)
  const scaledUpper = twiceUpper.shifted(shift).timesPower(i).plus(-1)
  const scaledLower = lower.timesPower(i).plus(1)
  const scaled = f.shifted(shift + 1).timesPower(i)
  const gap = new Gap(scaledUpper.minus(scaledLower), scaledUpper.minus(scaled))
  return generate(scaledUpper, gap, -(exponent + POWER_EXPONENT[i] + 64), -(FIRST_POWER + i * POWER_STEP))
}

/** The index of the power that scales 2^exponent (with 64 bits) to between 2^-60 and 2^-32. */
function cachedPower(exponent: number): number {
  const approximate = Math.trunc(-(exponent + POWER_COUNT) * 0.30102999566398114)
  let i = Math.trunc((approximate - FIRST_POWER) / POWER_STEP)
  for (;;) {
    const reached = exponent + POWER_EXPONENT[i] + 64
    if (reached < EXPONENT_MIN) i++
    else if (reached > EXPONENT_MAX) i--
    else return i
  }
}

/** Digits of `upper` x 2^-one until the remainder is within the gap; then the last digit is lowered to the value. */
function generate(upper: Mantissa, gap: Gap, one: number, power: number): Decimal {
  const unit = 2 ** (one - 32)
  let whole = Math.floor(upper.high / unit)
  let restHigh = upper.high - whole * unit
  let restLow = upper.low
  let digits = 0 // of the integer part: at most ten
  let kappa = 1
  let divisor = 1
  for (; whole >= divisor * 10; divisor *= 10) kappa++
  for (; kappa > 0; divisor /= 10) {
    const digit = Math.floor(whole / divisor)
    whole -= digit * divisor
    digits = digits * 10 + digit
    kappa--
    const leftHigh = whole * unit + restHigh
    if (gap.contains(leftHigh, restLow, true)) {
      digits -= gap.stepsDown(leftHigh, restLow, divisor * unit)
      return { digits: String(digits), power: power + kappa }
    }
  }
  let text = digits === 0 ? '' : String(digits)
  for (;;) {
    const low = restLow * 10
    restLow = low % TWO_32
    restHigh = restHigh * 10 + (low - restLow) / TWO_32
    gap.timesTen()
    kappa--
    const digit = Math.floor(restHigh / unit)
    restHigh -= digit * unit
    if (gap.contains(restHigh, restLow, false))
      return { digits: text + (digit - gap.stepsDown(restHigh, restLow, unit)), power: power + kappa }
    if (digit !== 0 || text !== '') text += digit
  }
}

/** How far below `upper` the digits may end (delta), and where the value itself is (distance). */
class Gap {
  private deltaHigh: number
  private deltaLow: number
  private distanceHigh: number
  private distanceLow: number

  constructor(delta: Mantissa, distance: Mantissa) {
    this.deltaHigh = delta.high
    this.deltaLow = delta.low
    this.distanceHigh = distance.high
    this.distanceLow = distance.low
  }

  timesTen(): void {
    const delta = this.deltaLow * 10
    this.deltaLow = delta % TWO_32
    this.deltaHigh = this.deltaHigh * 10 + (delta - this.deltaLow) / TWO_32
    const distance = this.distanceLow * 10
    this.distanceLow = distance % TWO_32
    this.distanceHigh = this.distanceHigh * 10 + (distance - this.distanceLow) / TWO_32
  }

  /** left < delta, or with `orEqual` left <= delta. */
  contains(leftHigh: number, leftLow: number, orEqual: boolean): boolean {
    if (leftHigh !== this.deltaHigh) return leftHigh < this.deltaHigh
    return orEqual ? leftLow <= this.deltaLow : leftLow < this.deltaLow
  }

  /** How often lowering the last digit (stepHigh x 2^32 each) brings it nearer to the value. */
  stepsDown(leftHigh: number, leftLow: number, stepHigh: number): number {
    const { distanceHigh, distanceLow, deltaHigh, deltaLow } = this
    let steps = 0
    for (;;) {
      const below = leftHigh < distanceHigh || (leftHigh === distanceHigh && leftLow < distanceLow)
      const room = deltaHigh - leftHigh - (deltaLow < leftLow ? 1 : 0) >= stepHigh
      if (!below || !room) return steps
      // Nearer, when twice the distance is more than left + (left + step).
      const twiceLow = 2 * (distanceLow - leftLow)
      const twiceHigh = 2 * (distanceHigh - leftHigh) - stepHigh
      const further =
        leftHigh + stepHigh < distanceHigh || (leftHigh + stepHigh === distanceHigh && leftLow < distanceLow)
      if (!further && twiceHigh * TWO_32 + twiceLow <= 0) return steps
      leftHigh += stepHigh
      steps++
    }
  }
}
