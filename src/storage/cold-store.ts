// ColdStore: moves values of entries to the value log and back.
//
//   hot entry   ─ spill:  value encoded, record appended, value freed, payload = place ─▶ cold entry
//                 a large one is begun, and goes on in steps [continueSpill]; any change of the entry abandons it
//   cold entry  ─ load:   record read and checked, value built, payload = value, then the place ─▶ clean entry
//   clean entry ─ drop:   value freed, payload = place ─▶ cold entry       ─ [any change] record released ─▶ hot entry
//
// Always: type, encoding, expiry and access time of an entry stay as they are; a running snapshot has saved an entry
// before it moves; an entry that cannot be read stays cold.

import type { ColdValues, ValuePieces, ValuePlace } from '../keyspace/cold.ts'
import type { Database } from '../keyspace/database.ts'
import { MEMORY_SAMPLES, PLACE_BYTES } from '../keyspace/entries.ts'
import { CLEAN, COLD, EXTERNAL, HAS_EXPIRY, INDEXED, payloadAt } from '../keyspace/entry.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { ENC_INT, ENC_QUICKLIST, TYPE_LIST, TYPE_STRING } from '../keyspace/types.ts'
import type { EncodingLimits } from '../keyspace/value-type.ts'
import type { Long } from '../lib/long-field.ts'
import { Slice } from '../lib/slice.ts'
import { Arena, type Ref } from '../memory/arena.ts'
import { TableSlot } from '../memory/table-slot.ts'
import type { ValueCodecs } from '../persistence/values/value-codecs.ts'
import type { IndexChanges } from './index-changes.ts'
import type { LargeLoad, LoadedValue } from './large-load.ts'
import type { LargeWrite } from './large-write.ts'
import { firstPieceOf, PIECE_BYTES, RecordReader } from './record-reader.ts'
import { ValueCoder } from './value-coder.ts'
import { idOf, type ValueLog } from './value-log.ts'

/** Smaller values take hardly more memory than the place of their record. */
const VALUE_BYTES_MIN = 64
const REF_BYTES = 4
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

/** A value; or of a string its allocation, or (both 0) what the coder has read. */
type Payload = Pick<LoadedValue, 'value' | 'text' | 'textBytes'>

interface ColdStoreParts {
  space: Keyspace
  limits: EncodingLimits
  codecs: ValueCodecs
  log: ValueLog
  index: IndexChanges
  compaction: { pins: number }
}

/** A large value on its way to disk. */
interface Spilling {
  readonly db: Database
  readonly entry: Ref
  readonly write: LargeWrite
  /** That it takes in memory. */
  readonly bytes: number
}

export class ColdStore implements ColdValues {
  readonly figures: ColdFigures = { coldKeys: 0, faults: 0, waits: 0, spilled: 0, dropped: 0 }
  readonly log: ValueLog
  readonly index: IndexChanges
  private readonly space: Keyspace
  private readonly coder: ValueCoder
  private readonly key = new Slice()
  private readonly place: ValuePlace = { segment: 0, offset: 0, bytes: 0 }
  private readonly slot: TableSlot
  /** Records that were read ahead, by idOf() their places. */
  private readonly ahead = new Map<number, Uint8Array>()
  private spilling: Spilling | undefined
  /** Compaction, which would move what is being written, stops while there are pins. */
  private readonly compaction: { pins: number }

  constructor(parts: ColdStoreParts) {
    const { space, limits, codecs, log, index } = parts
    this.space = space
    this.compaction = parts.compaction
    this.log = log
    this.index = index
    this.slot = new TableSlot(space.arena)
    this.coder = new ValueCoder(space, limits, codecs, log)
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
    if (this.spilling?.entry === entry) this.abandonSpill()
    if (!valueStays) this.space.entries.soil(entry)
    if (!this.isIndexed(entry)) return
    this.notIndexed(entry)
    this.index.record(db.index, this.space.entries.keyOf(entry, this.key))
  }

  changesAll(): void {
    this.abandonSpill()
    this.index.forget()
  }

  // ---- to disk ----

  /** Whether the value may go to disk: it is of a size between VALUE_BYTES_MIN and `largest`. */
  maySpill(entry: Ref, largest: number): boolean {
    const { entries, types, strings } = this.space
    if (entries.isCold(entry) || this.spilling?.entry === entry) return false
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

  /**
   * Moves the value of an entry to disk; a large one leaves memory later, by continueSpill(). False: a snapshot is busy
   * with it, or it cannot be. Throws a DiskError.
   */
  spill(db: Database, entry: Ref): boolean {
    const { entries } = this.space
    if (!this.settleSnapshot(db, entry)) return false
    if (entries.hasPlace(entry)) {
      this.figures.dropped++
      this.leave(db, entry, this.placeOf(entry))
      return true
    }
    const appended = this.coder.append(entry)
    if (appended === 'whole') this.leave(db, entry, this.log.last)
    else if (appended !== 'failed')
      return this.beginSpill({ db, entry, write: appended, bytes: entries.memoryOf(entry) })
    return appended === 'whole'
  }

  /** False: a running snapshot is busy with the entry; else it has saved it. */
  private settleSnapshot(db: Database, entry: Ref): boolean {
    if (this.isSavedLater(db, entry)) return false
    if (this.space.snapshotting) this.space.snapshot!.beforeChange(db, entry)
    return true
  }

  /** A running snapshot saves the value in slices, now or soon: the entry must not move before. */
  isSavedLater(db: Database, entry: Ref): boolean {
    return this.space.snapshotting && this.space.snapshot!.isBusyWith(db, entry)
  }

  private leave(db: Database, entry: Ref, place: ValuePlace): void {
    this.mark(entry, 0, CLEAN)
    this.space.entries.freePayload(entry)
    const cold = this.resize(db, entry, PLACE_BYTES, this.slot)
    this.mark(cold, COLD, EXTERNAL)
    this.setPlace(cold, place)
    this.figures.coldKeys++
    this.figures.spilled++
  }

  private beginSpill(spilling: Spilling): boolean {
    if (this.spilling !== undefined) {
      spilling.write.abandon()
      return false
    }
    this.spilling = spilling
    this.compaction.pins++
    return true
  }

  /** Bytes of the large value that is on its way to disk. */
  get leavingBytes(): number {
    return this.spilling?.bytes ?? 0
  }

  /** Whether someone goes through large values in steps: none of them may leave memory meanwhile. */
  get isLargeBusy(): boolean {
    return this.compaction.pins > 0
  }

  /** Writes some kilobytes of the large value that is on its way to disk; true: there is none any more. */
  continueSpill(): boolean {
    const { spilling } = this
    if (spilling === undefined) return true
    const { db, entry, write } = spilling
    if (!write.step()) return false
    this.endSpill()
    if (write.failure !== undefined) return true
    const { segment, offset, bytes } = this.log.last
    if (this.settleSnapshot(db, entry)) this.leave(db, entry, { segment, offset, bytes })
    else this.log.release(segment, bytes)
    return true
  }

  private endSpill(): void {
    this.spilling = undefined
    this.compaction.pins--
  }

  private abandonSpill(): void {
    if (this.spilling === undefined) return
    this.spilling.write.abandon()
    this.endSpill()
  }

  /** As ValueCoder.append(). */
  append(entry: Ref): 'whole' | 'failed' | LargeWrite {
    return this.coder.append(entry)
  }

  /** Appends a record again, to which a cold entry refers from now on. Throws a DiskError. */
  move(entry: Ref, record: Uint8Array): void {
    this.log.appendRecord(record)
    this.moveTo(entry, this.log.last)
  }

  /** A cold entry refers to another record from now on. */
  moveTo(entry: Ref, place: ValuePlace): void {
    const { segment, bytes } = this.placeOf(entry)
    this.setPlace(entry, place)
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
    // The entry moves, but for the command that looks it up nothing has changed.
    const { mutations } = this.space
    const clean = this.isLarge(entry)
      ? this.installLarge(db, entry, this.loadNow(entry), slot)
      : this.install(db, entry, this.encoded(entry), slot)
    if (this.log.figures.readBytes !== readBytes) this.figures.waits++
    this.space.mutations = mutations
    return clean
  }

  /** Gives an entry the value of its record's payload. Returns the entry, which moves; `slot` is at it. */
  install(db: Database, entry: Ref, encoded: Uint8Array, slot = this.slot): Ref {
    const { space, coder } = this
    if (space.snapshotting) space.snapshot!.beforeChange(db, entry)
    const value = coder.build(entry, encoded)
    return this.settle(db, entry, { value, text: 0, textBytes: coder.text.len }, slot)
  }

  /** Whether the value of a cold entry is read in pieces. */
  isLarge(entry: Ref): boolean {
    return this.placeOf(entry).bytes > PIECE_BYTES
  }

  /** Begins to build the value of a cold entry. Throws UnreadableValue. */
  beginLoad(entry: Ref): LargeLoad {
    return this.coder.beginLoad(entry, this.placeOf(entry))
  }

  private loadNow(entry: Ref): LoadedValue {
    const load = this.beginLoad(entry)
    while (!load.step());
    return load.take()
  }

  /** Gives an entry a value that was built. */
  installLarge(db: Database, entry: Ref, loaded: LoadedValue, slot = this.slot): Ref {
    const { space } = this
    if (space.snapshotting) space.snapshot!.beforeChange(db, entry)
    if (loaded.text === 0) this.coder.setEncoding(entry, loaded.encoding)
    return this.settle(db, entry, loaded, slot)
  }

  private settle(db: Database, entry: Ref, value: Payload, slot: TableSlot): Ref {
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
    let value: Payload
    if (this.isLarge(entry)) {
      const loaded = this.loadNow(entry)
      if (loaded.text === 0) this.coder.setEncoding(entry, loaded.encoding)
      value = loaded
    } else value = { value: this.coder.build(entry, this.encoded(entry)), text: 0, textBytes: this.coder.text.len }
    const seg = arena.segment(entry)
    const at = arena.at(entry)
    const head = payloadAt(seg.u8, seg.dv, at) - at
    const copy = arena.alloc(head + this.bytesFor(value))
    arena.copy(copy, 0, entry, 0, head)
    this.fill(copy, value)
    return copy
  }

  pieces(entry: Ref): ValuePieces {
    const place = this.placeOf(entry)
    const id = idOf(place)
    const first = this.ahead.get(id)
    this.ahead.delete(id)
    return new RecordReader(this.log, place, first)
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
      const place = firstPieceOf(this.placeOf(entry))
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

  private bytesFor({ value, textBytes }: Payload): number {
    return value !== 0 ? REF_BYTES : this.space.strings.textPayload(textBytes)
  }

  private fill(entry: Ref, { value, text, textBytes }: Payload): void {
    const { entries, strings } = this.space
    this.mark(entry, 0, COLD | CLEAN | EXTERNAL)
    if (value !== 0) return entries.setValue(entry, entries.encodingOf(entry), value)
    if (text !== 0) return strings.takeText(entry, text, textBytes)
    strings.writeText(entry, this.coder.text)
    this.coder.text.release()
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
    if (this.spilling?.entry === entry) this.abandonSpill()
    const { arena, tables } = space
    space.mutations++
    space.entries.ahead.forget()
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
