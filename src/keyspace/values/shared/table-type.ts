// The base of the types of hashes and sets: a value is either one allocation or a table of entries.

import type { Arena, Ref } from '../../../memory/arena.ts'
import type { HashTable } from '../../../memory/table.ts'
import { TableCursor } from '../../../memory/table-cursor.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_HASHTABLE } from '../../types.ts'
import type { ValueType } from '../../value-type.ts'
import type { RelocationCursor } from './relocation.ts'

const CHUNKS_AT_ONCE = 16
const BUCKETS_AT_ONCE = 64

export abstract class TableType implements ValueType {
  abstract readonly id: number
  abstract readonly name: string
  abstract readonly encodingNames: readonly (string | undefined)[]
  readonly announcesRemoval = false
  readonly arena: Arena
  readonly tables: HashTable
  /** Unsigned 32-bit integers. */
  readonly random: () => number
  private readonly tableCursor: TableCursor

  constructor(space: Keyspace) {
    this.arena = space.arena
    this.tables = space.fieldTables
    this.random = space.random
    this.tableCursor = new TableCursor(this.arena, this.tables)
  }

  freeEffort(encoding: number, value: Ref): number {
    return encoding === ENC_HASHTABLE ? this.tables.count(value) : 1
  }

  freeStep(encoding: number, value: Ref, limit: number): boolean {
    if (encoding === ENC_HASHTABLE) return this.tables.drain(value, limit, this.freeEntry)
    this.arena.free(value)
    return true
  }

  private readonly freeEntry = (entry: Ref): void => this.arena.free(entry)

  copy(encoding: number, value: Ref): Ref {
    const { arena, tables } = this
    if (encoding !== ENC_HASHTABLE) return arena.duplicate(value)
    const table = tables.create()
    tables.reserve(table, tables.count(value))
    this.tableCursor.open(value)
    for (let entry = this.tableCursor.next(); entry !== 0; entry = this.tableCursor.next()) {
      const copy = arena.duplicate(entry)
      tables.insert(table, copy, tables.hashOf(copy))
    }
    return table
  }

  abstract digest(entries: Entries, entry: Ref, into: Digest): void

  memory(encoding: number, value: Ref, samples: number): number {
    if (encoding !== ENC_HASHTABLE) return this.arena.sizeOf(value)
    let looked = 0
    let bytes = 0
    this.tableCursor.open(value)
    for (let entry = this.tableCursor.next(); entry !== 0; entry = this.tableCursor.next()) {
      if (samples > 0 && looked === samples) break
      looked++
      bytes += this.arena.sizeOf(entry)
    }
    const entries = looked === 0 ? 0 : Math.round((bytes / looked) * this.tables.count(value))
    return this.tables.bytes(value) + entries
  }

  /** First the table's memory, then the entries, bucket by bucket. */
  relocatePart(encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    const { arena, tables } = this
    const moved = arena.relocate(value)
    if (encoding !== ENC_HASHTABLE) cursor.done = true
    else if (cursor.stage === 0) cursor.advance(tables.relocateChunks(moved, cursor.at, CHUNKS_AT_ONCE))
    else {
      const buckets = tables.buckets(moved)
      const end = Math.min(buckets, cursor.at + BUCKETS_AT_ONCE)
      for (; cursor.at < end; cursor.at++) tables.mapBucket(moved, cursor.at, this.relocateEntry)
      cursor.done = cursor.at >= buckets
    }
    return moved
  }

  private readonly relocateEntry = (entry: Ref): Ref => this.arena.relocate(entry)
}
