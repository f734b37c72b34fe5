// A program's end of a virtual connection: Connection for a listener, Outgoing for a dialler.

import { textOfError } from './errors.ts'
import type { Connection, Outgoing, Receiver } from './network.ts'
import type { EndEvents, VirtualEnd } from './virtual-end.ts'
import { copyOf } from './virtual-flow.ts'
import type { VirtualHost } from './virtual-host.ts'

/** Overwrites a received buffer after the call, so that a callee that still uses it is found. */
const STALE = 0xdb

class VirtualConnection implements Connection {
  readonly kind: 'tcp' | 'unix'
  readonly peer: string
  readonly local: string
  readonly fd: number
  private readonly end: VirtualEnd

  constructor(end: VirtualEnd, path: string | undefined, fd: number) {
    this.end = end
    this.kind = path === undefined ? 'tcp' : 'unix'
    this.peer = path === undefined ? end.peer.name : `${path}:0`
    this.local = path === undefined ? end.name : `${path}:0`
    this.fd = fd
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
}

/** Calls the Receiver for events of one accepted connection. */
export function incomingEvents(
  host: VirtualHost,
  path: string | undefined,
  receiver: Receiver<unknown>,
  end: () => VirtualEnd,
): EndEvents {
  let session: unknown
  return {
    opened() {
      session = receiver.opened(new VirtualConnection(end(), path, host.takeFd()))
      if (session === undefined) end().close()
    },
    data(bytes) {
      receiver.received(session, bytes, new DataView(bytes.buffer), 0, bytes.length)
      bytes.fill(STALE)
    },
    ended() {
      if (receiver.ended !== undefined) receiver.ended(session)
      else end().close()
    },
    drained: () => receiver.drained(session),
    closed() {
      if (session !== undefined) receiver.closed(session)
    },
  }
}

export class VirtualOutgoing implements Outgoing, EndEvents {
  onData: (bytes: Uint8Array) => void = () => {}
  onEnd: () => void = () => this.close()
  onClose: (reason: string | undefined) => void = () => {}
  onDrain: () => void = () => {}
  peer = ''
  local = ''
  private socket!: VirtualEnd
  /** Written by the program, not taken by the operating system yet. */
  private pending: Uint8Array[] = []
  private endsAfterPending = false

  /** `path`: that of a Unix socket. */
  attach(socket: VirtualEnd, path: string | undefined): void {
    this.socket = socket
    this.peer = path ?? socket.peer.name
    this.local = path ?? socket.name
  }

  write(bytes: Uint8Array): boolean {
    if (this.pending.length === 0) {
      const taken = this.socket.write(bytes, 0, bytes.length)
      if (taken === bytes.length) return true
      this.pending.push(copyOf(bytes, taken, bytes.length))
    } else this.pending.push(copyOf(bytes, 0, bytes.length))
    return false
  }

  end(): void {
    if (this.pending.length === 0) this.socket.end()
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
    this.onEnd()
  }

  drained(): void {
    const { pending } = this
    while (pending.length > 0) {
      const taken = this.socket.write(pending[0], 0, pending[0].length)
      if (taken < pending[0].length) {
        pending[0] = pending[0].subarray(taken)
        return
      }
      pending.shift()
    }
    if (this.endsAfterPending) this.socket.end()
    else this.onDrain()
  }

  closed(code: string | undefined): void {
    this.onClose(code === undefined ? undefined : textOfError(code))
  }
}
