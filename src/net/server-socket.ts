// In-process connections as streams that behave like a net.Socket, for clients that take or make a socket.
//
//   client.write ─▶ MemorySocket.write          replies ─▶ got ─▶ (next tick) ─▶ 'data', 'end', 'close'
//
//   ServerSocket   a stream of its own: server.socket()
//   adopt()        makes a net.Socket that would dial one: intercept()
//
// Always: 'connect' comes after the client could listen; nothing is delivered inside write() or end(): clients queue a
// command after they have written it, and would match the reply to the wrong one. Events of streams are the runtime's
// own ticks, which no fake timers hold up.

import { Duplex } from 'node:stream'

const { nextTick } = process

/** A connection in this process or to a worker, for who does not look whether the other end reads. */
export interface Pipe {
  onData: (bytes: Uint8Array) => void
  onClose: () => void
  write(bytes: Uint8Array): unknown
  close(): void
}

/** A connection without a socket: a MemorySocket, or what behaves like one. */
export interface ProgramEnd extends Pipe {
  onDrain: () => void
  /** False: wait for onDrain. */
  write(bytes: Uint8Array): boolean
  pause(): void
  resume(): void
}

type Callback = (error?: Error | null) => void
type Open = () => ProgramEnd
type Target = Duplex & { connecting: boolean }

/** The connection behind a stream: what the stream's own methods are made of. */
class Link {
  private readonly target: Target
  private readonly open: Open
  private inner: ProgramEnd | undefined
  private got: Uint8Array[] = []
  private isArmed = false
  private hasEnded = false
  /** Waits until the connection is open, or the server reads again. */
  private waiting: (() => void) | undefined

  constructor(target: Target, open: Open) {
    this.target = target
    this.open = open
    nextTick(() => this.begin())
  }

  private begin(): void {
    const { target } = this
    if (target.destroyed) return
    try {
      this.inner = this.open()
    } catch (error) {
      target.destroy(Object.assign(error as Error, { code: 'ECONNREFUSED', syscall: 'connect' }))
      return
    }
    this.inner.onData = bytes => {
      this.got.push(bytes)
      this.arm()
    }
    this.inner.onClose = () => {
      this.hasEnded = true
      this.arm()
    }
    this.inner.onDrain = () => this.goOn()
    target.connecting = false
    target.emit('connect')
    target.emit('ready')
    this.goOn()
  }

  private goOn(): void {
    const { waiting } = this
    this.waiting = undefined
    waiting?.()
  }

  private arm(): void {
    if (this.isArmed) return
    this.isArmed = true
    nextTick(() => this.deliver())
  }

  private deliver(): void {
    const { got, target } = this
    this.isArmed = false
    this.got = []
    if (target.destroyed) return
    // The reader is slow: the server keeps the rest.
    let wanted = true
    for (const bytes of got) wanted = target.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (!wanted) this.inner?.pause()
    if (this.hasEnded) target.push(null)
  }

  read(): void {
    this.inner?.resume()
  }

  write(chunk: Uint8Array, done: Callback): void {
    if (this.inner === undefined) this.waiting = () => this.write(chunk, done)
    else if (this.inner.write(chunk)) done()
    else this.waiting = done
  }

  final(done: Callback): void {
    this.inner?.close()
    this.hasEnded = true
    this.arm()
    done()
  }

  destroy(error: Error | null, done: Callback): void {
    this.inner?.close()
    done(error)
  }
}

type Chunk = Uint8Array | string

function joined(chunks: readonly { chunk: Chunk; encoding?: BufferEncoding }[]): Uint8Array {
  return Buffer.concat(chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding)))
}

/** A net.Socket leaves text as it is. */
function bytesOf(chunk: Chunk, encoding: BufferEncoding | undefined): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}

export class ServerSocket extends Duplex {
  connecting = true
  readonly remoteAddress = '127.0.0.1'
  readonly remoteFamily = 'IPv4'
  readonly remotePort = 0
  private readonly link: Link

  constructor(open: Open) {
    super({ allowHalfOpen: false })
    this.link = new Link(this, open)
  }

  override _read(): void {
    this.link.read()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Callback): void {
    this.link.write(chunk, done)
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: Callback): void {
    this.link.write(joined(chunks), done)
  }

  override _final(done: Callback): void {
    this.link.final(done)
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.link.destroy(error, done)
  }

  // What clients call on a socket, and what there is nothing to do for here.

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setTimeout(_ms: number, listener?: () => void): this {
    if (listener !== undefined) this.off('timeout', listener)
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/**
 * Connects a socket of the runtime that has not dialled yet to a server in this process instead. Its own methods would
 * want a handle of the system.
 */
export function adopt(socket: Target, open: Open): void {
  socket.connecting = true
  const link = new Link(socket, open)
  const quiet = () => socket
  // A net.Socket says itself when it is closed, since its handle closes later.
  const emitsClose = (socket as unknown as { _readableState?: { emitClose?: boolean } })._readableState?.emitClose
  Object.assign(socket, {
    _read: () => link.read(),
    _write: (chunk: Chunk, encoding: BufferEncoding, done: Callback) => link.write(bytesOf(chunk, encoding), done),
    _writev: (chunks: Parameters<typeof joined>[0], done: Callback) => link.write(joined(chunks), done),
    _final: (done: Callback) => link.final(done),
    _destroy: (error: Error | null, done: Callback) => {
      link.destroy(error, done)
      if (emitsClose === false) nextTick(() => socket.emit('close', error !== null && error !== undefined))
    },
    setNoDelay: quiet,
    setKeepAlive: quiet,
    setTimeout: quiet,
    ref: quiet,
    unref: quiet,
  })
}
