// SnapshotWriter: the snapshot consumer that writes an RDB file.
//
//   main   ... keys ... [ large value, in parts ........ ]           goes to the sink
//   side                      [ keys that had to be written early ]  appended to main after the large value
//
// Always: the checksum covers what the sink got, in order; while a large value is in progress main gets only that
// value.

import { UnreadableValue } from '../keyspace/cold.ts'
import type { Entries } from '../keyspace/entries.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { SnapshotConsumer } from '../keyspace/snapshot.ts'
import { NO_FOREIGN_TYPES } from '../keyspace/values/module/foreign-type.ts'
import { ModuleType } from '../keyspace/values/module/module-type.ts'
import { viewOf } from '../lib/bytes.ts'
import { Crc64 } from '../lib/crc64.ts'
import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { ValuePlaces } from './checkpoint.ts'
import type { ByteSink } from './file-sink.ts'
import { CHECKSUM_BYTES } from './rdb/format.ts'
import { RdbOutput } from './rdb/output.ts'
import { type AccessRecord, RdbWriter } from './rdb/writer.ts'
import type { ValueCodecs } from './values/value-codecs.ts'

const CHUNK_BYTES = 256 * 1024
/** A chunk this full goes to the sink; the rest has space for most keys without growing it. */
const FULL_BYTES = CHUNK_BYTES - 16 * 1024
/** Values of about this size and more are written in parts. */
const LARGE_BYTES = 128 * 1024
const PART_BYTES = 16 * 1024
/** The checksum is updated in steps of this size: a whole chunk at once would block. */
const SUM_BYTES = 8 * 1024
/** As many as may be pending in the sink (file-sink.ts): a snapshot then allocates none. */
const SPARE_CHUNKS = 24

export interface RdbOptions {
  compress: boolean
  checksum: boolean
  access: AccessRecord
  /** Aux fields in order. */
  aux: readonly (readonly [name: string, value: string])[]
  libraries: readonly Slice[]
  codecs: ValueCodecs
  /** Values that these locate are named, not written. */
  places?: ValuePlaces | undefined
  /** Only the libraries are written. */
  withoutKeys?: boolean
  /** Only what the base and earlier deltas do not have. */
  isDelta?: boolean
}

interface Sizes {
  keys: number
  expires: number
}

export class SnapshotWriter implements SnapshotConsumer {
  readonly withoutKeys: boolean
  private readonly sink: ByteSink
  private readonly checksum: boolean
  private readonly writer: RdbWriter
  /** Writes the values that interrupt a large one. */
  private readonly sideWriter: RdbWriter
  private readonly main = new RdbOutput(CHUNK_BYTES)
  private readonly side = new RdbOutput(4096)
  private readonly crc = new Crc64()
  private readonly sizes: (Sizes | undefined)[]
  private readonly entries: Entries
  private readonly places: ValuePlaces | undefined
  private readonly spare: Uint8Array[] = []
  /** Memory of values written early because a command was about to change them. */
  copyOnWriteBytes = 0
  /** A value could not be read, or not be written by its type: what is written is not whole. */
  failure: Error | undefined
  /** main.u8[0 .. summed) is in the checksum. */
  private summed = 0
  private mainDb = -1
  private sideDb = -1
  private large = false
  private readonly auxAfter: Uint8Array
  /** Names that a delta begins with and that are not written yet. */
  private readonly gone: Uint8Array[] = []

  /** Writes the header. The keyspace must not change between this and the beginning of the snapshot. */
  constructor(space: Keyspace, sink: ByteSink, options: RdbOptions) {
    this.sink = sink
    this.withoutKeys = options.withoutKeys === true
    this.checksum = options.checksum
    this.writer = new RdbWriter(space, options.codecs)
    this.sideWriter = new RdbWriter(space, options.codecs)
    this.writer.access = this.sideWriter.access = options.access
    this.places = this.writer.values.places = this.sideWriter.values.places = options.places
    this.main.compress = this.side.compress = options.compress
    this.entries = space.entries
    if (options.isDelta === true) this.gone.push(...(options.places?.gone ?? []))
    this.large = this.gone.length > 0
    // Tables are sized for a base alone.
    this.sizes = options.isDelta === true ? [] : space.databases.map(db => ({ keys: db.size, expires: db.expiresSize }))
    sink.release = u8 => {
      if (u8.length === CHUNK_BYTES && this.spare.length < SPARE_CHUNKS) this.spare.push(u8)
    }
    const { main, writer } = this
    writer.header(main)
    for (const [name, value] of options.aux) writer.aux(main, name, value)
    const { before, after, failure } = this.withoutKeys
      ? NO_FOREIGN_TYPES.saveData()
      : ModuleType.of(space).foreign.saveData()
    if (failure !== undefined) this.failure = new Error(failure)
    main.bytes(before, viewOf(before), 0, before.length)
    for (const code of options.libraries) writer.library(main, code)
    this.auxAfter = after
  }

  get withoutValues(): boolean {
    return this.places !== undefined
  }

  isLarge(entry: Ref): boolean {
    const { entries, places } = this
    if (entries.isCold(entry)) return places === undefined && entries.cold!.isLarge(entry)
    if (entries.memoryOf(entry) < LARGE_BYTES) return false
    return places === undefined || !(places.locates(entry) === 'now' || places.skips(entry))
  }

  settled(entry: Ref, database: number): void {
    this.places?.settled(entry, database)
  }

  unsettled(entry: Ref, database: number): void {
    this.places?.unsettled(entry, database)
  }

  skips(entry: Ref): boolean {
    return this.places?.skips(entry) === true
  }

  /** As a large value, so that keys that must be written early come behind it. */
  open(): boolean {
    const { main } = this
    const [first] = this.gone
    if (first === undefined) return true
    const part = first.subarray(0, PART_BYTES)
    main.bytes(part, viewOf(part), 0, part.length)
    if (part.length === first.length) this.gone.shift()
    else this.gone[0] = first.subarray(PART_BYTES)
    const isOver = this.gone.length === 0
    if (isOver) {
      this.mainDb = -1
      this.endLarge()
    }
    if (main.pos - this.summed >= SUM_BYTES) this.sum()
    if (main.pos >= FULL_BYTES) this.send()
    return isOver
  }

  take(entry: Ref, database: number): void {
    if (this.skips(entry)) return
    this.copyOnWriteBytes += this.entries.memoryOf(entry)
    const { large } = this
    const out = large ? this.side : this.main
    const writer = large ? this.sideWriter : this.writer
    this.select(out, writer, database)
    if (!this.beginKey(out, writer, entry) || !this.write(writer, out, Number.POSITIVE_INFINITY)) return
    this.unsettled(entry, database)
    if (!large && out.pos >= FULL_BYTES) this.send()
  }

  private select(out: RdbOutput, writer: RdbWriter, database: number): void {
    if (out === this.main) {
      if (this.mainDb === database) return
      this.mainDb = database
    } else {
      if (this.sideDb === database) return
      this.sideDb = database
    }
    writer.selectDb(out, database)
    const sizes = this.sizes[database]
    if (sizes === undefined) return
    this.sizes[database] = undefined
    writer.sizes(out, sizes.keys, sizes.expires)
  }

  begin(entry: Ref, database: number): void {
    this.select(this.main, this.writer, database)
    this.beginKey(this.main, this.writer, entry)
    this.large = true
    this.sideDb = -1
  }

  /** False: the value cannot be read. */
  private beginKey(out: RdbOutput, writer: RdbWriter, entry: Ref): boolean {
    try {
      writer.beginKey(out, entry)
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      this.failure ??= error
    }
    return this.failure === undefined
  }

  awaits(then: () => void): boolean {
    return !this.writer.values.isReady(then)
  }

  abandoned(): void {
    this.writer.values.abandon()
  }

  step(): boolean {
    const { main } = this
    const done = this.failure !== undefined || this.write(this.writer, main, main.pos + PART_BYTES)
    if (done) this.endLarge()
    if (main.pos - this.summed >= SUM_BYTES) this.sum()
    if (main.pos >= FULL_BYTES) this.send()
    return done
  }

  /** Continues a value; true: it ends, or cannot be read. */
  private write({ values }: RdbWriter, out: RdbOutput, until: number): boolean {
    try {
      return values.step(out, until)
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      values.abandon()
      this.failure ??= error
      return true
    }
  }

  private sum(): void {
    const { main } = this
    if (this.checksum) this.crc.update(main.u8, this.summed, main.pos)
    this.summed = main.pos
  }

  private endLarge(): void {
    const { main, side } = this
    this.large = false
    if (side.pos === 0) return
    main.bytes(side.u8, side.dv, 0, side.pos)
    this.mainDb = this.sideDb
    side.pos = 0
    if (side.u8.length > CHUNK_BYTES) side.renew(4096)
  }

  private send(): void {
    const { main } = this
    this.checkFailure()
    this.sum()
    this.summed = 0
    this.sink.write(main.u8, main.pos)
    const spare = this.spare.pop()
    if (spare === undefined) main.renew(CHUNK_BYTES)
    else main.use(spare)
  }

  private checkFailure(): void {
    const failure = this.writer.values.takeFailure() ?? this.sideWriter.values.takeFailure()
    if (failure !== undefined) this.failure ??= new Error(failure)
  }

  /** Writes the end of the file. */
  end(): void {
    const { main } = this
    this.checkFailure()
    main.bytes(this.auxAfter, viewOf(this.auxAfter), 0, this.auxAfter.length)
    this.writer.end(main)
    this.sum()
    main.reserve(CHECKSUM_BYTES)
    if (this.checksum) this.crc.writeTo(main.u8, main.pos)
    else main.u8.fill(0, main.pos, main.pos + CHECKSUM_BYTES)
    main.pos += CHECKSUM_BYTES
    this.sink.write(main.u8, main.pos)
    main.renew(0)
  }
}
