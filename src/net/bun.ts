// TCP and Unix sockets on Bun. The only file that names Bun's socket interface. Outgoing connections: dial-node.ts.

import { releaseBuffer } from '../lib/bytes.ts'
import {
  type Connection,
  FIRST_SOCKET_FD,
  joinedAddress,
  type Listener,
  type ListenOptions,
  type ListenTls,
  type Network,
  type NetworkError,
  type Receiver,
} from '../system/network.ts'
import { dial, failureOf, resolve } from './dial-node.ts'
import { Inbox } from './inbox.ts'
import { readInto } from './read-into.ts'
import { certificateName, HANDSHAKE_SECONDS, nativeContext, secure } from './tls.ts'

/** The collector frees shorter reads for less than releasing each costs. */
const RELEASED_FROM_BYTES = 4096

interface Slot {
  /** undefined: the connection was refused, or is closed. */
  session: unknown
  /** The session of a connection that we have closed: it still gets closed(). */
  leaving: unknown
}

type BunSocket = import('bun').Socket<Slot>
type Handlers = import('bun').SocketHandler<Slot>

class BunConnection implements Connection {
  readonly kind: 'tcp' | 'unix' | 'tls'
  readonly certificateName: string | undefined
  private readonly socket: BunSocket
  closed = false
  readonly peer: string
  readonly local: string
  readonly fd: number

  constructor(socket: BunSocket, { path, tls }: ListenOptions, fd: number) {
    this.socket = socket
    this.fd = fd
    this.kind = path !== undefined ? 'unix' : tls === undefined ? 'tcp' : 'tls'
    this.certificateName = tls === undefined ? undefined : certificateName(socket.getPeerCertificate())
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

  readInto(u8: Uint8Array, next: Uint8Array): number {
    if (this.closed || this.kind === 'tls') return 0
    return readInto((this.socket as { fd?: number }).fd, u8, next)
  }
}

export class BunNetwork implements Network {
  readonly dial = dial
  readonly resolve = resolve
  readonly secure = secure
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
    const handlers = this.handlers(options, receiver)
    const socket = options.tls === undefined ? handlers : this.upgrading(options, receiver, handlers)
    try {
      if (path !== undefined) {
        const server = Bun.listen<Slot>({ unix: path, allowHalfOpen, socket })
        if (options.unref === true) server.unref()
        return { address: path, port: 0, close: () => server.stop() }
      }
      // As in Redis an IPv6 socket takes no IPv4: '::' may be beside '0.0.0.0'. Not in Bun's types.
      const where = { hostname: host, port, ipv6Only: host.includes(':') }
      const server = Bun.listen<Slot>({ ...where, allowHalfOpen, socket })
      if (options.unref === true) server.unref()
      return { address: joinedAddress(host, server.port), port: server.port, close: () => server.stop() }
    } catch (error) {
      return failureOf(error as Error)
    }
  }

  private accept(socket: BunSocket, options: ListenOptions, receiver: Receiver<unknown>): void {
    const slot = socket.data
    if (options.unref === true) socket.unref()
    const connection = new BunConnection(socket, options, this.nextFd++)
    if (options.path === undefined) {
      socket.setNoDelay(true)
      const { keepaliveSeconds } = options
      if (keepaliveSeconds > 0) socket.setKeepAlive(true, keepaliveSeconds * 1000)
    }
    const session = receiver.opened(connection)
    if (session === undefined) connection.close(true)
    else if (connection.closed) slot.leaving = session
    else slot.session = session
  }

  /** Accepts plain sockets and secures each with the context of that moment. */
  private upgrading(options: ListenOptions, receiver: Receiver<unknown>, handlers: Handlers): Handlers {
    const refuse = (socket: BunSocket, reason: string) => {
      receiver.refused?.(joinedAddress(socket.remoteAddress, socket.remotePort), reason)
      socket.terminate()
    }
    const secured: Handlers = {
      ...handlers,
      open() {},
      timeout: socket => refuse(socket, 'the TLS handshake took too long'),
      handshake: (socket, success, error) => {
        socket.timeout(0)
        const refusal = refusalOf(socket, success, error, options.tls!)
        if (refusal === undefined) this.accept(socket, options, receiver)
        else refuse(socket, refusal)
      },
    }
    return {
      data() {},
      open(plain) {
        const { context, clients } = options.tls!
        // A context of node:tls is accepted although Bun's types do not say so.
        const tls = {
          secureContext: nativeContext(context),
          requestCert: clients !== 'no',
          rejectUnauthorized: clients === 'yes',
        } as import('bun').TLSOptions
        const data: Slot = { session: undefined, leaving: undefined }
        const upgrade = { data, tls, isServer: true, socket: secured }
        const [, socket] = plain.upgradeTLS<Slot>(upgrade)
        if (options.unref === true) plain.unref()
        socket.timeout(HANDSHAKE_SECONDS)
      },
    }
  }

  private handlers(options: ListenOptions, receiver: Receiver<unknown>): Handlers {
    const inbox = this.inbox
    return {
      binaryType: 'uint8array',
      open: socket => {
        socket.data = { session: undefined, leaving: undefined }
        this.accept(socket, options, receiver)
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
        if (length >= RELEASED_FROM_BYTES) releaseBuffer(bytes.buffer)
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

/** Why a connection is refused after its handshake; undefined: it is not. */
function refusalOf(socket: BunSocket, success: boolean, error: Error | null, tls: ListenTls): string | undefined {
  if (!success) return error?.message ?? 'the TLS handshake failed'
  if (tls.clients === 'no' || socket.authorized) return undefined
  if (tls.clients === 'optional' && certificateName(socket.getPeerCertificate()) === undefined) return undefined
  return error?.message ?? 'the certificate of the client is not valid'
}

function halfClosed(receiver: Receiver<unknown>): (socket: BunSocket) => void {
  return socket => {
    const { session } = socket.data
    if (session === undefined) socket.end()
    else receiver.ended?.(session)
  }
}
