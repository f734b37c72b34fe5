// ListKind: what the keyspace must know about lists, and the List objects that commands work with.

import { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from '../memory/arena.ts'
import { Element } from '../memory/element.ts'
import { ListCursor } from '../memory/list-cursor.ts'
import { Listpack } from '../memory/listpack.ts'
import { Quicklist } from '../memory/quicklist.ts'
import type { Keyspace, ValueKind } from './keyspace.ts'
import { List, type ListLimits, type ListTools } from './list.ts'
import { RelocationWalk, relocateWhole } from './relocation.ts'
import { ENC_QUICKLIST, TYPE_LIST } from './types.ts'

const NODES_AT_ONCE = 32
/** To come to a node all before it are passed: longer lists stay where they are. */
const NODES_MAX = 50_000
/** A longer element is copied to memory of its own, which goes when it is done with. */
const KEPT_BYTES_MAX = 1 << 20

export class ListKind implements ValueKind, ListTools {
  readonly listpacks: Listpack
  readonly quicklists: Quicklist
  readonly limits: ListLimits
  readonly cursor = new ListCursor()
  /** For the list a command works on, and a second one. */
  readonly first: List
  readonly second: List
  readonly element = new Element()
  private readonly arena: Arena
  private readonly walk = new RelocationWalk()
  private readonly kept = new Slice(new Uint8Array(64))

  constructor(space: Keyspace, limits: ListLimits) {
    this.arena = space.arena
    this.listpacks = new Listpack(space.arena)
    this.quicklists = new Quicklist(space.arena, this.listpacks)
    this.limits = limits
    this.first = new List(this)
    this.second = new List(this)
  }

  /** The one that was registered with a keyspace. */
  static of(space: Keyspace): ListKind {
    return space.kinds[TYPE_LIST] as ListKind
  }

  /** A copy of `s` that stays until the next call. */
  keep(s: Slice): Slice {
    const { kept } = this
    if (s.len > KEPT_BYTES_MAX) return s.copy()
    if (kept.u8.length < s.len) {
      const u8 = new Uint8Array(s.len * 2)
      kept.set(u8, new DataView(u8.buffer), 0, 0)
    }
    kept.u8.set(s.u8.subarray(s.off, s.off + s.len))
    kept.len = s.len
    return kept
  }

  freeEffort(encoding: number, value: Ref): number {
    return encoding === ENC_QUICKLIST ? this.quicklists.nodes(value) : 1
  }

  drain(encoding: number, value: Ref, limit: number): boolean {
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

  relocate(encoding: number, value: Ref): Ref {
    return relocateWhole(this, this.walk, encoding, value)
  }

  relocatePart(encoding: number, value: Ref, walk: RelocationWalk): Ref {
    const moved = this.arena.relocate(value)
    if (encoding === ENC_QUICKLIST && this.quicklists.nodes(moved) <= NODES_MAX)
      walk.goOn(this.quicklists.relocateNodes(moved, walk.at, NODES_AT_ONCE))
    else walk.goOn(-1)
    walk.done = walk.stage > 0
    return moved
  }
}
