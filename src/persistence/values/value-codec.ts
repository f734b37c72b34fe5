// ValueCodec: how the values of one type go out of the server and come in: to RDB files and DUMP payloads, and to an
// append-only file as the commands that build them. The list of all is in index.ts; nothing else names them.
//
//   writer     begin(entries, entry) ─▶ step(out, until) … ─▶ true
//   reader     begin(rdbType, input) ─▶ step(input, until) … ─▶ true: encoding and value
//   rewriter   rewrite(key, entries, entry, to): pauses whenever it has written another command or so
//   skip       passes over the bytes of a value, which is not made
//
// All go on where they stopped, so that no value is too large to be written or read between two commands.
//
// Always: a value does not change while it is being written. A reader sets input.mark behind every part that it will
// not read again; when it throws (NEED_MORE aside) discard() gives back what it holds.

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
  /** All forms of its values in RDB files, those that are only read among them. */
  readonly forms: readonly RdbForm[]
  writer(space: Keyspace): ValueWriter
  /** Absent for strings: RdbReader and DumpPayloads read them by themselves. */
  reader?(source: ReadSource): ValueReader
  rewriter(space: Keyspace): ValueRewriter
}

/** One form that values of a type have in files. */
export interface RdbForm {
  /** The number that stands before the key. */
  readonly rdbType: number
  /** The first version of RDB that has it, or 7: DUMP of older ones is not asked for. */
  readonly version: number
  /** `skip` passes over one element, and the value begins with their number. Otherwise it passes over the value. */
  readonly counted: boolean
  skip(input: RdbInput): void
}

export interface ValueWriter {
  /** The form in which values of this encoding are written. */
  rdbType(encoding: number): number
  begin(entries: Entries, entry: Ref): void
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

export interface ValueRewriter {
  /** Writes commands that build the value under `key`, of at most ITEMS_MAX elements each. */
  rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void>
}

/** What readers work with. */
export interface ReadSource {
  readonly space: Keyspace
  readonly rows: RowReader
  readonly options: ReadOptions
}

/** What is to be made of values that are read. */
export interface ReadOptions {
  readonly limits: EncodingLimits
  /** sanitize-dump-payload: look for duplicates in rows too, not only for what could break the server. */
  deep: boolean
  /** How often something was looked through that deeply, for INFO. */
  sanitizations: number
}

/** A form that is one string: the value's own bytes, or a row of elements. */
export function wholeString(rdbType: number, version: number): RdbForm {
  return { rdbType, version, counted: false, skip: input => input.skipString() }
}

/** A form that is a number of elements, each of so many strings. */
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
