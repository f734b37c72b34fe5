// TCP and Unix sockets on Node, through node:net.
//
// Two short cuts past the stream machinery halve the cost of a command. Both are Node internals, so each is used only
// where a check finds it; otherwise the public interface does the same work:
//   reading   one buffer for all sockets, handed over by the socket's handle (what `onread` does for clients)
//   writing   handle.writeBuffer, which tries to send at once

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  type Connection,
  FIRST_SOCKET_FD,
  joinedAddress,
  type Listener,
  type ListenOptions,
  type Network,
  type NetworkError,
  type Receiver,
} from '../system/network.ts'
import { dial, failureOf, resolve } from './dial-node.ts'
import { DirectSocket } from './node-direct.ts'
import { NodeTls } from './node-tls.ts'
import { readInto } from './read-into.ts'
import { certificateName, secure } from './tls.ts'

const READ_BYTES = 64 * 1024

class NodeConnection implements Connection {
  readonly kind: 'tcp' | 'unix' | 'tls'
  readonly certificateName: string | undefined
  readonly peer: string
  readonly local: string
  readonly fd: number
  /** undefined: the connection was refused, or is closed. */
  session: unknown
  /** The session of a connection that we have closed: it still gets closed(). */
  leaving: unknown
  private readonly socket: Socket
  private readonly direct: DirectSocket | undefined
  closed = false

  constructor(socket: Socket, { path, tls }: ListenOptions, fd: number, direct: DirectSocket | undefined) {
    this.socket = socket
    this.direct = direct
    this.fd = fd
    this.kind = path !== undefined ? 'unix' : tls === undefined ? 'tcp' : 'tls'
    this.certificateName = tls === undefined ? undefined : certificateName((socket as TLSSocket).getPeerCertificate())
    this.peer = path === undefined ? joinedAddress(socket.remoteAddress, socket.remotePort) : `${path}:0`
    this.local = path === undefined ? joinedAddress(socket.localAddress, socket.localPort) : `${path}:0`
  }

  get bufferInUse(): boolean {
    return this.direct?.bufferInUse === true
  }

  write(u8: Uint8Array, start: number, end: number): number {
    if (this.closed || this.socket.destroyed) return end - start
    if (this.direct !== undefined) return this.direct.write(u8, start, end)
    if (this.socket.writableLength > 0) return 0
    this.socket.write(u8.slice(start, end))
    return end - start
  }

  close(afterWrites: boolean): void {
    if (this.closed) return
    this.closed = true
    this.leaving = this.session
    this.session = undefined
    if (!afterWrites) this.socket.destroy()
    else if (this.direct !== undefined) this.direct.closeAfterWrites(() => this.socket.destroySoon())
    else this.socket.destroySoon()
  }

  pause(): void {
    if (this.closed || this.socket.destroyed) return
    if (this.direct !== undefined) this.direct.pause()
    else this.socket.pause()
  }

  resume(): void {
    if (this.closed || this.socket.destroyed) return
    if (this.direct !== undefined) this.direct.start()
    else this.socket.resume()
  }

  readInto(u8: Uint8Array, next: Uint8Array): number {
    if (this.closed || this.socket.destroyed || this.direct === undefined || this.kind === 'tls') return 0
    return readInto(this.direct.fd, u8, next)
  }
}

export class NodeNetwork implements Network {
  readonly dial = dial
  readonly resolve = resolve
  readonly secure = secure
  private readonly buffer = new Uint8Array(READ_BYTES)
  private readonly view = new DataView(this.buffer.buffer)
  private nextFd = FIRST_SOCKET_FD

  listen<Session>(
    options: ListenOptions,
    receiver: Receiver<Session>,
    done: (result: Listener | NetworkError) => void,
  ): void {
    const { host, port, path, backlog } = options
    const allowHalfOpen = receiver.ended !== undefined
    const server = createServer({ allowHalfOpen, noDelay: path === undefined })
    if (options.unref === true) server.unref()
    const accept = (socket: Socket) => this.accept(socket, options, receiver)
    const upgrade =
      options.tls === undefined
        ? undefined
        : new NodeTls(options.tls, allowHalfOpen, { accept, refused: receiver.refused?.bind(receiver) })
    server.on('connection', socket => {
      if (options.unref === true) socket.unref()
      const { keepaliveSeconds } = options
      if (path === undefined && keepaliveSeconds > 0) socket.setKeepAlive(true, keepaliveSeconds * 1000)
      if (upgrade === undefined) accept(socket)
      else upgrade.begin(socket)
    })
    const failed = (error: Error) => done(failureOf(error))
    server.once('error', failed)
    server.listen(
      path === undefined ? { host, port, backlog, ipv6Only: host.includes(':') } : { path, backlog },
      () => {
        server.off('error', failed)
        done(listenerOf(server, options))
      },
    )
  }

  private accept(socket: Socket, options: ListenOptions, receiver: Receiver<unknown>): void {
    const { buffer, view } = this
    const ended = () => {
      if (connection.session !== undefined && receiver.ended !== undefined) receiver.ended(connection.session)
      else socket.destroySoon()
    }
    const drained = () => {
      if (connection.session !== undefined) receiver.drained(connection.session)
    }
    const direct = DirectSocket.attach(socket, buffer, {
      onRead: bytes => {
        if (connection.session !== undefined) receiver.received(connection.session, buffer, view, 0, bytes)
      },
      onEnd: receiver.ended === undefined ? () => void socket.destroy() : ended,
      onDrain: drained,
    })
    const connection = new NodeConnection(socket, options, this.nextFd++, direct)
    socket.on('error', () => {})
    socket.on('end', ended)
    socket.on('close', () => {
      direct?.closed()
      const gone = connection.session ?? connection.leaving
      connection.session = connection.leaving = undefined
      if (gone !== undefined) receiver.closed(gone)
    })
    const session = receiver.opened(connection)
    if (session === undefined) return connection.close(true)
    if (connection.closed) {
      connection.leaving = session
      return
    }
    connection.session = session
    if (direct !== undefined) return direct.start()
    socket.on('data', (bytes: Buffer) => this.receivedStream(connection, receiver, bytes))
    socket.on('drain', drained)
  }

  /** Copies large reads through the shared buffer in pieces. */
  private receivedStream(connection: NodeConnection, receiver: Receiver<unknown>, bytes: Buffer): void {
    for (let at = 0; at < bytes.length && connection.session !== undefined; at += READ_BYTES) {
      const piece = bytes.subarray(at, at + READ_BYTES)
      this.buffer.set(piece)
      receiver.received(connection.session, this.buffer, this.view, 0, piece.length)
    }
  }
}

function listenerOf(server: Server, { host, path }: ListenOptions): Listener {
  const close = () => {
    server.close()
    // The system's handle is closed, and with it all that the listener knows, in a later turn of the event loop only.
    server.removeAllListeners('connection')
  }
  if (path !== undefined) return { address: path, port: 0, close }
  const { port } = server.address() as AddressInfo
  return { address: joinedAddress(host, port), port, close }
}
