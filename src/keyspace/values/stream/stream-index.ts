// StreamIndex: trees (memory/ordered.ts) keyed by stream ids, and by names, for a stream's nodes, groups, consumers
// and pending entries.
//
//   keyed by id    [ milliseconds f64 ][ 16 u8 ][ id 16 bytes big-endian ][ - - - ][ payload from byte 28 on ]
//   keyed by name  [ 0 f64 ][ name length u8, or 255 and u32 ][ name ][ payload ]
//
// Always: ids of equal rounded milliseconds are ordered by their bytes, so the order is that of the ids.

import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { OrderedCursor, ScoreTree } from '../../../memory/ordered.ts'
import { prefixedBytes, prefixedEnd, writePrefixed } from '../../../memory/prefixed.ts'
import type { StreamId } from './stream-id.ts'
import { ID_BYTES } from './stream-id.ts'

const ID_AT = 9
export const ID_PAYLOAD_AT = 28
const NAME_AT = 8

export class StreamIndex {
  readonly arena: Arena
  readonly trees: ScoreTree
  private readonly key = new Slice(new Uint8Array(ID_BYTES), 0, ID_BYTES)
  private readonly scratchCursor = new OrderedCursor()
  private readonly name = new Slice()

  constructor(arena: Arena) {
    this.arena = arena
    this.trees = new ScoreTree(arena)
  }

  /** A new entry with this id; `payloadBytes` bytes follow from ID_PAYLOAD_AT on. */
  newIdEntry(id: StreamId, payloadBytes: number): Ref {
    const entry = this.arena.alloc(ID_PAYLOAD_AT + payloadBytes)
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.dv.setFloat64(at, id.ms, true)
    seg.u8[at + 8] = ID_BYTES
    id.write(seg.dv, at + ID_AT)
    return entry
  }

  idOf(entry: Ref, out: StreamId): StreamId {
    return out.read(this.arena.dv(entry), this.arena.at(entry) + ID_AT)
  }

  /** Moves the cursor to the first entry not before `id` (after it when `afterEqual`), or to the end; its rank. */
  seek(tree: Ref, id: StreamId, afterEqual: boolean, out: OrderedCursor): number {
    id.write(this.key.dv, 0)
    return this.trees.seekKey(tree, id.ms, this.key, afterEqual, out)
  }

  /** The entry of this id, or 0. */
  find(tree: Ref, id: StreamId): Ref {
    this.seek(tree, id, false, this.scratchCursor)
    if (this.scratchCursor.leaf === 0) return 0
    const entry = this.trees.entryAt(this.scratchCursor)
    const dv = this.arena.dv(entry)
    const at = this.arena.at(entry) + ID_AT
    const same =
      dv.getUint32(at + 12) === id.seqLow &&
      dv.getUint32(at + 8) === id.seqHigh &&
      dv.getUint32(at + 4) === id.msLow &&
      dv.getUint32(at) === id.msHigh
    return same ? entry : 0
  }

  newNameEntry(name: Slice, payloadBytes: number): Ref {
    const entry = this.arena.alloc(NAME_AT + prefixedBytes(name.len) + payloadBytes)
    const seg = this.arena.segment(entry)
    const at = this.arena.at(entry)
    seg.dv.setFloat64(at, 0, true)
    writePrefixed(seg.u8, seg.dv, at + NAME_AT, name)
    return entry
  }

  findName(tree: Ref, name: Slice): Ref {
    this.trees.seekKey(tree, 0, name, false, this.scratchCursor)
    if (this.scratchCursor.leaf === 0) return 0
    const entry = this.trees.entryAt(this.scratchCursor)
    return this.nameOf(entry, this.name).equals(name) ? entry : 0
  }

  nameOf(entry: Ref, out: Slice): Slice {
    return this.trees.memberOf(entry, out)
  }

  /** Offset, within its segment, of the payload of an entry keyed by name. */
  namePayloadAt(entry: Ref): number {
    const seg = this.arena.segment(entry)
    return prefixedEnd(seg.u8, seg.dv, this.arena.at(entry) + NAME_AT)
  }
}
