// A node of the cluster as this one knows it.

import type { FailureReports } from './failure-reports.ts'
import type { BusLink } from './link.ts'
import { NO_SLOTS, SlotSet } from './slot-set.ts'

/** The bus listens so far above the port for clients, unless it is configured. */
export const BUS_PORT_OFFSET = 10_000

// Node.flags: their values are those of messages.
export const PRIMARY = 1
export const REPLICA = 2
/** Possibly failing: this node gets no answer. */
export const PFAIL = 4
/** Failing: most primaries say so. */
export const FAIL = 8
export const MYSELF = 16
/** Not introduced yet: its id is not known. */
export const HANDSHAKE = 32
export const NOADDR = 64
/** It is to be sent MEET. */
export const MEET = 128
/** Had replicas: it is given one when it has none left. */
export const MIGRATE_TO = 256
export const NOFAILOVER = 512
/** Takes messages with a short head, as Valkey 8 does. */
export const LIGHT = 2048
/** Tells a replica at once that its primary seems to fail, and its voters of the failure before it asks: Redstart. */
export const PROMPT = 32768
/** What a node says of itself in its packets, besides its role. */
export const ANNOUNCED_FLAGS = NOFAILOVER | LIGHT | PROMPT

const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [MYSELF, 'myself'],
  [PRIMARY, 'master'],
  [REPLICA, 'slave'],
  [PFAIL, 'fail?'],
  [FAIL, 'fail'],
  [HANDSHAKE, 'handshake'],
  [NOADDR, 'noaddr'],
  [NOFAILOVER, 'nofailover'],
]

export function flagNames(flags: number): string {
  let names = ''
  for (const [flag, name] of FLAG_NAMES) if ((flags & flag) !== 0) names += names === '' ? name : `,${name}`
  return names === '' ? 'noflags' : names
}

/** The flag of a name in the nodes file; 0 for 'noflags', undefined for an unknown name. */
export function flagNamed(name: string): number | undefined {
  return name === 'noflags' ? 0 : FLAG_NAMES.find(one => one[1] === name)?.[0]
}

/** Where a node is reached. When anything of it changes it is another object. */
export interface NodeAddress {
  /** '' while it is not known. */
  readonly ip: string
  readonly port: number
  readonly tlsPort: number
  readonly busPort: number
}

/** Times that are seldom looked at, in milliseconds. */
interface NodeTimes {
  createdMs: number
  /** When any bytes of it came. */
  dataMs: number
  failedMs: number
  /** When this node last voted for a replica of it. */
  votedMs: number
  /** Since when it has no working replica; 0: it has. */
  orphanedMs: number
  /** Until then it is sent MEET instead of PING, unless it has connected: it may not have taken the first one in. */
  meetUntilMs: number
}

export class Node {
  // Ten times a second each node is looked at: what that takes is together here.
  flags: number
  /** When the PING was sent that is not answered; 0: none is awaited. */
  pingSentMs = 0
  pongMs = 0
  /** The connection to it, and the one that it opened. */
  link: BusLink | undefined
  inbound: BusLink | undefined
  id: string
  /** Its place in the table of nodes; -1: it is in none. */
  number = -1
  shardId: string
  address: NodeAddress = { ip: '', port: 0, tlsPort: 0, busPort: 0 }
  readonly times: NodeTimes
  hostname = ''
  humanName = ''
  configEpoch = 0
  slots = NO_SLOTS
  primary: Node | undefined
  readonly replicas: Node[] = []
  replicationOffset = 0
  /** Of primaries that it fails; undefined: there are none. */
  failureReports: FailureReports | undefined
  /** The replica of it that this node voted for last. */
  votedFor: Node | undefined
  /** The message that named it last: each names it once. */
  gossipedIn = 0

  constructor(id: string, shardId: string, flags: number, nowMs: number) {
    this.id = id
    this.shardId = shardId
    this.flags = flags
    this.times = {
      createdMs: nowMs,
      dataMs: 0,
      failedMs: 0,
      votedMs: 0,
      orphanedMs: 0,
      meetUntilMs: 0,
    }
  }

  has(flags: number): boolean {
    return (this.flags & flags) !== 0
  }

  get slotCount(): number {
    return this.slots.count
  }

  addSlot(slot: number): void {
    if (this.slots === NO_SLOTS) this.slots = new SlotSet()
    this.slots.add(slot)
  }

  removeSlot(slot: number): void {
    this.slots.delete(slot)
    if (this.slots.count === 0) this.slots = NO_SLOTS
  }

  closeLink(which: 'link' | 'inbound'): void {
    this[which]?.close()
    this[which] = undefined
  }

  /** The top of its chain. */
  get topPrimary(): Node {
    let node: Node = this
    while (node.primary !== undefined) node = node.primary
    return node
  }

  /** Its replicas that are neither failing nor possibly failing. */
  get workingReplicas(): number {
    let count = 0
    for (const one of this.replicas) if (!one.has(FAIL | PFAIL)) count++
    return count
  }

  /** The port for clients: for those that encrypt, if there is one. */
  clientPort(tls: boolean): number {
    return (tls && this.address.tlsPort) || this.address.port
  }

  /** '10.0.0.1:7000@17000' */
  endpoint(tls: boolean): string {
    const { ip, port, tlsPort, busPort } = this.address
    return `${ip}:${tls ? tlsPort : port}@${busPort}`
  }
}

/** 'id (name)', as log lines name nodes. */
export function nameOf(node: Node): string {
  return `${node.id} (${node.humanName})`
}
