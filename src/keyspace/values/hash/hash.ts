// Hash: one hash at a time (collection.ts).
//
//   listpack    field, value, field, value … in insertion order
//   hashtable   memory/table.ts with the entries of field-entry.ts
//
// Always: no field twice; an Element filled here is valid until the hash changes.

import type { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { Element, type ElementSink } from '../../../memory/element.ts'
import type { Listpack } from '../../../memory/listpack.ts'
import type { HashTable } from '../../../memory/table.ts'
import { TableCursor } from '../../../memory/table-cursor.ts'
import { TableSlot } from '../../../memory/table-slot.ts'
import { ENC_HASHTABLE, ENC_LISTPACK } from '../../types.ts'
import { Collection } from '../shared/collection.ts'
import { newField, readKey, readValue, withValue } from '../shared/field-entry.ts'
import { distinctEntries, distinctIndexes } from '../shared/sampling.ts'

/** Limits of the listpack encoding; the server's Settings are one. */
export interface HashLimits {
  hashMaxListpackEntries: number
  hashMaxListpackValue: number
}

/** Shared by all Hash objects of a keyspace. */
export interface HashDependencies {
  readonly arena: Arena
  readonly tables: HashTable
  readonly listpacks: Listpack
  readonly limits: HashLimits
  readonly random: () => number
}

export class Hash extends Collection {
  private readonly arena: Arena
  private readonly tables: HashTable
  private readonly slot: TableSlot
  private readonly listpacks: Listpack
  private readonly limits: HashLimits
  private readonly random: () => number
  private readonly tableCursor: TableCursor
  private pos = -1
  private readonly from = new Element()
  private readonly to = new Element()

  constructor(dependencies: HashDependencies) {
    super(ENC_LISTPACK)
    this.arena = dependencies.arena
    this.tables = dependencies.tables
    this.slot = new TableSlot(dependencies.arena)
    this.listpacks = dependencies.listpacks
    this.limits = dependencies.limits
    this.random = dependencies.random
    this.tableCursor = new TableCursor(dependencies.arena, dependencies.tables)
  }

  /** A new, empty hash. */
  create(): this {
    return this.open(ENC_LISTPACK, this.listpacks.create())
  }

  /** Number of fields. */
  get length(): number {
    return this.encoding === ENC_HASHTABLE ? this.tables.count(this.value) : this.listpacks.count(this.value) >>> 1
  }

  // ---- one field ----

  /** Fills `e` with the value of a field; false when there is none. */
  get(field: Slice, e: Element): boolean {
    if (this.encoding === ENC_HASHTABLE) {
      const entry = this.tables.find(this.value, field, this.tables.hash(field), this.slot)
      if (entry === 0) return false
      readValue(this.arena, entry, e)
      return true
    }
    const { listpacks, value } = this
    const pos = listpacks.find(value, listpacks.first(value), field, 1)
    if (pos < 0) return false
    listpacks.read(value, listpacks.next(value, pos), e)
    return true
  }

  has(field: Slice): boolean {
    if (this.encoding === ENC_HASHTABLE)
      return this.tables.find(this.value, field, this.tables.hash(field), this.slot) !== 0
    return this.listpacks.find(this.value, this.listpacks.first(this.value), field, 1) >= 0
  }

  /** Sets a field; true when it is new. */
  set(field: Slice, text: Slice): boolean {
    if (this.encoding === ENC_LISTPACK) {
      const max = this.limits.hashMaxListpackValue
      if (field.len <= max && text.len <= max) return this.setPacked(field, text)
      this.toTable()
    }
    const { tables, value } = this
    const hash = tables.hash(field)
    const entry = tables.find(value, field, hash, this.slot)
    if (entry === 0) {
      tables.insert(value, newField(this.arena, field, text), hash)
      return true
    }
    const fresh = withValue(this.arena, entry, field, text)
    if (fresh !== entry) {
      tables.replaceAt(this.slot, fresh)
      this.arena.free(entry)
    }
    return false
  }

  /** Appends a field to a listpack, whether it is there or not; false where set() must be used. */
  append(field: Slice, text: Slice): boolean {
    const { listpacks, limits } = this
    const max = limits.hashMaxListpackValue
    if (this.encoding !== ENC_LISTPACK || field.len > max || text.len > max) return false
    if (this.length >= limits.hashMaxListpackEntries || !listpacks.isSafeToAdd(this.value, field.len + text.len))
      return false
    this.value = listpacks.append(listpacks.append(this.value, field), text)
    return true
  }

  private setPacked(field: Slice, text: Slice): boolean {
    const { listpacks } = this
    const pos = listpacks.find(this.value, listpacks.first(this.value), field, 1)
    if (pos >= 0) this.value = listpacks.replace(this.value, listpacks.next(this.value, pos), text)
    else this.value = listpacks.append(listpacks.append(this.value, field), text)
    // As in Redis also when a field was there: the limit may have been lowered.
    if (this.length > this.limits.hashMaxListpackEntries) this.toTable()
    return pos < 0
  }

  /** Removes a field; false when there is none. */
  remove(field: Slice): boolean {
    const { listpacks, tables, value } = this
    if (this.encoding === ENC_HASHTABLE) {
      const hash = tables.hash(field)
      const entry = tables.find(value, field, hash, this.slot)
      if (entry === 0) return false
      tables.removeAt(value, this.slot)
      this.arena.free(entry)
      return true
    }
    const pos = listpacks.find(value, listpacks.first(value), field, 1)
    if (pos < 0) return false
    this.value = listpacks.deleteAt(value, pos, 2)
    return true
  }

  // ---- encodings ----

  /** Chooses the encoding for fields about to be set: their number, the longest text, the bytes in all. */
  tryConversion(fields: number, longest: number, bytes: number): void {
    if (this.encoding === ENC_HASHTABLE) return
    const { hashMaxListpackEntries, hashMaxListpackValue } = this.limits
    if (fields > hashMaxListpackEntries || longest > hashMaxListpackValue) this.toTable()
    else if (!this.listpacks.isSafeToAdd(this.value, bytes)) this.toTable()
  }

  /** Reserves buckets for so many fields, if the hash is empty. */
  reserve(fields: number): void {
    if (this.encoding === ENC_HASHTABLE) this.tables.reserve(this.value, fields)
  }

  private toTable(): void {
    const { listpacks, tables, from, to } = this
    const packed = this.value
    const table = tables.create()
    for (let pos = listpacks.first(packed); pos >= 0; pos = listpacks.next(packed, pos)) {
      listpacks.read(packed, pos, from)
      pos = listpacks.next(packed, pos)
      listpacks.read(packed, pos, to)
      const field = from.text()
      tables.insert(table, newField(this.arena, field, to.text()), tables.hash(field))
    }
    listpacks.free(packed)
    this.open(ENC_HASHTABLE, table)
  }

  /** Passes every field and its value, if the hash is a listpack; false: it is none. */
  emitPacked(sink: ElementSink): boolean {
    if (this.encoding !== ENC_LISTPACK) return false
    this.listpacks.emitAll(this.value, sink)
    return true
  }

  // ---- iteration; the hash has one cursor ----

  /** next() returns the first field. */
  rewind(): void {
    if (this.encoding === ENC_HASHTABLE) this.tableCursor.open(this.value)
    else this.pos = this.listpacks.first(this.value)
  }

  /** Fills `field` and `text` with the next field and its value; false at the end. */
  next(field: Element, text: Element): boolean {
    if (this.encoding === ENC_HASHTABLE) {
      const entry = this.tableCursor.next()
      if (entry === 0) return false
      readKey(this.arena, entry, field)
      readValue(this.arena, entry, text)
      return true
    }
    if (this.pos < 0) return false
    const { listpacks, value } = this
    listpacks.read(value, this.pos, field)
    const pos = listpacks.next(value, this.pos)
    listpacks.read(value, pos, text)
    this.pos = listpacks.next(value, pos)
    return true
  }

  /** Fills `field` and `text` with a random field; the hash is not empty. */
  sample(field: Element, text: Element): void {
    if (this.encoding === ENC_HASHTABLE) {
      const entry = this.tables.random(this.value, this.random)
      readKey(this.arena, entry, field)
      readValue(this.arena, entry, text)
      return
    }
    const { listpacks, value } = this
    const pos = listpacks.seek(value, (this.random() % this.length) * 2)
    listpacks.read(value, pos, field)
    listpacks.read(value, listpacks.next(value, pos), text)
  }

  /** Calls `visit` for `count` (fewer than there are) different random fields, each in `field` and `text`. */
  sampleDistinct(count: number, field: Element, text: Element, visit: () => void): void {
    if (this.encoding === ENC_HASHTABLE) {
      for (const entry of distinctEntries(this.tables, this.tableCursor, this.value, count, this.random)) {
        this.readEntry(entry, field, text)
        visit()
      }
      return
    }
    this.rewind()
    let at = 0
    for (const index of distinctIndexes(this.length, count, this.random)) {
      for (; at <= index; at++) this.next(field, text)
      visit()
    }
  }

  /** A table's next bucket (HashTable.scan); the refs are valid until the hash changes. */
  scan(cursor: number, visit: (entry: Ref) => void): number {
    return this.tables.scan(this.value, cursor, visit)
  }

  readEntry(entry: Ref, field: Element, text: Element): void {
    readKey(this.arena, entry, field)
    readValue(this.arena, entry, text)
  }

  /** Frees a value that belongs to no key. */
  discard(): void {
    if (this.encoding === ENC_LISTPACK) return this.listpacks.free(this.value)
    while (!this.tables.drain(this.value, 1 << 20, entry => this.arena.free(entry)));
  }
}
