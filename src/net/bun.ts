// TCP and Unix sockets on Bun. The only file that names Bun's socket interface.

import type { Client } from '../engine/client.ts'
import type { Connection } from '../engine/connection.ts'
import { Inbox } from './inbox.ts'
import type { Listener, Receiver, TcpOptions, Transport, UnixOptions } from './transport.ts'

interface Session {
  client: Client | undefined
}

type BunSocket = import('bun').Socket<Session>

class BunConnection implements Connection {
  readonly kind: 'tcp' | 'unix'
  private readonly socket: BunSocket
  private closed = false
  readonly peer: string
  readonly local: string
  readonly fd: number

  constructor(socket: BunSocket, path: string, fd: number) {
    this.socket = socket
    this.fd = fd
    this.kind = path === '' ? 'tcp' : 'unix'
    this.peer = path === '' ? joined(socket.remoteAddress, socket.remotePort) : `${path}:0`
    this.local = path === '' ? joined(socket.localAddress, socket.localPort) : `${path}:0`
  }

  write(u8: Uint8Array, start: number, end: number): number {
    if (this.closed) return end - start
    const sent = this.socket.write(u8, start, end - start)
    return sent < 0 ? end - start : sent
  }

  close(afterWrites: boolean): void {
    if (this.closed) return
    this.closed = true
    if (afterWrites) this.socket.end()
    else this.socket.terminate()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }
}

export class BunTransport implements Transport {
  private readonly inbox = new Inbox()
  private nextFd = 8

  async listenTcp(options: TcpOptions, receiver: Receiver): Promise<Listener> {
    const server = Bun.listen<Session>({
      hostname: options.host,
      port: options.port,
      socket: this.handlers(receiver, '', options.keepaliveSeconds),
    })
    return { address: joined(options.host, server.port), port: server.port, close: () => server.stop() }
  }

  async listenUnix(options: UnixOptions, receiver: Receiver): Promise<Listener> {
    const server = Bun.listen<Session>({ unix: options.path, socket: this.handlers(receiver, options.path, 0) })
    return { address: options.path, port: 0, close: () => server.stop() }
  }

  private handlers(receiver: Receiver, path: string, keepaliveSeconds: number): import('bun').SocketHandler<Session> {
    const inbox = this.inbox
    return {
      open: socket => {
        const connection = new BunConnection(socket, path, this.nextFd++)
        socket.data = { client: undefined }
        if (path === '') {
          socket.setNoDelay(true)
          if (keepaliveSeconds > 0) socket.setKeepAlive(true, keepaliveSeconds * 1000)
        }
        const client = receiver.opened(connection)
        if (client === undefined) connection.close(true)
        else socket.data.client = client
      },
      data(socket, bytes) {
        const client = socket.data.client
        if (client === undefined) return
        inbox.put(bytes)
        receiver.received(client, inbox.u8, inbox.dv, 0, bytes.length)
      },
      drain(socket) {
        const client = socket.data.client
        if (client !== undefined) receiver.drained(client)
      },
      close(socket) {
        const client = socket.data?.client
        if (client === undefined) return
        socket.data.client = undefined
        receiver.closed(client)
      },
      // A broken connection has a code, and close() follows. Anything else was thrown by the server: a bug.
      error(_socket, error) {
        if ((error as { code?: string }).code === undefined)
          queueMicrotask(() => {
            throw error
          })
      },
    }
  }
}

/** 'address:port' as Redis prints it; IPv6 in brackets, IPv4 in IPv6 as IPv4, '?:0' where the peer has gone already. */
function joined(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return '?:0'
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
