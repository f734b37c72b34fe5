// The network between virtual machines: latencies, bandwidths and faults.
//
//   VirtualNetwork   links, partitions, names            this file
//   VirtualHost      one machine's Network: listen, dial virtual-host.ts
//   Flow             one direction of a connection       virtual-flow.ts
//
// Always: the data of one connection stays in order; the (virtual) operating system sends lost packets again, so a
// program sees them as delay only, until the connection breaks. A machine's route to itself is never cut.

import { chance, partSeed, seededRandom } from './random.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'
import type { FileSystem, Random } from './system.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { VirtualHost } from './virtual-host.ts'

/** Properties of one direction between two machines. */
export interface Link {
  latencyUs: number
  /** Random additional latency, at most. */
  jitterUs: number
  /** Of all connections together; Infinity: no limit. */
  bytesPerSecond: number
  /** Bytes of a connection that may be written and not read; then write() takes no more. */
  bufferBytes: number
  /** Of a million writes so many are split in two. */
  tearsPerMillion: number
  /** Of a million writes so many break their connection. */
  resetsPerMillion: number
}

/** Without an acknowledgement for so long a connection breaks. */
const GIVE_UP_US = 60_000_000
/** Lost packets are sent again within so long after the route is free. */
const RESEND_US = 200_000
const LOOPBACK_US = 10

const START_LINK: Link = {
  latencyUs: 200,
  jitterUs: 100,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  bufferBytes: 256 * 1024,
  tearsPerMillion: 0,
  resetsPerMillion: 0,
}

/** Waits for a route to be free again. */
export interface Waiting {
  from: VirtualHost
  to: VirtualHost
  wake(): void
}

export class VirtualNetwork {
  readonly scheduler: Scheduler
  readonly random: Random
  /** The default link. */
  readonly link: Link = { ...START_LINK }
  giveUpUs = GIVE_UP_US
  /** Called for everything that arrives: bytes, or undefined for the beginning and the end of a connection. */
  onArrival: ((from: VirtualHost, to: VirtualHost, bytes: Uint8Array | undefined) => void) | undefined
  private readonly hosts = new Map<string, VirtualHost>()
  private readonly names = new Map<string, readonly string[]>()
  private readonly links = new Map<number, Link>()
  private readonly cuts = new Set<number>()
  /** When the link will have sent everything it was given. */
  private readonly lineFreeUs = new Map<number, number>()
  private readonly waiting = new Set<Waiting>()

  constructor(scheduler: Scheduler, seed: number) {
    this.scheduler = scheduler
    this.random = seededRandom(partSeed(seed, 0x6e6574))
  }

  /** Adds a machine to the network. */
  attach(machine: VirtualClock, disk: FileSystem, address: string): VirtualHost {
    const host = new VirtualHost(this, machine, disk, address)
    this.hosts.set(address, host)
    return host
  }

  // ---- names and addresses ----

  /** Sets the addresses of a name; none: it is unknown. */
  setName(name: string, ...addresses: readonly string[]): void {
    this.names.set(name, addresses)
  }

  addressesOf(name: string): readonly string[] {
    return this.names.get(name) ?? (this.isAddress(name) ? [name] : [])
  }

  /** Changes a machine's address: the old one, and connections from it, are unreachable from then on. */
  move(host: VirtualHost, address: string): void {
    if (this.hosts.get(host.address) === host) this.hosts.delete(host.address)
    this.hosts.set(address, host)
    host.address = address
    this.wake()
  }

  hostAt(address: string): VirtualHost | undefined {
    return this.hosts.get(address)
  }

  private isAddress(name: string): boolean {
    return name.includes(':') || /^[0-9.]+$/.test(name)
  }

  // ---- faults ----

  /** Sets the link from one machine to another, in that direction. */
  setLink(from: VirtualHost, to: VirtualHost, link: Partial<Link>): void {
    this.links.set(keyOf(from, to), { ...this.linkOf(from, to), ...link })
  }

  linkOf(from: VirtualHost, to: VirtualHost): Link {
    return this.links.get(keyOf(from, to)) ?? this.link
  }

  /** Cuts the route from one machine to another; the opposite direction stays. */
  cut(from: VirtualHost, to: VirtualHost): void {
    this.cuts.add(keyOf(from, to))
  }

  /** Cuts all routes between the two groups. */
  partition(some: readonly VirtualHost[], others: readonly VirtualHost[]): void {
    for (const one of some)
      for (const other of others) {
        this.cut(one, other)
        this.cut(other, one)
      }
  }

  /** Ends cuts and partitions: between two machines in one direction, or all. */
  heal(from?: VirtualHost, to?: VirtualHost): void {
    if (from !== undefined && to !== undefined) this.cuts.delete(keyOf(from, to))
    else this.cuts.clear()
    this.wake()
  }

  // ---- packets ----

  /** Whether a packet gets from one address to the other now. */
  passes(from: VirtualHost, fromAddress: string, to: VirtualHost, toAddress: string): boolean {
    if (from === to) return to.isUp
    if (!from.isUp || !to.isUp || this.cuts.has(keyOf(from, to))) return false
    return this.hosts.get(fromAddress) === from && this.hosts.get(toAddress) === to
  }

  /** Arrival time of so many bytes sent now. */
  arrivalUs(from: VirtualHost, to: VirtualHost, bytes: number): number {
    const nowUs = from.machine.worldUs
    if (from === to) return nowUs + LOOPBACK_US
    const key = keyOf(from, to)
    const { latencyUs, jitterUs, bytesPerSecond } = this.links.get(key) ?? this.link
    let sentUs = nowUs
    if (bytesPerSecond !== Number.POSITIVE_INFINITY) {
      sentUs = Math.max(nowUs, this.lineFreeUs.get(key) ?? 0) + Math.ceil((bytes * 1_000_000) / bytesPerSecond)
      this.lineFreeUs.set(key, sentUs)
    }
    return sentUs + latencyUs + (jitterUs === 0 ? 0 : this.random.u32() % (jitterUs + 1))
  }

  /** Arrival time of a lost packet that is sent again now that the route is free. */
  resentUs(from: VirtualHost, to: VirtualHost): number {
    return this.arrivalUs(from, to, 0) + (this.random.u32() % RESEND_US)
  }

  /** Calls `fn` at that time, as the operating system of that machine, which is not stalled with its programs. */
  at(dueUs: number, host: VirtualHost, fn: () => void): ScheduledEvent {
    return this.scheduler.at(dueUs, host, fn)
  }

  tears(from: VirtualHost, to: VirtualHost): boolean {
    return from !== to && chance(this.random, this.linkOf(from, to).tearsPerMillion)
  }

  resets(from: VirtualHost, to: VirtualHost): boolean {
    return from !== to && chance(this.random, this.linkOf(from, to).resetsPerMillion)
  }

  /** Calls `wake` when routes may be free again. */
  wait(waiting: Waiting): void {
    this.waiting.add(waiting)
  }

  forget(waiting: Waiting): void {
    this.waiting.delete(waiting)
  }

  /** Routes may be free again. */
  wake(): void {
    for (const one of [...this.waiting]) one.wake()
  }
}

function keyOf(from: VirtualHost, to: VirtualHost): number {
  return from.number * 65536 + to.number
}
