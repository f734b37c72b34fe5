// DirectSocket: reading and writing a Node socket's handle without the stream on top. Everything here is internal to
// Node; attach() returns undefined where any of it is missing, and the caller then uses the stream.

import type { Socket } from 'node:net'

interface Handle {
  onread: (buffer: ArrayBuffer | undefined) => unknown
  useUserBuffer(buffer: Uint8Array): void
  writeBuffer(req: object, buffer: Uint8Array): number
  readStart(): number
  readStop(): number
  readonly fd?: number
}

interface StreamBinding {
  WriteWrap: new () => { oncomplete: (status: number) => void; handle: unknown; async: boolean; buffer?: Uint8Array }
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

/** Node's stream binding, or undefined where there is none of the expected shape. */
function findBinding(): StreamBinding | undefined {
  if (typeof process === 'undefined' || process.versions.bun !== undefined) return undefined
  const warn = process.emitWarning
  try {
    process.emitWarning = () => {}
    const found = (process as unknown as { binding(name: string): Partial<StreamBinding> }).binding('stream_wrap')
    const complete =
      typeof found.WriteWrap === 'function' &&
      found.streamBaseState !== undefined &&
      typeof found.kReadBytesOrError === 'number' &&
      typeof found.kLastWriteWasAsync === 'number'
    return complete ? (found as StreamBinding) : undefined
  } catch {
    return undefined
  } finally {
    process.emitWarning = warn
  }
}

const BINDING = findBinding()

/** libuv's code for end of file, on every operating system. */
const UV_EOF = -4095

interface DirectEvents {
  /** So many bytes have arrived at the start of the buffer. */
  onRead(bytes: number): void
  /** The peer sends no more. */
  onEnd(): void
  onDrain(): void
}

export class DirectSocket {
  /** The last write() still uses the buffer it was given. */
  bufferInUse = false
  private readonly handle: Handle
  private readonly socket: Socket
  private readonly onDrain: () => void
  private pending = false
  private afterWrites: (() => void) | undefined

  private constructor(socket: Socket, handle: Handle, onDrain: () => void) {
    this.socket = socket
    this.handle = handle
    this.onDrain = onDrain
  }

  /** Takes the socket's handle over. */
  static attach(socket: Socket, buffer: Uint8Array, events: DirectEvents): DirectSocket | undefined {
    const handle = (socket as unknown as { _handle?: Partial<Handle> })._handle
    if (BINDING === undefined || handle === undefined) return undefined
    if (typeof handle.useUserBuffer !== 'function' || typeof handle.writeBuffer !== 'function') return undefined
    if (typeof handle.readStart !== 'function' || typeof handle.onread !== 'function') return undefined
    const { streamBaseState, kReadBytesOrError } = BINDING
    const { onRead } = events
    socket.pause()
    handle.useUserBuffer(buffer)
    handle.onread = () => {
      const bytes = streamBaseState[kReadBytesOrError]
      if (bytes > 0) onRead(bytes)
      else if (bytes === UV_EOF) events.onEnd()
      else if (bytes < 0) socket.destroy()
      return undefined
    }
    return new DirectSocket(socket, handle as Handle, events.onDrain)
  }

  start(): void {
    this.handle.readStart()
  }

  get fd(): number | undefined {
    return this.handle.fd
  }

  pause(): void {
    this.handle.readStop()
  }

  /** Takes all bytes or, while an earlier write is still under way, none. */
  write(u8: Uint8Array, start: number, end: number): number {
    this.bufferInUse = false
    if (this.pending) return 0
    const binding = BINDING!
    const req = new binding.WriteWrap()
    req.handle = this.handle
    req.async = false
    req.oncomplete = status => this.written(status)
    const bytes = u8.subarray(start, end)
    const error = this.handle.writeBuffer(req, bytes)
    if (error !== 0) {
      this.socket.destroy()
      return end - start
    }
    if (binding.streamBaseState[binding.kLastWriteWasAsync] !== 0) {
      // The operating system may still read these bytes: nothing else may overwrite them.
      req.buffer = bytes
      this.pending = true
      this.bufferInUse = true
    }
    return end - start
  }

  /** Calls `done` when what was written is sent. */
  closeAfterWrites(done: () => void): void {
    if (this.pending) this.afterWrites = done
    else done()
  }

  closed(): void {
    this.pending = false
    this.afterWrites = undefined
  }

  private written(status: number): void {
    this.pending = false
    if (status < 0) this.socket.destroy()
    else if (this.afterWrites !== undefined) this.afterWrites()
    else this.onDrain()
  }
}
