// IndexReader: adds the keys of an index of keys on disk, whose values are in the value log, many in one call: what a
// restart mostly does. It reads keys as RdbReader does, and adds entries as Database and ColdStore do.
//
//   key of the index   [ EXPIRETIME_MS i64 ] [ IDLE length | FREQ u8 ] RDB_PLACE, key string, place     rdb/format.ts
//
// Always: it stops before a key that is of another form, that may not be whole in the window, or whose record may not
// be there. RdbReader goes on with that one, and says what is wrong. The checkpoint of the input is behind the last key
// that was added.

import type { ValuePlace } from '../keyspace/cold.ts'
import type { Database } from '../keyspace/database.ts'
import { PLACE_BYTES } from '../keyspace/entries.ts'
import { COLD, HAS_EXPIRY, headBytes, INDEXED, KEY_AT, LRU_CLOCK_MASK } from '../keyspace/entry.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { LFU_INIT } from '../keyspace/lfu.ts'
import { copyBytes } from '../lib/bytes.ts'
import { writeLong } from '../lib/long-field.ts'
import type { Ref } from '../memory/arena.ts'
import { OP_EXPIRETIME_MS, OP_FREQ, OP_IDLE, RDB_PLACE } from '../persistence/rdb/format.ts'
import { type RdbInput, RdbString } from '../persistence/rdb/input.ts'

/** Of a key, with all that is about it. Longer names have another form in an entry. */
const NAME_BYTES_MAX = 254
const KEY_BYTES_MAX = NAME_BYTES_MAX + 64

export class IndexReader {
  private readonly space: Keyspace
  /** Refers to a record that is certainly there; false: it may not be, and nothing has happened. */
  private readonly adopt: (place: ValuePlace) => boolean
  private readonly place: ValuePlace = { segment: 0, offset: 0, bytes: 0 }
  private typeAndEncoding = 0
  private expiryMs = -1
  private idleSeconds = -1
  private frequency = -1
  private readonly name = new RdbString()

  constructor(space: Keyspace, adopt: (place: ValuePlace) => boolean) {
    this.space = space
    this.adopt = adopt
  }

  /** Adds keys that are before `until` in the window; their number. */
  run(db: Database, input: RdbInput, until: number): number {
    const end = Math.min(until, input.end - KEY_BYTES_MAX)
    let keys = 0
    input.checkpoint = input.pos
    for (; input.pos < end; keys++) {
      if (!this.read(input) || !this.adopt(this.place)) break
      this.add(db)
      input.checkpoint = input.pos
    }
    input.pos = input.checkpoint
    this.space.mutations += keys
    return keys
  }

  /** False: the key is of another form. */
  private read(input: RdbInput): boolean {
    const { place } = this
    this.expiryMs = this.idleSeconds = this.frequency = -1
    let op = input.byte()
    if (op === OP_EXPIRETIME_MS) {
      this.expiryMs = input.int64()
      if (!(this.expiryMs >= 0 && this.expiryMs <= Number.MAX_SAFE_INTEGER)) return false
      op = input.byte()
    }
    if (op === OP_IDLE) {
      this.idleSeconds = input.length()
      op = input.byte()
    } else if (op === OP_FREQ) {
      this.frequency = input.byte()
      op = input.byte()
    }
    if (op !== RDB_PLACE || input.string(this.name).len > NAME_BYTES_MAX) return false
    this.typeAndEncoding = input.byte()
    place.segment = input.length()
    place.offset = input.length()
    place.bytes = input.length()
    return true
  }

  private add(db: Database): void {
    const { space, name, expiryMs, place } = this
    const { arena, tables } = space
    const head = headBytes(name.len, expiryMs >= 0)
    const entry: Ref = arena.alloc(head + PLACE_BYTES)
    const { u8, dv } = arena.segment(entry)
    const at = arena.at(entry)
    const access = this.access()
    u8[at] = this.typeAndEncoding
    u8[at + 1] = space.epoch | COLD | INDEXED | (expiryMs >= 0 ? HAS_EXPIRY : 0)
    u8[at + 2] = access
    u8[at + 3] = access >>> 8
    u8[at + 4] = access >>> 16
    u8[at + KEY_AT] = name.len
    copyBytes(u8, dv, at + KEY_AT + 1, name.u8, name.dv, name.off, name.len)
    const placeAt = at + head
    dv.setUint32(placeAt, place.segment, true)
    dv.setUint32(placeAt + 4, place.offset, true)
    dv.setUint32(placeAt + 8, place.bytes, true)
    const hash = space.hasher.hashBytes(name.dv, name.off, name.len)
    tables.insert(db.mainTable, entry, hash)
    if (expiryMs < 0) return
    writeLong(dv, placeAt - 8, expiryMs)
    tables.insert(db.expiryTable, entry, hash)
  }

  /** The 24 bits of access time, or of access counter. */
  private access(): number {
    const { space, idleSeconds, frequency } = this
    if (!space.lfu) return (space.lruClock - Math.max(0, idleSeconds)) & LRU_CLOCK_MASK
    const minutes = Math.floor(space.nowMs / 60000) & 0xffff
    return (frequency >= 0 ? frequency : LFU_INIT) | (minutes << 8)
  }
}
