// MemberSet: one set at a time (collection.ts).
//
//   intset      memory/intset.ts, while every member spells an integer
//   listpack    members in insertion order
//   hashtable   memory/table.ts with the entries of field-entry.ts
//
// Always: no member twice; an Element filled here is valid until the set changes.

import { Int64 } from '../../../lib/int64.ts'
import type { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { Element, type ElementSink } from '../../../memory/element.ts'
import type { Intset } from '../../../memory/intset.ts'
import type { Listpack } from '../../../memory/listpack.ts'
import type { HashTable } from '../../../memory/table.ts'
import { TableCursor } from '../../../memory/table-cursor.ts'
import { TableSlot } from '../../../memory/table-slot.ts'
import { ENC_HASHTABLE, ENC_INTSET, ENC_LISTPACK } from '../../types.ts'
import { Collection } from '../shared/collection.ts'
import { newMember, readKey } from '../shared/field-entry.ts'
import { distinctEntries, distinctIndexes } from '../shared/sampling.ts'

/** Limits of the compact encodings; the server's Settings are one. */
export interface SetLimits {
  setMaxIntsetEntries: number
  setMaxListpackEntries: number
  setMaxListpackValue: number
}

/** Shared by all MemberSet objects of a keyspace. */
export interface SetDependencies {
  readonly arena: Arena
  readonly tables: HashTable
  readonly listpacks: Listpack
  readonly intsets: Intset
  readonly limits: SetLimits
  readonly random: () => number
}

const INTSET_MAX = 1 << 30
const INTEGER_BYTES_MAX = 11

export class MemberSet extends Collection {
  /** For callers that iterate and have no element of their own. */
  readonly element = new Element()
  private readonly arena: Arena
  private readonly tables: HashTable
  private readonly slot: TableSlot
  private readonly listpacks: Listpack
  private readonly intsets: Intset
  private readonly limits: SetLimits
  private readonly random: () => number
  private readonly tableCursor: TableCursor
  private readonly integer = new Int64()
  private readonly moved = new Element()
  private place = -1

  constructor(dependencies: SetDependencies) {
    super(ENC_LISTPACK)
    this.arena = dependencies.arena
    this.tables = dependencies.tables
    this.slot = new TableSlot(dependencies.arena)
    this.listpacks = dependencies.listpacks
    this.intsets = dependencies.intsets
    this.limits = dependencies.limits
    this.random = dependencies.random
    this.tableCursor = new TableCursor(dependencies.arena, dependencies.tables)
  }

  // ---- creating ----

  /** A new, empty set, in the encoding for `member` and `count` members in all. */
  create(member: Slice, count: number): this {
    const { setMaxIntsetEntries, setMaxListpackEntries } = this.limits
    if (count <= setMaxIntsetEntries && this.integer.parse(member)) return this.createIntset()
    return count <= setMaxListpackEntries ? this.createListpack() : this.open(ENC_HASHTABLE, this.tables.create())
  }

  createIntset(): this {
    return this.open(ENC_INTSET, this.intsets.create())
  }

  createListpack(): this {
    return this.open(ENC_LISTPACK, this.listpacks.create())
  }

  /** Number of members. */
  get length(): number {
    if (this.encoding === ENC_HASHTABLE) return this.tables.count(this.value)
    return this.encoding === ENC_INTSET ? this.intsets.length(this.value) : this.listpacks.count(this.value)
  }

  // ---- one member ----

  has(member: Slice): boolean {
    if (this.encoding === ENC_HASHTABLE)
      return this.tables.find(this.value, member, this.tables.hash(member), this.slot) !== 0
    if (this.encoding === ENC_INTSET) return this.integer.parse(member) && this.intsets.has(this.value, this.integer)
    return this.listpacks.find(this.value, this.listpacks.first(this.value), member, 0) >= 0
  }

  /** As has(), for an element of another set. */
  hasElement(e: Element): boolean {
    if (!e.isInteger || this.encoding !== ENC_INTSET) return this.has(e.text())
    this.integer.setNumber(e.n)
    return this.intsets.has(this.value, this.integer)
  }

  /** Adds a member; false when it was present. */
  add(member: Slice): boolean {
    if (this.encoding === ENC_HASHTABLE) return this.addToTable(member)
    if (this.encoding === ENC_LISTPACK) return this.addToListpack(member)
    if (this.integer.parse(member)) return this.addInteger()
    this.leaveIntset(member)
    return this.encoding === ENC_HASHTABLE ? this.addToTable(member) : this.addToListpack(member)
  }

  /** As add(), for an element of another set. */
  addElement(e: Element): boolean {
    if (!e.isInteger || this.encoding !== ENC_INTSET) return this.add(e.text())
    this.integer.setNumber(e.n)
    return this.addInteger()
  }

  private addInteger(): boolean {
    this.value = this.intsets.add(this.value, this.integer)
    if (!this.intsets.changed) return false
    if (this.intsets.length(this.value) > this.intsetMax) this.toTable()
    return true
  }

  private addToListpack(member: Slice): boolean {
    const { listpacks, value, limits } = this
    if (listpacks.find(value, listpacks.first(value), member, 0) >= 0) return false
    if (
      listpacks.count(value) >= limits.setMaxListpackEntries ||
      member.len > limits.setMaxListpackValue ||
      !listpacks.isSafeToAdd(value, member.len)
    ) {
      this.toTable()
      return this.addToTable(member)
    }
    this.value = listpacks.append(value, member)
    return true
  }

  private addToTable(member: Slice): boolean {
    const { tables, value } = this
    const hash = tables.hash(member)
    if (tables.find(value, member, hash, this.slot) !== 0) return false
    tables.insert(value, newMember(this.arena, member), hash)
    return true
  }

  /** Removes a member; false when it was absent. */
  remove(member: Slice): boolean {
    const { tables, listpacks, value } = this
    if (this.encoding === ENC_HASHTABLE) {
      const hash = tables.hash(member)
      const entry = tables.find(value, member, hash, this.slot)
      if (entry === 0) return false
      tables.removeAt(value, this.slot)
      this.arena.free(entry)
      return true
    }
    if (this.encoding === ENC_INTSET) return this.integer.parse(member) && this.removeInteger()
    const pos = listpacks.find(value, listpacks.first(value), member, 0)
    if (pos < 0) return false
    this.value = listpacks.delete(value, pos)
    return true
  }

  /** As remove(), for an element of another set. */
  removeElement(e: Element): boolean {
    if (!e.isInteger || this.encoding !== ENC_INTSET) return this.remove(e.text())
    this.integer.setNumber(e.n)
    return this.removeInteger()
  }

  private removeInteger(): boolean {
    this.value = this.intsets.remove(this.value, this.integer)
    return this.intsets.changed
  }

  // ---- encodings ----

  private get intsetMax(): number {
    return Math.min(this.limits.setMaxIntsetEntries, INTSET_MAX)
  }

  /** Chooses the encoding for `count` members about to be added. */
  tryConversion(count: number): void {
    if (this.encoding === ENC_LISTPACK ? count > this.limits.setMaxListpackEntries : false) this.toTable()
    else if (this.encoding === ENC_INTSET && count > this.limits.setMaxIntsetEntries) this.toTable()
  }

  /** Reserves buckets for so many members, if the set is empty. */
  reserve(members: number): void {
    if (this.encoding === ENC_HASHTABLE) this.tables.reserve(this.value, members)
  }

  /** Converts an intset for a member that is no integer. */
  private leaveIntset(member: Slice): void {
    const { intsets, limits, moved, integer, value } = this
    const length = intsets.length(value)
    let longest = 0
    if (length > 0) {
      for (const index of [0, length - 1]) {
        intsets.read(value, index, moved, integer)
        longest = Math.max(longest, moved.text().len)
      }
    }
    const fits =
      length < limits.setMaxListpackEntries &&
      member.len <= limits.setMaxListpackValue &&
      longest <= limits.setMaxListpackValue &&
      length * INTEGER_BYTES_MAX + member.len < INTSET_MAX
    if (!fits) return this.toTable()
    let lp = this.listpacks.create()
    for (let i = 0; i < length; i++) {
      intsets.read(value, i, moved, integer)
      lp = moved.isInteger ? this.listpacks.appendInteger(lp, moved.n) : this.listpacks.append(lp, moved.bytes)
    }
    intsets.free(value)
    this.open(ENC_LISTPACK, lp)
  }

  private toTable(): void {
    const { tables, moved } = this
    const old = this.value
    const oldEncoding = this.encoding
    const table = tables.create()
    this.rewind()
    while (this.next(moved)) {
      const member = moved.text()
      tables.insert(table, newMember(this.arena, member), tables.hash(member))
    }
    this.open(oldEncoding, old).discard()
    this.open(ENC_HASHTABLE, table)
  }

  /** All members spell integers: becomes an intset if it is small enough for one. */
  toIntset(): void {
    if (this.encoding === ENC_INTSET || this.length > this.intsetMax) return
    const { intsets, integer, moved } = this
    let is = intsets.create()
    this.rewind()
    while (this.next(moved)) {
      if (moved.isInteger) integer.setNumber(moved.n)
      else integer.parse(moved.bytes)
      is = intsets.add(is, integer)
    }
    this.discard()
    this.open(ENC_INTSET, is)
  }

  /** Passes every member, if the set is a listpack; false: it is none. */
  emitPacked(sink: ElementSink): boolean {
    if (this.encoding !== ENC_LISTPACK) return false
    this.listpacks.emitAll(this.value, sink)
    return true
  }

  // ---- iteration; the set has one cursor ----

  /** next() returns the first member. */
  rewind(): void {
    if (this.encoding === ENC_HASHTABLE) this.tableCursor.open(this.value)
    else if (this.encoding === ENC_INTSET) this.place = 0
    else this.place = this.listpacks.first(this.value)
  }

  /** Fills `e` with the next member; false at the end. */
  next(e: Element): boolean {
    if (this.encoding === ENC_HASHTABLE) {
      const entry = this.tableCursor.next()
      if (entry === 0) return false
      readKey(this.arena, entry, e)
    } else if (this.encoding === ENC_INTSET) {
      if (this.place >= this.intsets.length(this.value)) return false
      this.intsets.read(this.value, this.place++, e, this.integer)
    } else {
      if (this.place < 0) return false
      this.listpacks.read(this.value, this.place, e)
      this.place = this.listpacks.next(this.value, this.place)
    }
    return true
  }

  /** Fills `e` with a random member, which removeSampled() may remove; the set is not empty. */
  sample(e: Element): void {
    if (this.encoding === ENC_HASHTABLE) {
      this.place = this.tables.random(this.value, this.random)
      readKey(this.arena, this.place, e)
    } else if (this.encoding === ENC_INTSET) {
      this.place = this.random() % this.intsets.length(this.value)
      this.intsets.read(this.value, this.place, e, this.integer)
    } else {
      this.place = this.listpacks.seek(this.value, this.random() % this.listpacks.count(this.value))
      this.listpacks.read(this.value, this.place, e)
    }
  }

  /** Removes the member that sample() returned. */
  removeSampled(): void {
    if (this.encoding === ENC_INTSET) this.value = this.intsets.removeAt(this.value, this.place)
    else if (this.encoding === ENC_LISTPACK) this.value = this.listpacks.delete(this.value, this.place)
    else {
      const hash = this.tables.hashOf(this.place)
      this.tables.findRef(this.value, this.place, hash, this.slot)
      this.tables.removeAt(this.value, this.slot)
      this.arena.free(this.place)
    }
  }

  /** Calls `visit` for `count` (fewer than there are) different random members, each in `e`. */
  sampleDistinct(count: number, e: Element, visit: () => void): void {
    if (this.encoding === ENC_HASHTABLE) {
      for (const entry of distinctEntries(this.tables, this.tableCursor, this.value, count, this.random)) {
        readKey(this.arena, entry, e)
        visit()
      }
      return
    }
    const indexes = distinctIndexes(this.length, count, this.random)
    if (this.encoding === ENC_INTSET) {
      for (const index of indexes) {
        this.intsets.read(this.value, index, e, this.integer)
        visit()
      }
      return
    }
    const { listpacks } = this
    let pos = listpacks.first(this.value)
    let at = 0
    for (const index of indexes) {
      pos = listpacks.forward(this.value, pos, index - at)
      at = index
      listpacks.read(this.value, pos, e)
      visit()
    }
  }

  /** As sampleDistinct(), and removes them. */
  popDistinct(count: number, e: Element, visit: () => void): void {
    if (this.encoding !== ENC_LISTPACK) {
      for (let left = count; left > 0; left--) {
        this.sample(e)
        visit()
        this.removeSampled()
      }
      return
    }
    const { listpacks } = this
    let pos = listpacks.first(this.value)
    let at = 0
    for (const index of distinctIndexes(this.length, count, this.random)) {
      for (; at < index; at++) pos = listpacks.next(this.value, pos)
      listpacks.read(this.value, pos, e)
      visit()
      this.value = listpacks.delete(this.value, pos)
      at++
    }
  }

  /** A table's next bucket (HashTable.scan); the refs are valid until the set changes. */
  scan(cursor: number, visit: (entry: Ref) => void): number {
    return this.tables.scan(this.value, cursor, visit)
  }

  readEntry(entry: Ref, e: Element): void {
    readKey(this.arena, entry, e)
  }

  /** Frees a value that belongs to no key. */
  discard(): void {
    if (this.encoding !== ENC_HASHTABLE) return this.arena.free(this.value)
    while (!this.tables.drain(this.value, 1 << 20, entry => this.arena.free(entry)));
  }
}
