// ZSetType: the ValueType of sorted sets, and the ZSet objects that commands work with.

import { bytesOf } from '../../../lib/bytes.ts'
import { formatAnyDouble } from '../../../lib/double.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { OrderedCursor, ScoreTree } from '../../../memory/ordered.ts'
import type { HashTable } from '../../../memory/table.ts'
import { TableSlot } from '../../../memory/table-slot.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_LISTPACK, ENC_SKIPLIST, encodingNames, TYPE_ZSET } from '../../types.ts'
import type { ValueType } from '../../value-type.ts'
import type { RelocationCursor } from '../shared/relocation.ts'
import { HEADER_BYTES, TABLE, TREE, ZSet, ZSetCursor, type ZSetDependencies, type ZSetLimits } from './zset.ts'
import { ZSetListpack } from './zset-listpack.ts'
import { ZSetRange } from './zset-range.ts'

const CHUNKS_AT_ONCE = 16
const LEAVES_AT_ONCE = 4

export class ZSetType implements ValueType, ZSetDependencies {
  readonly id = TYPE_ZSET
  readonly name = 'zset'
  readonly encodingNames = encodingNames(ENC_LISTPACK, ENC_SKIPLIST)
  readonly announcesRemoval = false
  readonly arena: Arena
  readonly tables: HashTable
  readonly trees: ScoreTree
  private readonly slot: TableSlot
  readonly packed: ZSetListpack
  readonly limits: ZSetLimits
  /** The set a command works on, and its result. */
  readonly current: ZSet
  readonly destination: ZSet
  readonly cursor = new ZSetCursor()
  /** The range of the current command. */
  readonly range = new ZSetRange()
  /** Scores parsed before the first of them is used. */
  scores = new Float64Array(16)
  private readonly scratchCursor = new OrderedCursor()

  constructor(space: Keyspace, limits: ZSetLimits) {
    this.arena = space.arena
    this.tables = space.scoreTables
    this.slot = new TableSlot(space.arena)
    this.trees = new ScoreTree(space.arena)
    this.packed = new ZSetListpack(space.arena)
    this.limits = limits
    this.current = new ZSet(this)
    this.destination = new ZSet(this)
  }

  /** The one registered with the keyspace. */
  static of(space: Keyspace): ZSetType {
    return space.types.of(TYPE_ZSET) as ZSetType
  }

  /** Makes `scores` long enough. */
  makeScores(count: number): void {
    if (this.scores.length < count) this.scores = new Float64Array(count * 2)
  }

  private field(header: Ref, offset: number): Ref {
    return this.arena.dv(header).getUint32(this.arena.at(header) + offset, true)
  }

  private setField(header: Ref, offset: number, ref: Ref): void {
    this.arena.dv(header).setUint32(this.arena.at(header) + offset, ref, true)
  }

  freeEffort(encoding: number, value: Ref): number {
    return encoding === ENC_SKIPLIST ? this.trees.count(this.field(value, TREE)) : 1
  }

  freeStep(encoding: number, value: Ref, limit: number): boolean {
    if (encoding === ENC_SKIPLIST) {
      // First the table with the entries, then the tree, whose nodes are freed without looking at entries.
      const table = this.field(value, TABLE)
      if (table !== 0) {
        if (!this.tables.drain(table, limit, this.freeEntry)) return false
        this.setField(value, TABLE, 0)
      }
      if (!this.trees.drain(this.field(value, TREE), limit * 16, ignore)) return false
    }
    this.arena.free(value)
    return true
  }

  private readonly freeEntry = (entry: Ref): void => this.arena.free(entry)

  copy(encoding: number, value: Ref): Ref {
    if (encoding === ENC_LISTPACK) return this.packed.copy(value)
    const table = this.tables.create()
    this.tables.reserve(table, this.tables.count(this.field(value, TABLE)))
    const tree = this.trees.create()
    const header = this.arena.alloc(HEADER_BYTES)
    this.setField(header, TABLE, table)
    this.setField(header, TREE, tree)
    const c = new OrderedCursor()
    for (let more = this.trees.first(this.field(value, TREE), c); more; more = this.trees.next(c)) {
      const copy = this.arena.duplicate(this.trees.entryAt(c))
      this.tables.insert(table, copy, this.tables.hashOf(copy))
      this.trees.insert(tree, copy)
    }
    return header
  }

  memory(encoding: number, value: Ref, samples: number): number {
    const own = this.arena.sizeOf(value)
    if (encoding === ENC_LISTPACK) return own
    const tree = this.field(value, TREE)
    const count = this.trees.count(tree)
    let looked = 0
    let bytes = 0
    for (let more = this.trees.first(tree, this.scratchCursor); more; more = this.trees.next(this.scratchCursor)) {
      if (samples > 0 && looked === samples) break
      looked++
      bytes += this.arena.sizeOf(this.trees.entryAt(this.scratchCursor))
    }
    const entries = looked === 0 ? 0 : Math.round((bytes / looked) * count)
    return own + this.tables.bytes(this.field(value, TABLE)) + this.trees.bytes(tree) + entries
  }

  /** First the table's memory, then the tree with the entries, leaf by leaf. */
  relocatePart(encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    const moved = this.arena.relocate(value)
    if (encoding === ENC_LISTPACK) {
      cursor.done = true
      return moved
    }
    const table = this.arena.relocate(this.field(moved, TABLE))
    this.setField(moved, TABLE, table)
    if (cursor.stage === 0) {
      cursor.advance(this.tables.relocateChunks(table, cursor.at, CHUNKS_AT_ONCE))
      return moved
    }
    const tree = this.arena.relocate(this.field(moved, TREE))
    this.setField(moved, TREE, tree)
    const move = (entry: Ref): Ref => {
      const fresh = this.arena.relocate(entry)
      if (fresh !== entry && this.tables.findRef(table, entry, this.tables.hashOf(fresh), this.slot))
        this.tables.replaceAt(this.slot, fresh)
      return fresh
    }
    let rank = cursor.at
    for (let left = LEAVES_AT_ONCE; left > 0 && rank >= 0; left--) rank = this.trees.relocate(tree, rank, move)
    cursor.advance(rank)
    cursor.done = rank < 0
    return moved
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    const { current: set, cursor } = this
    set.open(entries.encodingOf(entry), entries.valueOf(entry))
    const element = into.another()
    for (let more = set.seekRank(0, cursor); more; more = set.next(cursor)) {
      element.clear().mixSlice(cursor.member)
      element.mix(bytesOf(formatAnyDouble(cursor.score)))
      into.xor(element.bytes)
    }
  }
}

function ignore(): void {}
