// ColdValues: what the keyspace needs of values that are on disk. storage/ implements it; entry.ts has the flag COLD
// and the payload of such an entry.
//
// Always: a lookup without LOOKUP_KEY ends at an entry whose value is in memory, or throws UnreadableValue and has
// changed nothing. So do load(), borrow() and encoded().

import type { Ref } from '../memory/arena.ts'
import type { TableSlot } from '../memory/table-slot.ts'
import type { Database } from './database.ts'

/** Where a value is in the value log. */
export interface ValuePlace {
  segment: number
  offset: number
  bytes: number
}

/** A value on disk that cannot be read, or is not what was written. */
export class UnreadableValue extends Error {}

/** The RDB type and a value on disk, as in RDB files, piece by piece. */
export interface ValuePieces {
  /** False: next() would wait for the disk. */
  readonly isReady: boolean
  /** It is ready, after it was not. */
  onReady: () => void
  /** The next bytes, valid until the next call; undefined: that was all. Throws UnreadableValue. */
  next(): Uint8Array | undefined
  /** No more is wanted. */
  close(): void
}

export interface ColdValues {
  /** Reads the value of the entry at `slot` into memory; the process waits. Returns the entry, which moves. */
  load(db: Database, entry: Ref, slot: TableSlot): Ref
  /** A copy of an entry with its value in memory, in no table: the caller frees it. */
  borrow(entry: Ref): Ref
  /** The RDB type and the value, as in RDB files. */
  encoded(entry: Ref): Uint8Array
  /** Whether the value of a cold entry is so large that it is to be read by pieces(). */
  isLarge(entry: Ref): boolean
  /** encoded(), piece by piece. The caller closes it. */
  pieces(entry: Ref): ValuePieces
  /** Where the record of a cold or clean entry is. Valid until the next call. */
  placeOf(entry: Ref): ValuePlace
  /**
   * Begins to read the values of cold entries, for encoded() and borrow(). True: `done` is called when they have
   * arrived, not before this returns; false: there is nothing to wait for.
   */
  readAhead(entries: Iterable<Ref>, done: () => void): boolean
  /** An entry is about to change, its value too unless that stays, or to be removed; a running snapshot was told. */
  changes(db: Database, entry: Ref, valueStays: boolean): void
  /** Databases are emptied, or exchanged. */
  changesAll(): void
  /** A cold or clean entry no longer refers to its record. */
  release(entry: Ref): void
}
