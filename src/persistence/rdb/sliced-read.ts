// SlicedRead: the value of a large payload, read in steps between which other commands run.
//
//   SUM: checksum ─▶ READ: elements ─▶ DONE: the command finds isSound and the value [take], or they are dropped
//
// Always: the payload's bytes stay where they are; the value is in no database before it was taken.

import type { Keyspace } from '../../keyspace/keyspace.ts'
import { TYPE_MODULE } from '../../keyspace/types.ts'
import { Crc64 } from '../../lib/crc64.ts'
import { Slice } from '../../lib/slice.ts'
import type { ValueReader } from '../values/value-codec.ts'
import type { ValueReaders } from '../values/value-codecs.ts'
import { CHECKSUM_BYTES, FOOTER_BYTES, RDB_STRING, RDB_VERSION_MAX } from './format.ts'
import { RdbError, RdbInput } from './input.ts'

const SUM_BYTES = 64 * 1024
const STEP_BYTES = 4096

/** Of a payload without a value. */
export const UNKNOWN_OR_EMPTY = 'Internal error in RDB reading offset 0 -> unknown type or empty value'

export class SlicedRead {
  isDone = false
  /** Version and checksum are right. */
  isSound = false
  failure = UNKNOWN_OR_EMPTY
  /** The value; undefined: none, or it was taken. */
  reader: ValueReader | undefined
  /** Its keyspace type. */
  type = 0
  private readonly payload = new Slice()
  private readonly readers: ValueReaders
  private readonly input = new RdbInput()
  private readonly crc = new Crc64()
  private summed = 0

  /** `believes`: the checksum is not looked at. */
  constructor(payload: Slice, readers: ValueReaders, believes: boolean) {
    this.payload.alias(payload)
    this.readers = readers
    const { dv, off, len } = payload
    this.isDone = dv.getUint16(off + len - FOOTER_BYTES, true) > RDB_VERSION_MAX
    if (believes && !this.isDone) this.summed = len - CHECKSUM_BYTES
  }

  isOf({ u8, off, len }: Slice): boolean {
    const { payload } = this
    return payload.u8 === u8 && payload.off === off && payload.len === len
  }

  /** Strings are one element: they are read at once. */
  get isString(): boolean {
    return this.payload.u8[this.payload.off] === RDB_STRING
  }

  /** Number of deep checks. */
  get sanitizations(): number {
    return this.readers.options.sanitizations
  }

  /** Reads a few kilobytes; true when there is nothing more to do. */
  step(): boolean {
    if (this.isDone) return true
    if (this.isSound) this.read()
    else this.sum()
    return this.isDone
  }

  private sum(): void {
    const { u8, off, len } = this.payload
    const bytes = len - CHECKSUM_BYTES
    const to = Math.min(bytes, this.summed + SUM_BYTES)
    if (this.summed < bytes) {
      this.crc.update(u8, off + this.summed, off + to)
      this.summed = to
      if (to < bytes) return
      this.isSound = this.crc.equalsAt(u8, off + bytes)
    } else this.isSound = true
    if (!this.isSound || this.isString) this.isDone = true
    else this.attempt(() => this.begin())
  }

  private begin(): void {
    const { u8, dv, off, len } = this.payload
    const { readers } = this
    // Redis lets a value extend into the footer, where it can only be corrupt.
    const input = this.input.open(u8, dv, off, off + len - FOOTER_BYTES)
    const rdbType = input.byte()
    this.reader = readers.of(rdbType)
    this.type = readers.typeOf(rdbType)
    if (this.reader === undefined) this.isDone = true
    else this.reader.begin(rdbType, input)
  }

  private read(): void {
    const { input } = this
    const reader = this.reader!
    this.attempt(() => {
      if (!reader.step(input, input.pos + STEP_BYTES)) return
      if (reader.empty) this.fail()
      this.isDone = true
    })
  }

  /** An error of the payload ends everything. */
  private attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof RdbError)) throw error
      this.failure = `Internal error in RDB reading offset ${error.offset} -> ${error.message}`
      this.fail()
    }
  }

  private fail(): void {
    this.reader?.discard()
    this.reader = undefined
    this.isDone = true
  }

  /** The value becomes the caller's. */
  take(): ValueReader | undefined {
    const { reader } = this
    this.reader = undefined
    return reader
  }

  /** Nobody wants the value. */
  drop(space: Keyspace): void {
    const reader = this.take()
    if (reader === undefined) return
    if (this.type === TYPE_MODULE || reader.value === 0) reader.discard()
    else space.freeValue(this.type, reader.encoding, reader.value)
  }
}
