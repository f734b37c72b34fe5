// Stream: one stream at a time. open() points it at the value of a key; the value never moves during its life.
//
//   value 72 B   tree of nodes u32 | tree of groups u32, 0: none | length f64 | entries ever added (lib/long-field.ts)
//                last id 16 | first id 16 | largest deleted id 16
//   nodes tree   by id of the master → (from byte 28) ref of the node's listpack u32
//
// Always: length counts entries that are not deleted; first id is 0-0 in an empty stream.

import { addLong, type Long, readCounter, writeCounter } from '../../../lib/long-field.ts'
import type { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { OrderedCursor } from '../../../memory/ordered.ts'
import { StreamId } from './stream-id.ts'
import { ID_PAYLOAD_AT, type StreamIndex } from './stream-index.ts'
import { StreamIterator } from './stream-iterator.ts'
import type { StreamNodes } from './stream-node.ts'

export { OrderedCursor } from '../../../memory/ordered.ts'

export const NODES = 0
export const GROUPS = 4
const LENGTH = 8
const ADDED = 16
export const LAST_ID = 24
const FIRST_ID = 40
const MAX_DELETED_ID = 56
export const STREAM_BYTES = 72

/** Limit of all elements of a node together. */
export const ENTRY_BYTES_MAX = 1 << 30

export interface StreamLimits {
  streamNodeMaxBytes: number
  streamNodeMaxEntries: number
}

export interface StreamDependencies {
  readonly arena: Arena
  readonly index: StreamIndex
  readonly nodes: StreamNodes
  readonly limits: StreamLimits
}

/** What to retain: at most `length` entries, or entries from `minId` on. */
export interface Trim {
  length: number
  minId: StreamId | undefined
  /** Removes only whole nodes (~). */
  approximate: boolean
  /** Removes no more entries than this; 0: no limit. */
  limit: number
}

export class Stream {
  value: Ref = 0
  /** Scratch: overwritten by every method that compares ids. */
  readonly scratch = new StreamId()
  readonly scratch2 = new StreamId()
  private readonly arena: Arena
  private readonly index: StreamIndex
  private readonly nodes: StreamNodes
  private readonly limits: StreamLimits
  private readonly iterator: StreamIterator
  private readonly cursor = new OrderedCursor()
  private readonly following = new OrderedCursor()
  private readonly a = new StreamId()
  private readonly b = new StreamId()

  constructor(dependencies: StreamDependencies) {
    this.arena = dependencies.arena
    this.index = dependencies.index
    this.nodes = dependencies.nodes
    this.limits = dependencies.limits
    this.iterator = new StreamIterator(dependencies.index, dependencies.nodes)
  }

  open(value: Ref): this {
    this.value = value
    return this
  }

  /** A new, empty stream. */
  create(): this {
    const tree = this.index.trees.create()
    this.value = this.arena.alloc(STREAM_BYTES)
    const at = this.arena.at(this.value)
    this.arena.u8(this.value).fill(0, at, at + STREAM_BYTES)
    this.arena.dv(this.value).setUint32(at + NODES, tree, true)
    return this
  }

  // ---- the value's fields ----

  get tree(): Ref {
    return this.getRef(NODES)
  }

  /** The tree of consumer groups, or 0. */
  get groups(): Ref {
    return this.getRef(GROUPS)
  }

  /** The tree of consumer groups, created if there is none. */
  groupsToWrite(): Ref {
    let groups = this.groups
    if (groups === 0) {
      groups = this.index.trees.create()
      this.arena.dv(this.value).setUint32(this.arena.at(this.value) + GROUPS, groups, true)
    }
    return groups
  }

  get length(): number {
    return this.getNumber(LENGTH)
  }

  set length(n: number) {
    this.setNumber(LENGTH, n)
  }

  /** Number of entries ever added, deleted ones included. */
  get entriesAdded(): Long {
    return readCounter(this.arena.dv(this.value), this.arena.at(this.value) + ADDED)
  }

  set entriesAdded(n: Long) {
    writeCounter(this.arena.dv(this.value), this.arena.at(this.value) + ADDED, n)
  }

  /** The id of the last entry ever added. */
  lastId(out: StreamId): StreamId {
    return this.getId(LAST_ID, out)
  }

  setLastId(id: StreamId): void {
    this.setId(LAST_ID, id)
  }

  /** The id of the first entry; 0-0 when there is none. */
  firstId(out: StreamId): StreamId {
    return this.getId(FIRST_ID, out)
  }

  setFirstId(id: StreamId): void {
    this.setId(FIRST_ID, id)
  }

  /** The largest id that XDEL deleted. */
  maxDeletedId(out: StreamId): StreamId {
    return this.getId(MAX_DELETED_ID, out)
  }

  setMaxDeletedId(id: StreamId): void {
    this.setId(MAX_DELETED_ID, id)
  }

  private getRef(offset: number): Ref {
    return this.arena.dv(this.value).getUint32(this.arena.at(this.value) + offset, true)
  }

  private getNumber(offset: number): number {
    return this.arena.dv(this.value).getFloat64(this.arena.at(this.value) + offset, true)
  }

  private setNumber(offset: number, n: number): void {
    this.arena.dv(this.value).setFloat64(this.arena.at(this.value) + offset, n, true)
  }

  private getId(offset: number, out: StreamId): StreamId {
    return out.read(this.arena.dv(this.value), this.arena.at(this.value) + offset)
  }

  private setId(offset: number, id: StreamId): void {
    id.write(this.arena.dv(this.value), this.arena.at(this.value) + offset)
  }

  // ---- entries ----

  /** Appends an entry: `fields` field-value pairs from args[from] on, under an id above the last. */
  append(id: StreamId, args: readonly Slice[], from: number, fields: number): void {
    const { trees } = this.index
    const tree = this.tree
    let node = trees.last(tree, this.cursor) ? trees.entryAt(this.cursor) : 0
    if (node !== 0 && this.isFull(this.listpackOf(node), args, from, fields)) {
      this.setListpack(node, this.nodes.trimCapacity(this.listpackOf(node)))
      node = 0
    }
    if (node === 0) {
      const lp = this.nodes.create(args, from, fields)
      node = this.addNode(id, lp)
    }
    const master = this.index.idOf(node, this.a)
    this.setListpack(node, this.nodes.append(this.listpackOf(node), master, id, args, from, fields))
    const length = this.length + 1
    this.length = length
    this.entriesAdded = addLong(this.entriesAdded, 1)
    this.setLastId(id)
    if (length === 1) this.setFirstId(id)
  }

  private isFull(lp: Ref, args: readonly Slice[], from: number, fields: number): boolean {
    const { streamNodeMaxBytes, streamNodeMaxEntries } = this.limits
    let bytes = this.nodes.lists.bytes(lp)
    for (let i = from; i < from + fields * 2; i++) bytes += args[i].len
    const bytesMax = streamNodeMaxBytes === 0 ? ENTRY_BYTES_MAX : Math.min(streamNodeMaxBytes, ENTRY_BYTES_MAX)
    if (bytes >= bytesMax) return true
    return streamNodeMaxEntries > 0 && this.nodes.valid(lp) + this.nodes.deleted(lp) >= streamNodeMaxEntries
  }

  /** Adds a node: the listpack `lp`, whose master has this id. Returns its entry in the tree. */
  addNode(master: StreamId, lp: Ref): Ref {
    const node = this.index.newIdEntry(master, 4)
    this.setListpack(node, lp)
    this.index.trees.insert(this.tree, node)
    return node
  }

  listpackOf(node: Ref): Ref {
    return this.arena.dv(node).getUint32(this.arena.at(node) + ID_PAYLOAD_AT, true)
  }

  private setListpack(node: Ref, lp: Ref): void {
    this.arena.dv(node).setUint32(this.arena.at(node) + ID_PAYLOAD_AT, lp, true)
  }

  private removeNode(node: Ref): void {
    this.index.trees.remove(this.tree, node)
    this.freeNode(node)
  }

  exists(id: StreamId): boolean {
    return this.iterator.start(this.tree, id, id, false).next()
  }

  /** Deletes an entry; the caller updates first and largest deleted id. */
  delete(id: StreamId): boolean {
    const it = this.iterator.start(this.tree, id, id, false)
    if (!it.next()) return false
    it.markDeleted()
    this.length--
    const lp = this.listpackOf(it.node)
    if (this.nodes.valid(lp) === 1) this.removeNode(it.node)
    else this.setListpack(it.node, this.nodes.addToCounts(lp, -1, 1))
    return true
  }

  /** The id of the first or last entry (`withDeleted`: deleted ones too); false when there is none. */
  edgeId(last: boolean, withDeleted: boolean, out: StreamId): boolean {
    const it = this.iterator.start(this.tree, this.a.setMin(), this.b.setMax(), last)
    it.withDeleted = withDeleted
    if (!it.next()) return false
    out.set(it.id)
    return true
  }

  /** Updates the first id. */
  updateFirstId(): void {
    const first = this.a
    if (this.length === 0 || !this.edgeId(false, false, first)) first.setMin()
    this.setFirstId(first)
  }

  /** Removes entries from the beginning; returns their number. */
  trim(trim: Trim): number {
    const { trees } = this.index
    const { cursor } = this
    let nodes = 0
    let deleted = 0
    let length = this.length
    let cut = 0
    for (let more = trees.first(this.tree, cursor); more; more = trees.next(cursor)) {
      if (trim.minId === undefined && length <= trim.length) break
      const node = trees.entryAt(cursor)
      const entries = this.nodes.valid(this.listpackOf(node))
      if (trim.limit > 0 && deleted + entries > trim.limit) break
      if (trim.minId === undefined ? length - entries < trim.length : !this.endsBefore(cursor, trim.minId)) {
        if (!trim.approximate) cut = node
        break
      }
      nodes++
      length -= entries
      deleted += entries
    }
    if (nodes > 0) {
      // At once, which costs a fraction of one after another.
      trees.removeRange(this.tree, 0, nodes, this.freeNode)
      this.length = length
    }
    if (cut !== 0) deleted += this.trimNode(cut, trim)
    if (deleted > 0 || this.length === 0) this.updateFirstId()
    return deleted
  }

  private readonly freeNode = (node: Ref): void => {
    this.arena.free(this.listpackOf(node))
    this.arena.free(node)
  }

  /** Whether the last entry, deleted or not, of the node at the cursor has a smaller id. */
  private endsBefore(cursor: OrderedCursor, id: StreamId): boolean {
    const it = this.iterator.start(this.tree, this.a.setMin(), this.upTo(cursor), true)
    it.withDeleted = true
    return it.next() && it.id.compare(id) < 0
  }

  /** The id before the master of the node after the cursor's, or the largest. */
  private upTo(cursor: OrderedCursor): StreamId {
    const { trees } = this.index
    const next = this.following
    next.leaf = cursor.leaf
    next.slot = cursor.slot
    if (!trees.next(next)) return this.b.setMax()
    this.index.idOf(trees.entryAt(next), this.b)
    this.b.decrement()
    return this.b
  }

  private trimNode(node: Ref, trim: Trim): number {
    const it = this.iterator.start(this.tree, this.a.setMin(), this.b.setMax(), false)
    let deleted = 0
    while (it.next() && it.node === node) {
      if (trim.minId === undefined ? this.length <= trim.length : it.id.compare(trim.minId) >= 0) break
      it.markDeleted()
      this.length--
      deleted++
    }
    if (deleted > 0) this.setListpack(node, this.nodes.addToCounts(this.listpackOf(node), -deleted, deleted))
    return deleted
  }
}
