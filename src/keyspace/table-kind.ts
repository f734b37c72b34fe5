// What the kinds of hashes and sets share: a value that is either one allocation or a table of entries.

import type { Arena, Ref } from '../memory/arena.ts'
import type { HashTable } from '../memory/table.ts'
import { TableCursor } from '../memory/table-cursor.ts'
import type { Keyspace, ValueKind } from './keyspace.ts'
import { RelocationWalk, relocateWhole } from './relocation.ts'
import { ENC_HASHTABLE } from './types.ts'

const CHUNKS_AT_ONCE = 16
const BUCKETS_AT_ONCE = 64

export abstract class TableKind implements ValueKind {
  readonly arena: Arena
  readonly tables: HashTable
  /** Unsigned 32-bit integers. */
  readonly random: () => number
  private readonly walker: TableCursor
  private readonly walk = new RelocationWalk()

  constructor(space: Keyspace) {
    this.arena = space.arena
    this.tables = space.fieldTables
    this.random = space.random
    this.walker = new TableCursor(this.arena, this.tables)
  }

  freeEffort(encoding: number, value: Ref): number {
    return encoding === ENC_HASHTABLE ? this.tables.count(value) : 1
  }

  drain(encoding: number, value: Ref, limit: number): boolean {
    if (encoding === ENC_HASHTABLE) return this.tables.drain(value, limit, this.freeEntry)
    this.arena.free(value)
    return true
  }

  private readonly freeEntry = (entry: Ref): void => this.arena.free(entry)

  copy(encoding: number, value: Ref): Ref {
    const { arena, tables } = this
    if (encoding !== ENC_HASHTABLE) return this.twin(value)
    const table = tables.create()
    this.walker.open(value)
    for (let entry = this.walker.next(); entry !== 0; entry = this.walker.next()) {
      const twin = arena.alloc(arena.sizeOf(entry))
      arena.copy(twin, 0, entry, 0, arena.sizeOf(entry))
      tables.insert(table, twin, tables.hashOf(twin))
    }
    return table
  }

  private twin(value: Ref): Ref {
    const size = this.arena.sizeOf(value)
    const fresh = this.arena.alloc(size)
    this.arena.copy(fresh, 0, value, 0, size)
    return fresh
  }

  memory(encoding: number, value: Ref, samples: number): number {
    if (encoding !== ENC_HASHTABLE) return this.arena.sizeOf(value)
    let looked = 0
    let bytes = 0
    this.walker.open(value)
    for (let entry = this.walker.next(); entry !== 0; entry = this.walker.next()) {
      if (samples > 0 && looked === samples) break
      looked++
      bytes += this.arena.sizeOf(entry)
    }
    const entries = looked === 0 ? 0 : Math.round((bytes / looked) * this.tables.count(value))
    return this.tables.bytes(value) + entries
  }

  relocate(encoding: number, value: Ref): Ref {
    return relocateWhole(this, this.walk, encoding, value)
  }

  /** First the table's own memory, then the entries, bucket by bucket. */
  relocatePart(encoding: number, value: Ref, walk: RelocationWalk): Ref {
    const { arena, tables } = this
    const moved = arena.relocate(value)
    if (encoding !== ENC_HASHTABLE) walk.done = true
    else if (walk.stage === 0) walk.goOn(tables.relocateChunks(moved, walk.at, CHUNKS_AT_ONCE))
    else {
      const buckets = tables.buckets(moved)
      const end = Math.min(buckets, walk.at + BUCKETS_AT_ONCE)
      for (; walk.at < end; walk.at++) tables.mapBucket(moved, walk.at, this.relocateEntry)
      walk.done = walk.at >= buckets
    }
    return moved
  }

  private readonly relocateEntry = (entry: Ref): Ref => this.arena.relocate(entry)
}
