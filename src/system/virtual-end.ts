// VirtualEnd: one end of a virtual connection, as the operating system has it for a program.
//
//   OPEN → half closed [end, or the peer's end] → CLOSED [the other half; close; breaks; peer's reset; timeout]
//
// Always: the program gets `closed` once, in an event of its own; data that arrives after that, or after the program's
// death, is answered with a reset. A stalled machine's program gets nothing; it waits, in order.

import { joinedAddress } from './network.ts'
import type { Flow, Item } from './virtual-flow.ts'
import type { VirtualHost } from './virtual-host.ts'

/** The program at this end. */
export interface EndEvents {
  opened(): void
  data(bytes: Uint8Array): void
  ended(): void
  drained(): void
  /** The C name of the error that broke the connection; undefined: an orderly close. */
  closed(code: string | undefined): void
}

export class VirtualEnd {
  readonly host: VirtualHost
  readonly address: string
  readonly port: number
  /** The connection's two flows, set when they are joined. */
  out!: Flow
  in!: Flow
  peer!: VirtualEnd
  private readonly boot: number
  /** undefined: no program has this end any more. */
  private events: EndEvents | undefined
  private paused = false
  private reading = false
  private outEnded = false
  private inEnded = false

  constructor(host: VirtualHost, address: string, port: number, events: EndEvents) {
    this.host = host
    this.address = address
    this.port = port
    this.events = events
    this.boot = host.boots
    host.ends.add(this)
  }

  get name(): string {
    return joinedAddress(this.address, this.port)
  }

  /** Its machine has lost power since. */
  get isDead(): boolean {
    return this.boot !== this.host.boots || !this.host.isUp
  }

  // ---- calls of the program ----

  write(u8: Uint8Array, start: number, end: number): number {
    if (this.outEnded || this.events === undefined) return end - start
    return this.out.write(u8, start, end)
  }

  /** Half-closes. */
  end(): void {
    if (this.outEnded || this.events === undefined) return
    this.outEnded = true
    this.out.put('end')
    if (this.inEnded) this.closed(undefined)
  }

  /** Closes. Unread data makes it a reset, as on every system. */
  close(): void {
    if (this.events === undefined) return
    this.leave()
    this.closed(undefined)
  }

  reset(): void {
    this.breaks(undefined)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (this.in.hasUnread) this.readSoon()
  }

  // ---- events ----

  /** An item has arrived. */
  arrived(item: Item): void {
    if (this.isDead || this.events === undefined) {
      if (item !== 'reset' && item !== 'end') this.refuse()
      return
    }
    if (item === 'reset') return this.fails('ECONNRESET')
    const isStalled = this.host.machine.busyUntilUs > this.host.network.scheduler.nowUs
    if (!this.in.hasUnread && !isStalled && !this.paused) return this.pass(item)
    this.in.keep(item)
    this.readSoon()
  }

  /** The flow is writable again. */
  drained(): void {
    this.host.machine.soon(() => this.events?.drained())
  }

  /** The connection is lost, without a reset to the peer. */
  fails(code: string | undefined): void {
    if (this.events === undefined) return
    this.in.drop()
    this.out.drop()
    this.closed(code)
  }

  /** The connection is lost, with a reset to the peer. */
  breaks(code: string | undefined): void {
    if (this.events === undefined) return
    this.fails(code)
    this.out.reset()
  }

  /** The program has died: the operating system closes for it. */
  abandon(): void {
    if (this.events === undefined) return
    this.leave()
    this.events = undefined
  }

  private leave(): void {
    if (this.in.hasUnreadBytes) {
      this.in.drop()
      this.out.reset()
    } else if (!this.outEnded) this.out.put('end')
    this.outEnded = true
  }

  private closed(code: string | undefined): void {
    const { events } = this
    this.events = undefined
    this.outEnded = true
    this.host.ends.delete(this)
    this.host.machine.soon(() => events?.closed(code))
  }

  /** Answers with a reset: there is no program. */
  private refuse(): void {
    this.in.drop()
    this.out.reset()
  }

  private readSoon(): void {
    // Without a program what came stays unread.
    if (this.reading || this.paused || this.events === undefined) return
    this.reading = true
    this.host.machine.soon(() => {
      this.reading = false
      this.read()
      if (this.in.hasUnread) this.readSoon()
    })
  }

  /** Passes the item that waits longest to the program. */
  private read(): void {
    if (this.paused || this.events === undefined) return
    const item = this.in.take()
    if (item !== undefined) this.pass(item)
  }

  private pass(item: Item): void {
    const { events } = this
    if (events === undefined) return
    if (item instanceof Uint8Array) {
      this.in.read(item.length)
      events.data(item)
    } else if (item === 'open') events.opened()
    else if (item === 'end') {
      this.inEnded = true
      if (this.outEnded) this.closed(undefined)
      else events.ended()
    }
  }
}
