// Compactor: copies what is live in segments that are mostly dead to the end of the log, so that they are unlinked.
//
//   the sealed segment with the least live bytes ─▶ read in windows ─▶ the entry of each record's key
//        refers to it: the record is appended again, the entry refers to the copy
//        has the value in memory as well: the record is released
//        does not: the record is dead, or its key was renamed
//   a large record: copied in pieces (large-move.ts), before anything else; a dead one is passed frame by frame
//   [live bytes remain] ─▶ the segment is a straggler: one pass over all keys moves what refers to one
//
// Always: a record is copied as it is, and only when it is sound; a segment with a record that is not stays, and is
// logged. Nothing is copied while too many bytes wait for the disk, so that a full disk stops this and loses nothing.

import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import type { Database } from '../keyspace/database.ts'
import { LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { viewOf } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { attempt } from '../system/system.ts'
import type { ColdStore } from './cold-store.ts'
import { LargeMove } from './large-move.ts'
import {
  FRAME_BYTES,
  FRAME_HEAD,
  frameBytes,
  isLargeRecord,
  RECORD_HEAD,
  recordBytes,
  recordKeyBytes,
} from './record.ts'

const WINDOW_BYTES = 256 * 1024
const PENDING_MAX = 4 * 1024 * 1024
const RECORDS_BETWEEN_CLOCKS = 8
const BYTES_BETWEEN_CLOCKS = 64 * 1024
const SLICE_US = 300

interface CompactorParts {
  space: Keyspace
  store: ColdStore
  /** Calls job(limitUs) between commands, until it returns true. */
  start(job: (limitUs: number) => boolean): void
  /** Whether the value at a place is being read for a client, and so about to leave it. */
  isAwaited(place: ValuePlace): boolean
  nowUs(): number
  warn(text: string): void
}

interface CompactorFigures {
  segments: number
  movedBytes: number
}

export class Compactor {
  readonly figures: CompactorFigures = { segments: 0, movedBytes: 0 }
  private readonly parts: CompactorParts
  private readonly from: ValuePlace = { segment: 0, offset: 0, bytes: 0 }
  private readonly key = new Slice()
  /** Of the victim, from the offset `windowFrom` on. */
  private window = new Uint8Array(0)
  private windowFrom = 0
  /** Memory of windows; one of a long record is replaced by the next. */
  private buffer = new Uint8Array(0)
  /** Where the next frame of a dead record is that is being passed; 0: none is. */
  private frameAt = 0
  /** Large values that are to be moved, and the one that is being moved. */
  private readonly large: { db: Database; key: Slice }[] = []
  private move: LargeMove | undefined
  private reading = false
  /** The disk does not take another segment: until the next check(). */
  private failed = false
  private readonly stragglers = new Set<number>()
  /** Segments that keep their live records for good: one of them is not sound. */
  private readonly damaged = new Set<number>()
  /** The pass over all keys that is under way. */
  private pass: { database: number; cursor: number } | undefined

  constructor(parts: CompactorParts) {
    this.parts = parts
  }

  /** Starts when too much of the log is dead; goes on when the disk has followed. */
  check(): void {
    if (this.reading || this.parts.store.log.figures.pendingBytes > PENDING_MAX) return
    const isAtWork = this.move !== undefined || this.large.length > 0 || this.pass !== undefined
    if (!isAtWork && this.from.segment === 0 && !this.choose()) return
    this.failed = false
    this.parts.start(this.run)
  }

  private choose(): boolean {
    const { log } = this.parts.store
    if (!log.isSparse) return false
    const id = log.sparsest(segment => this.stragglers.has(segment) || this.damaged.has(segment))
    if (id !== 0) {
      this.from.segment = id
      this.from.offset = this.windowFrom = this.frameAt = 0
      this.window = new Uint8Array(0)
      return true
    }
    for (const straggler of this.stragglers) if (log.liveBytesOf(straggler) === 0) this.stragglers.delete(straggler)
    if (this.stragglers.size === 0) return false
    this.pass = { database: 0, cursor: 0 }
    return true
  }

  private readonly run = (limitUs: number): boolean => {
    const until = this.parts.nowUs() + Math.min(limitUs, SLICE_US)
    while (!this.failed && this.parts.store.log.figures.pendingBytes <= PENDING_MAX) {
      if (this.move !== undefined) {
        if (!this.moveLarge(this.move)) return true
      } else if (this.large.length > 0) this.beginMove(this.large.pop()!)
      else if (this.pass !== undefined) {
        if (!this.nextBucket(this.pass) && this.large.length === 0) return true
      } else if (this.from.segment === 0) {
        if (!this.choose()) return true
      } else if (!this.nextRecords()) return true
      if (this.parts.nowUs() > until) return false
    }
    return true
  }

  // ---- a segment from its begin to its end ----

  /** False: the window is being read. */
  private nextRecords(): boolean {
    const { from } = this
    const { log } = this.parts.store
    const end = from.offset + BYTES_BETWEEN_CLOCKS
    for (let i = 0; i < RECORDS_BETWEEN_CLOCKS && from.offset < end && this.large.length === 0; i++) {
      if (log.liveBytesOf(from.segment) === 0) {
        this.endSegment()
        return true
      }
      const rest = log.bytesOf(from.segment) - from.offset
      if (rest === 0) {
        this.stragglers.add(from.segment)
        this.endSegment()
        return true
      }
      if (this.frameAt !== 0) {
        if (!this.passFrame(this.frameAt)) return false
        if (from.segment === 0) return true
        continue
      }
      const at = from.offset - this.windowFrom
      const isLarge = at + RECORD_HEAD <= this.window.length && isLargeRecord(this.window, at)
      const bytes = isLarge ? largeBeginBytes(this.window, at) : recordBytes(this.window, at)
      if (bytes > rest) return this.giveUp(from.segment)
      if (bytes === 0 || at + bytes > this.window.length) {
        this.read(from.offset, Math.min(rest, Math.max(WINDOW_BYTES, bytes)))
        return false
      }
      if (isLarge) {
        this.findLarge(at)
        continue
      }
      from.bytes = bytes
      if (!this.moveFound(this.window.subarray(at, at + bytes))) return this.giveUp(from.segment)
      if (this.failed) return true
      from.offset += bytes
    }
    return true
  }

  // ---- large records ----

  /** Passes a frame of a dead record. False: its head is being read. */
  private passFrame(frameAt: number): boolean {
    const { from, window, windowFrom } = this
    const at = frameAt - windowFrom
    if (frameAt + FRAME_HEAD > this.parts.store.log.bytesOf(from.segment)) return this.giveUp(from.segment)
    if (at + FRAME_HEAD > window.length) {
      this.read(frameAt, FRAME_HEAD)
      return false
    }
    const bytes = frameBytes(window, at)
    if (bytes > FRAME_BYTES) return this.giveUp(from.segment)
    const end = frameAt + FRAME_HEAD + bytes
    this.frameAt = bytes < FRAME_BYTES ? 0 : end
    if (bytes < FRAME_BYTES) from.offset = end
    return true
  }

  /** The large record at `from`, whose key is in the window: it will be moved, or passed. */
  private findLarge(at: number): void {
    const { from, key, window } = this
    key.set(window, viewOf(window), at + RECORD_HEAD + FRAME_HEAD, recordKeyBytes(window, at))
    // The key of a record may be longer than the frame: a pass over all keys finds it then.
    const found = key.len <= FRAME_BYTES ? this.findReferring() : undefined
    if (found === undefined) {
      this.frameAt = from.offset + RECORD_HEAD
      return
    }
    from.bytes = this.parts.store.placeOf(found.entry).bytes
    if (this.mayMove(found.db, found.entry)) this.large.push({ db: found.db, key: key.copy() })
    from.offset += from.bytes
  }

  private beginMove({ db, key }: { db: Database; key: Slice }): void {
    const { store } = this.parts
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    if (entry === 0 || !db.entries.isCold(entry)) return
    const place = store.placeOf(entry)
    this.failed =
      attempt(() => {
        this.move = new LargeMove(store, db, key, place)
        this.move.onReady = () => this.parts.start(this.run)
      }) !== undefined
  }

  /** Copies a piece. False: the next one is being read. */
  private moveLarge(move: LargeMove): boolean {
    if (!move.isReady) return false
    try {
      if (!move.step(this.parts.isAwaited)) return true
      this.figures.movedBytes += move.bytes
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      this.damaged.add(move.segment)
      this.parts.warn(`A large value on disk cannot be moved, in segment ${move.segment}: ${error.message}`)
    }
    this.move = undefined
    return true
  }

  // ---- records in the window ----

  private endSegment(): void {
    this.figures.segments++
    this.from.segment = 0
  }

  /** The rest cannot be found from here: what is sound of it is moved by a pass over all keys. */
  private giveUp(segment: number): boolean {
    this.parts.warn(`Segment ${segment} of the values on disk has a record that is not sound, at ${this.from.offset}`)
    this.stragglers.add(segment)
    this.endSegment()
    return true
  }

  private read(offset: number, bytes: number): void {
    const { segment } = this.from
    if (this.buffer.length < bytes) this.buffer = new Uint8Array(Math.max(WINDOW_BYTES, bytes))
    const window = this.buffer.subarray(0, bytes)
    this.reading = true
    this.parts.store.log.readRange(segment, offset, window, isWhole => {
      this.reading = false
      this.window = window
      this.windowFrom = offset
      if (!isWhole) this.giveUp(segment)
      this.parts.start(this.run)
    })
  }

  /** Moves the record at `from` when an entry of its key refers to it. False: it is not sound. */
  private moveFound(record: Uint8Array): boolean {
    const { store } = this.parts
    this.key.set(record, viewOf(record), RECORD_HEAD, recordKeyBytes(record, 0))
    const found = this.findReferring()
    if (found === undefined || !this.mayMove(found.db, found.entry)) return true
    if (!store.log.isSound(record)) return false
    this.moveRecord(found.entry, record)
    return true
  }

  /** The entry of the key that refers to the record at `from`. */
  private findReferring(): { db: Database; entry: Ref } | undefined {
    const { store, space } = this.parts
    const { key, from } = this
    for (const db of space.databases) {
      if (db.size === 0) continue
      const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
      if (entry === 0 || !db.entries.hasPlace(entry)) continue
      const { segment, offset } = store.placeOf(entry)
      if (segment === from.segment && offset === from.offset) return { db, entry }
    }
    return undefined
  }

  /** False: its record is not needed now, or is about to be left. */
  private mayMove({ entries }: Database, entry: Ref): boolean {
    if (!entries.isCold(entry)) entries.soil(entry)
    return entries.isCold(entry) && !this.parts.isAwaited(this.from)
  }

  private moveRecord(entry: Ref, record: Uint8Array): void {
    this.failed = attempt(() => this.parts.store.move(entry, record)) !== undefined
    if (!this.failed) this.figures.movedBytes += record.length
  }

  // ---- all keys ----

  /** False: it has ended. */
  private nextBucket(pass: { database: number; cursor: number }): boolean {
    const { databases } = this.parts.space
    const db: Database | undefined = databases[pass.database]
    if (db === undefined) {
      this.pass = undefined
      this.stragglers.clear()
      return false
    }
    if (db.size !== 0) pass.cursor = db.scan(pass.cursor, this.visit)
    if (db.size === 0 || pass.cursor === 0) {
      pass.database++
      pass.cursor = 0
    }
    return true
  }

  private readonly visit = (entry: Ref): void => {
    const { store, space } = this.parts
    if (!space.entries.hasPlace(entry)) return
    const place = store.placeOf(entry)
    if (this.failed || !this.stragglers.has(place.segment) || this.parts.isAwaited(place)) return
    if (!space.entries.isCold(entry)) return space.entries.soil(entry)
    if (store.isLarge(entry)) {
      const key = space.entries.keyOf(entry, this.key).copy()
      this.large.push({ db: space.databases[this.pass!.database], key })
      return
    }
    let record: Uint8Array
    try {
      record = store.log.readRecord(place)
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      this.damaged.add(place.segment)
      return
    }
    this.moveRecord(entry, record)
  }
}

/** Bytes of the begin of a large record with all of its key. */
function largeBeginBytes(u8: Uint8Array, at: number): number {
  return RECORD_HEAD + FRAME_HEAD + Math.min(recordKeyBytes(u8, at), FRAME_BYTES)
}
