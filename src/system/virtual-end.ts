// VirtualEnd: one end of a virtual connection, as the operating system keeps it for a program.
//
//   OPEN → half closed [end, or the peer's end] → CLOSED [the other half; close; breaks; peer's reset; time out]
//
// Always: the program hears `closed` once, in an event of its own; then, and after its death, what still comes is
// answered with a reset. Nothing reaches a program whose machine stands still; it waits, in order.

import { joinedAddress } from './network.ts'
import type { Flow, Item } from './virtual-flow.ts'
import type { VirtualHost } from './virtual-host.ts'

/** The program at this end. */
export interface EndEvents {
  opened(): void
  data(bytes: Uint8Array): void
  ended(): void
  drained(): void
  /** The C name of what broke the connection; undefined: it was closed in order. */
  closed(code: string | undefined): void
}

export class VirtualEnd {
  readonly host: VirtualHost
  readonly address: string
  readonly port: number
  /** Both of the connection, set when they are joined. */
  out!: Flow
  in!: Flow
  peer!: VirtualEnd
  private readonly boot: number
  /** undefined: no program holds this end any more. */
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

  // ---- what the program does ----

  write(u8: Uint8Array, start: number, end: number): number {
    if (this.outEnded || this.events === undefined) return end - start
    return this.out.write(u8, start, end)
  }

  /** The program writes no more. */
  end(): void {
    if (this.outEnded || this.events === undefined) return
    this.outEnded = true
    this.out.put('end')
    if (this.inEnded) this.closed(undefined)
  }

  /** The program wants no more of this connection. What it did not read makes it a reset, as on every system. */
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
    if (this.in.unread.length > 0) this.readSoon()
  }

  // ---- what happens to it ----

  /** Something has come over the wire. */
  arrived(item: Item): void {
    if (this.isDead || this.events === undefined) {
      if (item !== 'reset' && item !== 'end') this.refuse()
      return
    }
    if (item === 'reset') return this.fails('ECONNRESET')
    this.in.unread.push(item)
    if (this.in.unread.length > 1 || this.host.machine.busyUntilUs > this.host.network.scheduler.nowUs) this.readSoon()
    else this.read()
  }

  /** There is room for more. */
  drained(): void {
    this.host.machine.soon(() => this.events?.drained())
  }

  /** The connection is gone, and the peer is not told. */
  fails(code: string | undefined): void {
    if (this.events === undefined) return
    this.in.drop()
    this.out.drop()
    this.closed(code)
  }

  /** The connection is gone, and the peer hears so. */
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
    if (this.in.unread.some(item => item instanceof Uint8Array)) {
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

  /** Nobody is here. */
  private refuse(): void {
    this.in.drop()
    this.out.reset()
  }

  private readSoon(): void {
    if (this.reading || this.paused) return
    this.reading = true
    this.host.machine.soon(() => {
      this.reading = false
      this.read()
      if (this.in.unread.length > 0) this.readSoon()
    })
  }

  /** Hands one item to the program. */
  private read(): void {
    const { events } = this
    if (this.paused || events === undefined) return
    const item = this.in.unread.shift()
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
