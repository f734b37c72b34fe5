// DumpPayloads: serialized values of DUMP and RESTORE.
//
//   type u8 | value | RDB version u16 | CRC-64 of everything before

import type { Payloads } from '../../engine/ports/payloads.ts'
import type { Database } from '../../keyspace/database.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { EncodingLimits } from '../../keyspace/value-type.ts'
import { Crc64 } from '../../lib/crc64.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ValueReader } from '../values/value-codec.ts'
import { type ValueCodecs, ValueReaders, ValueWriters } from '../values/value-codecs.ts'
import { CHECKSUM_BYTES, FOOTER_BYTES, RDB_STRING, RDB_VERSION_MAX, RDB_VERSION_WRITTEN } from './format.ts'
import { RdbError, RdbInput, RdbString } from './input.ts'
import { RdbOutput } from './output.ts'
import { SlicedDump } from './sliced-dump.ts'
import { SlicedRead, UNKNOWN_OR_EMPTY } from './sliced-read.ts'

/** Values of about this size and more are written in steps. */
const STEPWISE_BYTES_MIN = 128 * 1024
/** A larger buffer is released after use. */
const KEPT_BYTES_MAX = 1 << 20

export class DumpPayloads implements Payloads {
  skipChecks = false
  failure = ''
  private readonly compress: () => boolean
  private readonly parts: readonly [Keyspace, EncodingLimits, ValueCodecs]
  /** Made at their first use. */
  private ownWriters: ValueWriters | undefined
  private ownReaders: ValueReaders | undefined
  private readonly input = new RdbInput()
  private output = new RdbOutput(1024)
  private readonly crc = new Crc64()
  private readonly result = new Slice()
  private readonly text = new RdbString()
  /** The reader of the value that read() has read; undefined: a string, in `text`. */
  private reader: ValueReader | undefined
  private type = 0
  /** The payload that was read beforehand. */
  private readBefore: SlicedRead | undefined

  constructor(space: Keyspace, limits: EncodingLimits, codecs: ValueCodecs, compress: () => boolean) {
    this.parts = [space, limits, codecs]
    this.compress = compress
  }

  private get writers(): ValueWriters {
    const [space, , codecs] = this.parts
    this.ownWriters ??= new ValueWriters(space, codecs)
    return this.ownWriters
  }

  private get readers(): ValueReaders {
    this.ownReaders ??= new ValueReaders(...this.parts)
    return this.ownReaders
  }

  get sanitizations(): number {
    return this.ownReaders?.options.sanitizations ?? 0
  }

  set sanitizations(count: number) {
    if (count !== this.sanitizations) this.readers.options.sanitizations = count
  }

  dump(entry: Ref): Slice | undefined {
    if (this.output.u8.length > KEPT_BYTES_MAX) this.output = new RdbOutput(1024)
    const { output: out, writers } = this
    out.pos = 0
    out.compress = this.compress()
    out.byte(writers.rdbType(entry))
    writers.begin(entry)
    writers.step(out, Number.POSITIVE_INFINITY)
    const failure = writers.takeFailure()
    if (failure !== undefined) {
      this.failure = failure
      return undefined
    }
    out.uint16(RDB_VERSION_WRITTEN)
    out.reserve(CHECKSUM_BYTES)
    this.crc.reset().update(out.u8, 0, out.pos).writeTo(out.u8, out.pos)
    out.pos += CHECKSUM_BYTES
    return this.result.set(out.u8, out.dv, 0, out.pos)
  }

  beginDump(entry: Ref): SlicedDump | undefined {
    const [space, , codecs] = this.parts
    const { entries } = space
    if (entries.isCold(entry) || entries.memoryOf(entry) < STEPWISE_BYTES_MIN) return undefined
    return new SlicedDump(space, codecs, this.compress(), entry)
  }

  beginRead(payload: Slice, deep: boolean): SlicedRead {
    const readers = new ValueReaders(...this.parts)
    readers.options.deep = deep
    return new SlicedRead(payload, readers, this.skipChecks)
  }

  wasRead(read: SlicedRead | undefined): void {
    this.readBefore = read
  }

  isSound(payload: Slice): boolean {
    const { readBefore } = this
    if (readBefore?.isOf(payload)) return readBefore.isSound
    if (payload.len < FOOTER_BYTES) return false
    const { u8, dv, off, len } = payload
    if (dv.getUint16(off + len - FOOTER_BYTES, true) > RDB_VERSION_MAX) return false
    if (this.skipChecks) return true
    const end = off + len - CHECKSUM_BYTES
    return this.crc.reset().update(u8, off, end).equalsAt(u8, end)
  }

  read(payload: Slice, deep: boolean): boolean {
    const { readers, readBefore } = this
    if (readBefore?.isOf(payload) && !readBefore.isString) return this.takeOver(readBefore)
    const { u8, dv, off, len } = payload
    // Redis lets a value extend into the footer, where it can only be corrupt.
    const input = this.input.open(u8, dv, off, off + len - FOOTER_BYTES)
    readers.options.deep = deep
    this.reader = undefined
    this.failure = UNKNOWN_OR_EMPTY
    try {
      const rdbType = input.byte()
      if (rdbType === RDB_STRING) {
        this.text.copyFrom(input.string(this.text))
        return true
      }
      this.reader = readers.of(rdbType)
      if (this.reader === undefined) return false
      this.type = readers.typeOf(rdbType)
      this.reader.begin(rdbType, input)
      this.reader.step(input, Number.POSITIVE_INFINITY)
      if (!this.reader.empty) return true
    } catch (error) {
      if (!(error instanceof RdbError)) throw error
      this.failure = `Internal error in RDB reading offset ${error.offset} -> ${error.message}`
    }
    this.drop()
    return false
  }

  private takeOver(before: SlicedRead): boolean {
    this.reader = before.take()
    this.type = before.type
    this.failure = before.failure
    this.sanitizations += before.sanitizations
    return this.reader !== undefined
  }

  place(db: Database, key: Slice): Ref {
    const { reader } = this
    this.reader = undefined
    if (reader === undefined) {
      const entry = db.strings.set(db, key, this.text)
      this.text.release()
      return entry
    }
    return db.add(key, this.type, reader.encoding, reader.value)
  }

  drop(): void {
    this.reader?.discard()
    this.reader = undefined
    this.text.release()
  }
}
