// StreamType: the ValueType of streams, and the objects that commands work with.

import { bytesOf } from '../../../lib/bytes.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { OrderedCursor } from '../../../memory/ordered.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_STREAM, encodingNames, TYPE_STREAM } from '../../types.ts'
import type { ValueType } from '../../value-type.ts'
import type { RelocationCursor } from '../shared/relocation.ts'
import { GROUPS, NODES, STREAM_BYTES, Stream, type StreamDependencies, type StreamLimits } from './stream.ts'
import { StreamGroups } from './stream-groups.ts'
import { StreamId } from './stream-id.ts'
import { ID_PAYLOAD_AT, StreamIndex } from './stream-index.ts'
import { StreamIterator } from './stream-iterator.ts'
import { StreamNodes } from './stream-node.ts'

/** Pending entries and consumers, of all groups that are moved together. */
const GROUPS_EFFORT_MAX = 10_000

export class StreamType implements ValueType, StreamDependencies {
  readonly id = TYPE_STREAM
  readonly name = 'stream'
  readonly encodingNames = encodingNames(ENC_STREAM)
  readonly announcesRemoval = true
  readonly arena: Arena
  readonly index: StreamIndex
  readonly nodes: StreamNodes
  readonly groups: StreamGroups
  readonly limits: StreamLimits
  /** The stream a command works on. */
  readonly stream: Stream
  readonly iterator: StreamIterator
  readonly cursor = new OrderedCursor()
  /** Scratch for a formatted id. */
  readonly text = new Slice(new Uint8Array(48), 0, 0)
  readonly nameText = new Slice()
  /** Ids parsed from arguments. */
  readonly from = new StreamId()
  readonly to = new StreamId()
  private readonly scratchCursor = new OrderedCursor()
  private readonly scratchId = new StreamId()

  constructor(space: Keyspace, limits: StreamLimits) {
    this.arena = space.arena
    this.limits = limits
    this.index = new StreamIndex(space.arena)
    this.nodes = new StreamNodes(space.arena)
    this.groups = new StreamGroups(this.index)
    this.stream = new Stream(this)
    this.iterator = new StreamIterator(this.index, this.nodes)
  }

  /** The one registered with the keyspace. */
  static of(space: Keyspace): StreamType {
    return space.types.of(TYPE_STREAM) as StreamType
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

  freeStep(_encoding: number, value: Ref, limit: number): boolean {
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
    const copy = new Stream(this).create()
    const tree = copy.tree
    this.arena.copy(copy.value, GROUPS, value, GROUPS, STREAM_BYTES - GROUPS)
    this.setField(copy.value, GROUPS, this.groups.copy(this.field(value, GROUPS), this.scratchId))
    this.setField(copy.value, NODES, tree)
    const c = new OrderedCursor()
    for (let more = trees.first(this.field(value, NODES), c); more; more = trees.next(c)) {
      const node = trees.entryAt(c)
      copy.addNode(this.index.idOf(node, this.scratchId), this.nodes.lists.copy(this.field(node, ID_PAYLOAD_AT)))
    }
    return copy.value
  }

  memory(_encoding: number, value: Ref, samples: number): number {
    const { trees } = this.index
    const tree = this.field(value, NODES)
    const count = trees.count(tree)
    let looked = 0
    let bytes = 0
    for (let more = trees.first(tree, this.scratchCursor); more; more = trees.next(this.scratchCursor)) {
      if (samples > 0 && looked === samples) break
      looked++
      const node = trees.entryAt(this.scratchCursor)
      bytes += this.arena.sizeOf(node) + this.arena.sizeOf(this.field(node, ID_PAYLOAD_AT))
    }
    const nodes = looked === 0 ? 0 : Math.round((bytes / looked) * count)
    return this.arena.sizeOf(value) + trees.bytes(tree) + nodes + this.groups.bytes(this.field(value, GROUPS))
  }

  /** First the nodes, leaf by leaf of their tree; then all groups at once, unless they are too large. */
  relocatePart(_encoding: number, value: Ref, cursor: RelocationCursor): Ref {
    const { trees } = this.index
    const moved = this.arena.relocate(value)
    const tree = this.arena.relocate(this.field(moved, NODES))
    this.setField(moved, NODES, tree)
    const move = (node: Ref): Ref => {
      const fresh = this.arena.relocate(node)
      this.setField(fresh, ID_PAYLOAD_AT, this.arena.relocate(this.field(fresh, ID_PAYLOAD_AT)))
      return fresh
    }
    if (cursor.stage === 0) cursor.advance(trees.relocate(tree, cursor.at, move))
    else {
      const groups = this.field(moved, GROUPS)
      if (groups !== 0 && this.groups.effort(groups) <= GROUPS_EFFORT_MAX)
        this.setField(moved, GROUPS, this.groups.relocate(groups))
      cursor.done = true
    }
    return moved
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    const { tree } = this.stream.open(entries.valueOf(entry))
    const it = this.iterator.start(tree, new StreamId(), new StreamId().setMax(), false)
    while (it.next()) {
      into.mix(bytesOf(it.id.toString().replace('-', '.')))
      for (let left = it.fields; left > 0; left--) {
        it.nextField()
        into.mixSlice(it.field)
        into.mixSlice(it.value)
      }
    }
  }
}
