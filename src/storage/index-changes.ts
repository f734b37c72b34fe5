// IndexChanges: what has changed since the index of keys on disk, a base and the deltas over it, was written.
//
//   entry written to the index ─▶ INDEXED ─[about to change, or to be removed]─▶ not INDEXED, its name is recorded
//   delta = the recorded names, which are no longer what the index says ─▶ every entry that is not INDEXED
//
// Always: while `isKnown`, a key that the index has and whose entry is not INDEXED, or that has no entry, is recorded.
// Whatever is not followed (FLUSHALL, SWAPDB, a rewrite that failed, too many names) ends that: the next index is
// whole.

import type { Slice } from '../lib/slice.ts'
import { OP_SELECTDB, RDB_GONE } from '../persistence/rdb/format.ts'
import { RdbOutput } from '../persistence/rdb/output.ts'

const CHUNK_BYTES = 64 * 1024
/** A name is at most so much longer in the list. */
const NAME_EXTRA = 32
const KEEP_BYTES_MIN = 64 * 1024

/** Names of keys as a delta has them: [ SELECTDB database ] [ RDB_GONE key ] … */
class Names {
  readonly full: Uint8Array[] = []
  private readonly output = new RdbOutput(0)
  private database = -1
  bytes = 0

  constructor() {
    this.output.compress = false
  }

  add(database: number, key: Slice): void {
    const { output } = this
    if (output.pos + key.len + NAME_EXTRA > output.u8.length) this.next(key.len + NAME_EXTRA)
    const from = output.pos
    if (database !== this.database) {
      output.byte(OP_SELECTDB)
      output.length(database)
      this.database = database
    }
    output.byte(RDB_GONE)
    output.string(key)
    this.bytes += output.pos - from
  }

  private next(bytes: number): void {
    const { output } = this
    if (output.pos > 0) this.full.push(output.u8.subarray(0, output.pos))
    output.renew(Math.max(bytes, CHUNK_BYTES))
  }

  get chunks(): readonly Uint8Array[] {
    const { u8, pos } = this.output
    return pos === 0 ? this.full : [...this.full, u8.subarray(0, pos)]
  }
}

export class IndexChanges {
  /** Whether a delta over the index on disk can be written. */
  isKnown = false
  private names = new Names()
  /** Those that the delta being written has. */
  private before: Names | undefined
  private writes = false
  /** Something was not followed while an index is being written. */
  private lost = false
  private readonly bytesMax: () => number

  /** `bytesMax`: of the names; with more the next index is whole. */
  constructor(bytesMax: () => number) {
    this.bytesMax = bytesMax
  }

  /** Memory of the names. */
  get bytes(): number {
    return this.names.bytes + (this.before?.bytes ?? 0)
  }

  /** A key that is in the index is about to change or go, or was written there and has changed since. */
  record(database: number, key: Slice): void {
    if (!this.isKnown && !this.writes) return
    this.names.add(database, key)
    if (this.names.bytes > Math.max(KEEP_BYTES_MIN, this.bytesMax())) this.forget()
  }

  /** What has changed is not known any more. */
  forget(): void {
    this.isKnown = false
    this.lost = true
    this.names = new Names()
  }

  /** A base, or a delta, is written from now on: what the delta begins with. */
  begin(isDelta: boolean): readonly Uint8Array[] {
    this.before = isDelta ? this.names : undefined
    this.names = new Names()
    this.writes = true
    this.lost = false
    return this.before?.chunks ?? []
  }

  /** The index that was begun is on disk, or it is not known whether it is. */
  end(isDurable: boolean): void {
    this.before = undefined
    this.writes = false
    this.isKnown = isDurable && !this.lost
    if (!this.isKnown) this.forget()
  }

  /** The index was loaded, and record() called for all changes behind it. */
  loaded(isWhole: boolean): void {
    this.writes = false
    this.isKnown = isWhole && !this.lost
    if (!this.isKnown) this.forget()
  }

  /** Before anything is loaded: changes are recorded. */
  loading(): void {
    this.writes = true
    this.lost = false
  }
}
