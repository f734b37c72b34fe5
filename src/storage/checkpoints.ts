// Checkpoints of the value log: persistence/checkpoint.ts has what they are.
//
//   locate   on disk ─▶ its place          in memory, changed ─▶ appended; settled() then makes the entry clean
//
// Always: from begin() to end() no segment goes; after it those stay that the manifest's base names, or may name.

import type { ValuePlace } from '../keyspace/cold.ts'
import type { Database } from '../keyspace/database.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Long } from '../lib/long-field.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { TableSlot } from '../memory/table-slot.ts'
import type { Checkpoints, PendingPlace } from '../persistence/checkpoint.ts'
import type { RdbInput } from '../persistence/rdb/input.ts'
import { attempt, type Done } from '../system/system.ts'
import type { ColdStore } from './cold-store.ts'
import { IndexReader } from './index-reader.ts'
import type { LargeWrite } from './large-write.ts'

/** Names of so few keys are always worth a delta. */
const DELTA_BYTES_MIN = 4096
const PENDING_MAX = 4 * 1024 * 1024
/** Of what is live; with more held for the present checkpoint only, another one is due, whose index is whole. */
const HELD_SHARE = 0.1
const HELD_BYTES_MIN = 16 * 1024 * 1024
/** What is held is worth an index of a part of that. */
const HELD_INDEXES = 2

interface CheckpointParts {
  space: Keyspace
  store: ColdStore
  /** Whether values may be moved to disk; else those of a base come to memory as it is loaded. */
  isDisk: boolean
  /** The files are of no use to the next run. */
  isWorking: boolean
  /** Whether the log is where a base of now would look for it. */
  isInPlace(): boolean
  /** storage-value-max. */
  largest(): number
}

export class ValueCheckpoints implements Checkpoints {
  onDrain: () => void = () => {}
  private readonly parts: CheckpointParts
  private readonly place: ValuePlace = { segment: 0, offset: 0, bytes: 0 }
  /** Segments that the base being written names. */
  private named = new Set<number>()
  private isDelta = false
  /** Of the index on disk, with its deltas, when it was last looked at. */
  private indexBytes = 0
  gone: readonly Uint8Array[] = []
  private readonly key = new Slice()
  /** The entry whose value was appended last, at `place`, and is not clean yet; 0: none. */
  private appended: Ref = 0
  /** Large values that are being appended. */
  private readonly writes = new Set<LargeWrite>()
  private readonly slot: TableSlot
  private readonly reader: IndexReader

  constructor(parts: CheckpointParts, slot: TableSlot) {
    this.parts = parts
    this.slot = slot
    this.reader = new IndexReader(parts.space, place => {
      if (!parts.store.log.adopts(place)) return false
      this.named.add(place.segment)
      return true
    })
  }

  get isOn(): boolean {
    return this.parts.isDisk && this.parts.isInPlace()
  }

  get isDue(): boolean {
    const { heldBytes, liveBytes } = this.parts.store.log.figures
    return heldBytes > Math.max(HELD_BYTES_MIN, liveBytes * HELD_SHARE, this.indexBytes * HELD_INDEXES)
  }

  /** Names of more than a quarter of the index are not worth it; nor is it when much is held for the index. */
  mayExtend(indexBytes: number): boolean {
    const { index } = this.parts.store
    this.indexBytes = indexBytes
    return index.isKnown && !this.isDue && index.bytes <= Math.max(indexBytes / 4, DELTA_BYTES_MIN)
  }

  begin(isDelta: boolean): void {
    this.named = new Set()
    this.isDelta = isDelta
    this.gone = this.parts.store.index.begin(isDelta)
    this.parts.store.log.hold()
  }

  skips(entry: Ref): boolean {
    return this.isDelta && this.parts.store.isIndexed(entry)
  }

  locates(entry: Ref): 'now' | 'writing' | undefined {
    const { store, largest } = this.parts
    if (store.hasPlace(entry)) return 'now'
    return store.maySpill(entry, largest()) ? 'writing' : undefined
  }

  locate(entry: Ref): ValuePlace | PendingPlace | undefined {
    const { store, largest } = this.parts
    this.forget()
    if (store.hasPlace(entry) && !this.refresh(entry)) return undefined
    if (store.hasPlace(entry)) return this.name(store.placeOf(entry))
    if (!store.maySpill(entry, largest())) return undefined
    // Where nothing can be appended the base contains the value.
    let appended: ReturnType<ColdStore['append']> = 'failed'
    const failure = attempt(() => {
      appended = store.append(entry)
    })
    if (failure !== undefined) return undefined
    return this.follow(entry, appended)
  }

  private follow(entry: Ref, appended: ReturnType<ColdStore['append']>): ValuePlace | PendingPlace | undefined {
    if (appended === 'failed') return undefined
    if (appended === 'whole') return this.namedNow(entry)
    this.writes.add(appended)
    return {
      get failure() {
        return appended.failure
      },
      step: () => appended.step(),
      place: () => {
        this.writes.delete(appended)
        return this.namedNow(entry)
      },
    }
  }

  /** The value of an entry was appended last. */
  private namedNow(entry: Ref): ValuePlace {
    this.forget()
    this.appended = entry
    return this.name(this.parts.store.log.last)
  }

  private name({ segment, offset, bytes }: ValuePlace): ValuePlace {
    const { place } = this
    place.segment = segment
    place.offset = offset
    place.bytes = bytes
    this.named.add(segment)
    return place
  }

  /** Appends a record again that an fsync may not have reached. False: the base must contain the value. */
  private refresh(entry: Ref): boolean {
    const { store } = this.parts
    const place = store.placeOf(entry)
    if (!store.log.isDoubtful(place.segment)) return true
    if (store.soil(entry)) return true
    return attempt(() => store.move(entry, store.log.readRecord(place))) === undefined
  }

  /** The entry that was appended is changed already: its record is in no use but this base's. */
  private forget(): void {
    if (this.appended === 0) return
    this.appended = 0
    this.parts.store.log.release(this.place.segment, this.place.bytes)
  }

  unsettled(entry: Ref, database: number): void {
    const { store, space } = this.parts
    // It may be in an earlier index too, and only move.
    store.notIndexed(entry)
    store.index.record(database, space.entries.keyOf(entry, this.key))
  }

  settled(entry: Ref, database: number): void {
    const { store } = this.parts
    store.indexed(entry)
    if (this.appended !== entry) return
    this.appended = 0
    if (!store.markClean(entry, this.place, database)) store.log.release(this.place.segment, this.place.bytes)
  }

  secure(done: Done): void {
    this.forget()
    this.parts.store.log.secure(done)
  }

  end(outcome: 'durable' | 'as before' | 'unsure'): void {
    const { log } = this.parts.store
    this.forget()
    for (const write of this.writes) write.abandon()
    this.writes.clear()
    const { named, isDelta } = this
    this.named = new Set()
    this.gone = []
    this.isDelta = false
    this.parts.store.index.end(outcome === 'durable')
    if (outcome === 'durable' && !isDelta) log.settle(named)
    else if (outcome === 'durable') log.settle(new Set([...log.pins, ...named]))
    else log.settle(outcome === 'unsure' ? new Set([...log.pins, ...named]) : log.pins)
  }

  get ready(): boolean {
    return this.parts.store.log.figures.pendingBytes < PENDING_MAX
  }

  add(db: Database, key: Slice, typeAndEncoding: number, expiryMs: Long, place: ValuePlace): Ref {
    const { store, isDisk } = this.parts
    this.named.add(place.segment)
    const entry = store.addCold(db, key, typeAndEncoding, expiryMs, place)
    if (isDisk) return entry
    const hot = store.load(db, entry, this.slot)
    store.soil(hot)
    return hot
  }

  addAll(db: Database, input: RdbInput, until: number): number {
    const { store, isDisk } = this.parts
    if (!isDisk) return 0
    const keys = this.reader.run(db, input, until)
    store.figures.coldKeys += keys
    return keys
  }

  loading(): void {
    this.parts.store.index.loading()
  }

  indexed(entry: Ref): void {
    this.parts.store.indexed(entry)
  }

  notIndexed(entry: Ref): void {
    this.parts.store.notIndexed(entry)
  }

  loaded(isIndexed: boolean): void {
    this.parts.store.index.loaded(isIndexed && this.parts.isDisk)
    this.parts.store.log.settle(this.named)
    this.named = new Set()
  }

  ended(): void {
    if (this.parts.isWorking) this.parts.store.log.remove()
  }
}
