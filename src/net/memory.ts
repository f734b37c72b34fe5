// In-process connections: for tests and for programs that embed the server. Bytes written by one side are delivered to
// the other at once, without a socket.

import type { Connection, Receiver } from '../system/network.ts'

/** The program's end of an in-process connection. */
export class MemorySocket {
  /** Called with each piece the server sends; the callee owns the bytes. */
  onData: (bytes: Uint8Array) => void = () => {}
  onClose: () => void = () => {}
  private readonly receiver: Receiver<unknown>
  private session: unknown
  private open = true

  constructor(receiver: Receiver<unknown>, id: number) {
    this.receiver = receiver
    const socket = this
    const connection: Connection = {
      kind: 'memory',
      peer: `127.0.0.1:${id}`,
      local: '127.0.0.1:0',
      fd: id,
      write(u8, start, end) {
        if (socket.open) socket.onData(u8.slice(start, end))
        return end - start
      },
      close: () => this.ended(),
      pause() {},
      resume() {},
    }
    this.session = receiver.opened(connection)
    if (this.session === undefined) this.open = false
  }

  /**
   * Sends bytes to the server; replies were handed to onData when this returns, unless a command blocks or the bytes
   * hold more commands than one turn's budget: the rest runs in later turns.
   */
  write(bytes: Uint8Array): void {
    if (!this.open || this.session === undefined) return
    // A reply may make the program write again from within onData, so the shared buffer cannot be used twice at once.
    const u8 = new Uint8Array(bytes) // a copy, which slice() of a Buffer is not
    this.receiver.received(this.session, u8, new DataView(u8.buffer), 0, u8.length, true)
  }

  close(): void {
    if (!this.open) return
    this.open = false
    if (this.session !== undefined) this.receiver.closed(this.session)
  }

  private ended(): void {
    if (!this.open) return
    this.open = false
    this.onClose()
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
