// Lists in RDB files and DUMP payloads.
//
//   LIST_QUICKLIST_2   nodes, then for each: 1 and the element, or 2 and a listpack, as strings      (written)
//   LIST_QUICKLIST     nodes, then for each a ziplist
//   LIST_ZIPLIST       one ziplist
//   LIST               count, then the elements

import type { Database } from '../../keyspace/database.ts'
import type { ListKind } from '../../keyspace/list-kind.ts'
import { ENC_LISTPACK, ENC_QUICKLIST } from '../../keyspace/types.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { ListCursor } from '../../memory/list-cursor.ts'
import {
  NODE_PACKED,
  NODE_PLAIN,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
} from './format.ts'
import { type RdbInput, RdbString } from './input.ts'
import type { RdbOutput } from './output.ts'
import type { RowReader } from './row-reader.ts'
import type { ReadOptions, ValueReader, ValueWriter } from './value.ts'

export class ListWriter implements ValueWriter {
  private readonly kind: ListKind
  private readonly cursor = new ListCursor()
  private readonly row = new Slice()
  private encoding = 0
  private value: Ref = 0
  private node: Ref = 0
  private started = false

  constructor(kind: ListKind) {
    this.kind = kind
  }

  rdbType(): number {
    return RDB_LIST_QUICKLIST_2
  }

  begin(db: Database, entry: Ref): void {
    this.encoding = db.encodingOf(entry)
    this.value = db.valueOf(entry)
    this.started = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { quicklists, listpacks } = this.kind
    if (this.encoding === ENC_LISTPACK) {
      if (!this.started) {
        this.started = true
        out.length(1)
        out.length(NODE_PACKED)
        out.element(listpacks.whole(this.value, this.row))
      }
      return out.ready(until)
    }
    if (!this.started) {
      this.started = true
      out.length(quicklists.nodes(this.value))
      this.node = quicklists.firstNode(this.value)
    }
    for (; this.node !== 0; this.node = quicklists.nextNode(this.node)) {
      if (!out.ready(until)) return false
      out.length(quicklists.isPlain(this.node) ? NODE_PLAIN : NODE_PACKED)
      out.element(quicklists.nodeContents(this.node, this.row, this.cursor))
    }
    return out.ready(until)
  }
}

export class ListReader implements ValueReader {
  encoding = ENC_QUICKLIST
  value: Ref = 0
  empty = false
  private readonly kind: ListKind
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly element = new RdbString()
  private readonly push = (text: Slice): void => this.kind.quicklists.pushTail(this.value, text)
  private rdbType = 0
  private left = 0

  constructor(kind: ListKind, rows: RowReader, options: ReadOptions) {
    this.kind = kind
    this.rows = rows
    this.options = options
  }

  begin(rdbType: number, input: RdbInput): void {
    const { listMaxListpackSize, listCompressDepth } = this.options.limits
    this.rdbType = rdbType
    this.encoding = ENC_QUICKLIST
    this.value = 0
    this.left = 0
    if (rdbType === RDB_LIST_ZIPLIST) this.empty = this.rows.ziplist(input, 'List ziplist').count === 0
    else {
      this.left = input.length()
      this.empty = this.left === 0
    }
    this.value = this.kind.quicklists.create(listMaxListpackSize, listCompressDepth)
    if (rdbType === RDB_LIST_ZIPLIST) this.rows.each(this.push)
  }

  step(input: RdbInput, until: number): boolean {
    for (; this.left > 0; this.left--) {
      input.mark = input.pos
      if (input.pos > until) return false
      if (this.rdbType === RDB_LIST) this.push(input.string(this.element))
      else if (this.rdbType === RDB_LIST_QUICKLIST) this.addRow(this.rows.ziplist(input, 'Ziplist').count)
      else this.readNode(input)
    }
    this.finish()
    return true
  }

  private readNode(input: RdbInput): void {
    const container = input.length()
    if (container === NODE_PACKED) return this.addRow(this.rows.listpack(input, 'Listpack').count)
    if (container !== NODE_PLAIN) input.fail('Quicklist integrity check failed.')
    if (input.string(this.element).len === 0) input.fail('Quicklist integrity check failed.')
    this.kind.quicklists.appendPlain(this.value, this.element)
  }

  /** Empty nodes are passed over. */
  private addRow(count: number): void {
    if (count > 0) this.kind.quicklists.appendListpack(this.value, this.rows.takeListpack(0))
  }

  private finish(): void {
    const { quicklists } = this.kind
    this.empty = quicklists.count(this.value) === 0
    if (this.empty || this.rdbType === RDB_LIST_ZIPLIST || quicklists.nodes(this.value) !== 1) return
    const node = quicklists.firstNode(this.value)
    const fill = this.options.limits.listMaxListpackSize
    if (
      quicklists.isPlain(node) ||
      quicklists.exceedsLimit(fill, quicklists.nodeBytes(node), quicklists.count(this.value))
    )
      return
    this.value = quicklists.intoListpack(this.value)
    this.encoding = ENC_LISTPACK
  }

  discard(): void {
    const { value } = this
    if (value !== 0) while (!this.kind.drain(this.encoding, value, 1 << 20));
    this.value = 0
  }
}
