// TCP and Unix sockets on Node, through node:net.
//
// Two short cuts past the stream machinery halve the cost of a command. Both are Node internals, so each is used only
// where a check finds it, and the public interface does the same work otherwise:
//   reading   one buffer for all sockets, handed over by the socket's handle (what `onread` does for clients)
//   writing   handle.writeBuffer, which tries to send at once

import { createServer, type Server, type Socket } from 'node:net'
import type { Client } from '../engine/client.ts'
import type { Connection } from '../engine/connection.ts'
import { DirectSocket } from './node-direct.ts'
import type { Listener, Receiver, TcpOptions, Transport, UnixOptions } from './transport.ts'

const READ_BYTES = 64 * 1024

class NodeConnection implements Connection {
  readonly kind: 'tcp' | 'unix'
  readonly peer: string
  readonly local: string
  readonly fd: number
  private readonly socket: Socket
  private readonly direct: DirectSocket | undefined
  private closed = false

  constructor(socket: Socket, path: string, fd: number, direct: DirectSocket | undefined) {
    this.socket = socket
    this.direct = direct
    this.fd = fd
    this.kind = path === '' ? 'tcp' : 'unix'
    this.peer = path === '' ? joined(socket.remoteAddress, socket.remotePort) : `${path}:0`
    this.local = path === '' ? joined(socket.localAddress, socket.localPort) : `${path}:0`
  }

  get holdsBuffer(): boolean {
    return this.direct?.holdsBuffer === true
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
    if (!afterWrites) this.socket.destroy()
    else if (this.direct !== undefined) this.direct.closeAfterWrites(() => this.socket.destroySoon())
    else this.socket.destroySoon()
  }

  pause(): void {
    if (this.direct !== undefined) this.direct.pause()
    else this.socket.pause()
  }

  resume(): void {
    if (this.direct !== undefined) this.direct.start()
    else this.socket.resume()
  }
}

export class NodeTransport implements Transport {
  private readonly buffer = new Uint8Array(READ_BYTES)
  private readonly view = new DataView(this.buffer.buffer)
  private nextFd = 8

  listenTcp(options: TcpOptions, receiver: Receiver): Promise<Listener> {
    const server = createServer({
      noDelay: true,
      keepAlive: options.keepaliveSeconds > 0,
      keepAliveInitialDelay: options.keepaliveSeconds * 1000,
    })
    server.on('connection', socket => this.accept(socket, '', receiver))
    return listening(server, { host: options.host, port: options.port, backlog: options.backlog }, '')
  }

  listenUnix(options: UnixOptions, receiver: Receiver): Promise<Listener> {
    const server = createServer()
    server.on('connection', socket => this.accept(socket, options.path, receiver))
    return listening(server, { path: options.path, backlog: options.backlog }, options.path)
  }

  private accept(socket: Socket, path: string, receiver: Receiver): void {
    let client: Client | undefined
    const direct = DirectSocket.attach(
      socket,
      this.buffer,
      bytes => {
        if (client !== undefined) receiver.received(client, this.buffer, this.view, 0, bytes)
      },
      () => {
        if (client !== undefined) receiver.drained(client)
      },
    )
    const connection = new NodeConnection(socket, path, this.nextFd++, direct)
    socket.on('error', () => {})
    socket.on('end', () => socket.destroySoon())
    socket.on('close', () => {
      direct?.closed()
      const gone = client
      client = undefined
      if (gone !== undefined) receiver.closed(gone)
    })
    client = receiver.opened(connection)
    if (client === undefined) return connection.close(true)
    if (direct !== undefined) {
      direct.start()
      return
    }
    socket.on('data', (bytes: Buffer) => {
      if (client === undefined) return
      // Large reads go in pieces of the shared buffer.
      for (let at = 0; at < bytes.length && client !== undefined; at += READ_BYTES) {
        const piece = bytes.subarray(at, at + READ_BYTES)
        this.buffer.set(piece)
        receiver.received(client, this.buffer, this.view, 0, piece.length)
      }
    })
    socket.on('drain', () => {
      if (client !== undefined) receiver.drained(client)
    })
  }
}

function listening(
  server: Server,
  options: { host?: string; port?: number; path?: string; backlog: number },
  path: string,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      resolve({ address: path === '' ? joined(options.host ?? '', port) : path, port, close: () => server.close() })
    })
  })
}

/** 'address:port' as Redis prints it; IPv6 in brackets, IPv4 in IPv6 as IPv4, '?:0' where the peer has gone already. */
function joined(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return '?:0'
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
