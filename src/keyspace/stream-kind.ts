// StreamKind: what the keyspace must know about streams, and the objects that commands work with.

import { Slice } from '../lib/slice.ts'
import type { Arena, Ref } from '../memory/arena.ts'
import { OrderedCursor } from '../memory/ordered.ts'
import type { Keyspace, ValueKind } from './keyspace.ts'
import { RelocationWalk, relocateWhole } from './relocation.ts'
import { GROUPS, NODES, STREAM_BYTES, Stream, type StreamLimits, type StreamTools } from './stream.ts'
import { StreamGroups } from './stream-groups.ts'
import { StreamId } from './stream-id.ts'
import { ID_PAYLOAD_AT, StreamIndex } from './stream-index.ts'
import { StreamIterator } from './stream-iterator.ts'
import { StreamNodes } from './stream-node.ts'
import { TYPE_STREAM } from './types.ts'

/** Entries waiting for acknowledgement and consumers, of all groups that are moved together. */
const GROUPS_EFFORT_MAX = 10_000

export class StreamKind implements ValueKind, StreamTools {
  readonly arena: Arena
  readonly index: StreamIndex
  readonly nodes: StreamNodes
  readonly groups: StreamGroups
  readonly limits: StreamLimits
  /** The stream a command works on. */
  readonly stream: Stream
  readonly iterator: StreamIterator
  readonly cursor = new OrderedCursor()
  /** Where an id is written out. */
  readonly text = new Slice(new Uint8Array(48), 0, 0)
  readonly name = new Slice()
  /** Ids read from arguments. */
  readonly from = new StreamId()
  readonly to = new StreamId()
  private readonly probe = new OrderedCursor()
  private readonly id = new StreamId()
  private readonly walk = new RelocationWalk()

  constructor(space: Keyspace, limits: StreamLimits) {
    this.arena = space.arena
    this.limits = limits
    this.index = new StreamIndex(space.arena)
    this.nodes = new StreamNodes(space.arena)
    this.groups = new StreamGroups(this.index)
    this.stream = new Stream(this)
    this.iterator = new StreamIterator(this.index, this.nodes)
  }

  /** The one that was registered with a keyspace. */
  static of(space: Keyspace): StreamKind {
    return space.kinds[TYPE_STREAM] as StreamKind
  }

  private field(value: Ref, offset: number): Ref {
    return this.arena.dv(value).getUint32(this.arena.at(value) + offset, true)
  }

  private setField(value: Ref, offset: number, ref: Ref): void {
    this.arena.dv(value).setUint32(this.arena.at(value) + offset, ref, true)
  }

  freeEffort(_encoding: number, value: Ref): number {
    return this.index.trees.count(this.field(value, NODES)) + this.groups.effort(this.field(value, GROUPS))
  }

  drain(_encoding: number, value: Ref, limit: number): boolean {
    const groups = this.field(value, GROUPS)
    if (groups !== 0) {
      if (!this.groups.drain(groups, limit)) return false
      this.setField(value, GROUPS, 0)
    }
    if (!this.index.trees.drain(this.field(value, NODES), limit, this.freeNode)) return false
    this.arena.free(value)
    return true
  }

  private readonly freeNode = (node: Ref): void => {
    this.arena.free(this.field(node, ID_PAYLOAD_AT))
    this.arena.free(node)
  }

  copy(_encoding: number, value: Ref): Ref {
    const { trees } = this.index
    const twin = new Stream(this).create()
    const tree = twin.tree
    this.arena.copy(twin.value, GROUPS, value, GROUPS, STREAM_BYTES - GROUPS)
    this.setField(twin.value, GROUPS, this.groups.copy(this.field(value, GROUPS), this.id))
    this.setField(twin.value, NODES, tree)
    const c = new OrderedCursor()
    for (let more = trees.first(this.field(value, NODES), c); more; more = trees.next(c)) {
      const node = trees.entryAt(c)
      twin.addNode(this.index.idOf(node, this.id), this.nodes.lists.copy(this.field(node, ID_PAYLOAD_AT)))
    }
    return twin.value
  }

  memory(_encoding: number, value: Ref, samples: number): number {
    const { trees } = this.index
    const tree = this.field(value, NODES)
    const count = trees.count(tree)
    let looked = 0
    let bytes = 0
    for (let more = trees.first(tree, this.probe); more; more = trees.next(this.probe)) {
      if (samples > 0 && looked === samples) break
      looked++
      const node = trees.entryAt(this.probe)
      bytes += this.arena.sizeOf(node) + this.arena.sizeOf(this.field(node, ID_PAYLOAD_AT))
    }
    const nodes = looked === 0 ? 0 : Math.round((bytes / looked) * count)
    return this.arena.sizeOf(value) + trees.bytes(tree) + nodes + this.groups.bytes(this.field(value, GROUPS))
  }

  relocate(encoding: number, value: Ref): Ref {
    return relocateWhole(this, this.walk, encoding, value)
  }

  /** First the nodes, leaf by leaf of their tree; then the groups, in one piece if they are not too large for that. */
  relocatePart(_encoding: number, value: Ref, walk: RelocationWalk): Ref {
    const { trees } = this.index
    const moved = this.arena.relocate(value)
    const tree = this.arena.relocate(this.field(moved, NODES))
    this.setField(moved, NODES, tree)
    const move = (node: Ref): Ref => {
      const fresh = this.arena.relocate(node)
      this.setField(fresh, ID_PAYLOAD_AT, this.arena.relocate(this.field(fresh, ID_PAYLOAD_AT)))
      return fresh
    }
    if (walk.stage === 0) walk.goOn(trees.relocate(tree, walk.at, move))
    else {
      const groups = this.field(moved, GROUPS)
      if (groups !== 0 && this.groups.effort(groups) <= GROUPS_EFFORT_MAX)
        this.setField(moved, GROUPS, this.groups.relocate(groups))
      walk.done = true
    }
    return moved
  }
}
