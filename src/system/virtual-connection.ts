// A program's end of a virtual connection: Connection for a listener, Outgoing for a dialler.

import { textOfError } from './errors.ts'
import type { Connection, Outgoing, Receiver } from './network.ts'
import type { EndEvents, VirtualEnd } from './virtual-end.ts'
import { copyOf } from './virtual-flow.ts'

/** Overwrites a received buffer after the call, so that a callee that still uses it is found. */
const STALE = 0xdb

/** One accepted connection: it calls the Receiver for its events. */
export class VirtualIncoming implements Connection, EndEvents {
  fd = -1
  private readonly receiver: Receiver<unknown>
  /** That of a Unix socket. */
  private readonly path: string | undefined
  private end!: VirtualEnd
  private session: unknown

  constructor(receiver: Receiver<unknown>, path: string | undefined) {
    this.receiver = receiver
    this.path = path
  }

  attach(end: VirtualEnd): void {
    this.end = end
  }

  get kind(): 'tcp' | 'unix' {
    return this.path === undefined ? 'tcp' : 'unix'
  }

  get peer(): string {
    return this.path === undefined ? this.end.peer.name : `${this.path}:0`
  }

  get local(): string {
    return this.path === undefined ? this.end.name : `${this.path}:0`
  }

  write(u8: Uint8Array, start: number, end: number): number {
    return this.end.write(u8, start, end)
  }

  close(afterWrites: boolean): void {
    if (afterWrites) this.end.close()
    else this.end.reset()
  }

  pause(): void {
    this.end.pause()
  }

  resume(): void {
    this.end.resume()
  }

  // ---- events of the end ----

  opened(): void {
    this.fd = this.end.host.takeFd()
    this.session = this.receiver.opened(this)
    if (this.session === undefined) this.end.close()
  }

  data(bytes: Uint8Array): void {
    this.receiver.received(this.session, bytes, new DataView(bytes.buffer), 0, bytes.length)
    bytes.fill(STALE)
  }

  ended(): void {
    if (this.receiver.ended !== undefined) this.receiver.ended(this.session)
    else this.end.close()
  }

  drained(): void {
    this.receiver.drained(this.session)
  }

  closed(): void {
    if (this.session !== undefined) this.receiver.closed(this.session)
  }
}

const ignore = () => {}
/** The default of onEnd. */
const closeAtEnd = () => {}

export class VirtualOutgoing implements Outgoing, EndEvents {
  onData: (bytes: Uint8Array) => void = ignore
  onEnd: () => void = closeAtEnd
  onClose: (reason: string | undefined) => void = ignore
  onDrain: () => void = ignore
  private socket!: VirtualEnd
  private path: string | undefined
  /** Written by the program, not taken by the operating system yet. */
  private pending: Uint8Array[] | undefined
  private endsAfterPending = false

  /** `path`: that of a Unix socket. */
  attach(socket: VirtualEnd, path: string | undefined): void {
    this.socket = socket
    this.path = path
  }

  get peer(): string {
    return this.path ?? this.socket.peer.name
  }

  get local(): string {
    return this.path ?? this.socket.name
  }

  write(bytes: Uint8Array): boolean {
    if (this.pending !== undefined) this.pending.push(copyOf(bytes, 0, bytes.length))
    else {
      const taken = this.socket.write(bytes, 0, bytes.length)
      if (taken === bytes.length) return true
      this.pending = [copyOf(bytes, taken, bytes.length)]
    }
    return false
  }

  end(): void {
    if (this.pending === undefined) this.socket.end()
    else this.endsAfterPending = true
  }

  close(): void {
    this.socket.close()
  }

  reset(): void {
    this.socket.reset()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  // ---- events of the end ----

  opened(): void {}

  data(bytes: Uint8Array): void {
    this.onData(bytes)
  }

  ended(): void {
    if (this.onEnd === closeAtEnd) this.close()
    else this.onEnd()
  }

  drained(): void {
    const pending = this.pending ?? []
    while (pending.length > 0) {
      const taken = this.socket.write(pending[0], 0, pending[0].length)
      if (taken < pending[0].length) {
        pending[0] = pending[0].subarray(taken)
        return
      }
      pending.shift()
    }
    this.pending = undefined
    if (this.endsAfterPending) this.socket.end()
    else this.onDrain()
  }

  closed(code: string | undefined): void {
    this.onClose(code === undefined ? undefined : textOfError(code))
  }
}
