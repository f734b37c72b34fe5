// PrimaryClient: the client as which a replica runs the commands of its primary's stream.
//
//   bytes ─▶ [held: a script is running] ─▶ engine.input ─▶ commands
//       └─▶ received: chunks ─[their commands have run, EXEC for those of a transaction]─▶ stream.forward
//
// Always: what is forwarded ends between two commands, outside of MULTI, so that the stream's offset names a state of
// the dataset. The client's replies go nowhere.

import {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSING,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_RESTRICTED,
  type Client,
} from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { NOWHERE } from '../engine/nowhere.ts'
import { viewOf } from '../lib/bytes.ts'
import type { Connection } from '../system/network.ts'
import type { ReplicationStream } from './stream.ts'

interface PrimaryClientParts {
  engine: Engine
  stream: ReplicationStream
  link: { readonly peer: string; readonly local: string; pause(): void; resume(): void }
  /** Index of the database that the stream has selected; -1: SELECT comes first. */
  database: number
  /** The offset has advanced. */
  applied(): void
  /** The client was closed. `isBroken`: its bytes were no commands. */
  closed(isBroken: boolean): void
}

export class PrimaryClient {
  readonly client: Client
  /** REPLCONF GETACK came. */
  ackWanted = false
  private readonly parts: PrimaryClientParts
  private received: Uint8Array[] = []
  /** Bytes of `received`. */
  private receivedBytes = 0
  private held: Uint8Array[] = []
  private isFeeding = false

  constructor(parts: PrimaryClientParts) {
    this.parts = parts
    const { engine, link, database } = parts
    const client = engine.connections.connect(nowhere(link, () => this.closed()))
    // Not a connection that this server has accepted.
    engine.stats.connectionsReceived--
    client.flags |= CLIENT_MASTER
    client.flags &= ~CLIENT_RESTRICTED
    client.user = undefined
    client.authenticated = true
    client.db = engine.keyspace.databases[Math.max(0, database)] ?? client.db
    this.client = client
  }

  /** The offset of the last byte received. */
  get readOffset(): number {
    let offset = this.parts.stream.offset + this.receivedBytes
    for (const chunk of this.held) offset += chunk.length
    return offset
  }

  /** Runs what is whole of the received bytes, which it owns. */
  apply(bytes: Uint8Array): void {
    const { engine } = this.parts
    if (this.held.length > 0 || engine.scripting.running !== undefined) this.held.push(bytes)
    else this.feed(bytes)
  }

  private feed(bytes: Uint8Array): void {
    const { engine } = this.parts
    this.received.push(bytes)
    this.receivedBytes += bytes.length
    this.isFeeding = true
    const view = viewOf(bytes)
    engine.input.receive(this.client, bytes, view, 0, bytes.length)
    this.isFeeding = false
    this.settle()
  }

  /** After events of any client: a script has ended, or a postponed command has run. */
  afterEvent(): void {
    if (this.isFeeding) return
    if (this.receivedBytes > 0) this.settle()
    while (
      this.held.length > 0 &&
      this.parts.engine.scripting.running === undefined &&
      !this.client.has(CLIENT_CLOSING)
    )
      this.feed(this.held.shift()!)
  }

  /** Forwards the bytes whose commands have run. */
  private settle(): void {
    const { client } = this
    const { engine } = this.parts
    const { input } = engine
    const inTransaction = client.has(CLIENT_MULTI)
    const rest = inTransaction ? input.restAtMulti : input.unparsedBytes(client)
    input.restAtMulti = -1
    // A transaction that began in earlier bytes: nothing has run since.
    if (rest >= 0 && rest < this.receivedBytes) this.forward(this.receivedBytes - rest)
    if (client.has(CLIENT_CLOSE_AFTER_REPLY)) engine.closeClient(client)
  }

  private forward(bytes: number): void {
    const { stream } = this.parts
    this.receivedBytes -= bytes
    while (bytes > 0) {
      const chunk = this.received[0]
      if (chunk.length <= bytes) {
        this.received.shift()
        stream.forward(chunk, 0, chunk.length)
        bytes -= chunk.length
      } else {
        this.received[0] = chunk.subarray(bytes)
        stream.forward(chunk, 0, bytes)
        bytes = 0
      }
    }
    this.parts.applied()
  }

  private closed(): void {
    this.held = []
    this.parts.closed(this.client.has(CLIENT_CLOSE_AFTER_REPLY))
  }
}

/** Replies to a primary are not sent. */
function nowhere(link: PrimaryClientParts['link'], close: () => void): Connection {
  return {
    ...NOWHERE,
    close,
    pause: () => link.pause(),
    resume: () => link.resume(),
    kind: 'tcp',
    peer: link.peer,
    local: link.local,
  }
}
