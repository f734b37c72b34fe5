// BusLink: one connection of the cluster bus, in one direction of opening. Bytes become packets here.
//
// Always: a link that is closed delivers nothing more. A packet is handed over whole; its bytes belong to the receiver
// until it returns.

import type { Connection, Outgoing } from '../system/network.ts'
import type { Node } from './node.ts'
import { HEADER_BYTES, packetBytes } from './packet.ts'

const BUFFER_BYTES = 4096
/** A larger buffer is dropped when it is empty. */
const BUFFER_BYTES_KEPT = 64 * 1024
/** A larger packet is no packet. */
const PACKET_BYTES_MAX = 2 ** 29

export interface LinkOwner {
  packet(link: BusLink, bytes: Uint8Array): void
  /** The bytes are no packets: the link is closed afterwards. */
  garbage(link: BusLink): void
  closed(link: BusLink, why: string): void
  /** Calls flush() of the link at the end of the event, after what its packets depend on is saved. */
  flushSoon(link: BusLink): void
}

export class BusLink {
  /** Undefined for an inbound link until its sender is known. */
  node: Node | undefined
  readonly isInbound: boolean
  readonly createdMs: number
  isOpen = false
  private readonly owner: LinkOwner
  private outgoing: Outgoing | undefined
  private incoming: Connection | undefined
  private buffer = new Uint8Array(BUFFER_BYTES)
  private filled = 0
  /** Packets that wait to be written, and their bytes. */
  private queue: Uint8Array[] = []
  private waitingBytes = 0
  /** Bytes that an outgoing connection has taken beyond what its socket has. */
  private takenBytes = 0
  private isFull = false
  private isClosed = false

  constructor(owner: LinkOwner, node: Node | undefined, nowMs: number) {
    this.owner = owner
    this.node = node
    this.isInbound = node === undefined
    this.createdMs = nowMs
  }

  /** The connection to a node has come about. */
  opened(outgoing: Outgoing): void {
    if (this.isClosed) return outgoing.close()
    this.outgoing = outgoing
    this.isOpen = true
    outgoing.onData = bytes => this.received(bytes, 0, bytes.length)
    outgoing.onDrain = () => this.drained()
    outgoing.onClose = reason => this.lost(reason ?? 'connection closed')
  }

  /** A node has connected. */
  accepted(incoming: Connection): void {
    this.incoming = incoming
    this.isOpen = true
  }

  /** Our own address and the peer's: 'address:port'. */
  get local(): string {
    return this.outgoing?.local ?? this.incoming?.local ?? ''
  }
  get peer(): string {
    return this.outgoing?.peer ?? this.incoming?.peer ?? ''
  }

  /** Bytes that wait to be sent. */
  get queuedBytes(): number {
    return this.waitingBytes + this.takenBytes
  }

  /** Bytes of its buffers. */
  get memoryBytes(): number {
    return this.buffer.length + this.queuedBytes
  }

  received(u8: Uint8Array, start: number, end: number): void {
    const needed = this.filled + end - start
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2))
      larger.set(this.buffer.subarray(0, this.filled))
      this.buffer = larger
    }
    this.buffer.set(u8.subarray(start, end), this.filled)
    this.filled = needed
    this.deliver()
  }

  private deliver(): void {
    let at = 0
    while (!this.isClosed) {
      const bytes = packetBytes(this.buffer, at, this.filled)
      if (bytes === undefined) break
      if (bytes < HEADER_BYTES || bytes > PACKET_BYTES_MAX) return this.refuse()
      if (this.filled - at < bytes) break
      this.owner.packet(this, this.buffer.subarray(at, at + bytes))
      at += bytes
    }
    if (at === 0 || this.isClosed) return
    this.buffer.copyWithin(0, at, this.filled)
    this.filled -= at
    if (this.filled === 0 && this.buffer.length > BUFFER_BYTES_KEPT) this.buffer = new Uint8Array(BUFFER_BYTES)
  }

  private refuse(): void {
    this.owner.garbage(this)
    this.lost('no packets')
  }

  /** Sends a packet. Before the connection has come about it is dropped, as the first PING follows anyway. */
  send(packet: Uint8Array): void {
    if (!this.isOpen || this.isClosed) return
    this.queue.push(packet)
    this.waitingBytes += packet.length
    if (this.queue.length === 1 && !this.isFull) this.owner.flushSoon(this)
  }

  /** Writes as much of the queue as the connection takes. */
  flush(): void {
    while (this.queue.length > 0 && !this.isFull && !this.isClosed) {
      const packet = this.queue[0]
      if (this.outgoing === undefined) {
        const taken = this.incoming!.write(packet, 0, packet.length)
        this.waitingBytes -= taken
        if (taken < packet.length) {
          this.queue[0] = packet.subarray(taken)
          this.isFull = true
          return
        }
      } else {
        this.waitingBytes -= packet.length
        // The connection owns what it gets, and other links send the same packet.
        this.isFull = !this.outgoing.write(packet.slice())
        if (this.isFull) this.takenBytes += packet.length
      }
      this.queue.shift()
    }
  }

  /** The connection is writable again. */
  drained(): void {
    this.isFull = false
    this.takenBytes = 0
    this.flush()
  }

  /** The other end is gone. */
  lost(why: string): void {
    if (this.isClosed) return
    this.close()
    this.owner.closed(this, why)
  }

  /** Closes; the owner is not notified. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.isOpen = false
    this.queue = []
    this.waitingBytes = this.takenBytes = 0
    this.outgoing?.close()
    this.incoming?.close(false)
  }
}
