// StreamGroups: consumer groups of streams, their consumers, and pending entries.
//
//   groups tree     by name → group      last id 16 | entries read (lib/long-field.ts; -1: unknown)
//                                        | pending tree u32 | consumers tree u32
//   consumers tree  by name → consumer   seen ms f64 | active ms f64 (-1: never) | pending tree u32
//   pending tree    by id   → pending    (from byte 28) consumer u32 | delivered ms f64 | deliveries f64
//
// Always: a pending entry is in its group's tree and in the tree of its consumer, and in no other.

import { type Long, readCounter, writeCounter } from '../../../lib/long-field.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { OrderedCursor, type ScoreTree } from '../../../memory/ordered.ts'
import type { StreamId } from './stream-id.ts'
import { ID_PAYLOAD_AT, type StreamIndex } from './stream-index.ts'

const LAST_ID = 0
const ENTRIES_READ = 16
const GROUP_PENDING = 24
const CONSUMERS = 28
const GROUP_BYTES = 32

const SEEN = 0
const ACTIVE = 8
const CONSUMER_PENDING = 16
const CONSUMER_BYTES = 20

const OWNER = ID_PAYLOAD_AT
const DELIVERED = ID_PAYLOAD_AT + 4
const DELIVERIES = ID_PAYLOAD_AT + 12
const PENDING_PAYLOAD_BYTES = 20

export class StreamGroups {
  private readonly arena: Arena
  private readonly index: StreamIndex
  private readonly trees: ScoreTree
  private readonly cursor = new OrderedCursor()
  private readonly name = new Slice()
  private readonly free = (entry: Ref): void => this.arena.free(entry)

  constructor(index: StreamIndex) {
    this.index = index
    this.arena = index.arena
    this.trees = index.trees
  }

  // ---- groups ----

  find(groups: Ref, name: Slice): Ref {
    return groups === 0 ? 0 : this.index.findName(groups, name)
  }

  /** Adds a group whose name is new. */
  create(groups: Ref, name: Slice, lastId: StreamId, entriesRead: Long): Ref {
    const pending = this.trees.create()
    const consumers = this.trees.create()
    const group = this.index.newNameEntry(name, GROUP_BYTES)
    const dv = this.arena.dv(group)
    const at = this.index.namePayloadAt(group)
    lastId.write(dv, at + LAST_ID)
    writeCounter(dv, at + ENTRIES_READ, entriesRead)
    dv.setUint32(at + GROUP_PENDING, pending, true)
    dv.setUint32(at + CONSUMERS, consumers, true)
    this.trees.insert(groups, group)
    return group
  }

  remove(groups: Ref, group: Ref): void {
    this.trees.remove(groups, group)
    while (!this.drainGroup(group, 1 << 20));
  }

  lastId(group: Ref, out: StreamId): StreamId {
    return out.read(this.arena.dv(group), this.index.namePayloadAt(group) + LAST_ID)
  }

  setLastId(group: Ref, id: StreamId): void {
    id.write(this.arena.dv(group), this.index.namePayloadAt(group) + LAST_ID)
  }

  /** entries-read of the group; -1 when unknown. */
  entriesRead(group: Ref): Long {
    return readCounter(this.arena.dv(group), this.index.namePayloadAt(group) + ENTRIES_READ)
  }

  setEntriesRead(group: Ref, count: Long): void {
    writeCounter(this.arena.dv(group), this.index.namePayloadAt(group) + ENTRIES_READ, count)
  }

  /** The tree of the group's pending entries. */
  pending(group: Ref): Ref {
    return this.arena.dv(group).getUint32(this.index.namePayloadAt(group) + GROUP_PENDING, true)
  }

  /** The tree of the group's consumers. */
  consumers(group: Ref): Ref {
    return this.arena.dv(group).getUint32(this.index.namePayloadAt(group) + CONSUMERS, true)
  }

  // ---- consumers ----

  findConsumer(group: Ref, name: Slice): Ref {
    return this.index.findName(this.consumers(group), name)
  }

  /** Adds a consumer whose name is new to the group. */
  createConsumer(group: Ref, name: Slice, seenMs: number, activeMs = -1): Ref {
    const pending = this.trees.create()
    const consumer = this.index.newNameEntry(name, CONSUMER_BYTES)
    const dv = this.arena.dv(consumer)
    const at = this.index.namePayloadAt(consumer)
    dv.setFloat64(at + SEEN, seenMs, true)
    dv.setFloat64(at + ACTIVE, activeMs, true)
    dv.setUint32(at + CONSUMER_PENDING, pending, true)
    this.trees.insert(this.consumers(group), consumer)
    return consumer
  }

  /** Removes a consumer with its pending entries. */
  removeConsumer(group: Ref, consumer: Ref): void {
    const own = this.consumerPending(consumer)
    const all = this.pending(group)
    for (let more = this.trees.first(own, this.cursor); more; more = this.trees.next(this.cursor))
      this.trees.remove(all, this.trees.entryAt(this.cursor))
    while (!this.trees.drain(own, 1 << 20, this.free));
    this.trees.remove(this.consumers(group), consumer)
    this.arena.free(consumer)
  }

  seenMs(consumer: Ref): number {
    return this.arena.dv(consumer).getFloat64(this.index.namePayloadAt(consumer) + SEEN, true)
  }

  setSeenMs(consumer: Ref, ms: number): void {
    this.arena.dv(consumer).setFloat64(this.index.namePayloadAt(consumer) + SEEN, ms, true)
  }

  /** When the consumer last read or claimed entries, or -1. */
  activeMs(consumer: Ref): number {
    return this.arena.dv(consumer).getFloat64(this.index.namePayloadAt(consumer) + ACTIVE, true)
  }

  setActiveMs(consumer: Ref, ms: number): void {
    this.arena.dv(consumer).setFloat64(this.index.namePayloadAt(consumer) + ACTIVE, ms, true)
  }

  /** The tree of the consumer's pending entries. */
  consumerPending(consumer: Ref): Ref {
    return this.arena.dv(consumer).getUint32(this.index.namePayloadAt(consumer) + CONSUMER_PENDING, true)
  }

  // ---- pending entries ----

  findPending(group: Ref, id: StreamId): Ref {
    return this.index.find(this.pending(group), id)
  }

  /** Adds a pending entry that was delivered. */
  addPending(group: Ref, consumer: Ref, id: StreamId, deliveredMs: number, deliveries: number): Ref {
    const entry = this.index.newIdEntry(id, PENDING_PAYLOAD_BYTES)
    const dv = this.arena.dv(entry)
    const at = this.arena.at(entry)
    dv.setUint32(at + OWNER, consumer, true)
    dv.setFloat64(at + DELIVERED, deliveredMs, true)
    dv.setFloat64(at + DELIVERIES, deliveries, true)
    this.trees.insert(this.pending(group), entry)
    this.trees.insert(this.consumerPending(consumer), entry)
    return entry
  }

  /** As addPending(), for an entry whose consumer is not known yet: adoptPending() must follow. */
  addUnowned(group: Ref, id: StreamId, deliveredMs: number, deliveries: number): Ref {
    const entry = this.index.newIdEntry(id, PENDING_PAYLOAD_BYTES)
    this.arena.dv(entry).setUint32(this.arena.at(entry) + OWNER, 0, true)
    this.setDelivery(entry, deliveredMs, deliveries)
    this.trees.insert(this.pending(group), entry)
    return entry
  }

  /** Sets the consumer of an unowned pending entry; false when it has one. */
  adoptPending(entry: Ref, consumer: Ref): boolean {
    if (this.owner(entry) !== 0) return false
    this.trees.insert(this.consumerPending(consumer), entry)
    this.arena.dv(entry).setUint32(this.arena.at(entry) + OWNER, consumer, true)
    return true
  }

  removePending(group: Ref, entry: Ref): void {
    this.trees.remove(this.pending(group), entry)
    this.trees.remove(this.consumerPending(this.owner(entry)), entry)
    this.arena.free(entry)
  }

  owner(entry: Ref): Ref {
    return this.arena.dv(entry).getUint32(this.arena.at(entry) + OWNER, true)
  }

  /** Moves a pending entry to another consumer of the same group. */
  setOwner(entry: Ref, consumer: Ref): void {
    const old = this.owner(entry)
    if (old === consumer) return
    this.trees.remove(this.consumerPending(old), entry)
    this.trees.insert(this.consumerPending(consumer), entry)
    this.arena.dv(entry).setUint32(this.arena.at(entry) + OWNER, consumer, true)
  }

  deliveredMs(entry: Ref): number {
    return this.arena.dv(entry).getFloat64(this.arena.at(entry) + DELIVERED, true)
  }

  deliveries(entry: Ref): number {
    return this.arena.dv(entry).getFloat64(this.arena.at(entry) + DELIVERIES, true)
  }

  setDelivery(entry: Ref, deliveredMs: number, deliveries: number): void {
    const dv = this.arena.dv(entry)
    const at = this.arena.at(entry)
    dv.setFloat64(at + DELIVERED, deliveredMs, true)
    dv.setFloat64(at + DELIVERIES, deliveries, true)
  }

  // ---- whole groups ----

  /** Number of entries that freeing the groups visits. */
  effort(groups: Ref): number {
    if (groups === 0) return 0
    let effort = 0
    for (let more = this.trees.first(groups, this.cursor); more; more = this.trees.next(this.cursor)) {
      const group = this.trees.entryAt(this.cursor)
      effort += 1 + this.trees.count(this.pending(group)) + this.trees.count(this.consumers(group))
    }
    return effort
  }

  /** Frees groups, about `limit` entries of them; true when all are freed. */
  drain(groups: Ref, limit: number): boolean {
    if (groups === 0) return true
    while (this.trees.count(groups) > 0) {
      this.trees.first(groups, this.cursor)
      const group = this.trees.entryAt(this.cursor)
      const size = this.trees.count(this.pending(group))
      if (size > limit) {
        this.drainGroup(group, limit)
        return false
      }
      this.remove(groups, group)
      limit -= size
      if (limit <= 0) return false
    }
    return this.trees.drain(groups, 1, this.free)
  }

  /** Frees a group that is in no tree any more. */
  private drainGroup(group: Ref, limit: number): boolean {
    const pending = this.pending(group)
    if (this.trees.count(pending) > limit) {
      const size = this.trees.count(pending)
      this.trees.removeRange(pending, size - limit, limit, this.free)
      return false
    }
    while (!this.trees.drain(pending, limit + 1, this.free));
    // The consumers' own trees have entries that are freed already: only their nodes are freed.
    const consumers = this.consumers(group)
    while (!this.trees.drain(consumers, 1 << 20, this.freeConsumer));
    this.arena.free(group)
    return true
  }

  private readonly freeConsumer = (consumer: Ref): void => {
    const own = this.consumerPending(consumer)
    while (!this.trees.drain(own, 1 << 20, ignore));
    this.arena.free(consumer)
  }

  /** A deep copy of all groups; 0 for none. */
  copy(groups: Ref, id: StreamId): Ref {
    if (groups === 0) return 0
    const copies = this.trees.create()
    const outer = new OrderedCursor()
    for (let more = this.trees.first(groups, outer); more; more = this.trees.next(outer)) {
      const group = this.trees.entryAt(outer)
      this.lastId(group, id)
      const copy = this.create(copies, this.index.nameOf(group, this.name), id, this.entriesRead(group))
      const inner = new OrderedCursor()
      for (let some = this.trees.first(this.consumers(group), inner); some; some = this.trees.next(inner)) {
        const consumer = this.trees.entryAt(inner)
        const name = this.index.nameOf(consumer, this.name)
        const twin = this.createConsumer(copy, name, this.seenMs(consumer), this.activeMs(consumer))
        const own = this.consumerPending(consumer)
        const cursor = new OrderedCursor()
        for (let pending = this.trees.first(own, cursor); pending; pending = this.trees.next(cursor)) {
          const entry = this.trees.entryAt(cursor)
          this.addPending(copy, twin, this.index.idOf(entry, id), this.deliveredMs(entry), this.deliveries(entry))
        }
      }
    }
    return copies
  }

  /** Bytes of all groups. */
  bytes(groups: Ref): number {
    if (groups === 0) return 0
    let bytes = this.trees.bytes(groups)
    for (let more = this.trees.first(groups, this.cursor); more; more = this.trees.next(this.cursor)) {
      const group = this.trees.entryAt(this.cursor)
      const pending = this.pending(group)
      bytes += this.arena.sizeOf(group) + this.trees.bytes(pending) + this.trees.bytes(this.consumers(group))
      bytes += this.trees.count(pending) * 48
      const inner = new OrderedCursor()
      for (let some = this.trees.first(this.consumers(group), inner); some; some = this.trees.next(inner)) {
        const consumer = this.trees.entryAt(inner)
        bytes += this.arena.sizeOf(consumer) + this.trees.bytes(this.consumerPending(consumer))
      }
    }
    return bytes
  }

  // ---- compaction ----

  /** Moves all groups out of evacuating segments; the new ref of their tree. */
  relocate(groups: Ref): Ref {
    if (groups === 0) return 0
    return this.relocateTree(groups, group => this.relocateGroup(this.arena.relocate(group)))
  }

  private relocateGroup(group: Ref): Ref {
    const dv = this.arena.dv(group)
    const at = this.index.namePayloadAt(group)
    const consumers = this.relocateTree(this.consumers(group), consumer => this.relocateConsumer(consumer))
    dv.setUint32(at + CONSUMERS, consumers, true)
    const pending = this.relocateTree(this.pending(group), entry => this.relocatePending(entry))
    dv.setUint32(at + GROUP_PENDING, pending, true)
    return group
  }

  private relocateConsumer(old: Ref): Ref {
    const consumer = this.arena.relocate(old)
    // Entries stay where they are for now; the group's tree moves them.
    const own = this.relocateTree(this.consumerPending(consumer), entry => {
      if (consumer !== old) this.arena.dv(entry).setUint32(this.arena.at(entry) + OWNER, consumer, true)
      return entry
    })
    this.arena.dv(consumer).setUint32(this.index.namePayloadAt(consumer) + CONSUMER_PENDING, own, true)
    return consumer
  }

  private relocatePending(entry: Ref): Ref {
    if (!this.arena.isEvacuating(entry)) return entry
    const size = this.arena.sizeOf(entry)
    const fresh = this.arena.alloc(size)
    this.arena.copy(fresh, 0, entry, 0, size)
    this.trees.replace(this.consumerPending(this.owner(entry)), entry, fresh)
    this.arena.free(entry)
    return fresh
  }

  private relocateTree(tree: Ref, move: (entry: Ref) => Ref): Ref {
    const moved = this.arena.relocate(tree)
    for (let rank = 0; rank >= 0; ) rank = this.trees.relocate(moved, rank, move)
    return moved
  }
}

function ignore(): void {}
