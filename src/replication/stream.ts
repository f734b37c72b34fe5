// ReplicationStream: encodes propagated changes into the replication stream and its backlog.
//
//   changes ─▶ buffer ─[end of the turn]─▶ backlog
//                                        └▶ receiver (replicas.ts)
//
// Always: `offset` counts every byte of the stream named `replid`; `replid2` is its previous name, valid up to
// `secondOffset` (-1: none). There is no backlog before the first replica; a new replid is made when the backlog is
// created and when it is freed, since writes in between cannot be resynchronised.

import { type Effect, PROPAGATE_REPLICAS, type Sink } from '../engine/effect.ts'
import { EffectEncoder } from '../engine/effect-encoder.ts'
import type { Engine } from '../engine/engine.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import { Backlog } from './backlog.ts'

const FLUSH_BYTES = 256 * 1024
const GET_ACK = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n'
const PING = '*1\r\n$4\r\nPING\r\n'
const NO_REPLID = '0'.repeat(40)

interface StreamParts {
  engine: Engine
  /** Calls `fn` at the end of the event loop's turn. */
  soon(fn: () => void): void
  /** repl-backlog-size. */
  backlogBytes(): number
  /** Forty random hexadecimal digits. */
  newId(): string
}

export class ReplicationStream implements Sink {
  readonly target = PROPAGATE_REPLICAS
  offset = 0
  replid: string
  replid2 = NO_REPLID
  secondOffset = -1
  backlog: Backlog | undefined
  private readonly parts: StreamParts
  private readonly receive: (chunk: Uint8Array) => void
  private readonly buffer = new CommandWriter()
  private readonly encoder = new EffectEncoder(this.buffer, PROPAGATE_REPLICAS)
  private scheduled = false
  /** The buffer ends with REPLCONF GETACK. */
  private asked = false

  constructor(parts: StreamParts, receive: (chunk: Uint8Array) => void) {
    this.parts = parts
    this.receive = receive
    this.replid = parts.newId()
  }

  /** Creates the backlog. */
  open(): void {
    if (this.backlog !== undefined) return
    this.rename()
    this.backlog = new Backlog(this.offset)
    this.encoder.reset()
    this.parts.engine.sinks.push(this)
  }

  /** Frees the backlog. */
  close(): void {
    this.flush()
    this.backlog = undefined
    this.rename()
    const { sinks } = this.parts.engine
    const at = sinks.indexOf(this)
    if (at >= 0) sinks.splice(at, 1)
  }

  private rename(): void {
    this.replid = this.parts.newId()
    this.replid2 = NO_REPLID
    this.secondOffset = -1
  }

  /** Whether `id` and `offset` (the next byte wanted) belong to this stream's history. */
  names(id: string, offset: number): boolean {
    return id === this.replid || (id === this.replid2 && offset <= this.secondOffset)
  }

  changes(effects: readonly Effect[], asTransaction: boolean): void {
    const before = this.buffer.len
    this.encoder.write(effects, asTransaction)
    if (this.buffer.len === before) return
    this.grew(before)
    const client = this.parts.engine.current
    if (client !== undefined) client.streamOffset = this.offset
  }

  /** Appends REPLCONF GETACK to the stream. */
  requestAcks(): void {
    if (this.asked || this.backlog === undefined) return
    this.asked = true
    this.plain(GET_ACK)
  }

  ping(): void {
    this.plain(PING)
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
    const chunk = buffer.u8.slice(0, buffer.len)
    buffer.drop(buffer.len)
    this.backlog?.add(chunk, this.parts.backlogBytes())
    this.receive(chunk)
  }

  /** Memory of the backlog and the buffer. */
  get memoryBytes(): number {
    return (this.backlog?.bytes ?? 0) + this.buffer.len
  }
}
