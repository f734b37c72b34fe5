// Values: the writers and readers of all types, by what they are called in a keyspace and in a file.

import type { Database } from '../../keyspace/database.ts'
import { HashKind } from '../../keyspace/hash-kind.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { ListKind } from '../../keyspace/list-kind.ts'
import { SetKind } from '../../keyspace/set-kind.ts'
import { StreamKind } from '../../keyspace/stream-kind.ts'
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_STRING, TYPE_ZSET } from '../../keyspace/types.ts'
import { ZSetKind } from '../../keyspace/zset-kind.ts'
import type { Ref } from '../../memory/arena.ts'
import { Listpack } from '../../memory/listpack.ts'
import {
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_ZIPLIST,
  RDB_HASH_ZIPMAP,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
  RDB_SET,
  RDB_SET_INTSET,
  RDB_SET_LISTPACK,
  RDB_STREAM_LISTPACKS,
  RDB_STREAM_LISTPACKS_2,
  RDB_STREAM_LISTPACKS_3,
  RDB_ZSET,
  RDB_ZSET_2,
  RDB_ZSET_LISTPACK,
  RDB_ZSET_ZIPLIST,
} from './format.ts'
import type { RdbOutput } from './output.ts'
import { RowReader } from './row-reader.ts'
import type { EncodingLimits, ReadOptions, ValueReader, ValueWriter } from './value.ts'
import { HashReader, HashWriter } from './value-hash.ts'
import { ListReader, ListWriter } from './value-list.ts'
import { SetReader, SetWriter } from './value-set.ts'
import { StreamReader, StreamWriter } from './value-stream.ts'
import { StringWriter } from './value-string.ts'
import { ZSetReader, ZSetWriter } from './value-zset.ts'

/** Writes values, one at a time. */
export class ValueWriters {
  private readonly byType: (ValueWriter | undefined)[] = []
  private current!: ValueWriter

  constructor(space: Keyspace) {
    this.byType[TYPE_STRING] = new StringWriter()
    if (space.kinds[TYPE_HASH] !== undefined) this.byType[TYPE_HASH] = new HashWriter(HashKind.of(space))
    if (space.kinds[TYPE_LIST] !== undefined) this.byType[TYPE_LIST] = new ListWriter(ListKind.of(space))
    if (space.kinds[TYPE_SET] !== undefined) this.byType[TYPE_SET] = new SetWriter(SetKind.of(space))
    if (space.kinds[TYPE_STREAM] !== undefined) this.byType[TYPE_STREAM] = new StreamWriter(StreamKind.of(space))
    if (space.kinds[TYPE_ZSET] !== undefined) this.byType[TYPE_ZSET] = new ZSetWriter(ZSetKind.of(space))
  }

  private of(db: Database, entry: Ref): ValueWriter {
    const writer = this.byType[db.typeOf(entry)]
    if (writer === undefined) throw new Error(`values of type ${db.typeOf(entry)} cannot be saved`)
    return writer
  }

  rdbType(db: Database, entry: Ref): number {
    return this.of(db, entry).rdbType(db.encodingOf(entry))
  }

  begin(db: Database, entry: Ref): void {
    this.current = this.of(db, entry)
    this.current.begin(db, entry)
  }

  /** Goes on with the value; true at its end. */
  step(out: RdbOutput, until: number): boolean {
    return this.current.step(out, until)
  }
}

/** Reads values that are not strings, one at a time. */
export class ValueReaders {
  readonly options: ReadOptions
  private readonly byType: (ValueReader | undefined)[] = []
  private readonly types: number[] = []

  constructor(space: Keyspace, limits: EncodingLimits) {
    this.options = { limits, deep: false, sanitizations: 0 }
    const rows = new RowReader(new Listpack(space.arena), this.options)
    if (space.kinds[TYPE_HASH] !== undefined) {
      const hashes = new HashReader(HashKind.of(space), rows, this.options)
      this.add(TYPE_HASH, hashes, [RDB_HASH, RDB_HASH_ZIPMAP, RDB_HASH_ZIPLIST, RDB_HASH_LISTPACK])
    }
    if (space.kinds[TYPE_LIST] !== undefined) {
      const lists = new ListReader(ListKind.of(space), rows, this.options)
      this.add(TYPE_LIST, lists, [RDB_LIST, RDB_LIST_ZIPLIST, RDB_LIST_QUICKLIST, RDB_LIST_QUICKLIST_2])
    }
    if (space.kinds[TYPE_SET] !== undefined) {
      const sets = new SetReader(SetKind.of(space), rows, this.options)
      this.add(TYPE_SET, sets, [RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK])
    }
    if (space.kinds[TYPE_STREAM] !== undefined) {
      const streams = new StreamReader(StreamKind.of(space), this.options)
      this.add(TYPE_STREAM, streams, [RDB_STREAM_LISTPACKS, RDB_STREAM_LISTPACKS_2, RDB_STREAM_LISTPACKS_3])
    }
    if (space.kinds[TYPE_ZSET] !== undefined) {
      const zsets = new ZSetReader(ZSetKind.of(space), rows, this.options)
      this.add(TYPE_ZSET, zsets, [RDB_ZSET, RDB_ZSET_2, RDB_ZSET_ZIPLIST, RDB_ZSET_LISTPACK])
    }
  }

  private add(type: number, reader: ValueReader, rdbTypes: readonly number[]): void {
    for (const rdbType of rdbTypes) {
      this.byType[rdbType] = reader
      this.types[rdbType] = type
    }
  }

  /** The reader of values that the file calls `rdbType`; undefined for one that is not known. */
  of(rdbType: number): ValueReader | undefined {
    return this.byType[rdbType]
  }

  /** The keyspace's type (types.ts) of such values. */
  typeOf(rdbType: number): number {
    return this.types[rdbType]
  }
}
