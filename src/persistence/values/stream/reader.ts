// Reader of streams from RDB files and DUMP payloads. ² and ³: since STREAM_LISTPACKS_2 and STREAM_LISTPACKS_3.
//
//   nodes, then for each: master id (a string of 16 bytes), listpack
//   length | last id | first id ² | largest deleted id ² | entries added ²
//   groups, then for each: name | last id | entries read ² |
//     pending, then for each: id 16 bytes | delivered ms i64 | deliveries
//     consumers, then for each: name | seen ms i64 | active ms i64 ³ | pending, then for each: id 16 bytes
//
// Ids outside of strings are two lengths. Version 2 is written, which Redis 7.0 reads.

import { ENC_STREAM } from '../../../keyspace/types.ts'
import { Stream } from '../../../keyspace/values/stream/stream.ts'
import { ID_BYTES, StreamId } from '../../../keyspace/values/stream/stream-id.ts'
import type { StreamType } from '../../../keyspace/values/stream/stream-type.ts'
import { addLong, type Long } from '../../../lib/long-field.ts'
import type { Ref } from '../../../memory/arena.ts'
import { RDB_STREAM_LISTPACKS, RDB_STREAM_LISTPACKS_3 } from '../../rdb/format.ts'
import { type RdbInput, RdbString } from '../../rdb/input.ts'
import type { ReadOptions, ValueReader } from '../value-codec.ts'
import { isStreamNode } from './stream-row.ts'

const _UNKNOWN_HALF = 0xffffffff

// The phases, each with its successors.
const NODES = 0 // ─▶ META
const META = 1 // ─▶ GROUP
const GROUP = 2 // ─▶ PENDING, or the end after the last group
const PENDING = 3 // ─▶ CONSUMER
const CONSUMER = 4 // ─▶ OWNED, or GROUP after the last consumer
const OWNED = 5 // ─▶ CONSUMER

export class StreamReader implements ValueReader {
  readonly encoding = ENC_STREAM
  readonly empty = false
  private readonly type: StreamType
  private readonly options: ReadOptions
  private readonly stream: Stream
  private readonly text = new RdbString()
  private readonly row = new RdbString()
  private readonly id = new StreamId()
  private readonly other = new StreamId()
  private held = false
  private rdbType = 0
  private phase = NODES
  private nodesLeft = 0
  private groupsLeft = 0
  private pendingLeft = 0
  private consumersLeft = 0
  private unowned = 0
  private group: Ref = 0
  private consumer: Ref = 0

  constructor(type: StreamType, options: ReadOptions) {
    this.type = type
    this.options = options
    this.stream = new Stream(type)
  }

  get value(): Ref {
    return this.stream.value
  }

  begin(rdbType: number, input: RdbInput): void {
    this.held = false
    this.rdbType = rdbType
    this.nodesLeft = input.length()
    this.phase = NODES
    this.stream.create()
    this.held = true
  }

  step(input: RdbInput, until: number): boolean {
    for (;;) {
      input.checkpoint = input.pos
      if (input.pos > until) return false
      switch (this.phase) {
        case NODES:
          if (this.nodesLeft > 0) this.readNode(input)
          else this.phase = META
          break
        case META:
          this.readMeta(input)
          break
        case GROUP:
          if (this.groupsLeft === 0) return true
          this.readGroup(input)
          break
        case PENDING:
          if (this.pendingLeft > 0) this.readPending(input)
          else {
            this.consumersLeft = input.length()
            this.phase = CONSUMER
          }
          break
        case CONSUMER:
          if (this.consumersLeft > 0) this.readConsumer(input)
          else this.endGroup(input)
          break
        default:
          if (this.pendingLeft > 0) this.readOwned(input)
          else this.phase = CONSUMER
      }
    }
  }

  private readNode(input: RdbInput): void {
    const { id, stream, type, text } = this
    input.string(text)
    if (text.len !== ID_BYTES) input.fail('Stream node key entry is not the size of a stream ID')
    id.read(text.dv, text.off)
    const row = input.string(this.row)
    if (this.options.deep) this.options.sanitizations++
    if (!isStreamNode(row)) input.fail('Stream listpack integrity check failed.')
    if (type.index.find(stream.tree, id) !== 0) input.fail('Listpack re-added with existing key')
    stream.addNode(id, type.nodes.lists.fromBytes(row))
    this.nodesLeft--
  }

  private readMeta(input: RdbInput): void {
    const { stream, id } = this
    const length = this.count(input)
    stream.length = length
    stream.setLastId(this.readId(input))
    if (this.rdbType === RDB_STREAM_LISTPACKS) {
      stream.entriesAdded = length
      stream.setMaxDeletedId(id.setMin())
      stream.updateFirstId()
    } else {
      stream.setFirstId(this.readId(input))
      stream.setMaxDeletedId(this.readId(input))
      stream.entriesAdded = input.longLength()
    }
    if (length > 0 && this.type.index.trees.count(stream.tree) === 0)
      input.fail('Stream length inconsistent with rax entries')
    this.groupsLeft = input.length()
    this.phase = GROUP
  }

  /** A count within ±2^53. */
  private count(input: RdbInput): number {
    const n = input.length()
    if (n > Number.MAX_SAFE_INTEGER) input.fail('Stream object metadata loading failed.')
    return n
  }

  private time(input: RdbInput): number {
    const ms = input.int64()
    return Math.max(-1, Math.min(ms, Number.MAX_SAFE_INTEGER))
  }

  private readId(input: RdbInput): StreamId {
    const { id } = this
    input.length64()
    id.msHigh = input.high
    id.msLow = input.low
    input.length64()
    id.seqHigh = input.high
    id.seqLow = input.low
    return id
  }

  private readGroup(input: RdbInput): void {
    const { type, stream, text } = this
    const name = input.string(text)
    const id = this.readId(input)
    const written = this.rdbType === RDB_STREAM_LISTPACKS ? this.estimateRead(id) : input.longLength()
    const read = written < 0 ? -1 : written
    const pending = input.length()
    const groups = stream.groupsToWrite()
    if (type.groups.find(groups, name) !== 0) input.fail(`Duplicated consumer group name ${name.latin1()}`)
    this.group = type.groups.create(groups, name, id, read)
    this.pendingLeft = this.unowned = pending
    this.groupsLeft--
    this.phase = PENDING
  }

  /** Redis's estimate of entries-read for a group with this last id; -1: unknown. */
  private estimateRead(id: StreamId): Long {
    const { stream, other } = this
    const added = stream.entriesAdded
    if (added === 0) return 0
    const toLast = id.compare(stream.lastId(other))
    if (toLast === 0 || (stream.length === 0 && toLast < 0)) return added
    if (toLast > 0) return -1
    const toFirst = id.compare(stream.firstId(other))
    if (toFirst > 0) return -1
    return addLong(added, (toFirst === 0 ? 1 : 0) - stream.length)
  }

  private rawId(input: RdbInput): StreamId {
    input.need(ID_BYTES)
    this.id.read(input.dv, input.pos)
    input.pos += ID_BYTES
    return this.id
  }

  private readPending(input: RdbInput): void {
    const { type, group } = this
    const id = this.rawId(input)
    const deliveredMs = this.time(input)
    const deliveries = this.count(input)
    if (type.groups.findPending(group, id) !== 0)
      input.fail('Duplicated global PEL entry loading stream consumer group')
    type.groups.addUnowned(group, id, deliveredMs, deliveries)
    this.pendingLeft--
  }

  private readConsumer(input: RdbInput): void {
    const { groups } = this.type
    const name = input.string(this.text)
    const seenMs = this.time(input)
    const activeMs = this.rdbType === RDB_STREAM_LISTPACKS_3 ? this.time(input) : seenMs
    const owned = input.length()
    if (groups.findConsumer(this.group, name) !== 0) input.fail('Duplicate stream consumer detected.')
    this.consumer = groups.createConsumer(this.group, name, seenMs, activeMs)
    this.pendingLeft = owned
    this.consumersLeft--
    this.phase = OWNED
  }

  private readOwned(input: RdbInput): void {
    const { groups } = this.type
    const entry = groups.findPending(this.group, this.rawId(input))
    if (entry === 0) input.fail('Consumer entry not found in group global PEL')
    if (!groups.adoptPending(entry, this.consumer))
      input.fail('Duplicated consumer PEL entry loading a stream consumer group')
    this.pendingLeft--
    this.unowned--
  }

  private endGroup(input: RdbInput): void {
    if (this.unowned > 0) input.fail('Stream CG PEL entry without consumer')
    this.phase = GROUP
  }

  discard(): void {
    if (this.held) while (!this.type.freeStep(ENC_STREAM, this.stream.value, 1 << 20));
    this.held = false
  }
}
