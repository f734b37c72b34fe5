// The codec of sets. RDB forms:
//
//   SET_INTSET     the intset as a string
//   SET_LISTPACK   the listpack as a string
//   SET            count, then the members

import type { Entries } from '../../keyspace/entries.ts'
import { ENC_INTSET, ENC_LISTPACK, TYPE_SET } from '../../keyspace/types.ts'
import { MemberSet } from '../../keyspace/values/set/set.ts'
import { SetType } from '../../keyspace/values/set/set-type.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { isIntset } from '../../memory/intset.ts'
import { RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK } from '../rdb/format.ts'
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

class SetWriter implements ValueWriter {
  private readonly type: SetType
  private readonly set: MemberSet
  private readonly member = new Element()
  private readonly row = new Slice()
  private left = -1

  constructor(type: SetType) {
    this.type = type
    this.set = new MemberSet(type)
  }

  rdbType(encoding: number): number {
    if (encoding === ENC_INTSET) return RDB_SET_INTSET
    return encoding === ENC_LISTPACK ? RDB_SET_LISTPACK : RDB_SET
  }

  begin(entries: Entries, entry: Ref): void {
    this.set.open(entries.encodingOf(entry), entries.valueOf(entry))
    this.left = -1
  }

  step(out: RdbOutput, until: number): boolean {
    const { set, member } = this
    if (set.encoding === ENC_INTSET || set.encoding === ENC_LISTPACK) {
      const rows = set.encoding === ENC_INTSET ? this.type.intsets : this.type.listpacks
      if (this.left < 0) out.element(rows.whole(set.value, this.row))
      this.left = 0
      return out.ready(until)
    }
    if (this.left < 0) {
      this.left = set.length
      out.length(this.left)
      set.rewind()
    }
    for (; this.left > 0; this.left--) {
      if (!out.ready(until)) return false
      set.next(member)
      out.element(member.text())
    }
    return out.ready(until)
  }
}

class SetReader implements ValueReader {
  empty = false
  private readonly type: SetType
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly set: MemberSet
  private readonly member = new RdbString()
  private held = false
  private count = 0
  private left = 0

  constructor(type: SetType, rows: RowReader, options: ReadOptions) {
    this.type = type
    this.rows = rows
    this.options = options
    this.set = new MemberSet({ ...type, limits: options.limits })
  }

  get encoding(): number {
    return this.set.encoding
  }

  get value(): Ref {
    return this.set.value
  }

  begin(rdbType: number, input: RdbInput): void {
    this.held = false
    this.left = 0
    this.empty = false
    if (rdbType === RDB_SET_INTSET) return this.readIntset(input)
    if (rdbType !== RDB_SET) return this.readListpack(input)
    this.count = this.left = input.length()
    this.empty = this.left === 0
  }

  private readIntset(input: RdbInput): void {
    const bytes = input.string(this.member)
    const { deep } = this.options
    if (!isIntset(bytes.dv, bytes.off, bytes.len, deep)) input.fail('Intset integrity check failed.')
    if (deep) this.options.sanitizations++
    this.set.open(ENC_INTSET, this.type.intsets.fromBytes(bytes))
    this.held = true
    this.set.tryConversion(this.set.length)
  }

  private readListpack(input: RdbInput): void {
    const { rows, set } = this
    const row = rows.listpack(input, 'Set listpack')
    this.empty = row.count === 0
    if (row.count <= this.options.limits.setMaxListpackEntries) {
      set.open(ENC_LISTPACK, rows.takeListpack(1))
      this.held = true
      return
    }
    set.createListpack()
    this.held = true
    set.tryConversion(row.count)
    rows.each(text => this.add(text, input))
  }

  private add(member: Slice, input: RdbInput): void {
    if (!this.set.add(member)) input.fail('Duplicate set members detected')
  }

  step(input: RdbInput, until: number): boolean {
    for (; this.left > 0; this.left--) {
      input.checkpoint = input.pos
      if (input.pos > until) return false
      const member = input.string(this.member)
      if (!this.held) {
        this.set.create(member, this.count)
        this.set.reserve(input.plausibleCount(this.count, 1))
        this.held = true
      }
      this.add(member, input)
    }
    return true
  }

  discard(): void {
    if (this.held) this.set.discard()
    this.held = false
  }
}

class SetRewriter implements ValueRewriter {
  private readonly set: MemberSet
  private readonly member = new Element()

  constructor(type: SetType) {
    this.set = new MemberSet(type)
  }

  *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { set, member } = this
    set.open(entries.encodingOf(entry), entries.valueOf(entry))
    set.rewind()
    for (let left = set.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      to.begin('SADD', key, items)
      for (let i = 0; i < items; i++) {
        set.next(member)
        const text = member.text()
        if (!to.wrote(text)) yield* to.writePieces(text)
      }
      yield
    }
  }
}

export const setCodec: ValueCodec = {
  type: TYPE_SET,
  forms: [countedStrings(RDB_SET, 7, 1), wholeString(RDB_SET_INTSET, 7), wholeString(RDB_SET_LISTPACK, 11)],
  writer: space => new SetWriter(SetType.of(space)),
  reader: ({ space, rows, options }) => new SetReader(SetType.of(space), rows, options),
  rewriter: space => new SetRewriter(SetType.of(space)),
}
