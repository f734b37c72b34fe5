// ListType: the ValueType of lists, and the List objects that commands work with.

import { copySlice } from '../../../lib/bytes.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { Element } from '../../../memory/element.ts'
import { ListCursor } from '../../../memory/list-cursor.ts'
import { Listpack } from '../../../memory/listpack.ts'
import { Quicklist } from '../../../memory/quicklist.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_LISTPACK, ENC_QUICKLIST, encodingNames, TYPE_LIST } from '../../types.ts'
import type { ValueType } from '../../value-type.ts'
import type { RelocationCursor } from '../shared/relocation.ts'
import { List, type ListDependencies, type ListLimits } from './list.ts'

const NODES_AT_ONCE = 32
/** A node's index is reached by passing all nodes before it: longer lists are not compacted. */
const NODES_MAX = 50_000
/** A longer element is copied to a buffer that is not reused. */
const REUSED_BYTES_MAX = 1 << 20

export class ListType implements ValueType, ListDependencies {
  readonly id = TYPE_LIST
  readonly name = 'list'
  readonly encodingNames = encodingNames(ENC_QUICKLIST, ENC_LISTPACK)
  readonly announcesRemoval = false
  readonly listpacks: Listpack
  readonly quicklists: Quicklist
  readonly limits: ListLimits
  readonly cursor = new ListCursor()
  /** The list a command works on, and a second one. */
  readonly current: List
  readonly destination: List
  readonly element = new Element()
  private readonly arena: Arena
  private readonly copied = new Slice(new Uint8Array(64))

  constructor(space: Keyspace, limits: ListLimits) {
    this.arena = space.arena
    this.listpacks = new Listpack(space.arena)
    this.quicklists = new Quicklist(space.arena, this.listpacks)
    this.limits = limits
    this.current = new List(this)
    this.destination = new List(this)
  }

  /** The one registered with the keyspace. */
  static of(space: Keyspace): ListType {
    return space.types.of(TYPE_LIST) as ListType
  }

  /** A copy of `s`, valid until the next call. */
  copyOf(s: Slice): Slice {
    const { copied } = this
    if (s.len > REUSED_BYTES_MAX) return s.copy()
    if (copied.u8.length < s.len) {
      const u8 = new Uint8Array(s.len * 2)
      copied.set(u8, new DataView(u8.buffer), 0, 0)
    }
    copySlice(copied.u8, copied.dv, 0, s)
    copied.len = s.len
    return copied
  }

  freeEffort(encoding: number, value: Ref): number {
    return encoding === ENC_QUICKLIST ? this.quicklists.nodes(value) : 1
  }

  freeStep(encoding: number, value: Ref, limit: number): boolean {
    if (encoding === ENC_QUICKLIST) return this.quicklists.drain(value, limit)
    this.listpacks.free(value)
    return true
  }

  copy(encoding: number, value: Ref): Ref {
    return encoding === ENC_QUICKLIST ? this.quicklists.copy(value) : this.listpacks.copy(value)
  }

  memory(encoding: number, value: Ref, samples: number): number {
    return encoding === ENC_QUICKLIST ? this.quicklists.memory(value, samples) : this.arena.sizeOf(value)
  }

  relocatePart(encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    const moved = this.arena.relocate(value)
    if (encoding === ENC_QUICKLIST && this.quicklists.nodes(moved) <= NODES_MAX)
      cursor.advance(this.quicklists.relocateNodes(moved, cursor.at, NODES_AT_ONCE))
    else cursor.advance(-1)
    cursor.done = cursor.stage > 0
    return moved
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    const list = this.current.open(entries.encodingOf(entry), entries.valueOf(entry))
    list.seek(0, true)
    while (list.next(this.element)) into.mixSlice(this.element.text())
  }
}
