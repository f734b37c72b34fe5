// Payloads: serialised values in the RDB format, for DUMP, RESTORE, MIGRATE. Implemented by
// persistence/rdb/payload.ts.

import type { Database } from '../../keyspace/database.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

/** A large value that becomes a payload in steps; nothing may change, move or remove it meanwhile. */
export interface StepwiseDump {
  /** Writes a few kilobytes; true when the payload is whole, or cannot be. */
  step(): boolean
  readonly chunks: readonly Uint8Array[]
  /** Of all chunks. */
  readonly bytes: number
  readonly failure: string | undefined
}

/** A large payload that is read in steps; its bytes must stay where they are. */
export interface StepwiseRead {
  /** Reads a few kilobytes; true when there is nothing more to do. */
  step(): boolean
  readonly isDone: boolean
  isOf(payload: Slice): boolean
  /** Frees the value, unless it was taken. */
  drop(space: Keyspace): void
}

export interface Payloads {
  /**
   * The value of an entry with version and checksum; valid until the next call. undefined: a module's code has failed
   * to save it, and `failure` says how.
   */
  dump(entry: Ref): Slice | undefined
  /** As dump(), of a large value; undefined: it is none. */
  beginDump(entry: Ref): StepwiseDump | undefined
  /** As isSound() and read(), in steps. */
  beginRead(payload: Slice, deep: boolean): StepwiseRead
  /** isSound() and read() know of this payload from now on. */
  wasRead(read: StepwiseRead | undefined): void
  /** True when version and checksum are right. */
  isSound(payload: Slice): boolean
  /** Reads the value of a sound payload; false when it is malformed. `deep`: check for duplicates too. */
  read(payload: Slice, deep: boolean): boolean
  /** Why dump() has failed, or, for the log, read(). */
  readonly failure: string
  /** Stores the value that read() has read under a key that does not exist. */
  place(db: Database, key: Slice): Ref
  /** Drops the value that read() has read. */
  drop(): void
  /** Number of deep checks. */
  sanitizations: number
  /** DEBUG SET-SKIP-CHECKSUM-VALIDATION. */
  skipChecks: boolean
}
