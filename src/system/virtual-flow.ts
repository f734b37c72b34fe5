// Flow: one direction of a virtual connection, from what a program writes to what the other reads.
//
//   write ─▶ [ items on the wire ] ─▶ arrive ─▶ [ unread: the reader is paused or stalled ] ─▶ End.take
//     ▲                                                                                          │
//     └──── space again: an acknowledgement arrives ◀───────────────────────────────────────────┘
//
//   FLOWING → HELD [arrive: the route is cut, or the peer is down] → FLOWING [wake]
//   HELD → broken [giveUpUs without an acknowledgement]
//
// Always: items arrive in the order they were sent; at most `bufferBytes` are written and not read. An idle flow has no
// queues: of a thousand servers each has two connections with every other one.

import type { VirtualEnd } from './virtual-end.ts'
import type { VirtualNetwork, Waiting } from './virtual-network.ts'

/** Bytes, or an event of the connection: it is accepted, ends in this direction, or breaks. */
export type Item = Uint8Array | 'open' | 'end' | 'reset'

interface Confirmation {
  bytes: number
  atUs: number
}

export class Flow implements Waiting {
  private readonly network: VirtualNetwork
  private readonly sender: VirtualEnd
  private readonly receiver: VirtualEnd
  /** On the wire; one event each, unless the flow is held. */
  private items: Item[] | undefined
  private lastArrivalUs = 0
  /** Arrived, and not read. */
  private unread: Item[] | undefined
  /** Written, and not acknowledged as read. */
  private unackedBytes = 0
  /** The first acknowledgement on its way, and those after it; no bytes: there is none. */
  private confirmedBytes = 0
  private confirmedAtUs = 0
  private confirmations: Confirmation[] | undefined
  /** Read, but no acknowledgement got through. */
  private unconfirmedBytes = 0
  private ackPending = false
  /** Number of the current transmission; events of earlier ones are void. */
  private wave = 0
  /** The first item was lost, and waits with the others until the route is free. */
  private isHeld = false
  private heldSinceUs = 0

  constructor(network: VirtualNetwork, sender: VirtualEnd, receiver: VirtualEnd) {
    this.network = network
    this.sender = sender
    this.receiver = receiver
  }

  get from() {
    return this.sender.host
  }

  get to() {
    return this.receiver.host
  }

  /** Takes as many bytes as there is space for; returns their number. Less than all: the sender's `drained` follows. */
  write(u8: Uint8Array, start: number, end: number): number {
    this.freeConfirmed()
    const room = this.network.linkOf(this.from, this.to).bufferBytes - this.unackedBytes
    const taken = Math.max(0, Math.min(end - start, room))
    if (taken > 0) {
      this.unackedBytes += taken
      if (this.network.resets(this.from, this.to)) {
        this.sender.breaks('ECONNRESET')
        return taken
      }
      const middle = start + this.firstPiece(taken)
      this.put(copyOf(u8, start, middle))
      if (middle < start + taken) this.put(copyOf(u8, middle, start + taken))
    }
    if (taken < end - start) this.awaitAck()
    return taken
  }

  private firstPiece(bytes: number): number {
    if (bytes < 2 || !this.network.tears(this.from, this.to)) return bytes
    return 1 + (this.network.random.u32() % (bytes - 1))
  }

  put(item: Item): void {
    this.items ??= []
    this.items.push(item)
    if (!this.isHeld) this.schedule(item)
  }

  /** Drops everything on the wire; nothing is sent again. */
  drop(): void {
    this.items = undefined
    this.unread = undefined
    this.unconfirmedBytes = 0
    this.isHeld = false
    this.wave++
    this.network.forget(this)
  }

  /** The connection has broken on this side. A reset is sent once: when it is lost, the other side does not get it. */
  reset(): void {
    this.drop()
    this.put('reset')
  }

  private schedule(item: Item): void {
    const bytes = item instanceof Uint8Array ? item.length : 0
    this.lastArrivalUs = Math.max(this.network.arrivalUs(this.from, this.to, bytes), this.lastArrivalUs)
    const { wave } = this
    this.network.at(this.lastArrivalUs, this.to, () => {
      if (wave === this.wave) this.arrive()
    })
  }

  private arrive(): void {
    const items = this.items!
    if (!this.isFree) return items[0] === 'reset' ? this.drop() : this.hold()
    const item = items.shift()!
    if (items.length === 0) this.items = undefined
    this.network.onArrival?.(this.from, this.to, item instanceof Uint8Array ? item : undefined)
    this.receiver.arrived(item)
  }

  private get isFree(): boolean {
    return this.network.passes(this.from, this.sender.address, this.to, this.receiver.address)
  }

  // ---- cuts ----

  private hold(): void {
    this.isHeld = true
    this.wave++
    if (this.unconfirmedBytes === 0) this.startWaiting()
  }

  private startWaiting(): void {
    this.heldSinceUs = this.network.scheduler.nowUs
    this.network.wait(this)
    const since = this.heldSinceUs
    this.network.at(since + this.network.giveUpUs, this.from, () => {
      if (this.isWaiting && this.heldSinceUs === since) this.sender.fails('ETIMEDOUT')
    })
  }

  private get isWaiting(): boolean {
    return this.isHeld || this.unconfirmedBytes > 0
  }

  wake(): void {
    // What a machine had not sent when its power failed is never sent.
    if (this.sender.isDead) return this.network.forget(this)
    if (this.isHeld && this.isFree) this.resend()
    if (this.unconfirmedBytes > 0 && this.isBackFree) {
      const bytes = this.unconfirmedBytes
      this.unconfirmedBytes = 0
      this.confirm(bytes, this.network.resentUs(this.to, this.from))
    }
    if (!this.isWaiting) this.network.forget(this)
  }

  private resend(): void {
    this.isHeld = false
    this.lastArrivalUs = Math.max(this.lastArrivalUs, this.network.resentUs(this.from, this.to))
    for (const item of this.items ?? []) this.schedule(item)
  }

  // ---- what has arrived ----

  get hasUnread(): boolean {
    return this.unread !== undefined
  }

  get hasUnreadBytes(): boolean {
    return this.unread?.some(item => item instanceof Uint8Array) === true
  }

  /** The reader does not take it yet. */
  keep(item: Item): void {
    this.unread ??= []
    this.unread.push(item)
  }

  /** The first item that waits for the reader. */
  take(): Item | undefined {
    const item = this.unread?.shift()
    if (this.unread?.length === 0) this.unread = undefined
    return item
  }

  // ---- flow control ----

  /** The reader has taken bytes. */
  read(bytes: number): void {
    if (this.isBackFree) return this.confirm(bytes, this.network.arrivalUs(this.to, this.from, 0))
    if (!this.isWaiting) this.startWaiting()
    this.unconfirmedBytes += bytes
  }

  private get isBackFree(): boolean {
    return this.network.passes(this.to, this.receiver.address, this.from, this.sender.address)
  }

  private confirm(bytes: number, atUs: number): void {
    const dueUs = Math.ceil(atUs)
    if (this.confirmedBytes === 0) {
      this.confirmedBytes = bytes
      this.confirmedAtUs = dueUs
      if (this.ackPending) this.awaitAck()
      return
    }
    this.confirmations ??= []
    const lastUs = this.confirmations.at(-1)?.atUs ?? this.confirmedAtUs
    this.confirmations.push({ bytes, atUs: Math.max(lastUs, dueUs) })
  }

  private freeConfirmed(): void {
    while (this.confirmedBytes > 0 && this.confirmedAtUs <= this.from.machine.worldUs) {
      this.unackedBytes -= this.confirmedBytes
      const next = this.confirmations?.shift()
      if (this.confirmations?.length === 0) this.confirmations = undefined
      this.confirmedBytes = next?.bytes ?? 0
      this.confirmedAtUs = next?.atUs ?? 0
    }
  }

  /** Acknowledges what was read, so that the sender can write again. */
  private awaitAck(): void {
    this.ackPending = true
    if (this.confirmedBytes === 0) return
    this.network.at(this.confirmedAtUs, this.from, () => {
      if (!this.ackPending) return
      this.ackPending = false
      this.freeConfirmed()
      this.sender.drained()
    })
  }
}

/** A copy, which slice() of a Buffer is not. */
export function copyOf(u8: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(u8.subarray(start, end))
}
