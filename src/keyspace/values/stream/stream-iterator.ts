// StreamIterator: iterates over the entries of a stream in either direction, within a range of ids.
//
//   start() ─▶ next(): true ─▶ id, fields ─▶ field() as many times as there are fields, or fewer ─▶ next() …
//   reset() ─▶ find(): the same for single ids
//
// Always: valid until the stream changes. Offsets are bytes of the segment that holds the node's listpack.

import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'
import { HEADER_BYTES, readInteger, skip, skipBack, skipElements } from '../../../memory/listpack-format.ts'
import { OrderedCursor } from '../../../memory/ordered.ts'
import { StreamId } from './stream-id.ts'
import { ID_PAYLOAD_AT, type StreamIndex } from './stream-index.ts'
import { DELETED, SAME_FIELDS, type StreamNodes } from './stream-node.ts'

export class StreamIterator {
  /** The id of the current entry. */
  readonly id = new StreamId()
  /** Number of field-value pairs of the entry. */
  fields = 0
  /** The field that nextField() read. */
  readonly field = new Slice()
  readonly value = new Slice()
  /** Also return deleted entries. */
  withDeleted = false
  /** The entry of the node in the stream's tree, and the offset of the entry's flags. */
  node: Ref = 0
  flagsAt = 0
  private readonly index: StreamIndex
  private readonly nodes: StreamNodes
  private reverse = false
  private readonly from = new StreamId()
  private readonly to = new StreamId()
  private readonly master = new StreamId()
  private readonly cursor = new OrderedCursor()
  private readonly fieldDigits = new Slice(new Uint8Array(24), 0, 0)
  private readonly valueDigits = new Slice(new Uint8Array(24), 0, 0)
  private u8: Uint8Array
  private dv: DataView
  /** The next element of the entry to read (forward), 0 when the next node is to be opened. */
  private at = 0
  private end = 0
  private masterFields = 0
  private masterFieldsAt = 0
  private nextMasterField = 0
  private same = false
  private unread = 0

  constructor(index: StreamIndex, nodes: StreamNodes) {
    this.index = index
    this.nodes = nodes
    this.u8 = index.arena.segment(0).u8
    this.dv = index.arena.segment(0).dv
  }

  /** Begins at `from`, up to `to`, both included; backwards from `to` when `reverse`. */
  start(tree: Ref, from: StreamId, to: StreamId, reverse: boolean): this {
    this.from.set(from)
    this.to.set(to)
    this.reverse = reverse
    this.withDeleted = false
    this.at = 0
    this.flagsAt = 0
    // The node that may contain the first wanted entry is the last one whose master is not after it.
    this.index.seek(tree, reverse ? to : from, true, this.cursor)
    const found = this.index.trees.previousIn(tree, this.cursor)
    if (!found) {
      if (reverse || !this.index.trees.first(tree, this.cursor)) this.cursor.leaf = 0
    }
    return this
  }

  /** Moves to the next entry; false at the end of the range. */
  next(): boolean {
    return this.reverse ? this.nextBackward() : this.nextForward()
  }

  /** Before the first find(). */
  reset(): this {
    this.reverse = false
    this.withDeleted = false
    this.at = 0
    return this
  }

  /** Moves to the entry with that id; ids of one node that ascend are found in one pass over it. */
  find(tree: Ref, id: StreamId): boolean {
    if (this.at !== 0 && this.id.compare(id) < 0) {
      this.from.set(id)
      this.passEntry()
      if (this.nextInNode()) {
        if (this.id.compare(id) === 0) return true
        this.at = 0
        return false
      }
    }
    return this.start(tree, id, id, false).next()
  }

  private nextForward(): boolean {
    for (;;) {
      if (this.at === 0) {
        if (!this.openNode()) return false
        this.at = skip(this.u8, this.nextMasterField) // the master's 0
      } else this.passEntry()
      if (this.nextInNode()) return this.id.compare(this.to) <= 0
      this.leaveNode()
      if (!this.index.trees.next(this.cursor)) return false
    }
  }

  /** Passes what was not read of the current entry. */
  private passEntry(): void {
    const elements = (this.same ? this.unread : this.unread * 2) + 1 // the last one counts the others
    this.at = skipElements(this.u8, this.at, elements)
    this.unread = 0
  }

  /** Reads the head of the next entry that is not before `from`; false at the end of the node. */
  private nextInNode(): boolean {
    while (this.at < this.end) {
      const deleted = this.readHead(this.at)
      if (this.id.compare(this.from) >= 0 && (!deleted || this.withDeleted)) return true
      this.passEntry()
    }
    return false
  }

  private nextBackward(): boolean {
    for (;;) {
      let countAt: number
      if (this.flagsAt === 0) {
        if (!this.openNode()) return false
        countAt = skipBack(this.u8, this.end)
      } else countAt = skipBack(this.u8, this.flagsAt)
      for (;;) {
        let elements = readInteger(this.u8, this.dv, countAt)
        if (elements === 0) break
        let at = countAt
        for (; elements > 0; elements--) at = skipBack(this.u8, at)
        const deleted = this.readHead(at)
        if (this.id.compare(this.to) <= 0 && (!deleted || this.withDeleted)) return this.id.compare(this.from) >= 0
        countAt = skipBack(this.u8, at)
      }
      this.leaveNode()
      if (!this.index.trees.previous(this.cursor)) return false
    }
  }

  private leaveNode(): void {
    this.at = 0
    this.flagsAt = 0
  }

  /** Opens the node at the cursor; false when there is none. */
  private openNode(): boolean {
    if (this.cursor.leaf === 0) return false
    const { arena, trees } = this.index
    this.node = trees.entryAt(this.cursor)
    this.index.idOf(this.node, this.master)
    const lp = arena.dv(this.node).getUint32(arena.at(this.node) + ID_PAYLOAD_AT, true)
    const seg = arena.segment(lp)
    this.u8 = seg.u8
    this.dv = seg.dv
    const start = arena.at(lp)
    this.end = start + seg.dv.getUint32(start, true) - 1
    const fieldsAt = skip(seg.u8, skip(seg.u8, start + HEADER_BYTES))
    this.masterFields = readInteger(seg.u8, seg.dv, fieldsAt)
    let at = skip(seg.u8, fieldsAt)
    this.masterFieldsAt = at
    for (let i = this.masterFields; i > 0; i--) at = skip(seg.u8, at)
    this.nextMasterField = at
    return true
  }

  /** Reads flags, id and number of fields of the entry at `at`; true when it is deleted. */
  private readHead(at: number): boolean {
    const flags = readInteger(this.u8, this.dv, at)
    this.flagsAt = at
    at = this.nodes.readId(this.u8, this.dv, skip(this.u8, at), this.master, this.id)
    this.same = (flags & SAME_FIELDS) !== 0
    if (this.same) {
      this.fields = this.masterFields
      this.nextMasterField = this.masterFieldsAt
    } else {
      this.fields = readInteger(this.u8, this.dv, at)
      at = skip(this.u8, at)
    }
    this.at = at
    this.unread = this.fields
    return (flags & DELETED) !== 0
  }

  /** Points `field` and `value` at the next pair of the entry. */
  nextField(): void {
    if (this.same) {
      this.nodes.element(this.u8, this.dv, this.nextMasterField, this.field, this.fieldDigits)
      this.nextMasterField = skip(this.u8, this.nextMasterField)
    } else {
      this.nodes.element(this.u8, this.dv, this.at, this.field, this.fieldDigits)
      this.at = skip(this.u8, this.at)
    }
    this.nodes.element(this.u8, this.dv, this.at, this.value, this.valueDigits)
    this.at = skip(this.u8, this.at)
    this.unread--
  }

  /** Flags the entry as deleted, in place: flags are one byte. */
  markDeleted(): void {
    this.u8[this.flagsAt] |= DELETED
  }
}
