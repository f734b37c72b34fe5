// LargeMove: appends the record of a large value again, piece by piece, while other commands run.
//
// Always: the entry refers to one whole record at any time; a copy to which it does not come is dead.

import type { ValuePlace } from '../keyspace/cold.ts'
import { type Database, LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import type { Slice } from '../lib/slice.ts'
import type { ColdStore } from './cold-store.ts'
import { LargeAppend } from './large-append.ts'
import { RecordReader } from './record-reader.ts'

export class LargeMove {
  private readonly store: ColdStore
  private readonly db: Database
  private readonly key: Slice
  private readonly from: ValuePlace
  private readonly pieces: RecordReader
  private readonly append: LargeAppend

  /** Throws UnreadableValue, and a DiskError when a new segment cannot be made. */
  constructor(store: ColdStore, db: Database, key: Slice, from: ValuePlace) {
    this.store = store
    this.db = db
    this.key = key.copy()
    this.from = { ...from }
    this.pieces = new RecordReader(store.log, from)
    try {
      this.append = new LargeAppend(store.log, key)
    } catch (error) {
      this.pieces.close()
      throw error
    }
  }

  get isReady(): boolean {
    return this.pieces.isReady
  }

  set onReady(onReady: () => void) {
    this.pieces.onReady = onReady
  }

  /** Of the record. */
  get segment(): number {
    return this.from.segment
  }

  get bytes(): number {
    return this.from.bytes
  }

  /** Copies a piece; true at the end. Throws UnreadableValue, after which there is no copy. */
  step(isAwaited: (place: ValuePlace) => boolean): boolean {
    try {
      const piece = this.pieces.next()
      if (piece !== undefined) {
        this.append.add(piece, 0, piece.length)
        return false
      }
    } catch (error) {
      this.append.abandon()
      this.pieces.close()
      throw error
    }
    this.append.finish()
    this.pieces.close()
    this.settle(isAwaited(this.from))
    return true
  }

  private settle(isAwaited: boolean): void {
    const { store, db, from } = this
    const { segment, bytes } = store.log.last
    const entry = db.find(this.key, LOOKUP_KEY | LOOKUP_EXPIRED)
    const place = entry !== 0 && db.entries.isCold(entry) ? store.placeOf(entry) : undefined
    if (isAwaited || place?.segment !== from.segment || place.offset !== from.offset) store.log.release(segment, bytes)
    else store.moveTo(entry, store.log.last)
  }
}
