// Connections: the one place where clients come and go.
//
//   connect ─▶ [close, or disconnected: CLIENT_CLOSING] ─▶ [nothing runs for it any more] ─▶ end: every list left
//        └─▶ [closeAfterReply: CLIENT_CLOSE_AFTER_REPLY] ─▶ [its output is sent] ─▶ close
//
// Always: between enter() and leave() a client keeps its state, whoever closes it meanwhile: code that runs for it need
// not ask after each call whether it is still there. Only this file sets the two flags, and nothing is sent to, got
// from or run for a client that has CLIENT_CLOSING.

import { CLIENT_CLOSE_AFTER_REPLY, CLIENT_CLOSING, CLIENT_PENDING_REPLY, Client } from './client.ts'
import type { Engine } from './engine.ts'

export class Connections {
  /** New connections are closed at once. */
  refuses = false
  /** Called when a client has connected. */
  readonly onConnected: ((client: Client) => void)[] = []
  private readonly engine: Engine
  private nextId = 1
  /** Clients whose event is handled, or whose blocked command runs again: the last is the innermost. */
  private readonly inUse: Client[] = []
  /** Closed by closeSoon(), in the order of their ends. */
  private readonly due: Client[] = []
  private readonly endDueSoon = () => this.endDue()

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** A new client on an open connection. */
  connect(connection: Client['connection']): Client {
    const { engine } = this
    engine.tick()
    const client = new Client(this.nextId++, connection, engine.keyspace.databases[0], engine.keyspace.nowMs)
    engine.acl.reset(client)
    engine.clients.set(client.id, client)
    engine.stats.connectionsReceived++
    for (const hook of this.onConnected) hook(client)
    return client
  }

  /** Something runs for the client; leave() follows. */
  enter(client: Client): void {
    this.inUse.push(client)
  }

  /** What ran for the client of the last enter() is over. */
  leave(client: Client): void {
    this.inUse.pop()
    if (client.has(CLIENT_CLOSING) && !this.inUse.includes(client)) this.end(client)
    if (this.inUse.length === 0 && this.due.length !== 0) this.endDue()
  }

  /** The connection was closed by the peer, or is closed now. */
  disconnected(client: Client): void {
    client.flags |= CLIENT_CLOSING
    if (!this.inUse.includes(client)) this.forget(client)
  }

  /** Closes a client's connection, at once or, while something runs for it, behind that. */
  close(client: Client): void {
    if (client.has(CLIENT_CLOSING)) return
    client.flags |= CLIENT_CLOSING
    if (!this.inUse.includes(client)) this.end(client)
  }

  /** Closes a client's connection when what is already written to it is sent. */
  closeAfterReply(client: Client): void {
    if (client.has(CLIENT_CLOSING)) return
    const { clients, current } = this.engine
    const hasOutput = client.outBytes > 0 || client.has(CLIENT_PENDING_REPLY)
    // One that is in no list (the append-only file's) has no connection.
    if (client === current || hasOutput || !clients.has(client.id)) client.flags |= CLIENT_CLOSE_AFTER_REPLY
    else this.close(client)
  }

  /** As close(), but at the end of what runs, for whomever: for code in the midst of writing to many clients. */
  closeSoon(client: Client): void {
    if (client.has(CLIENT_CLOSING)) return
    client.flags |= CLIENT_CLOSING
    if (this.inUse.includes(client)) return
    if (this.due.push(client) === 1) this.engine.machine.soon(this.endDueSoon)
  }

  /** Resets a connection, as the end of a process would, and leaves its client as it is. */
  abort(client: Client): void {
    client.connection.close(false)
  }

  private endDue(): void {
    for (const client of this.due.splice(0)) this.end(client)
  }

  /**
   * Closes with FIN; with RST if the peer has not read everything. A write that the socket has not finished is waited
   * for only behind a last reply: a peer that never reads would keep the connection for ever.
   */
  private end(client: Client): void {
    if (!this.engine.clients.has(client.id)) return
    const { connection, outBytes } = client
    const isSent = connection.bufferInUse !== true || client.has(CLIENT_CLOSE_AFTER_REPLY)
    connection.close(outBytes === 0 && isSent)
    this.forget(client)
  }

  private forget(client: Client): void {
    const { engine } = this
    if (!engine.clients.has(client.id)) return
    engine.blocking.forget(client)
    engine.watches.unwatchAll(client)
    for (const hook of engine.onClientDisconnected) hook(client)
    engine.output.drop(client)
    engine.input.drop(client)
    engine.clients.delete(client.id)
  }
}
