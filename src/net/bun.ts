// TCP and Unix sockets on Bun. The only file that names Bun's socket interface. Outgoing connections: dial-node.ts.

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
import { Inbox } from './inbox.ts'

interface Slot {
  /** undefined: the connection was refused, or is closed. */
  session: unknown
  /** The session of a connection that we have closed: it still gets closed(). */
  leaving: unknown
}

type BunSocket = import('bun').Socket<Slot>

class BunConnection implements Connection {
  readonly kind: 'tcp' | 'unix'
  private readonly socket: BunSocket
  closed = false
  readonly peer: string
  readonly local: string
  readonly fd: number

  constructor(socket: BunSocket, path: string | undefined, fd: number) {
    this.socket = socket
    this.fd = fd
    this.kind = path === undefined ? 'tcp' : 'unix'
    this.peer = path === undefined ? joinedAddress(socket.remoteAddress, socket.remotePort) : `${path}:0`
    this.local = path === undefined ? joinedAddress(socket.localAddress, socket.localPort) : `${path}:0`
  }

  write(u8: Uint8Array, start: number, end: number): number {
    if (this.closed) return end - start
    const sent = this.socket.write(u8, start, end - start)
    return sent < 0 ? end - start : sent
  }

  close(afterWrites: boolean): void {
    if (this.closed) return
    this.closed = true
    const slot = this.socket.data
    slot.leaving = slot.session
    slot.session = undefined
    if (afterWrites) this.socket.end()
    else this.socket.terminate()
  }

  pause(): void {
    if (!this.closed) this.socket.pause()
  }

  resume(): void {
    if (!this.closed) this.socket.resume()
  }
}

export class BunNetwork implements Network {
  readonly dial = dial
  readonly resolve = resolve
  private readonly inbox = new Inbox()
  private nextFd = FIRST_SOCKET_FD

  listen<Session>(
    options: ListenOptions,
    receiver: Receiver<Session>,
    done: (result: Listener | NetworkError) => void,
  ): void {
    const result = this.open(options, receiver)
    queueMicrotask(() => done(result))
  }

  private open(options: ListenOptions, receiver: Receiver<unknown>): Listener | NetworkError {
    const { host, port, path } = options
    const allowHalfOpen = receiver.ended !== undefined
    const socket = this.handlers(options, receiver)
    try {
      if (path !== undefined) {
        const server = Bun.listen<Slot>({ unix: path, allowHalfOpen, socket })
        if (options.unref === true) server.unref()
        return { address: path, port: 0, close: () => server.stop() }
      }
      const server = Bun.listen<Slot>({ hostname: host, port, allowHalfOpen, socket })
      if (options.unref === true) server.unref()
      return { address: joinedAddress(host, server.port), port: server.port, close: () => server.stop() }
    } catch (error) {
      return failureOf(error as Error)
    }
  }

  private handlers(options: ListenOptions, receiver: Receiver<unknown>): import('bun').SocketHandler<Slot> {
    const inbox = this.inbox
    const { path } = options
    return {
      binaryType: 'uint8array',
      open: socket => {
        const slot: Slot = { session: undefined, leaving: undefined }
        socket.data = slot
        if (options.unref === true) socket.unref()
        const connection = new BunConnection(socket, path, this.nextFd++)
        if (path === undefined) {
          socket.setNoDelay(true)
          const { keepaliveSeconds } = options
          if (keepaliveSeconds > 0) socket.setKeepAlive(true, keepaliveSeconds * 1000)
        }
        const session = receiver.opened(connection)
        if (session === undefined) connection.close(true)
        else if (connection.closed) slot.leaving = session
        else slot.session = session
      },
      data(socket, bytes) {
        const { session } = socket.data
        if (session === undefined) return
        const { length } = bytes
        if (length > inbox.u8.length) {
          receiver.received(session, bytes, new DataView(bytes.buffer, bytes.byteOffset, length), 0, length, true)
          return
        }
        inbox.u8.set(bytes)
        receiver.received(session, inbox.u8, inbox.dv, 0, length)
      },
      drain(socket) {
        const { session } = socket.data
        if (session !== undefined) receiver.drained(session)
      },
      // Without an `end` handler, Bun closes what the peer has half-closed.
      ...(receiver.ended === undefined ? {} : { end: halfClosed(receiver) }),
      close(socket) {
        const slot = socket.data
        const session = slot?.session ?? slot?.leaving
        if (session === undefined) return
        slot.session = slot.leaving = undefined
        receiver.closed(session)
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

function halfClosed(receiver: Receiver<unknown>): (socket: BunSocket) => void {
  return socket => {
    const { session } = socket.data
    if (session === undefined) socket.end()
    else receiver.ended?.(session)
  }
}
