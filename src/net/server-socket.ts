// ServerSocket: an in-process connection as a Duplex that behaves like a net.Socket, for clients that take a socket.
//
//   client.write ─▶ MemorySocket.write          replies ─▶ got ─▶ (next tick) ─▶ 'data', 'end', 'close'
//
// Always: 'connect' comes after the client could listen; nothing is delivered inside write() or end(): clients queue a
// command after they have written it, and would match the reply to the wrong one. Events of streams are the runtime's
// own ticks, which no fake timers hold up.

import { Duplex } from 'node:stream'
import type { MemorySocket } from './memory.ts'

const { nextTick } = process

type Callback = (error?: Error | null) => void

export class ServerSocket extends Duplex {
  connecting = true
  readonly remoteAddress = '127.0.0.1'
  readonly remoteFamily = 'IPv4'
  readonly remotePort = 0
  private readonly open: () => MemorySocket
  private inner: MemorySocket | undefined
  private got: Uint8Array[] = []
  private isArmed = false
  private hasEnded = false
  /** Waits until the connection is open, or the server reads again. */
  private waiting: (() => void) | undefined

  constructor(open: () => MemorySocket) {
    super({ allowHalfOpen: false })
    this.open = open
    nextTick(() => this.begin())
  }

  private begin(): void {
    if (this.destroyed) return
    try {
      this.inner = this.open()
    } catch (error) {
      this.destroy(Object.assign(error as Error, { code: 'ECONNREFUSED', syscall: 'connect' }))
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
    this.connecting = false
    this.emit('connect')
    this.emit('ready')
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
    this.isArmed = false
    const { got } = this
    this.got = []
    if (this.destroyed) return
    // The reader is slow: the server keeps the rest.
    let wanted = true
    for (const bytes of got) wanted = this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (!wanted) this.inner?.pause()
    if (this.hasEnded) this.push(null)
  }

  override _read(): void {
    this.inner?.resume()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Callback): void {
    if (this.inner === undefined) this.waiting = () => this._write(chunk, _encoding, done)
    else if (this.inner.write(chunk)) done()
    else this.waiting = done
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: Callback): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  }

  override _final(done: Callback): void {
    this.inner?.close()
    this.hasEnded = true
    this.arm()
    done()
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.inner?.close()
    done(error)
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
