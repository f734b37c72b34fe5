// BusLink: one connection of the cluster bus, in one direction of opening. Bytes become packets here.
//
// Always: a link that is closed delivers nothing more. A packet is handed over whole; its bytes belong to the receiver
// until it returns.

import type { Connection, Outgoing } from '../system/network.ts'
import type { Node } from './node.ts'
import { packetBytes } from './packet.ts'

const BUFFER_BYTES = 4096
/** Packets that wait are written together up to about so many bytes. */
const WRITE_BYTES = 64 * 1024
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
  /** The sender of the last whole packet: light ones do not say. */
  senderId = ''
  readonly createdMs: number
  isOpen = false
  private readonly owner: LinkOwner
  private outgoing: Outgoing | undefined
  private incoming: Connection | undefined
  private buffer = new Uint8Array(BUFFER_BYTES)
  private view = new DataView(this.buffer.buffer)
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
      this.useBuffer(larger)
    }
    this.buffer.set(u8.subarray(start, end), this.filled)
    this.filled = needed
    this.deliver()
  }

  private useBuffer(buffer: Uint8Array<ArrayBuffer>): void {
    this.buffer = buffer
    this.view = new DataView(buffer.buffer)
  }

  private deliver(): void {
    let at = 0
    while (!this.isClosed) {
      const bytes = packetBytes(this.buffer, this.view, at, this.filled)
      if (bytes === undefined) break
      if (bytes < 0 || bytes > PACKET_BYTES_MAX) return this.refuse()
      if (this.filled - at < bytes) break
      this.owner.packet(this, this.buffer.subarray(at, at + bytes))
      at += bytes
    }
    if (at === 0 || this.isClosed) return
    this.buffer.copyWithin(0, at, this.filled)
    this.filled -= at
    if (this.filled === 0 && this.buffer.length > BUFFER_BYTES_KEPT) this.useBuffer(new Uint8Array(BUFFER_BYTES))
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
      const bytes = this.nextBytes()
      if (this.outgoing === undefined) {
        const taken = this.incoming!.write(bytes, 0, bytes.length)
        this.waitingBytes -= taken
        if (taken === bytes.length) continue
        this.queue.unshift(bytes.subarray(taken))
        this.isFull = true
      } else {
        this.waitingBytes -= bytes.length
        this.isFull = !this.outgoing.write(bytes)
        if (this.isFull) this.takenBytes += bytes.length
      }
    }
  }

  /** Takes packets from the queue, as bytes that are nobody else's: other links send the same packets. */
  private nextBytes(): Uint8Array {
    const { queue } = this
    let count = 1
    let total = queue[0].length
    while (count < queue.length && total + queue[count].length <= WRITE_BYTES) total += queue[count++].length
    const bytes = new Uint8Array(total)
    let at = 0
    for (const packet of queue.splice(0, count)) {
      bytes.set(packet, at)
      at += packet.length
    }
    return bytes
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
