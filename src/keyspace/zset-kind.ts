// ZSetKind: what the keyspace must know about sorted sets, and the ZSet objects that commands work with.

import type { Arena, Ref } from '../memory/arena.ts'
import { OrderedCursor, OrderedTree } from '../memory/ordered.ts'
import type { HashTable } from '../memory/table.ts'
import type { Keyspace, ValueKind } from './keyspace.ts'
import { RelocationWalk, relocateWhole } from './relocation.ts'
import { ENC_LISTPACK, ENC_SKIPLIST, TYPE_ZSET } from './types.ts'
import { HEADER_BYTES, TABLE, TREE, ZSet, ZSetCursor, type ZSetLimits, type ZSetTools } from './zset.ts'
import { PackedScores } from './zset-packed.ts'
import { ZSetRange } from './zset-range.ts'

const CHUNKS_AT_ONCE = 16
const LEAVES_AT_ONCE = 4

export class ZSetKind implements ValueKind, ZSetTools {
  readonly arena: Arena
  readonly tables: HashTable
  readonly trees: OrderedTree
  readonly packed: PackedScores
  readonly limits: ZSetLimits
  /** For the set a command works on, and a second one it makes. */
  readonly first: ZSet
  readonly second: ZSet
  readonly cursor = new ZSetCursor()
  /** The range a command asks for. */
  readonly range = new ZSetRange()
  /** Scores read before the first of them is used. */
  scores = new Float64Array(16)
  private readonly probe = new OrderedCursor()
  private readonly walk = new RelocationWalk()

  constructor(space: Keyspace, limits: ZSetLimits) {
    this.arena = space.arena
    this.tables = space.scoreTables
    this.trees = new OrderedTree(space.arena)
    this.packed = new PackedScores(space.arena)
    this.limits = limits
    this.first = new ZSet(this)
    this.second = new ZSet(this)
  }

  /** The one that was registered with a keyspace. */
  static of(space: Keyspace): ZSetKind {
    return space.kinds[TYPE_ZSET] as ZSetKind
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

  drain(encoding: number, value: Ref, limit: number): boolean {
    if (encoding === ENC_SKIPLIST) {
      // First the table with the entries, then the tree, whose nodes do not look at entries while they go.
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
    const tree = this.trees.create()
    const header = this.arena.alloc(HEADER_BYTES)
    this.setField(header, TABLE, table)
    this.setField(header, TREE, tree)
    const c = new OrderedCursor()
    for (let more = this.trees.first(this.field(value, TREE), c); more; more = this.trees.next(c)) {
      const entry = this.trees.entryAt(c)
      const size = this.arena.sizeOf(entry)
      const twin = this.arena.alloc(size)
      this.arena.copy(twin, 0, entry, 0, size)
      this.tables.insert(table, twin, this.tables.hashOf(twin))
      this.trees.insert(tree, twin)
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
    for (let more = this.trees.first(tree, this.probe); more; more = this.trees.next(this.probe)) {
      if (samples > 0 && looked === samples) break
      looked++
      bytes += this.arena.sizeOf(this.trees.entryAt(this.probe))
    }
    const entries = looked === 0 ? 0 : Math.round((bytes / looked) * count)
    return own + this.tables.bytes(this.field(value, TABLE)) + this.trees.bytes(tree) + entries
  }

  relocate(encoding: number, value: Ref): Ref {
    return relocateWhole(this, this.walk, encoding, value)
  }

  /** First the table's own memory, then the tree with the entries, leaf by leaf. */
  relocatePart(encoding: number, value: Ref, walk: RelocationWalk): Ref {
    const moved = this.arena.relocate(value)
    if (encoding === ENC_LISTPACK) {
      walk.done = true
      return moved
    }
    const table = this.arena.relocate(this.field(moved, TABLE))
    this.setField(moved, TABLE, table)
    if (walk.stage === 0) {
      walk.goOn(this.tables.relocateChunks(table, walk.at, CHUNKS_AT_ONCE))
      return moved
    }
    const tree = this.arena.relocate(this.field(moved, TREE))
    this.setField(moved, TREE, tree)
    const move = (entry: Ref): Ref => {
      const fresh = this.arena.relocate(entry)
      if (fresh !== entry && this.tables.findRef(table, entry, this.tables.hashOf(fresh)))
        this.tables.replaceFound(fresh)
      return fresh
    }
    let rank = walk.at
    for (let left = LEAVES_AT_ONCE; left > 0 && rank >= 0; left--) rank = this.trees.relocate(tree, rank, move)
    walk.goOn(rank)
    walk.done = rank < 0
    return moved
  }
}

function ignore(): void {}
