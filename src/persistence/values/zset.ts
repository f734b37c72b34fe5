// The codec of sorted sets. RDB forms:
//
//   ZSET_LISTPACK   the listpack as a string        ZSET_ZIPLIST   the same as a ziplist
//   ZSET_2          count, then member and binary score, the largest first
//   ZSET            count, then member and score as text

import type { Entries } from '../../keyspace/entries.ts'
import { ENC_LISTPACK, TYPE_ZSET } from '../../keyspace/types.ts'
import { ADD_NX, ADDED, ZSet, ZSetCursor } from '../../keyspace/values/zset/zset.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import { formatG17 } from '../../lib/double.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { RDB_ZSET, RDB_ZSET_2, RDB_ZSET_LISTPACK, RDB_ZSET_ZIPLIST } from '../rdb/format.ts'
import { type RdbInput, RdbString } from '../rdb/input.ts'
import type { RdbOutput } from '../rdb/output.ts'
import type { RowReader } from '../rdb/row-reader.ts'
import { ITEMS_MAX, type RewriteOutput } from './rewrite-output.ts'
import {
  type ReadOptions,
  type ValueCodec,
  type ValueReader,
  type ValueRewriter,
  type ValueWriter,
  wholeString,
} from './value-codec.ts'

class ZSetWriter implements ValueWriter {
  private readonly type: ZSetType
  private readonly set: ZSet
  private readonly cursor = new ZSetCursor()
  private readonly row = new Slice()
  private left = -1
  private memberWritten = false

  constructor(type: ZSetType) {
    this.type = type
    this.set = new ZSet(type)
  }

  rdbType(encoding: number): number {
    return encoding === ENC_LISTPACK ? RDB_ZSET_LISTPACK : RDB_ZSET_2
  }

  begin(entries: Entries, entry: Ref): void {
    this.set.open(entries.encodingOf(entry), entries.valueOf(entry))
    this.left = -1
    this.memberWritten = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { set, cursor } = this
    if (set.encoding === ENC_LISTPACK) {
      if (this.left < 0) out.element(this.type.packed.lists.whole(set.value, this.row))
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
      // The score of a long member follows once the member is written.
      if (!out.ready(Math.max(until, out.pos))) return false
      out.double(cursor.score)
      this.memberWritten = false
      if (--this.left > 0) set.previous(cursor)
    }
    return true
  }
}

class ZSetReader implements ValueReader {
  empty = false
  private readonly type: ZSetType
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

  constructor(type: ZSetType, rows: RowReader, options: ReadOptions) {
    this.type = type
    this.rows = rows
    this.options = options
    this.set = new ZSet({ ...type, limits: options.limits })
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
    this.set.reserve(input.plausibleCount(this.left, 2))
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

  /** The listpack exceeds its limits: it becomes a skiplist (ScoreTree and table). */
  private unpack(input: RdbInput): void {
    const { set, type } = this
    const row = set.value
    const { packed } = type
    set.createTree()
    let good = true
    for (let pos = packed.seek(row, 0); pos >= 0 && good; pos = packed.next(row, pos)) {
      const member = packed.member(row, pos, this.text, this.digits)
      good = set.add(member, packed.scoreAfter(row, pos), ADD_NX) === ADDED
    }
    type.arena.free(row)
    if (!good) input.fail('Duplicate zset fields detected')
  }

  step(input: RdbInput, until: number): boolean {
    const { member, set } = this
    for (; this.left > 0; this.left--) {
      input.checkpoint = input.pos
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

class ZSetRewriter implements ValueRewriter {
  private readonly set: ZSet
  private readonly cursor = new ZSetCursor()

  constructor(type: ZSetType) {
    this.set = new ZSet(type)
  }

  *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { set, cursor } = this
    set.open(entries.encodingOf(entry), entries.valueOf(entry))
    set.seekRank(0, cursor)
    for (let left = set.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      to.begin('ZADD', key, items * 2)
      for (let i = 0; i < items; i++) {
        to.out.word(formatG17(cursor.score))
        if (!to.wrote(cursor.member)) yield* to.writePieces(cursor.member)
        set.next(cursor)
      }
      yield
    }
  }
}

export const zsetCodec: ValueCodec = {
  type: TYPE_ZSET,
  forms: [
    {
      rdbType: RDB_ZSET,
      version: 7,
      counted: true,
      skip(input) {
        input.skipString()
        input.textDouble()
      },
    },
    {
      rdbType: RDB_ZSET_2,
      version: 8,
      counted: true,
      skip(input) {
        input.skipString()
        input.double()
      },
    },
    wholeString(RDB_ZSET_ZIPLIST, 7),
    wholeString(RDB_ZSET_LISTPACK, 10),
  ],
  writer: space => new ZSetWriter(ZSetType.of(space)),
  reader: ({ space, rows, options }) => new ZSetReader(ZSetType.of(space), rows, options),
  rewriter: space => new ZSetRewriter(ZSetType.of(space)),
}
