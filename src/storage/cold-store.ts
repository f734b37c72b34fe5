// ColdStore: moves values of entries to the value log and back.
//
//   hot entry   ─ spill:  value encoded, record appended, value freed, payload = place ─▶ cold entry
//   cold entry  ─ load:   record read and checked, value built, payload = value, then the place ─▶ clean entry
//   clean entry ─ drop:   value freed, payload = place ─▶ cold entry       ─ [any change] record released ─▶ hot entry
//
// Always: type, encoding, expiry and access time of an entry stay as they are; a running snapshot has saved an entry
// before it moves; an entry that cannot be read stays cold.

import { type ColdValues, UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import type { Database } from '../keyspace/database.ts'
import { MEMORY_SAMPLES, PLACE_BYTES } from '../keyspace/entries.ts'
import { CLEAN, COLD, EXTERNAL, HAS_EXPIRY, INDEXED, payloadAt } from '../keyspace/entry.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { ENC_HASHTABLE, ENC_INT, ENC_QUICKLIST, ENC_SKIPLIST, TYPE_LIST, TYPE_STRING } from '../keyspace/types.ts'
import type { EncodingLimits } from '../keyspace/value-type.ts'
import type { Long } from '../lib/long-field.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, type Ref } from '../memory/arena.ts'
import { TableSlot } from '../memory/table-slot.ts'
import { RdbInput, RdbString } from '../persistence/rdb/input.ts'
import { RdbOutput } from '../persistence/rdb/output.ts'
import { type ValueCodecs, ValueReaders, ValueWriters } from '../persistence/values/value-codecs.ts'
import { limitsFor } from './encoding-limits.ts'
import type { IndexChanges } from './index-changes.ts'
import { idOf, type ValueLog } from './value-log.ts'

/** Smaller values take hardly more memory than the place of their record. */
const VALUE_BYTES_MIN = 64
const REF_BYTES = 4
const KEPT_BYTES_MAX = 1 << 20
/** Read ahead for a snapshot. */
const AHEAD_BYTES_MAX = 4 << 20

interface ColdFigures {
  coldKeys: number
  /** Values that came back to memory. */
  faults: number
  /** Reads that the process waited for. */
  waits: number
  /** Values that went to disk, and those of them that were there already. */
  spilled: number
  dropped: number
}

export class ColdStore implements ColdValues {
  readonly figures: ColdFigures = { coldKeys: 0, faults: 0, waits: 0, spilled: 0, dropped: 0 }
  readonly log: ValueLog
  readonly index: IndexChanges
  private readonly space: Keyspace
  private readonly writers: ValueWriters
  /** Readers of values in compact encodings, and of those in tables and trees. */
  private readonly compact: ValueReaders
  private readonly large: ValueReaders
  private readonly output = new RdbOutput(4096)
  private readonly input = new RdbInput()
  private readonly text = new RdbString()
  private readonly key = new Slice()
  private readonly place: ValuePlace = { segment: 0, offset: 0, bytes: 0 }
  private readonly slot: TableSlot
  /** Records that were read ahead, by idOf() their places. */
  private readonly ahead = new Map<number, Uint8Array>()

  constructor(space: Keyspace, limits: EncodingLimits, codecs: ValueCodecs, log: ValueLog, index: IndexChanges) {
    this.space = space
    this.log = log
    this.index = index
    this.slot = new TableSlot(space.arena)
    this.writers = new ValueWriters(space, codecs)
    this.compact = new ValueReaders(space, limitsFor(limits, true), codecs)
    this.large = new ValueReaders(space, limitsFor(limits, false), codecs)
    this.output.compress = false
  }

  /** Where the record of a cold or clean entry is. Valid until the next call. */
  placeOf(entry: Ref): ValuePlace {
    const { dv } = this.space.arena.segment(entry)
    const at = this.placeAt(entry)
    this.place.segment = dv.getUint32(at, true)
    this.place.offset = dv.getUint32(at + 4, true)
    this.place.bytes = dv.getUint32(at + 8, true)
    return this.place
  }

  /** Refers a cold or clean entry to a record. */
  private setPlace(entry: Ref, { segment, offset, bytes }: ValuePlace): void {
    const { dv } = this.space.arena.segment(entry)
    const at = this.placeAt(entry)
    dv.setUint32(at, segment, true)
    dv.setUint32(at + 4, offset, true)
    dv.setUint32(at + 8, bytes, true)
  }

  /** Byte offset of the place within the entry's segment. */
  private placeAt(entry: Ref): number {
    const { arena, entries } = this.space
    const { u8, dv } = arena.segment(entry)
    const at = payloadAt(u8, dv, arena.at(entry))
    return entries.isCold(entry) ? at : at + entries.payloadBytes(entry)
  }

  /** Whether the value of an entry is on disk. */
  hasPlace(entry: Ref): boolean {
    return this.space.entries.hasPlace(entry)
  }

  /** A clean entry gives its record back; false: it was none. */
  soil(entry: Ref): boolean {
    const { entries } = this.space
    if (entries.isCold(entry) || !entries.hasPlace(entry)) return false
    entries.soil(entry)
    return true
  }

  // ---- the index of keys on disk ----

  isIndexed(entry: Ref): boolean {
    return (this.space.arena.u8(entry)[this.space.arena.at(entry) + 1] & INDEXED) !== 0
  }

  /** The index on disk has the entry as it is. */
  indexed(entry: Ref): void {
    this.mark(entry, INDEXED, 0)
  }

  notIndexed(entry: Ref): void {
    this.mark(entry, 0, INDEXED)
  }

  changes(db: Database, entry: Ref, valueStays: boolean): void {
    if (!valueStays) this.space.entries.soil(entry)
    if (!this.isIndexed(entry)) return
    this.notIndexed(entry)
    this.index.record(db.index, this.space.entries.keyOf(entry, this.key))
  }

  changesAll(): void {
    this.index.forget()
  }

  // ---- to disk ----

  /** Whether the value may go to disk: it is of a size between VALUE_BYTES_MIN and `largest`. */
  maySpill(entry: Ref, largest: number): boolean {
    const { entries, types, strings } = this.space
    if (entries.isCold(entry)) return false
    const type = types.of(entries.typeOf(entry))
    const encoding = entries.encodingOf(entry)
    let bytes: number
    if (type.id === TYPE_STRING) bytes = encoding === ENC_INT ? 0 : strings.lengthOf(entry)
    else {
      const value = entries.valueOf(entry)
      // A quicklist with few elements would come back as a listpack.
      if (type.id === TYPE_LIST && encoding === ENC_QUICKLIST && type.freeEffort(encoding, value) <= 1) return false
      bytes = type.memory(encoding, value, MEMORY_SAMPLES)
    }
    return bytes >= VALUE_BYTES_MIN && bytes <= largest
  }

  /** Moves the value of an entry to disk. False: a snapshot is busy with it, or it cannot be. Throws a DiskError. */
  spill(db: Database, entry: Ref): boolean {
    const { space } = this
    const { snapshot, entries } = space
    if (space.snapshotting) {
      if (snapshot!.isBusyWith(db, entry)) return false
      snapshot!.beforeChange(db, entry)
    }
    const isClean = entries.hasPlace(entry)
    if (isClean) this.figures.dropped++
    else if (!this.append(entry)) return false
    const place = isClean ? this.placeOf(entry) : this.log.last
    this.mark(entry, 0, CLEAN)
    entries.freePayload(entry)
    const cold = this.resize(db, entry, PLACE_BYTES, this.slot)
    this.mark(cold, COLD, EXTERNAL)
    this.setPlace(cold, place)
    this.figures.coldKeys++
    this.figures.spilled++
    return true
  }

  /** Appends the value of an entry: log.last is its place. False: its type cannot write it. Throws a DiskError. */
  append(entry: Ref): boolean {
    const { output, writers } = this
    output.pos = 0
    output.byte(writers.rdbType(entry))
    writers.begin(entry)
    while (!writers.step(output, Number.POSITIVE_INFINITY));
    if (writers.takeFailure() !== undefined) return false
    this.log.append(this.space.entries.keyOf(entry, this.key), output.u8, 0, output.pos)
    if (output.u8.length > KEPT_BYTES_MAX) output.renew(4096)
    return true
  }

  /** Appends a record again, to which a cold entry refers from now on. Throws a DiskError. */
  move(entry: Ref, record: Uint8Array): void {
    const { segment, bytes } = this.placeOf(entry)
    this.log.appendRecord(record)
    this.setPlace(entry, this.log.last)
    this.log.release(segment, bytes)
  }

  /**
   * An entry in memory keeps the place of its value, which was appended last. `database`: its number before a SWAPDB,
   * if there was one. False: it is in no database.
   */
  markClean(entry: Ref, place: ValuePlace, database: number): boolean {
    const { space, slot } = this
    const payloadBytes = space.entries.payloadBytes(entry)
    const hash = space.tables.hashOf(entry)
    for (let i = -1; i < space.databases.length; i++) {
      const db = space.databases[i < 0 ? database : i]
      if (!space.tables.findRef(db.mainTable, entry, hash, slot)) continue
      const clean = this.resize(db, entry, payloadBytes + PLACE_BYTES, slot, payloadBytes)
      this.mark(clean, CLEAN, 0)
      this.setPlace(clean, place)
      return true
    }
    return false
  }

  /** Adds a key whose value is in a record of an earlier run. Returns the entry. Throws UnreadableValue. */
  addCold(db: Database, key: Slice, typeAndEncoding: number, expiryMs: Long, place: ValuePlace): Ref {
    this.log.adopt(place)
    const entry = db.addEntry(key, typeAndEncoding >>> 4, typeAndEncoding & 15, PLACE_BYTES, expiryMs)
    this.mark(entry, COLD, EXTERNAL)
    this.setPlace(entry, place)
    this.figures.coldKeys++
    return entry
  }

  // ---- to memory ----

  load(db: Database, entry: Ref, slot: TableSlot): Ref {
    const { readBytes } = this.log.figures
    const encoded = this.encoded(entry)
    if (this.log.figures.readBytes !== readBytes) this.figures.waits++
    // The entry moves, but for the command that looks it up nothing has changed.
    const { mutations } = this.space
    const clean = this.install(db, entry, encoded, slot)
    this.space.mutations = mutations
    return clean
  }

  /** Gives an entry the value of its record's payload. Returns the entry, which moves; `slot` is at it. */
  install(db: Database, entry: Ref, encoded: Uint8Array, slot = this.slot): Ref {
    const { space } = this
    if (space.snapshotting) space.snapshot!.beforeChange(db, entry)
    const value = this.build(entry, encoded)
    const place = this.placeOf(entry)
    this.figures.faults++
    this.figures.coldKeys--
    const clean = this.resize(db, entry, this.bytesFor(value) + PLACE_BYTES, slot)
    this.fill(clean, value)
    this.mark(clean, CLEAN, 0)
    this.setPlace(clean, place)
    return clean
  }

  borrow(entry: Ref): Ref {
    const { arena } = this.space
    const value = this.build(entry, this.encoded(entry))
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const head = payloadAt(seg.u8, seg.dv, at) - at
    const copy = arena.alloc(head + this.bytesFor(value))
    arena.copy(copy, 0, entry, 0, head)
    this.fill(copy, value)
    return copy
  }

  encoded(entry: Ref): Uint8Array {
    const place = this.placeOf(entry)
    const record = this.ahead.size === 0 ? undefined : this.ahead.get(idOf(place))
    if (record === undefined) return this.log.read(place)
    this.ahead.delete(idOf(place))
    return this.log.checked(record)
  }

  readAhead(entries: Iterable<Ref>, done: () => void): boolean {
    let missing = 0
    let bytes = 0
    this.ahead.clear()
    for (const entry of entries) {
      if (!this.space.entries.isCold(entry)) continue
      const place = this.placeOf(entry)
      const id = idOf(place)
      bytes += place.bytes
      if (bytes > AHEAD_BYTES_MAX || !this.log.has(place)) break
      const kept = this.log.readLater(place, record => {
        if (record !== undefined) this.ahead.set(id, record)
        if (--missing === 0) done()
      })
      if (kept === undefined) missing++
    }
    return missing > 0
  }

  release(entry: Ref): void {
    const { segment, bytes } = this.placeOf(entry)
    if (this.space.entries.isCold(entry)) this.figures.coldKeys--
    this.log.release(segment, bytes)
  }

  /** Builds a value: its ref, or 0 for a string, which is in `text`. */
  private build(entry: Ref, encoded: Uint8Array): Ref {
    const { entries } = this.space
    const encoding = entries.encodingOf(entry)
    const dv = new DataView(encoded.buffer, encoded.byteOffset, encoded.length)
    const input = this.input.open(encoded, dv, 0, encoded.length)
    const rdbType = input.byte()
    if (entries.typeOf(entry) === TYPE_STRING) {
      this.text.copyFrom(input.string(this.text))
      return 0
    }
    // The value gets the encoding back that it had, whatever the limits are now.
    const readers = encoding === ENC_HASHTABLE || encoding === ENC_SKIPLIST ? this.large : this.compact
    const reader = readers.of(rdbType)
    if (reader === undefined) throw new UnreadableValue(`RDB type ${rdbType} is unknown`)
    reader.begin(rdbType, input)
    reader.step(input, Number.POSITIVE_INFINITY)
    const { u8 } = this.space.arena.segment(entry)
    const at = this.space.arena.at(entry)
    u8[at] = (u8[at] & 0xf0) | reader.encoding
    return reader.value
  }

  private bytesFor(value: Ref): number {
    return value !== 0 ? REF_BYTES : this.space.strings.textPayload(this.text.len)
  }

  private fill(entry: Ref, value: Ref): void {
    const { entries, strings } = this.space
    this.mark(entry, 0, COLD | CLEAN | EXTERNAL)
    if (value !== 0) return entries.setValue(entry, entries.encodingOf(entry), value)
    strings.writeText(entry, this.text)
    this.text.release()
  }

  private mark(entry: Ref, set: number, clear: number): void {
    const { arena } = this.space
    const u8 = arena.u8(entry)
    const at = arena.at(entry) + 1
    u8[at] = (u8[at] & ~clear) | set
  }

  /**
   * Gives an entry another size of payload, for the caller to fill after the `kept` bytes. Returns the entry; `slot` is
   * at it.
   */
  private resize(db: Database, entry: Ref, payloadBytes: number, slot: TableSlot, kept = 0): Ref {
    const { space } = this
    const { arena, tables } = space
    space.mutations++
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const head = payloadAt(seg.u8, seg.dv, at) - at
    const hash = tables.hashOf(entry)
    const hasExpiry = (seg.u8[at + 1] & HAS_EXPIRY) !== 0
    if (!tables.findRef(db.mainTable, entry, hash, slot)) throw new Error('an entry that is in no table')
    if (arena.sizeOf(entry) === Arena.sizeFor(head + payloadBytes)) return entry
    const fresh = arena.alloc(head + payloadBytes)
    arena.copy(fresh, 0, entry, 0, head + kept)
    if (hasExpiry && tables.findRef(db.expiryTable, entry, hash, slot)) tables.replaceAt(slot, fresh)
    if (tables.findRef(db.mainTable, entry, hash, slot)) tables.replaceAt(slot, fresh)
    slot.entry = fresh
    arena.free(entry)
    return fresh
  }
}
