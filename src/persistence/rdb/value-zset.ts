// Sorted sets in RDB files and DUMP payloads.
//
//   ZSET_LISTPACK   the listpack as a string        ZSET_ZIPLIST   the same as a ziplist
//   ZSET_2          count, then member and binary score, the largest first
//   ZSET            count, then member and score as text

import type { Database } from '../../keyspace/database.ts'
import { ENC_LISTPACK } from '../../keyspace/types.ts'
import { ADD_NX, ADDED, ZSet, ZSetCursor } from '../../keyspace/zset.ts'
import type { ZSetKind } from '../../keyspace/zset-kind.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { RDB_ZSET, RDB_ZSET_2, RDB_ZSET_LISTPACK, RDB_ZSET_ZIPLIST } from './format.ts'
import { type RdbInput, RdbString } from './input.ts'
import type { RdbOutput } from './output.ts'
import type { RowReader } from './row-reader.ts'
import type { ReadOptions, ValueReader, ValueWriter } from './value.ts'

export class ZSetWriter implements ValueWriter {
  private readonly kind: ZSetKind
  private readonly set: ZSet
  private readonly cursor = new ZSetCursor()
  private readonly row = new Slice()
  private left = -1
  private memberWritten = false

  constructor(kind: ZSetKind) {
    this.kind = kind
    this.set = new ZSet(kind)
  }

  rdbType(encoding: number): number {
    return encoding === ENC_LISTPACK ? RDB_ZSET_LISTPACK : RDB_ZSET_2
  }

  begin(db: Database, entry: Ref): void {
    this.set.open(db.encodingOf(entry), db.valueOf(entry))
    this.left = -1
    this.memberWritten = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { set, cursor } = this
    if (set.encoding === ENC_LISTPACK) {
      if (this.left < 0) out.element(this.kind.packed.lists.whole(set.value, this.row))
      this.left = 0
      return out.ready(until)
    }
    if (this.left < 0) {
      this.left = set.length
      out.length(this.left)
      set.seekRank(this.left - 1, cursor)
    }
    while (this.left > 0) {
      if (!this.memberWritten) {
        if (!out.ready(until)) return false
        out.element(cursor.member)
        this.memberWritten = true
      }
      // The score of a long member comes when that is through.
      if (!out.ready(Math.max(until, out.pos))) return false
      out.double(cursor.score)
      this.memberWritten = false
      if (--this.left > 0) set.previous(cursor)
    }
    return true
  }
}

export class ZSetReader implements ValueReader {
  empty = false
  private readonly kind: ZSetKind
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly set: ZSet
  private readonly member = new RdbString()
  private readonly text = new Slice()
  private readonly digits = new Slice(new Uint8Array(24), 0, 0)
  private rdbType = 0
  private left = 0
  private memberBytesMax = 0
  private memberBytes = 0

  constructor(kind: ZSetKind, rows: RowReader, options: ReadOptions) {
    this.kind = kind
    this.rows = rows
    this.options = options
    this.set = new ZSet(kind)
  }

  get encoding(): number {
    return this.set.encoding
  }

  get value(): Ref {
    return this.set.value
  }

  begin(rdbType: number, input: RdbInput): void {
    this.rdbType = rdbType
    this.empty = false
    this.left = 0
    this.set.value = 0
    if (rdbType === RDB_ZSET_LISTPACK || rdbType === RDB_ZSET_ZIPLIST) return this.readRow(input)
    this.left = input.length()
    this.empty = this.left === 0
    this.memberBytesMax = this.memberBytes = 0
    this.set.createTree()
    this.set.reserve(input.believable(this.left, 2))
  }

  private readRow(input: RdbInput): void {
    const { rows, set } = this
    const row =
      this.rdbType === RDB_ZSET_LISTPACK ? rows.listpack(input, 'Zset listpack') : rows.ziplist(input, 'Zset ziplist')
    if (row.count % 2 !== 0) input.fail(`${rows.noun} integrity check failed.`)
    this.empty = row.count === 0
    set.open(ENC_LISTPACK, rows.takeListpack(2))
    if (row.count / 2 > this.options.limits.zsetMaxListpackEntries) this.unpack(input)
  }

  /** The listpack is too long for one: becomes a tree. */
  private unpack(input: RdbInput): void {
    const { set, kind } = this
    const row = set.value
    const { packed } = kind
    set.createTree()
    let good = true
    for (let pos = packed.seek(row, 0); pos >= 0 && good; pos = packed.next(row, pos)) {
      const member = packed.member(row, pos, this.text, this.digits)
      good = set.add(member, packed.scoreAfter(row, pos), ADD_NX) === ADDED
    }
    kind.arena.free(row)
    if (!good) input.fail('Duplicate zset fields detected')
  }

  step(input: RdbInput, until: number): boolean {
    const { member, set } = this
    for (; this.left > 0; this.left--) {
      input.mark = input.pos
      if (input.pos > until) return false
      input.string(member)
      const score = this.rdbType === RDB_ZSET ? input.textDouble() : input.double()
      if (Number.isNaN(score)) input.fail('Zset with NAN score detected')
      if (member.len > this.memberBytesMax) this.memberBytesMax = member.len
      this.memberBytes += member.len
      if (set.add(member, score, ADD_NX) !== ADDED) input.fail('Duplicate zset fields detected')
    }
    if (this.rdbType === RDB_ZSET || this.rdbType === RDB_ZSET_2) set.packIfSmall(this.memberBytesMax, this.memberBytes)
    return true
  }

  discard(): void {
    if (this.set.value !== 0) this.set.discard()
  }
}
