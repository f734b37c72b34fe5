// Transport: the contract between the sockets of a runtime and the engine. bun.ts, node.ts and memory.ts implement it;
// one suite of conversations runs over all of them.
//
//   listen ─▶ opened(connection) ─▶ Session ─▶ received … drained … closed
//
// Always: after `opened` gave undefined the adapter closes the connection; `closed` comes exactly once for a Session.

import type { Client } from '../engine/client.ts'
import type { Connection } from '../engine/connection.ts'

/** What the server does with connections. */
export interface Receiver {
  /** A connection is open. undefined: it has been refused (what there was to say is written). */
  opened(connection: Connection): Client | undefined
  /** Bytes came; the buffer (u8 and dv see the same) is free again when this returns. */
  received(client: Client, u8: Uint8Array, dv: DataView, start: number, end: number): void
  /** The socket takes bytes again after write() took less than all. */
  drained(client: Client): void
  closed(client: Client): void
}

export interface Listener {
  /** 'address:port', or the path of a Unix socket. */
  readonly address: string
  readonly port: number
  close(): void
}

export interface TcpOptions {
  host: string
  port: number
  backlog: number
  /** Seconds; 0: off. */
  keepaliveSeconds: number
}

export interface UnixOptions {
  path: string
  backlog: number
}

export interface Transport {
  /** Rejects with an Error whose message says why. */
  listenTcp(options: TcpOptions, receiver: Receiver): Promise<Listener>
  listenUnix(options: UnixOptions, receiver: Receiver): Promise<Listener>
}
