// RawValues: values of an RDB file as DUMP payloads, without decoding them.
//
//   file      type u8 | key string | value            payload   type u8 | value | version u16 | checksum 8
//
// Always: a value is skipped element by element and copied meanwhile, so that the window need not hold all of it
// (except streams).

import { Crc64 } from '../../lib/crc64.ts'
import type { Slice } from '../../lib/slice.ts'
import { CHECKSUM_BYTES, RDB_STRING } from '../../persistence/rdb/format.ts'
import type { RdbInput } from '../../persistence/rdb/input.ts'
import { RdbOutput } from '../../persistence/rdb/output.ts'
import type { ReaderTable } from '../../persistence/rdb/reader.ts'
import type { RdbForm, ValueReader } from '../../persistence/values/value-codec.ts'
import type { ValueCodecs } from '../../persistence/values/value-codecs.ts'

const KEPT_BYTES_MAX = 1 << 20

/** Builds the payload of one value after the other. */
export class RawValues implements ReaderTable, ValueReader {
  readonly encoding = 0
  readonly value = 0
  empty = false
  rdbType = 0
  private readonly codecs: ValueCodecs
  private form!: RdbForm
  private out = new RdbOutput(1024)
  private readonly crc = new Crc64()
  /** Elements left; -1: the count has not been read. */
  private left = -1

  constructor(codecs: ValueCodecs) {
    this.codecs = codecs
  }

  of(rdbType: number): ValueReader | undefined {
    return this.codecs.formOf(rdbType) === undefined ? undefined : this
  }

  typeOf(rdbType: number): number {
    return this.codecs.typeOf(rdbType)
  }

  begin(rdbType: number, input: RdbInput): void {
    input.checkpoint = input.pos
    this.open(rdbType)
  }

  private open(rdbType: number): void {
    if (this.out.u8.length > KEPT_BYTES_MAX) this.out = new RdbOutput(1024)
    this.rdbType = rdbType
    this.form = this.codecs.formOf(rdbType)!
    this.left = -1
    this.empty = false
    this.out.pos = 0
    this.out.byte(rdbType)
  }

  step(input: RdbInput, until: number): boolean {
    const from = input.pos
    input.checkpoint = from
    try {
      return this.pass(input, until)
    } finally {
      this.out.bytes(input.u8, input.dv, from, input.checkpoint - from)
    }
  }

  private pass(input: RdbInput, until: number): boolean {
    const { form } = this
    if (!form.counted) {
      form.skip(input)
      input.checkpoint = input.pos
      return true
    }
    if (this.left < 0) {
      this.left = input.length()
      this.empty = this.left === 0
      input.checkpoint = input.pos
    }
    for (; this.left > 0; this.left--) {
      if (input.pos > until) return false
      form.skip(input)
      input.checkpoint = input.pos
    }
    return true
  }

  discard(): void {}

  /** The payload of the last value; valid until the next one. */
  payload(): Uint8Array {
    const { out } = this
    out.uint16(this.form.version)
    out.reserve(CHECKSUM_BYTES)
    this.crc.reset().update(out.u8, 0, out.pos).writeTo(out.u8, out.pos)
    out.pos += CHECKSUM_BYTES
    return out.u8.subarray(0, out.pos)
  }

  /** The payload of a string. */
  ofString(value: Slice): Uint8Array {
    this.open(RDB_STRING)
    this.out.string(value)
    return this.payload()
  }
}
