// The parts of values of modules' types, written and read as items of RDB files (persistence/values/module.ts).

import { MODULE_DOUBLE, MODULE_FLOAT, MODULE_SINT, MODULE_STRING, MODULE_UINT } from '../persistence/rdb/format.ts'
import { RdbInput, RdbString } from '../persistence/rdb/input.ts'
import { RdbOutput } from '../persistence/rdb/output.ts'
import type { TypeInput, TypeOutput } from './type-definition.ts'
import { sliceOf } from './values.ts'

const TEXT = new TextDecoder()
const KINDS = ['the end', 'a signed integer', 'an unsigned integer', 'a float', 'a double', 'a string']

export class ItemOutput implements TypeOutput {
  readonly out = new RdbOutput(256)
  private readonly float32 = new DataView(new ArrayBuffer(4))

  unsigned(n: number | bigint): void {
    mustBe(n, n >= 0 && n < 2n ** 64n)
    this.out.length(MODULE_UINT)
    this.out.longLength(n)
  }

  signed(n: number | bigint): void {
    mustBe(n, n >= -(2n ** 63n) && n < 2n ** 63n)
    this.out.length(MODULE_SINT)
    this.out.longLength(n)
  }

  double(n: number): void {
    this.out.length(MODULE_DOUBLE)
    this.out.double(n)
  }

  float(n: number): void {
    this.out.length(MODULE_FLOAT)
    this.float32.setFloat32(0, n)
    for (let i = 3; i >= 0; i--) this.out.byte(this.float32.getUint8(i))
  }

  string(s: Uint8Array | string): void {
    this.out.length(MODULE_STRING)
    this.out.string(sliceOf(s))
  }
}

function mustBe(n: number | bigint, fits: boolean): void {
  if (!fits || (typeof n === 'number' && !Number.isSafeInteger(n)))
    throw new RangeError(`${n} is no integer of 64 bits`)
}

/** Reads items. Throws a TypeError for an item of another kind, an RdbError where they end. */
export class ItemInput implements TypeInput {
  private readonly input: RdbInput
  private readonly s = new RdbString()

  constructor(items: Uint8Array) {
    this.input = new RdbInput().open(items, new DataView(items.buffer, items.byteOffset), 0, items.length)
  }

  get isAtEnd(): boolean {
    return this.input.available === 0
  }

  private expect(kind: number): RdbInput {
    const found = this.isAtEnd ? 0 : this.input.length()
    if (found !== kind) throw new TypeError(`${KINDS[kind]} should be next, but ${KINDS[found]} is`)
    return this.input
  }

  unsigned(): number {
    const n = this.expect(MODULE_UINT).length()
    if (!Number.isSafeInteger(n)) throw new RangeError('an integer beyond 2^53: use unsignedBig()')
    return n
  }

  unsignedBig(): bigint {
    return this.bits(MODULE_UINT)
  }

  private bits(kind: number): bigint {
    const input = this.expect(kind)
    input.length64()
    return (BigInt(input.high) << 32n) | BigInt(input.low)
  }

  signed(): number {
    const n = Number(this.signedBig())
    if (!Number.isSafeInteger(n)) throw new RangeError('an integer beyond 2^53: use signedBig()')
    return n
  }

  signedBig(): bigint {
    return BigInt.asIntN(64, this.bits(MODULE_SINT))
  }

  double(): number {
    return this.expect(MODULE_DOUBLE).double()
  }

  float(): number {
    return this.expect(MODULE_FLOAT).float()
  }

  bytes(): Uint8Array {
    return this.expect(MODULE_STRING).string(this.s).copy().view()
  }

  text(): string {
    return TEXT.decode(this.expect(MODULE_STRING).string(this.s).view())
  }
}
