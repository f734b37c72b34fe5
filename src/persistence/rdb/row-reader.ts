// RowReader: reads the packed row of a small collection and makes a listpack of it.
//
// Always: the listpack is safe to iterate; with options.deep it also has no duplicates.

import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import type { Listpack } from '../../memory/listpack.ts'
import type { ReadOptions } from '../values/value-codec.ts'
import { type RdbInput, RdbString } from './input.ts'
import { ListpackRow, type PackedRow, ZiplistRow, ZipmapRow } from './packed-row.ts'

export class RowReader {
  /** The format of the last row, for error messages. */
  noun = ''
  private readonly listpacks: Listpack
  private readonly options: ReadOptions
  private readonly bytes = new RdbString()
  private readonly element = new Element()
  private readonly listpackRow: ListpackRow
  private readonly ziplistRow: ZiplistRow
  private readonly zipmapRow: ZipmapRow
  private row: PackedRow
  private input: RdbInput | undefined

  constructor(listpacks: Listpack, options: ReadOptions) {
    this.listpacks = listpacks
    this.options = options
    this.listpackRow = new ListpackRow(listpacks, new Slice())
    this.ziplistRow = new ZiplistRow(new Slice())
    this.zipmapRow = new ZipmapRow(new Slice())
    this.row = this.listpackRow
  }

  listpack(input: RdbInput, noun: string): PackedRow {
    return this.read(input, this.listpackRow, noun)
  }

  ziplist(input: RdbInput, noun: string): PackedRow {
    return this.read(input, this.ziplistRow, noun)
  }

  zipmap(input: RdbInput, noun: string): PackedRow {
    return this.read(input, this.zipmapRow, noun)
  }

  private read(input: RdbInput, row: PackedRow, noun: string): PackedRow {
    this.input = input
    this.noun = noun
    input.string(this.bytes)
    if (!row.open(this.bytes)) this.broken()
    this.row = row
    return row
  }

  private broken(): never {
    return this.input!.fail(`${this.noun} integrity check failed.`)
  }

  /** The last row as a listpack. `stride`: the first of every `stride` elements must be unique; 0: no check. */
  takeListpack(stride: number): Ref {
    const { row, listpacks, element, options } = this
    // When converting from another format Redis always checks for duplicates.
    if (stride > 0 && (options.deep || row !== this.listpackRow)) {
      if (options.deep) options.sanitizations++
      this.checkUnique(stride)
    }
    if (row === this.listpackRow) return listpacks.fromBytes(this.bytes)
    row.open(this.bytes)
    let lp = listpacks.create(this.bytes.len)
    while (row.next(element)) lp = listpacks.append(lp, element.text())
    return lp
  }

  private checkUnique(stride: number): void {
    const { row, element } = this
    const seen = new Set<string>()
    row.open(this.bytes)
    for (let i = 0; row.next(element); i++) if (i % stride === 0) seen.add(element.text().latin1())
    if (seen.size < Math.ceil(row.count / stride)) this.broken()
  }

  /** Calls `visit` with each element of the last row. */
  each(visit: (text: Slice) => void): void {
    const { row, element } = this
    row.open(this.bytes)
    while (row.next(element)) visit(element.text())
  }
}
