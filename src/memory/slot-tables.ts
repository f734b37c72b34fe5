// SlotTables: as HashTable, with one table for each hash slot of a cluster, made when its first key comes.
//
//   directory  [ ref × 16,384 ]  +  keys by group of 128 slots        one of SlotTables' tables is such a directory
//                  └─▶ HashTable
//              [ head × 16,384 ] [ buckets × 16,384 ]                 a copy of what is in the headers of small tables
//
//   head       chunk of the table | 0: it has one bucket; 1: it has two; 2: buckets[slot] has their number
//
// A lookup in a small table (up to 256 keys) reads its head instead of its header: 16,384 headers are more than a
// processor's nearest cache holds. Chunks start on 64 bytes, so that the low bits of their refs are free.
//
// So the keys of a slot are counted, listed, moved and dropped without looking at others, and no key pays for it.
// Without cluster mode this file is not used.
//
// Always: heads[slot] is 0 (no table, or not a small one), or it and small[slot] are what the table's header says;
// `known` is NOTHING or a key whose slot is `knownSlot`.
// `Ref`s of tables here are numbers of directories, not places in the arena. Cursors of scan() are
// (cursor in the slot's table) × 16,384 + slot, in the order of slots.

import { assert } from '../lib/assert.ts'
import { keySlot } from '../lib/crc16.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from './arena.ts'
import type { HashTable } from './table.ts'
import { bucketIndex } from './table-buckets.ts'
import type { TableSlot } from './table-slot.ts'

const SLOTS = 16384
const GROUP_SHIFT = 7
const GROUPS = SLOTS >> GROUP_SHIFT
/** relocateChunks(): chunks of one slot's table that a position can name. */
const CHUNKS_MAX = 2 ** 20
/** The low bits of a head. */
const BUCKETS_BITS = 3
const MANY_BUCKETS = 2
const NOTHING = new Slice()

/** What a Database needs of its tables. */
export type KeyTables = Pick<
  HashTable,
  | 'create'
  | 'count'
  | 'buckets'
  | 'bytes'
  | 'reserve'
  | 'trim'
  | 'relocate'
  | 'relocateChunks'
  | 'hashOf'
  | 'find'
  | 'readAhead'
  | 'insert'
  | 'replaceAt'
  | 'removeAt'
  | 'findRef'
  | 'scan'
  | 'random'
  | 'sample'
  | 'drain'
  | 'mapBucket'
>

class Directory {
  readonly refs = new Uint32Array(SLOTS)
  readonly groups = new Uint32Array(GROUPS)
  readonly small = new Uint8Array(SLOTS)
  readonly heads = new Uint32Array(SLOTS)
  count = 0
  /** Of all tables. */
  buckets = 0
  /** Where mapBucket() was last: the slot, and the buckets before it. */
  mapSlot = 0
  mapBase = 0
}

export class SlotTables implements KeyTables {
  private readonly tables: HashTable
  private readonly directories: (Directory | undefined)[] = [undefined]
  private readonly key = new Slice()
  private known: Slice = NOTHING
  private knownSlot = 0

  constructor(tables: HashTable) {
    this.tables = tables
  }

  // ---- slots ----

  /** The next find() of this Slice need not compute its slot; learnt anew, or forgotten, before its bytes change. */
  learn(key: Slice, slot: number): void {
    this.known = key
    this.knownSlot = slot
  }

  forget(): void {
    this.known = NOTHING
  }

  countInSlot(t: Ref, slot: number): number {
    const table = this.directory(t).refs[slot]
    return table === 0 ? 0 : this.tables.count(table)
  }

  /** Entries of the next bucket of a slot; the cursor to continue with, 0 at the end. */
  scanSlot(t: Ref, slot: number, cursor: number, visit: (entry: Ref) => void): number {
    const table = this.directory(t).refs[slot]
    return table === 0 ? 0 : this.tables.scan(table, cursor, visit)
  }

  hasKeys(t: Ref, slot: number): boolean {
    return this.directory(t).refs[slot] !== 0
  }

  private directory(t: Ref): Directory {
    return this.directories[t]!
  }

  private slotOf(entry: Ref): number {
    return keySlot(this.tables.keyOf(entry, this.key))
  }

  // ---- a table as a whole ----

  create(): Ref {
    const free = this.directories.indexOf(undefined, 1)
    const at = free < 0 ? this.directories.length : free
    this.directories[at] = new Directory()
    return at
  }

  count(t: Ref): number {
    return this.directory(t).count
  }

  buckets(t: Ref): number {
    return this.directory(t).buckets
  }

  bytes(t: Ref): number {
    const { refs, groups, small, heads } = this.directory(t)
    let bytes = refs.byteLength + groups.byteLength + small.byteLength + heads.byteLength
    for (const table of refs) if (table !== 0) bytes += this.tables.bytes(table)
    return bytes
  }

  /** Which slots the entries will be of is not known. */
  reserve(): void {}

  trim(): void {}

  /** Directories are not in the arena. */
  relocate(t: Ref): Ref {
    return t
  }

  relocateChunks(t: Ref, from: number, chunkLimit: number): number {
    const directory = this.directory(t)
    const { refs } = directory
    let slot = Math.floor(from / CHUNKS_MAX)
    while (slot < SLOTS && refs[slot] === 0) slot++
    if (slot === SLOTS) return -1
    const chunk = slot === Math.floor(from / CHUNKS_MAX) ? from % CHUNKS_MAX : 0
    if (chunk === 0) refs[slot] = this.tables.relocate(refs[slot])
    const next = this.tables.relocateChunks(refs[slot], chunk, chunkLimit)
    this.copyHeader(directory, slot)
    return (next < 0 ? slot + 1 : slot) * CHUNKS_MAX + Math.max(0, next)
  }

  // ---- entries ----

  hashOf(entry: Ref): number {
    return this.tables.hashOf(entry)
  }

  find(t: Ref, key: Slice, hash: number, slot: TableSlot): Ref {
    const directory = this.directory(t)
    let hashSlot = this.knownSlot
    if (key === this.known) this.known = NOTHING
    else hashSlot = keySlot(key)
    const head = directory.heads[hashSlot]
    if (head !== 0) {
      let index = head & BUCKETS_BITS & hash
      if ((head & MANY_BUCKETS) !== 0) {
        const buckets = directory.small[hashSlot]
        index = bucketIndex(hash, (1 << (31 - Math.clz32(buckets))) - 1, buckets)
      }
      return this.tables.findIn(((head & ~BUCKETS_BITS) + index * 4) >>> 0, key, hash, slot)
    }
    const table = directory.refs[hashSlot]
    if (table !== 0) return this.tables.find(table, key, hash, slot)
    slot.hash = hash
    slot.entry = 0
    return 0
  }

  /** The key's slot is not known from its hash. */
  readAhead(): void {}

  insert(t: Ref, entry: Ref, hash: number): void {
    const directory = this.directory(t)
    const slot = this.slotOf(entry)
    let table = directory.refs[slot]
    if (table === 0) {
      table = directory.refs[slot] = this.tables.create()
      directory.buckets += this.tables.buckets(table)
    }
    const before = this.tables.buckets(table)
    this.tables.insert(table, entry, hash)
    const after = this.tables.buckets(table)
    if (after !== before || directory.heads[slot] === 0) this.copyHeader(directory, slot)
    directory.buckets += after - before
    directory.count++
    directory.groups[slot >> GROUP_SHIFT]++
  }

  replaceAt(slot: TableSlot, entry: Ref): void {
    this.tables.replaceAt(slot, entry)
  }

  removeAt(t: Ref, slot: TableSlot): void {
    const directory = this.directory(t)
    const hashSlot = this.slotOf(slot.entry)
    const table = directory.refs[hashSlot]
    const before = this.tables.buckets(table)
    this.tables.removeAt(table, slot)
    directory.count--
    directory.groups[hashSlot >> GROUP_SHIFT]--
    const after = this.tables.buckets(table)
    directory.buckets += after - before
    if (after !== before) this.copyHeader(directory, hashSlot)
    if (this.tables.count(table) > 0) return
    // The table of a slot without keys is given back.
    directory.buckets -= this.tables.buckets(table)
    this.tables.drain(table, 1, () => {})
    directory.refs[hashSlot] = 0
    this.copyHeader(directory, hashSlot)
  }

  /** The table of a slot has other buckets now, or is another one. */
  private copyHeader(directory: Directory, slot: number): void {
    const table = directory.refs[slot]
    const chunk = table === 0 ? 0 : this.tables.onlyChunk(table)
    const buckets = chunk === 0 ? 0 : this.tables.buckets(table)
    assert((chunk & BUCKETS_BITS) === 0, 'a chunk starts on 64 bytes')
    directory.small[slot] = buckets
    directory.heads[slot] = chunk + (buckets > 2 ? MANY_BUCKETS : Math.max(0, buckets - 1))
  }

  findRef(t: Ref, entry: Ref, hash: number, slot: TableSlot): boolean {
    const table = this.directory(t).refs[this.slotOf(entry)]
    if (table !== 0) return this.tables.findRef(table, entry, hash, slot)
    slot.hash = hash
    slot.entry = 0
    return false
  }

  scan(t: Ref, cursor: number, visit: (entry: Ref) => void): number {
    const { refs } = this.directory(t)
    let slot = cursor % SLOTS
    const within = Math.floor(cursor / SLOTS)
    const next = refs[slot] === 0 ? 0 : this.tables.scan(refs[slot], within, visit)
    if (next !== 0) return next * SLOTS + slot
    slot++
    while (slot < SLOTS && refs[slot] === 0) slot++
    return slot === SLOTS ? 0 : slot
  }

  random(t: Ref, random: () => number): Ref {
    const slot = this.randomSlot(t, random)
    return slot < 0 ? 0 : this.tables.random(this.directory(t).refs[slot], random)
  }

  /** A slot, by the number of its keys; -1: there are none. */
  private randomSlot(t: Ref, random: () => number): number {
    const { refs, groups, count } = this.directory(t)
    if (count === 0) return -1
    let left = random() % count
    let group = 0
    while (left >= groups[group]) left -= groups[group++]
    for (let slot = group << GROUP_SHIFT; ; slot++) {
      const keys = refs[slot] === 0 ? 0 : this.tables.count(refs[slot])
      if (left < keys) return slot
      left -= keys
    }
  }

  sample(t: Ref, random: () => number, limit: number, out: Uint32Array): number {
    const { refs, count } = this.directory(t)
    const wanted = Math.min(limit, count)
    let slot = this.randomSlot(t, random)
    let found = 0
    for (let looked = 0; found < wanted && looked < SLOTS; looked++, slot = (slot + 1) % SLOTS)
      if (refs[slot] !== 0) found += this.tables.sample(refs[slot], random, wanted - found, out.subarray(found))
    return found
  }

  drain(t: Ref, limit: number, visit: (entry: Ref) => void): boolean {
    const directory = this.directory(t)
    let left = limit
    const counted = (entry: Ref) => {
      left--
      directory.count--
      visit(entry)
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const table = directory.refs[slot]
      if (table === 0) continue
      if (left <= 0) return false
      directory.heads[slot] = 0
      if (!this.tables.drain(table, left, counted)) return false
      directory.refs[slot] = 0
      directory.groups[slot >> GROUP_SHIFT] = 0
    }
    this.directories[t] = undefined
    return true
  }

  mapBucket(t: Ref, index: number, visit: (entry: Ref) => Ref): void {
    const directory = this.directory(t)
    if (index < directory.mapBase) directory.mapSlot = directory.mapBase = 0
    for (; directory.mapSlot < SLOTS; directory.mapSlot++) {
      const table = directory.refs[directory.mapSlot]
      const buckets = table === 0 ? 0 : this.tables.buckets(table)
      if (index < directory.mapBase + buckets) return this.tables.mapBucket(table, index - directory.mapBase, visit)
      directory.mapBase += buckets
    }
  }
}
