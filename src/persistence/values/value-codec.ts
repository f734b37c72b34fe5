// ValueCodec: the serialization of one type: RDB files and DUMP payloads, and commands for AOF rewrites. index.ts
// lists all; nothing else names them.
//
//   writer     begin(entries, entry) ─▶ step(out, until) … ─▶ true
//   reader     begin(rdbType, input) ─▶ step(input, until) … ─▶ true: encoding and value
//   rewriter   rewrite(key, entries, entry, to): yields about once per command
//   skip       skips the bytes of a value without building it
//
// All are resumable, so that no value is too large to be written or read between two commands.
//
// Always: a value does not change while it is being written. A reader sets input.checkpoint after every part that it
// will not read again; when it throws (NEED_MORE aside) discard() frees the partial value.

import type { Entries } from '../../keyspace/entries.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import type { EncodingLimits } from '../../keyspace/value-type.ts'
import type { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import type { RdbInput } from '../rdb/input.ts'
import type { RdbOutput } from '../rdb/output.ts'
import type { RowReader } from '../rdb/row-reader.ts'
import type { RewriteOutput } from './rewrite-output.ts'

export interface ValueCodec {
  /** The number of the type in the keyspace (ValueType.id). */
  readonly type: number
  /** All RDB forms of its values, including those that are only read. */
  readonly forms: readonly RdbForm[]
  writer(space: Keyspace): ValueWriter
  /** Absent for strings, which RdbReader and DumpPayloads read themselves. */
  reader?(source: ReadSource): ValueReader
  rewriter(space: Keyspace): ValueRewriter
}

/** One RDB form of a type. */
export interface RdbForm {
  /** The type byte before the key. */
  readonly rdbType: number
  /** The RDB version that introduced it, or 7 for older ones: the oldest that DUMP is asked for. */
  readonly version: number
  /** The value is a count and elements, and `skip` skips one element. Otherwise `skip` skips the value. */
  readonly counted: boolean
  skip(input: RdbInput): void
}

export interface ValueWriter {
  /** The form written for this encoding. */
  rdbType(encoding: number): number
  begin(entries: Entries, entry: Ref): void
  /** Writes until the value ends (true), or until out.pos has passed `until`. */
  step(out: RdbOutput, until: number): boolean
  /** Why a value could not be written whole: the file is worth nothing. Built-in types have none. */
  failure?: string | undefined
}

export interface ValueReader {
  encoding: number
  value: Ref
  /** The value is empty: Redis skips such keys in files and refuses them in payloads. */
  empty: boolean
  begin(rdbType: number, input: RdbInput): void
  /** Reads until the value ends (true), or until input.pos has passed `until`. */
  step(input: RdbInput, until: number): boolean
  /** Frees a partly read value. */
  discard(): void
}

export interface ValueRewriter {
  /** Writes commands that build the value under `key`, with at most ITEMS_MAX elements each. */
  rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void>
  /** As ValueWriter.failure. */
  failure?: string | undefined
}

/** What readers need. */
export interface ReadSource {
  readonly space: Keyspace
  readonly rows: RowReader
  readonly options: ReadOptions
}

/** Options of reading. */
export interface ReadOptions {
  /** Of the encodings of what is read. */
  readonly limits: EncodingLimits
  /** sanitize-dump-payload: packed rows are also checked for duplicates. */
  deep: boolean
  /** Count of deep checks, for INFO. */
  sanitizations: number
}

/** A form that is one string: the value's own bytes, or a packed row. */
export function wholeString(rdbType: number, version: number): RdbForm {
  return { rdbType, version, counted: false, skip: input => input.skipString() }
}

/** A form that is a count and elements of so many strings each. */
export function countedStrings(rdbType: number, version: number, stringsEach: number): RdbForm {
  return {
    rdbType,
    version,
    counted: true,
    skip(input) {
      for (let left = stringsEach; left > 0; left--) input.skipString()
    },
  }
}
