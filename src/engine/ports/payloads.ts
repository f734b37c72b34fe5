// Payloads: a value as bytes of its own, in the format of RDB files: DUMP, RESTORE, MIGRATE. The server fills this in
// (persistence/rdb/payload.ts).

import type { Database } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'

export interface Payloads {
  /** The value of an entry with version and checksum; valid until the next call. */
  dump(entry: Ref): Slice
  /** True when version and checksum are right. */
  isSound(payload: Slice): boolean
  /** Reads the value out of a sound payload; false when it is none. `deep`: look for duplicates too. */
  read(payload: Slice, deep: boolean): boolean
  /** Why read() has refused: for the log. */
  readonly failure: string
  /** Gives the value that read() has read to a key that does not exist. */
  place(db: Database, key: Slice): Ref
  /** Gives up the value that read() has read. */
  drop(): void
  /** How many values were looked through deeply. */
  sanitizations: number
  /** DEBUG SET-SKIP-CHECKSUM-VALIDATION. */
  skipChecks: boolean
}
