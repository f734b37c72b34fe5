// What every type of value gives to RDB files and DUMP payloads: a writer and a reader. Both go on where they stopped,
// so that no value is too large to be written or read between two commands.
//
//   writer   begin(db, entry) ─▶ step(out, until) … ─▶ true
//   reader   begin(rdbType, input) ─▶ step(input, until) … ─▶ true: encoding and value
//
// Always: a value does not change while it is being written. A reader sets input.mark behind every part that it will
// not read again; when it throws (NEED_MORE aside) discard() gives back what it holds.

import type { Database } from '../../keyspace/database.ts'
import type { Ref } from '../../memory/arena.ts'
import type { RdbInput } from './input.ts'
import type { RdbOutput } from './output.ts'

export interface ValueWriter {
  /** The number that stands before the key. */
  rdbType(encoding: number): number
  begin(db: Database, entry: Ref): void
  /** Writes until the value ends (true), or until out.pos has passed `until`. */
  step(out: RdbOutput, until: number): boolean
}

export interface ValueReader {
  encoding: number
  value: Ref
  /** Whether the value turned out empty: Redis skips such keys in files and refuses them in payloads. */
  empty: boolean
  begin(rdbType: number, input: RdbInput): void
  /** Reads until the value ends (true), or until input.pos has passed `until`. */
  step(input: RdbInput, until: number): boolean
  /** Frees an unfinished value. */
  discard(): void
}

/** Settings that decide encodings when values are read; the server's Settings are one. */
export interface EncodingLimits {
  hashMaxListpackEntries: number
  hashMaxListpackValue: number
  setMaxIntsetEntries: number
  setMaxListpackEntries: number
  setMaxListpackValue: number
  zsetMaxListpackEntries: number
  zsetMaxListpackValue: number
  listMaxListpackSize: number
  listCompressDepth: number
  streamNodeMaxBytes: number
  streamNodeMaxEntries: number
}

/** What is to be made of values that are read. */
export interface ReadOptions {
  readonly limits: EncodingLimits
  /** sanitize-dump-payload: look for duplicates in rows too, not only for what could break the server. */
  deep: boolean
  /** How often something was looked through that deeply, for INFO. */
  sanitizations: number
}
