// Checkpoints: bases of the append-only log in which values on disk are named, not contained.
//
//   base   an RDB file with all keys; a delta over it has those that have changed. A value in the value log has the RDB
//          type RDB_PLACE:
//          [ type << 4 | encoding ][ segment length ][ offset length ][ bytes length ]        (lengths: rdb/format.ts)
//
//   begin ─▶ SnapshotWriter: locate … settled, for each entry ─▶ secure ─▶ base fsynced ─▶ manifest ─▶ end
//
// Always: what a base names is on disk, fsynced, before the base has its name; and stays there until the manifest on
// disk names another one.

import type { ValuePlace } from '../keyspace/cold.ts'
import type { Database } from '../keyspace/database.ts'
import type { Long } from '../lib/long-field.ts'
import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { DiskError, Done } from '../system/system.ts'
import type { FileSink, JobSink } from './file-sink.ts'
import type { RdbInput } from './rdb/input.ts'

/** The place of a large value, which is written there in steps. */
export interface PendingPlace {
  /** Why the value cannot be written. */
  readonly failure: string | undefined
  /** Writes some kilobytes; true at the end: place() is known, or there is a failure. */
  step(): boolean
  place(): ValuePlace
}

/** Places of values, for a writer of a base. */
export interface ValuePlaces {
  /** Where the value of an entry is, written there if need be; undefined: it belongs into the base. */
  locate(entry: Ref): ValuePlace | PendingPlace | undefined
  /** Whether locate() has a place for it: 'now', without writing it, or after 'writing' it. */
  locates(entry: Ref): 'now' | 'writing' | undefined
  /** Names of keys that are not what the base and earlier deltas say; empty: all entries are written. */
  readonly gone: readonly Uint8Array[]
  /** Whether the base and earlier deltas have this entry as it is. */
  skips(entry: Ref): boolean
  /** An entry was written, and is not about to change: it may be moved. `database`: as in SnapshotConsumer. */
  settled(entry: Ref, database: number): void
  /** An entry was written, and is about to change, or was removed. */
  unsettled(entry: Ref, database: number): void
}

/** The value log, as persistence sees it. storage/ implements it. */
export interface Checkpoints extends ValuePlaces {
  /** Whether bases are to be checkpoints. */
  readonly isOn: boolean
  /** So much of what is on disk is there only for the present checkpoint that another one is due. */
  readonly isDue: boolean
  /** Whether a delta can be written, over an index of so many bytes. */
  mayExtend(indexBytes: number): boolean
  begin(isDelta: boolean): void
  /** Writes and fsyncs all that locate() has named. `done` is not called before this returns. */
  secure(done: Done): void
  /** A rewrite has ended. `durable`: the manifest names its base; `unsure`: it may, after a crash. */
  end(outcome: 'durable' | 'as before' | 'unsure'): void
  /** The disk has fallen behind: onDrain is called when it has caught up. */
  readonly ready: boolean
  onDrain: () => void
  /** Adds a key of a base that is loaded. Returns the entry; throws an Error whose message says what is missing. */
  add(db: Database, key: Slice, typeAndEncoding: number, expiryMs: Long, place: ValuePlace): Ref
  /**
   * Adds the keys that come next in a base, as many as are of the common form and whole in the window before `until`.
   * Returns their number.
   */
  addAll(db: Database, input: RdbInput, until: number): number
  /** A dataset is about to be loaded. */
  loading(): void
  /** An entry was loaded; or is removed by what is loaded. */
  indexed(entry: Ref): void
  notIndexed(entry: Ref): void
  /** The dataset is loaded; `isIndexed`: from a checkpoint. */
  loaded(isIndexed: boolean): void
  /** The server ends. */
  ended(): void
}

/** The sink of a checkpoint's base: the file is finished when the values are secure. */
export class CheckpointSink implements JobSink {
  onDrain: () => void = () => {}
  private readonly file: FileSink
  private readonly checkpoints: Checkpoints

  constructor(file: FileSink, checkpoints: Checkpoints) {
    this.file = file
    this.checkpoints = checkpoints
    const drained = () => this.onDrain()
    file.onDrain = drained
    checkpoints.onDrain = drained
  }

  get error(): DiskError | undefined {
    return this.file.error
  }

  get ready(): boolean {
    return this.file.ready && this.checkpoints.ready
  }

  get release(): (u8: Uint8Array) => void {
    return this.file.release
  }

  set release(release: (u8: Uint8Array) => void) {
    this.file.release = release
  }

  write(u8: Uint8Array, length: number): void {
    this.file.write(u8, length)
  }

  finish(done: (error: DiskError | null) => void): void {
    this.checkpoints.secure(error => {
      if (error !== null) this.file.abort(error)
      if (this.file.error !== undefined) done(this.file.error)
      else this.file.finish(done)
    })
  }

  abort(reason: DiskError): void {
    this.file.abort(reason)
  }
}
