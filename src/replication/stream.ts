// ReplicationStream: encodes propagated changes into the replication stream and its backlog.
//
//   changes ─▶ buffer ─[end of the turn]─▶ backlog
//                                        └▶ receiver (replicas.ts)
//
//   on a replica: bytes of its primary [forward] ─▶ backlog and receiver; changes are not encoded
//
// Always: `offset` counts every byte of the stream named `replid`; `replid2` is its previous name, valid up to
// `secondOffset` (-1: none). A primary has no backlog before its first replica, and makes a new replid when the backlog
// is created and when it is freed, since writes in between cannot be resynchronised; with an append-only file `offset`
// then counts commands. On a replica the stream is its primary's, byte for byte, under the same replid and offsets.

import { type Effect, PROPAGATE_AOF, PROPAGATE_REPLICAS, type Sink } from '../engine/effect.ts'
import { EffectEncoder } from '../engine/effect-encoder.ts'
import type { Engine } from '../engine/engine.ts'
import { Slice } from '../lib/slice.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import { Backlog, type BacklogNeeds } from './backlog.ts'
import type { StreamSpool } from './stream-spool.ts'

const FLUSH_BYTES = 256 * 1024
const GET_ACK = ['REPLCONF', 'GETACK', '*'].map(word => Slice.of(word))
const PING = '*1\r\n$4\r\nPING\r\n'
const NO_REPLID = '0'.repeat(40)

interface StreamParts {
  engine: Engine
  /** Calls `fn` at the end of the event loop's turn. */
  soon(fn: () => void): void
  /** What replicas need of the backlog. */
  needs(): BacklogNeeds
  /** False: a replica's connection may still read what it has taken. */
  mayReuse(): boolean
  readonly spool: StreamSpool | undefined
  /** Forty random hexadecimal digits. */
  newId(): string
}

export class ReplicationStream implements Sink {
  /** Without a backlog it counts what the append-only file gets. */
  target = PROPAGATE_REPLICAS
  offset = 0
  replid: string
  replid2 = NO_REPLID
  secondOffset = -1
  backlog: Backlog | undefined
  /** The stream is that of a primary. */
  isForwarding = false
  /** There is an append-only file. */
  private hasLog = false
  private readonly parts: StreamParts
  private readonly receive: (piece: Uint8Array) => void
  private readonly buffer = new CommandWriter()
  private readonly encoder = new EffectEncoder(this.buffer, PROPAGATE_REPLICAS)
  private scheduled = false
  /** Not all replicas have been given what the backlog has. */
  private isSpreading = false
  /** The buffer ends with REPLCONF GETACK. */
  private asked = false

  constructor(parts: StreamParts, receive: (piece: Uint8Array) => void) {
    this.parts = parts
    this.receive = receive
    this.replid = parts.newId()
  }

  /** Creates the backlog. `keepsId`: nothing was written without one since the ID began. */
  open(keepsId = this.isForwarding): void {
    if (this.backlog !== undefined) return
    if (!keepsId) this.rename(this.parts.newId())
    this.backlog = new Backlog(this.offset, this.parts)
    this.encoder.reset()
    this.listen()
  }

  /** Frees the backlog. */
  close(): void {
    this.flush()
    this.backlog = undefined
    this.rename(this.parts.newId())
    this.listen()
  }

  private rename(id: string): void {
    this.replid = id
    this.replid2 = NO_REPLID
    this.secondOffset = -1
  }

  /** A new replid; the present one is valid for what was written up to now. */
  shift(id = this.parts.newId()): void {
    this.flush()
    this.replid2 = this.replid
    this.secondOffset = this.offset + 1
    this.replid = id
  }

  /** The database that the reader of the stream has selected; -1: a SELECT comes next. */
  get database(): number {
    return this.encoder.database
  }

  /** The append-only file is turned on or off. */
  logChanged(isOn: boolean): void {
    this.hasLog = isOn
    this.listen()
  }

  /** Changes come here while they are encoded or counted. */
  private listen(): void {
    const { sinks } = this.parts.engine
    const at = sinks.indexOf(this)
    this.target = this.backlog === undefined ? PROPAGATE_AOF : PROPAGATE_REPLICAS
    const isWanted = !this.isForwarding && (this.backlog !== undefined || this.hasLog)
    if (isWanted && at < 0) sinks.push(this)
    if (!isWanted && at >= 0) sinks.splice(at, 1)
  }

  /** A restarted primary: `id` names the stream up to `offset`, a new replid goes on from there. */
  resume(id: string, offset: number): void {
    this.replid2 = id
    this.secondOffset = offset + 1
    this.offset = offset
    this.open(true)
  }

  // ---- on a replica ----

  /** This server becomes a replica. */
  beginForwarding(): void {
    this.flush()
    this.isForwarding = true
    this.listen()
  }

  /** This server becomes a primary: the stream goes on under a new replid. */
  endForwarding(): void {
    this.isForwarding = false
    this.shift()
    this.encoder.reset()
    this.listen()
  }

  /** After a full synchronisation: the stream of that primary from `offset` on. `id` '': it does not say its ID. */
  restart(id: string, offset: number): void {
    this.rename(id === '' ? this.parts.newId() : id)
    this.offset = offset
    this.backlog = new Backlog(offset, this.parts)
  }

  /** The dataset is that of no offset any more: nobody can be continued. */
  forget(): void {
    this.backlog = undefined
    this.parts.spool?.end()
  }

  /** u8[from .. to) of the primary's stream, applied here. */
  forward(u8: Uint8Array, from: number, to: number): void {
    this.offset += to - from
    this.spread(u8, from, to)
  }

  private spread(u8: Uint8Array, from: number, to: number): void {
    const { backlog } = this
    if (backlog === undefined) return this.receive(u8.slice(from, to))
    this.isSpreading = true
    while (from < to) {
      const piece = backlog.append(u8, from, to)
      this.receive(piece)
      from += piece.length
    }
    this.isSpreading = false
    this.trim()
  }

  /** Every tick: the backlog shrinks when replicas need less of it. */
  trim(): void {
    // A replica that is given too much is closed, while the next one waits for the same bytes.
    if (!this.isSpreading) this.backlog?.trim(this.parts.needs())
  }

  /** Why `id` and `offset` (the next byte wanted) do not belong to this stream's history; undefined: they do. */
  mismatch(asked: string, offset: number): string | undefined {
    const id = asked.toLowerCase()
    if (id === this.replid) return undefined
    if (id !== this.replid2)
      return `Replication ID mismatch (Replica asked for '${asked}', my replication IDs are '${this.replid}' and '${this.replid2}')`
    if (offset <= this.secondOffset) return undefined
    return `Requested offset for second ID was ${offset}, but I can reply up to ${this.secondOffset}`
  }

  changes(effects: readonly Effect[], asTransaction: boolean): void {
    const { offset } = this
    if (this.backlog === undefined) this.count(effects, asTransaction)
    else {
      const before = this.buffer.len
      this.encoder.write(effects, asTransaction)
      if (this.buffer.len !== before) this.grew(before)
    }
    const client = this.parts.engine.current
    if (this.offset !== offset && client !== undefined) client.streamOffset = this.offset
  }

  private count(effects: readonly Effect[], asTransaction: boolean): void {
    if (asTransaction) this.offset += 2
    for (let i = 0; i < effects.length; i++) if ((effects[i].targets & PROPAGATE_AOF) !== 0) this.offset++
  }

  /** Appends REPLCONF GETACK to the stream. */
  requestAcks(): void {
    if (this.asked) return
    this.asked = this.backlog !== undefined && !this.isForwarding
    this.feed(GET_ACK)
  }

  ping(): void {
    this.plain(PING)
  }

  /** Appends any command; without a backlog it is counted, as in Redis. */
  feed(args: readonly Slice[]): void {
    if (this.isForwarding) return
    if (this.backlog === undefined) {
      this.offset++
      return
    }
    const before = this.buffer.len
    this.buffer.command(args)
    this.grew(before)
  }

  /** Replicas must synchronise fully. */
  changeId(): void {
    this.rename(this.parts.newId())
  }

  private plain(command: string): void {
    const before = this.buffer.len
    this.buffer.plain(command)
    this.grew(before)
  }

  private grew(before: number): void {
    this.offset += this.buffer.len - before
    if (this.buffer.len >= FLUSH_BYTES) this.flush()
    if (this.scheduled) return
    this.scheduled = true
    this.parts.soon(this.flushTurn)
  }

  private readonly flushTurn = (): void => {
    this.scheduled = false
    this.flush()
  }

  /** A snapshot begins at this offset: the next change is preceded by SELECT. */
  beginDataset(): void {
    this.flush()
    this.encoder.reset()
  }

  /** Moves the buffer to the backlog and the replicas. */
  flush(): void {
    const { buffer } = this
    if (buffer.len === 0) return
    this.asked = false
    this.spread(buffer.u8, 0, buffer.len)
    buffer.drop(buffer.len)
  }

  /** Memory of the backlog and the buffer. */
  get memoryBytes(): number {
    const { backlog, buffer } = this
    return (backlog === undefined ? 0 : backlog.end - backlog.memoryStart) + buffer.len
  }
}
