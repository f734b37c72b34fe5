// Sets in RDB files and DUMP payloads.
//
//   SET_INTSET     the intset as a string
//   SET            count, then the members. Also what small sets are written as: Redis 7.0 knows no SET_LISTPACK
//   SET_LISTPACK   the listpack as a string

import type { Database } from '../../keyspace/database.ts'
import { MemberSet } from '../../keyspace/set.ts'
import type { SetKind } from '../../keyspace/set-kind.ts'
import { ENC_INTSET, ENC_LISTPACK } from '../../keyspace/types.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { isIntset } from '../../memory/intset.ts'
import { RDB_SET, RDB_SET_INTSET } from './format.ts'
import { type RdbInput, RdbString } from './input.ts'
import type { RdbOutput } from './output.ts'
import type { RowReader } from './row-reader.ts'
import type { ReadOptions, ValueReader, ValueWriter } from './value.ts'

export class SetWriter implements ValueWriter {
  private readonly kind: SetKind
  private readonly set: MemberSet
  private readonly member = new Element()
  private readonly row = new Slice()
  private left = -1

  constructor(kind: SetKind) {
    this.kind = kind
    this.set = new MemberSet(kind)
  }

  rdbType(encoding: number): number {
    return encoding === ENC_INTSET ? RDB_SET_INTSET : RDB_SET
  }

  begin(db: Database, entry: Ref): void {
    this.set.open(db.encodingOf(entry), db.valueOf(entry))
    this.left = -1
  }

  step(out: RdbOutput, until: number): boolean {
    const { set, member } = this
    if (set.encoding === ENC_INTSET) {
      if (this.left < 0) out.element(this.kind.intsets.whole(set.value, this.row))
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

export class SetReader implements ValueReader {
  empty = false
  private readonly kind: SetKind
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly set: MemberSet
  private readonly member = new RdbString()
  private held = false
  private count = 0
  private left = 0

  constructor(kind: SetKind, rows: RowReader, options: ReadOptions) {
    this.kind = kind
    this.rows = rows
    this.options = options
    this.set = new MemberSet(kind)
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
    if (!isIntset(bytes.dv, bytes.off, bytes.len)) input.fail('Intset integrity check failed.')
    if (this.options.deep) this.options.sanitizations++
    this.set.open(ENC_INTSET, this.kind.intsets.fromBytes(bytes))
    this.held = true
    this.set.makeRoom(this.set.length)
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
    set.makeRoom(row.count)
    rows.each(text => this.add(text, input))
  }

  private add(member: Slice, input: RdbInput): void {
    if (!this.set.add(member)) input.fail('Duplicate set members detected')
  }

  step(input: RdbInput, until: number): boolean {
    for (; this.left > 0; this.left--) {
      input.mark = input.pos
      if (input.pos > until) return false
      const member = input.string(this.member)
      if (!this.held) {
        this.set.create(member, this.count)
        this.set.reserve(input.believable(this.count, 1))
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
