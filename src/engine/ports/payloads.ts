// Payloads: serialised values in the RDB format, for DUMP, RESTORE, MIGRATE. Implemented by
// persistence/rdb/payload.ts.

import type { Database } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

export interface Payloads {
  /** The value of an entry with version and checksum; valid until the next call. */
  dump(entry: Ref): Slice
  /** True when version and checksum are right. */
  isSound(payload: Slice): boolean
  /** Reads the value of a sound payload; false when it is malformed. `deep`: check for duplicates too. */
  read(payload: Slice, deep: boolean): boolean
  /** Why read() has failed: for the log. */
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
