// BusLink: one connection of the cluster bus, in one direction of opening. Bytes become packets here.
//
// Always: a link that is closed delivers nothing more. A packet is handed over whole; its bytes belong to the receiver
// until it returns.

import type { Connection, Outgoing } from '../system/network.ts'
import type { Node } from './node.ts'
import { packetBytes } from './packet.ts'

const NO_PART = new Uint8Array(0)
/** The smallest buffer for a part of a packet. */
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
  /** The beginning of a packet whose end has not come. */
  private buffer = NO_PART
  private filled = 0
  /** Packets that wait to be written, and their bytes. */
  private queue: Uint8Array[] | undefined
  /** Other links send one of these packets as well. */
  private isShared = false
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

  /** Whole packets are handed over where they are; the beginning of another one is copied. */
  received(u8: Uint8Array, start: number, end: number): void {
    if (this.filled === 0) return this.keep(u8, this.deliver(u8, start, end), end)
    const filled = this.filled + end - start
    this.reserve(filled)
    this.buffer.set(u8.subarray(start, end), this.filled)
    this.filled = filled
    const at = this.deliver(this.buffer, 0, filled)
    if (at === 0 || this.isClosed) return
    this.buffer.copyWithin(0, at, filled)
    this.filled -= at
    if (this.filled === 0 && this.buffer.length > BUFFER_BYTES_KEPT) this.buffer = NO_PART
  }

  private keep(u8: Uint8Array, start: number, end: number): void {
    if (start === end || this.isClosed) return
    this.reserve(end - start)
    this.buffer.set(u8.subarray(start, end))
    this.filled = end - start
  }

  private reserve(bytes: number): void {
    if (bytes <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(bytes, this.buffer.length * 2, BUFFER_BYTES))
    larger.set(this.buffer.subarray(0, this.filled))
    this.buffer = larger
  }

  /** Hands over the packets in u8[at .. end); where the first one begins that is not whole. */
  private deliver(u8: Uint8Array, at: number, end: number): number {
    while (!this.isClosed) {
      const bytes = packetBytes(u8, at, end)
      if (bytes === undefined) break
      if (bytes < 0 || bytes > PACKET_BYTES_MAX) {
        this.refuse()
        break
      }
      if (end - at < bytes) break
      this.owner.packet(this, u8.subarray(at, at + bytes))
      at += bytes
    }
    return at
  }

  private refuse(): void {
    this.owner.garbage(this)
    this.lost('no packets')
  }

  /**
   * Sends a packet, which is the link's unless it is shared with other links. Before the connection has come about it
   * is dropped, as the first PING follows anyway.
   */
  send(packet: Uint8Array, isShared: boolean): void {
    if (!this.isOpen || this.isClosed) return
    this.isShared ||= isShared
    this.waitingBytes += packet.length
    if (this.queue !== undefined) {
      this.queue.push(packet)
      return
    }
    this.queue = [packet]
    if (!this.isFull) this.owner.flushSoon(this)
  }

  /** Writes as much of the queue as the connection takes. */
  flush(): void {
    while (this.queue !== undefined && !this.isFull && !this.isClosed) {
      const bytes = this.nextBytes(this.queue)
      if (this.outgoing === undefined) {
        const taken = this.incoming!.write(bytes, 0, bytes.length)
        this.waitingBytes -= taken
        if (taken === bytes.length) continue
        this.queue ??= []
        this.queue.unshift(bytes.subarray(taken))
        this.isFull = true
      } else {
        this.waitingBytes -= bytes.length
        this.isFull = !this.outgoing.write(bytes)
        if (this.isFull) this.takenBytes += bytes.length
      }
    }
  }

  /** Takes packets from the queue. What an outgoing connection keeps are nobody else's bytes: other links send them. */
  private nextBytes(queue: Uint8Array[]): Uint8Array {
    if (queue.length === 1 && (this.outgoing === undefined || !this.isShared)) {
      this.queue = undefined
      this.isShared = false
      return queue[0]
    }
    let count = 1
    let total = queue[0].length
    while (count < queue.length && total + queue[count].length <= WRITE_BYTES) total += queue[count++].length
    const bytes = new Uint8Array(total)
    let at = 0
    for (const packet of queue.splice(0, count)) {
      bytes.set(packet, at)
      at += packet.length
    }
    if (queue.length === 0) {
      this.queue = undefined
      this.isShared = false
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
    this.queue = undefined
    this.waitingBytes = this.takenBytes = 0
    this.outgoing?.close()
    this.incoming?.close(false)
  }
}
