// List: one list at a time (collection.ts).
//
//   listpack    a listpack, as long as it fits into one node of a quicklist
//   quicklist   memory/quicklist.ts
//
// Always: an Element filled here is valid until the list changes.

import type { Slice } from '../../../lib/slice.ts'
import type { Element, ElementSink } from '../../../memory/element.ts'
import type { ListCursor } from '../../../memory/list-cursor.ts'
import type { Listpack } from '../../../memory/listpack.ts'
import type { Quicklist } from '../../../memory/quicklist.ts'
import { ENC_LISTPACK, ENC_QUICKLIST } from '../../types.ts'
import { Collection } from '../shared/collection.ts'

/** Limits of the listpack encoding; the server's Settings are one. */
export interface ListLimits {
  listMaxListpackSize: number
  listCompressDepth: number
}

/** Shared by all List objects of a keyspace. */
export interface ListDependencies {
  readonly listpacks: Listpack
  readonly quicklists: Quicklist
  readonly limits: ListLimits
  readonly cursor: ListCursor
}

/** Nodes of up to 8 KiB. */
const DEFAULT_FILL = -2

export class List extends Collection {
  private readonly listpacks: Listpack
  private readonly quicklists: Quicklist
  private readonly limits: ListLimits
  private readonly cursor: ListCursor

  constructor(dependencies: ListDependencies) {
    super(ENC_LISTPACK)
    this.listpacks = dependencies.listpacks
    this.quicklists = dependencies.quicklists
    this.limits = dependencies.limits
    this.cursor = dependencies.cursor
  }

  /** A new, empty list. */
  create(): this {
    return this.open(ENC_LISTPACK, this.listpacks.create())
  }

  /** A new list of nodes with the default limit, whatever is configured: what SORT stores. compact() follows. */
  createQuicklist(): this {
    return this.open(ENC_QUICKLIST, this.quicklists.create(DEFAULT_FILL, 0))
  }

  get length(): number {
    return this.encoding === ENC_QUICKLIST ? this.quicklists.count(this.value) : this.listpacks.count(this.value)
  }

  /** Chooses the encoding for `count` elements of `bytes` bytes in all about to be added. */
  tryConversion(count: number, bytes: number): void {
    if (this.encoding === ENC_QUICKLIST) return
    const { listpacks, quicklists, limits, value } = this
    const length = listpacks.count(value)
    if (!quicklists.exceedsLimit(limits.listMaxListpackSize, listpacks.bytes(value) + bytes, length + count)) return
    const q = quicklists.create(limits.listMaxListpackSize, limits.listCompressDepth)
    if (length > 0) quicklists.appendListpack(q, value)
    else listpacks.free(value)
    this.open(ENC_QUICKLIST, q)
  }

  /** After elements were removed or replaced: a list of at most half a node becomes a listpack again. */
  shrink(): void {
    this.fold(0.5)
  }

  /** A list that was made with createQuicklist(), and is within a node, becomes a listpack. */
  compact(): void {
    this.fold(1)
  }

  private fold(share: number): void {
    if (this.encoding !== ENC_QUICKLIST || this.quicklists.nodes(this.value) !== 1) return
    if (this.quicklists.isShort(this.value, this.limits.listMaxListpackSize, share))
      this.open(ENC_LISTPACK, this.quicklists.intoListpack(this.value))
  }

  // ---- both ends ----

  push(s: Slice, atHead: boolean): void {
    if (this.encoding === ENC_QUICKLIST) {
      if (atHead) this.quicklists.pushHead(this.value, s)
      else this.quicklists.pushTail(this.value, s)
    } else this.value = atHead ? this.listpacks.prepend(this.value, s) : this.listpacks.append(this.value, s)
  }

  /** Fills `e` with the first or last element; the list is not empty. */
  peek(atHead: boolean, e: Element): void {
    if (this.encoding === ENC_QUICKLIST) {
      if (atHead) this.quicklists.first(this.value, e)
      else this.quicklists.last(this.value, e)
    } else {
      const pos = atHead ? this.listpacks.first(this.value) : this.listpacks.last(this.value)
      this.listpacks.read(this.value, pos, e)
    }
  }

  /** Removes the first or last element; the list is not empty. */
  drop(atHead: boolean): void {
    if (this.encoding === ENC_QUICKLIST) {
      if (atHead) this.quicklists.dropFirst(this.value)
      else this.quicklists.dropLast(this.value)
    } else {
      const pos = atHead ? this.listpacks.first(this.value) : this.listpacks.last(this.value)
      this.value = this.listpacks.delete(this.value, pos)
    }
  }

  // ---- iteration; the list has one cursor ----

  /** next() returns element `index` (0 … length - 1) and those after (or, backwards, before) it. */
  seek(index: number, forward: boolean): void {
    if (this.encoding === ENC_QUICKLIST) this.quicklists.open(this.value, index, forward, this.cursor)
    else this.quicklists.openListpackAt(this.value, index, this.length, forward, this.cursor)
  }

  next(e: Element): boolean {
    return this.quicklists.next(this.cursor, e)
  }

  /** Calls next() until the element is `s`. */
  nextEqual(s: Slice): boolean {
    return this.quicklists.nextEqual(this.cursor, s)
  }

  /** How many elements are between the one that seek() named and the one that next() or nextEqual() returned. */
  get passed(): number {
    return this.cursor.passed
  }

  /** Passes `count` elements, which there are, from element `index` on. */
  emit(index: number, count: number, sink: ElementSink): void {
    this.seek(index, true)
    this.quicklists.emit(this.cursor, count, sink)
  }

  /** True when the element that next() returned is `s`. */
  isAt(s: Slice): boolean {
    return this.quicklists.equals(this.cursor, s)
  }

  /** Removes the element that next() returned; next() continues with the following one. settle() at the end. */
  removeHere(): void {
    const { cursor, listpacks } = this
    if (this.encoding === ENC_QUICKLIST) return this.quicklists.deleteAt(this.value, cursor)
    const pos = cursor.pos
    const before = cursor.forward ? -1 : listpacks.prev(this.value, pos)
    this.value = listpacks.delete(this.value, pos)
    const following = cursor.forward ? listpacks.elementAt(this.value, pos) : before
    this.quicklists.resumeListpackAt(cursor, this.value, following)
  }

  /** Ends an iteration that removed elements. */
  settle(): void {
    if (this.encoding === ENC_QUICKLIST) this.quicklists.settle(this.cursor)
  }

  /** Inserts `s` before or after the element that next() returned; ends the iteration. */
  insertHere(s: Slice, after: boolean): void {
    const { cursor, listpacks, value } = this
    if (this.encoding === ENC_QUICKLIST) this.quicklists.insertAt(value, cursor, s, after)
    else this.value = after ? listpacks.insertAfter(value, cursor.pos, s) : listpacks.insertBefore(value, cursor.pos, s)
  }

  // ---- by index ----

  /** Replaces element `index` (0 … length - 1) by `s`. */
  replace(index: number, s: Slice, e: Element): void {
    this.seek(index, true)
    this.next(e)
    if (this.encoding === ENC_QUICKLIST) this.quicklists.replaceAt(this.value, this.cursor, s)
    else this.value = this.listpacks.replace(this.value, this.cursor.pos, s)
  }

  /** Removes `count` elements from element `index` on. */
  removeRange(index: number, count: number): void {
    if (count <= 0) return
    if (this.encoding === ENC_QUICKLIST) this.quicklists.deleteRange(this.value, index, count, this.cursor)
    else this.value = this.listpacks.deleteRange(this.value, index, count)
  }

  /** Frees a value that belongs to no key. */
  discard(): void {
    if (this.encoding === ENC_LISTPACK) this.listpacks.free(this.value)
    else while (!this.quicklists.drain(this.value, 1 << 20));
  }
}
