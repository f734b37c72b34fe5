// The network between virtual machines: how long bytes take from one to another, and what keeps them from arriving.
//
//   VirtualNetwork   links, partitions, names            this file
//   VirtualHost      one machine's Network: listen, dial virtual-host.ts
//   Flow             one direction of a connection       virtual-flow.ts
//
// Always: what one connection carries stays in order, whatever others do; what is lost is sent again by the (virtual)
// operating system, so a program sees lost packets as time only: until the connection breaks. A machine's way to
// itself is never cut.

import { chance, partSeed, seededRandom } from './random.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'
import type { FileSystem, Random } from './system.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { VirtualHost } from './virtual-host.ts'

/** How one direction between two machines is. */
export interface Link {
  latencyUs: number
  /** Up to so much more, by chance. */
  jitterUs: number
  /** Of all connections together; Infinity: as fast as they are written. */
  bytesPerSecond: number
  /** What a connection holds that was written and not read yet; then write() takes no more. */
  bufferBytes: number
  /** Of a million writes so many are torn in two. */
  tearsPerMillion: number
  /** Of a million writes so many break their connection. */
  resetsPerMillion: number
}

/** After so long without an answer a connection has broken. */
const GIVE_UP_US = 60_000_000
/** What was lost is sent again within so long after the way is free. */
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

/** Whoever waits for a way to be free again. */
export interface Waiting {
  from: VirtualHost
  to: VirtualHost
  wake(): void
}

export class VirtualNetwork {
  readonly scheduler: Scheduler
  readonly random: Random
  /** How links are that are not set by themselves. */
  readonly link: Link = { ...START_LINK }
  giveUpUs = GIVE_UP_US
  /** Receives everything that arrives: bytes, or undefined for the beginning and the end of a connection. */
  onArrival: ((from: VirtualHost, to: VirtualHost, bytes: Uint8Array | undefined) => void) | undefined
  private readonly hosts = new Map<string, VirtualHost>()
  private readonly names = new Map<string, readonly string[]>()
  private readonly links = new Map<number, Link>()
  private readonly cuts = new Set<number>()
  /** When the line of a link has sent all it was given. */
  private readonly lineFreeUs = new Map<number, number>()
  private readonly waiting = new Set<Waiting>()

  constructor(scheduler: Scheduler, seed: number) {
    this.scheduler = scheduler
    this.random = seededRandom(partSeed(seed, 0x6e6574))
  }

  /** A machine's place in the network. */
  attach(machine: VirtualClock, disk: FileSystem, address: string): VirtualHost {
    const host = new VirtualHost(this, machine, disk, address)
    this.hosts.set(address, host)
    return host
  }

  // ---- names and addresses ----

  /** What a name stands for from now on; no addresses: nothing. */
  setName(name: string, ...addresses: readonly string[]): void {
    this.names.set(name, addresses)
  }

  addressesOf(name: string): readonly string[] {
    return this.names.get(name) ?? (this.isAddress(name) ? [name] : [])
  }

  /** The machine has another address: nothing reaches it under the old one, nor do its old connections get out. */
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

  /** Sets how the way from one machine to another is, in that direction. */
  setLink(from: VirtualHost, to: VirtualHost, link: Partial<Link>): void {
    this.links.set(keyOf(from, to), { ...this.linkOf(from, to), ...link })
  }

  linkOf(from: VirtualHost, to: VirtualHost): Link {
    return this.links.get(keyOf(from, to)) ?? this.link
  }

  /** Nothing gets from one to the other any more; what comes the other way does. */
  cut(from: VirtualHost, to: VirtualHost): void {
    this.cuts.add(keyOf(from, to))
  }

  /** Nothing passes between the two groups. */
  partition(some: readonly VirtualHost[], others: readonly VirtualHost[]): void {
    for (const one of some)
      for (const other of others) {
        this.cut(one, other)
        this.cut(other, one)
      }
  }

  /** Ends what cut() and partition() began: between two machines in one direction, or everywhere. */
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

  /** When so many bytes arrive that are sent now. */
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

  /** When a lost packet arrives that is sent again because the way is free. */
  resentUs(from: VirtualHost, to: VirtualHost): number {
    return this.arrivalUs(from, to, 0) + (this.random.u32() % RESEND_US)
  }

  /**
   * Calls `fn` at that moment, as the operating system of that machine, which does not stand still with its programs.
   */
  at(dueUs: number, host: VirtualHost, fn: () => void): ScheduledEvent {
    return this.scheduler.at(dueUs, host, fn)
  }

  tears(from: VirtualHost, to: VirtualHost): boolean {
    return from !== to && chance(this.random, this.linkOf(from, to).tearsPerMillion)
  }

  resets(from: VirtualHost, to: VirtualHost): boolean {
    return from !== to && chance(this.random, this.linkOf(from, to).resetsPerMillion)
  }

  /** Calls `wake` when ways may be free that were not. */
  wait(waiting: Waiting): void {
    this.waiting.add(waiting)
  }

  forget(waiting: Waiting): void {
    this.waiting.delete(waiting)
  }

  /** Ways may be free that were not. */
  wake(): void {
    for (const one of [...this.waiting]) one.wake()
  }
}

function keyOf(from: VirtualHost, to: VirtualHost): number {
  return from.number * 65536 + to.number
}
