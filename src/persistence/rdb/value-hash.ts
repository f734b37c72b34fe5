// Hashes in RDB files and DUMP payloads.
//
//   HASH_LISTPACK   the listpack as a string      HASH_ZIPLIST, HASH_ZIPMAP   older rows
//   HASH            count, then field and value

import type { Database } from '../../keyspace/database.ts'
import { Hash } from '../../keyspace/hash.ts'
import type { HashKind } from '../../keyspace/hash-kind.ts'
import { ENC_LISTPACK } from '../../keyspace/types.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { RDB_HASH, RDB_HASH_LISTPACK, RDB_HASH_ZIPMAP } from './format.ts'
import { type RdbInput, RdbString } from './input.ts'
import type { RdbOutput } from './output.ts'
import type { RowReader } from './row-reader.ts'
import type { ReadOptions, ValueReader, ValueWriter } from './value.ts'

export class HashWriter implements ValueWriter {
  private readonly kind: HashKind
  private readonly hash: Hash
  private readonly field = new Element()
  private readonly text = new Element()
  private readonly row = new Slice()
  private left = -1
  private fieldWritten = false

  constructor(kind: HashKind) {
    this.kind = kind
    this.hash = new Hash(kind)
  }

  rdbType(encoding: number): number {
    return encoding === ENC_LISTPACK ? RDB_HASH_LISTPACK : RDB_HASH
  }

  begin(db: Database, entry: Ref): void {
    this.hash.open(db.encodingOf(entry), db.valueOf(entry))
    this.left = -1
    this.fieldWritten = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { hash, field, text } = this
    if (hash.encoding === ENC_LISTPACK) {
      if (this.left < 0) out.element(this.kind.listpacks.whole(hash.value, this.row))
      this.left = 0
      return out.ready(until)
    }
    if (this.left < 0) {
      this.left = hash.length
      out.length(this.left)
      hash.rewind()
    }
    while (this.left > 0) {
      if (!out.ready(until)) return false
      if (this.fieldWritten) {
        out.element(text.text())
        this.left--
      } else {
        hash.next(field, text)
        out.element(field.text())
      }
      this.fieldWritten = !this.fieldWritten
    }
    return out.ready(until)
  }
}

export class HashReader implements ValueReader {
  empty = false
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly hash: Hash
  private readonly field = new RdbString()
  private readonly text = new RdbString()
  private held = false
  private left = 0

  constructor(kind: HashKind, rows: RowReader, options: ReadOptions) {
    this.rows = rows
    this.options = options
    this.hash = new Hash(kind)
  }

  get encoding(): number {
    return this.hash.encoding
  }

  get value(): Ref {
    return this.hash.value
  }

  begin(rdbType: number, input: RdbInput): void {
    this.held = false
    this.left = 0
    if (rdbType !== RDB_HASH) return this.readRow(rdbType, input)
    this.left = input.length()
    this.empty = this.left === 0
    this.makeHash(this.left, 0)
    this.hash.reserve(input.believable(this.left, 2))
  }

  private makeHash(fields: number, longest: number): void {
    this.hash.create()
    this.held = true
    this.hash.makeRoom(fields, longest, 0)
  }

  private readRow(rdbType: number, input: RdbInput): void {
    const { rows } = this
    const row =
      rdbType === RDB_HASH_LISTPACK
        ? rows.listpack(input, 'Hash listpack')
        : rdbType === RDB_HASH_ZIPMAP
          ? rows.zipmap(input, 'Zipmap')
          : rows.ziplist(input, 'Hash ziplist')
    if (row.count % 2 !== 0) input.fail(`${rows.noun} integrity check failed.`)
    this.empty = row.count === 0
    const { hashMaxListpackEntries, hashMaxListpackValue } = this.options.limits
    const fields = row.count / 2
    let longest = 0
    if (rdbType === RDB_HASH_ZIPMAP) rows.each(text => (longest = Math.max(longest, text.len)))
    if (fields <= hashMaxListpackEntries && longest <= hashMaxListpackValue) {
      this.hash.open(ENC_LISTPACK, rows.takeListpack(2))
      this.held = true
      return
    }
    this.makeHash(fields, longest)
    let isField = true
    rows.each(text => {
      if (isField) this.field.keep(text)
      else if (!this.hash.set(this.field, text)) input.fail(`${rows.noun} with dup elements`)
      isField = !isField
    })
  }

  step(input: RdbInput, until: number): boolean {
    const { field, text } = this
    for (; this.left > 0; this.left--) {
      input.mark = input.pos
      if (input.pos > until) return false
      input.string(field)
      input.string(text)
      if (!this.hash.set(field, text)) input.fail('Duplicate hash fields detected')
    }
    return true
  }

  discard(): void {
    if (this.held) this.hash.discard()
    this.held = false
  }
}
