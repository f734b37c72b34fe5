// The codec of lists. RDB forms:
//
//   LIST_QUICKLIST_2   nodes, then for each: 1 and the element, or 2 and a listpack, as strings      (written)
//   LIST_QUICKLIST     nodes, then for each a ziplist
//   LIST_ZIPLIST       one ziplist
//   LIST               count, then the elements

import type { Entries } from '../../keyspace/entries.ts'
import { ENC_LISTPACK, ENC_QUICKLIST, TYPE_LIST } from '../../keyspace/types.ts'
import { List } from '../../keyspace/values/list/list.ts'
import { ListType } from '../../keyspace/values/list/list-type.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { ListCursor } from '../../memory/list-cursor.ts'
import {
  NODE_PACKED,
  NODE_PLAIN,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
} from '../rdb/format.ts'
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

class ListWriter implements ValueWriter {
  private readonly type: ListType
  private readonly cursor = new ListCursor()
  private readonly row = new Slice()
  private encoding = 0
  private value: Ref = 0
  private node: Ref = 0
  private started = false

  constructor(type: ListType) {
    this.type = type
  }

  rdbType(): number {
    return RDB_LIST_QUICKLIST_2
  }

  begin(entries: Entries, entry: Ref): void {
    this.encoding = entries.encodingOf(entry)
    this.value = entries.valueOf(entry)
    this.started = false
  }

  step(out: RdbOutput, until: number): boolean {
    const { quicklists, listpacks } = this.type
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

class ListReader implements ValueReader {
  encoding = ENC_QUICKLIST
  value: Ref = 0
  empty = false
  private readonly type: ListType
  private readonly rows: RowReader
  private readonly options: ReadOptions
  private readonly element = new RdbString()
  private readonly push = (text: Slice): void => this.type.quicklists.pushTail(this.value, text)
  private rdbType = 0
  private left = 0

  constructor(type: ListType, rows: RowReader, options: ReadOptions) {
    this.type = type
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
    this.value = this.type.quicklists.create(listMaxListpackSize, listCompressDepth)
    if (rdbType === RDB_LIST_ZIPLIST) this.rows.each(this.push)
  }

  step(input: RdbInput, until: number): boolean {
    for (; this.left > 0; this.left--) {
      input.checkpoint = input.pos
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
    this.type.quicklists.appendPlain(this.value, this.element)
  }

  /** Empty nodes are skipped. */
  private addRow(count: number): void {
    if (count > 0) this.type.quicklists.appendListpack(this.value, this.rows.takeListpack(0))
  }

  private finish(): void {
    const { quicklists } = this.type
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
    if (value !== 0) while (!this.type.freeStep(this.encoding, value, 1 << 20));
    this.value = 0
  }
}

class ListRewriter implements ValueRewriter {
  private readonly list: List
  private readonly element = new Element()

  constructor({ listpacks, quicklists, limits }: ListType) {
    this.list = new List({ listpacks, quicklists, limits, cursor: new ListCursor() })
  }

  *rewrite(key: Slice, entries: Entries, entry: Ref, to: RewriteOutput): Generator<void, void, void> {
    const { list, element } = this
    list.open(entries.encodingOf(entry), entries.valueOf(entry))
    list.seek(0, true)
    for (let left = list.length; left > 0; left -= ITEMS_MAX) {
      const items = Math.min(left, ITEMS_MAX)
      to.begin('RPUSH', key, items)
      for (let i = 0; i < items; i++) {
        list.next(element)
        const text = element.text()
        if (!to.wrote(text)) yield* to.writePieces(text)
      }
      yield
    }
  }
}

export const listCodec: ValueCodec = {
  type: TYPE_LIST,
  forms: [
    countedStrings(RDB_LIST, 7, 1),
    wholeString(RDB_LIST_ZIPLIST, 7),
    countedStrings(RDB_LIST_QUICKLIST, 7, 1),
    {
      rdbType: RDB_LIST_QUICKLIST_2,
      version: 10,
      counted: true,
      skip(input) {
        input.length()
        input.skipString()
      },
    },
  ],
  writer: space => new ListWriter(ListType.of(space)),
  reader: ({ space, rows, options }) => new ListReader(ListType.of(space), rows, options),
  rewriter: space => new ListRewriter(ListType.of(space)),
}
