// In-process connections: for tests and for programs that embed the server. Bytes written by one side are delivered to
// the other at once, without a socket.
//
//   program: write ─▶ (held while the server does not read) ─▶ receiver.received
//   program: onData ◀─ connection.write; while paused it takes nothing, and the server keeps its output
//
// Always: what a listener throws does not reach the server; it is thrown again outside of it. What the server sends
// before the program could set its listeners, in the same turn as connect(), is delivered after that turn.

import type { Connection, Receiver } from '../system/network.ts'

type DataListener = (bytes: Uint8Array) => void

const ignore = () => {}
const { nextTick } = process

/** The program's end of an in-process connection. */
export class MemorySocket {
  /** Called with each piece the server sends; the callee owns the bytes. */
  onData: DataListener = ignore
  onClose: () => void = ignore
  /** Called after write() returned false, when the server has taken everything. */
  onDrain: () => void = ignore
  private readonly receiver: Receiver<unknown>
  private session: unknown
  private open = true
  private paused = false
  /** The server does not read. */
  private stopped = false
  private held: Uint8Array[] = []
  /** What came before the listeners were set; undefined afterwards. */
  private early: Uint8Array[] | undefined = []

  constructor(receiver: Receiver<unknown>, id: number) {
    this.receiver = receiver
    const socket = this
    const connection: Connection = {
      kind: 'memory',
      peer: `127.0.0.1:${id}`,
      local: '127.0.0.1:0',
      fd: id,
      write(u8, start, end) {
        if (socket.paused && socket.open) return 0
        if (socket.open) socket.arrived(u8.slice(start, end))
        return end - start
      },
      close: () => this.ended(),
      pause() {
        socket.stopped = true
      },
      resume() {
        if (!socket.stopped) return
        socket.stopped = false
        void Promise.resolve().then(() => socket.continue())
      },
    }
    this.session = receiver.opened(connection)
    if (this.session === undefined) this.open = false
    void Promise.resolve().then(() => this.begin())
  }

  /**
   * Sends bytes to the server; replies were handed to onData when this returns, unless a command blocks. False: the
   * server does not read at the moment; the bytes are held for it, and onDrain follows.
   */
  write(bytes: Uint8Array | string): boolean {
    if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array))
      throw new TypeError(`bytes or a string, not ${typeof bytes}`)
    if (!this.open || this.session === undefined) return true
    // A reply may make the program write again from within onData, so the shared buffer cannot be used twice at once.
    // A copy, which slice() of a Buffer is not.
    const u8 = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : new Uint8Array(bytes)
    if (this.stopped || this.held.length > 0) {
      this.held.push(u8)
      return false
    }
    this.receiver.received(this.session, u8, new DataView(u8.buffer), 0, u8.length)
    return true
  }

  /** Stops calling onData: the server keeps its output, up to client-output-buffer-limit. */
  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.open && this.session !== undefined) this.receiver.drained(this.session)
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.held = []
    if (this.session !== undefined) this.receiver.closed(this.session)
  }

  private arrived(bytes: Uint8Array): void {
    if (this.early !== undefined && (this.onData === ignore || this.early.length > 0)) this.early.push(bytes)
    else outside(() => this.onData(bytes))
  }

  /** The turn of connect() is over. */
  private begin(): void {
    const early = this.early ?? []
    this.early = undefined
    for (const bytes of early) outside(() => this.onData(bytes))
    if (this.session === undefined) outside(() => this.onClose())
  }

  private continue(): void {
    while (this.held.length > 0 && !this.stopped && this.open) {
      const u8 = this.held.shift()!
      this.receiver.received(this.session, u8, new DataView(u8.buffer, u8.byteOffset, u8.length), 0, u8.length)
    }
    if (this.held.length === 0 && this.open) outside(() => this.onDrain())
  }

  private ended(): void {
    if (!this.open) return
    this.open = false
    this.held = []
    outside(() => this.onClose())
  }
}

/** Runs the program's code; what it throws is its own affair, and surfaces outside of the server. */
export function outside(call: () => void): void {
  try {
    call()
  } catch (error) {
    nextTick(() => {
      throw error
    })
  }
}

export class MemoryTransport {
  private readonly receiver: Receiver<unknown>
  private nextId = 1

  constructor(receiver: Receiver<unknown>) {
    this.receiver = receiver
  }

  connect(): MemorySocket {
    return new MemorySocket(this.receiver, this.nextId++)
  }
}
