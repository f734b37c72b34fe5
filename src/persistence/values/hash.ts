// The codec of hashes. RDB forms:
//
//   HASH_LISTPACK   the listpack as a string      HASH_ZIPLIST, HASH_ZIPMAP   older rows
//   HASH            count, then field and value

import type { Entries } from '../../keyspace/entries.ts'
import { ENC_LISTPACK, TYPE_HASH } from '../../keyspace/types.ts'
import { Hash } from '../../keyspace/values/hash/hash.ts'
import { HashType } from '../../keyspace/values/hash/hash-type.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { RDB_HASH, RDB_HASH_LISTPACK, RDB_HASH_ZIPLIST, RDB_HASH_ZIPMAP } from '../rdb/format.ts'
import { type RdbInput, RdbString } from '../rdb/input.ts'
import type { RdbOutput } from '../rdb/output.ts'
import type { RowReader } from '../rdb/row-reader.ts'
import { ITEMS_MAX, type RewriteOutput } from './rewrite-output.ts'
import {
  countedStrings,
  type ReadOptions,
  type ValueCodec,
  type ValueReader,
  type ValueRewriter,
  type ValueWriter,
  wholeString,
} from './value-codec.ts'

class HashWriter implements ValueWriter {
  private readonly type: HashType
  private readonly hash: Hash
  private readonly field = new Element()
  private readonly text = new Element()
  private readonly row = new Slice()
  private left = -1
  private fieldWritten = false

  constructor(type: HashType) {
    this.type = type
    this.hash = new Hash(type)
  }

  rdbType(encoding: number): number {
    return encoding === ENC_LISTPACK ? RDB_HASH_LISTPACK : RDB_HASH
  }

  begin(entries: Entries, entry: Ref): void {
    this.hash.open(entries.encodingOf(entry), entries.valueOf(entry))
    this.left = -1
    this.fieldWritten = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { hash, field, text } = this
    if (hash.encoding === ENC_LISTPACK) {
      if (this.left < 0) out.element(this.type.listpacks.whole(hash.value, this.row))
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

class HashReader implements ValueReader {
  empty = false
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly hash: Hash
  private readonly field = new RdbString()
  private readonly text = new RdbString()
  private held = false
  private left = 0

  constructor(type: HashType, rows: RowReader, options: ReadOptions) {
    this.rows = rows
    this.options = options
    this.hash = new Hash({ ...type, limits: options.limits })
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
    this.hash.reserve(input.plausibleCount(this.left, 2))
  }

  private makeHash(fields: number, longest: number): void {
    this.hash.create()
    this.held = true
    this.hash.tryConversion(fields, longest, 0)
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
      if (isField) this.field.copyFrom(text)
      else if (!this.hash.set(this.field, text)) input.fail(`${rows.noun} with dup elements`)
      isField = !isField
    })
  }

  step(input: RdbInput, until: number): boolean {
    const { field, text } = this
    for (; this.left > 0; this.left--) {
      input.checkpoint = input.pos
      if (input.pos > until) return false
      input.string(field)
      input.string(text)
      // As in Redis, a short hash is looked through for duplicates only when payloads are sanitized.
      if (this.options.deep || !this.hash.append(field, text))
        if (!this.hash.set(field, text)) input.fail('Duplicate hash fields detected')
    }
    return true
  }

  discard(): void {
    if (this.held) this.hash.discard()
    this.held = false
  }
}

class HashRewriter implements ValueRewriter {
  private readonly hash: Hash
  private readonly field = new Element()
  private readonly text = new Element()

  constructor(type: HashType) {
    this.hash = new Hash(type)
  }

  *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { hash, field, text } = this
    hash.open(entries.encodingOf(entry), entries.valueOf(entry))
    hash.rewind()
    for (let left = hash.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      to.begin('HMSET', key, items * 2)
      for (let i = 0; i < items; i++) {
        hash.next(field, text)
        const name = field.text()
        if (!to.wrote(name)) yield* to.writePieces(name)
        const value = text.text()
        if (!to.wrote(value)) yield* to.writePieces(value)
      }
      yield
    }
  }
}

export const hashCodec: ValueCodec = {
  type: TYPE_HASH,
  forms: [
    countedStrings(RDB_HASH, 7, 2),
    wholeString(RDB_HASH_ZIPMAP, 7),
    wholeString(RDB_HASH_ZIPLIST, 7),
    wholeString(RDB_HASH_LISTPACK, 10),
  ],
  writer: space => new HashWriter(HashType.of(space)),
  reader: ({ space, rows, options }) => new HashReader(HashType.of(space), rows, options),
  rewriter: space => new HashRewriter(HashType.of(space)),
}
