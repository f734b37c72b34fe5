// What a sentinel knows of each server it monitors: primaries, which it was told of; their replicas, found in INFO;
// the other sentinels of a primary, found in hello messages.
//
//   Primary ─┬─▶ replicas   'ip:port' ─▶ Replica
//            └─▶ sentinels  run id    ─▶ Peer
//
// Always: `removed` is set when an instance leaves its map, so that replies on their way to it are dropped.

import type { InstanceAddress } from './addresses.ts'
import { InstanceLink } from './link.ts'

// Instance.flags, in the order in which replies name them.
export const S_DOWN = 1 << 0
export const O_DOWN = 1 << 1
/** A peer: it reports the primary as down. */
export const PRIMARY_DOWN = 1 << 2
export const FAILOVER_IN_PROGRESS = 1 << 3
export const PROMOTED = 1 << 4
export const RECONF_SENT = 1 << 5
export const RECONF_INPROG = 1 << 6
export const RECONF_DONE = 1 << 7
/** The failover was asked for with SENTINEL FAILOVER. */
export const FORCE_FAILOVER = 1 << 8
export const SCRIPT_KILL_SENT = 1 << 9
/** The primary was restarted, and has not answered PING with PONG since. */
export const PRIMARY_REBOOT = 1 << 10

export type Role = 'master' | 'slave'

abstract class Instance {
  abstract readonly kind: 'master' | 'slave' | 'sentinel'
  readonly name: string
  address: InstanceAddress
  link: InstanceLink
  flags = 0
  removed = false
  runId: string | undefined
  downAfterMs: number
  sDownSinceMs = 0
  helloSentMs: number

  constructor(name: string, address: InstanceAddress, downAfterMs: number, nowMs: number) {
    this.name = name
    this.address = address
    this.downAfterMs = downAfterMs
    this.helloSentMs = nowMs
    this.link = new InstanceLink(nowMs)
  }

  has(flags: number): boolean {
    return (this.flags & flags) !== 0
  }

  remove(): void {
    this.removed = true
    this.link.release()
  }
}

/** What a server's INFO said last. */
class ServerReport {
  text: string | undefined
  /** 0: never. */
  refreshedMs = 0
  /** undefined: INFO names no role. */
  role: Role | undefined
  roleSinceMs: number

  constructor(role: Role, nowMs: number) {
    this.role = role
    this.roleSinceMs = nowMs
  }
}

type FailoverState =
  | 'none'
  | 'wait_start'
  | 'select_slave'
  | 'send_slaveof_noone'
  | 'wait_promotion'
  | 'reconf_slaves'
  | 'update_config'

/** The failover of a primary. */
class Failover {
  epoch = 0
  state: FailoverState = 'none'
  stateSinceMs = 0
  /** 0: another failover may begin at once. */
  startMs = 0
  /** The `startMs` for which the delay of the next failover was logged. */
  delayLoggedMs = 0
  promoted: Replica | undefined
  /** The primary itself was asked to hand over to `promoted`. */
  coordinated = false

  enter(state: FailoverState, nowMs: number): void {
    this.state = state
    this.stateSinceMs = nowMs
  }
}

/** Configuration of a primary: SENTINEL SET and the configuration file. */
export class PrimarySettings {
  quorum: number
  parallelSyncs = 1
  failoverTimeoutMs: number
  rebootDownAfterMs = 0
  authPass = ''
  authUser = ''
  notificationScript = ''
  clientReconfigScript = ''
  /** Old names (lower case) to old and new ones. */
  readonly renamed = new Map<string, readonly [oldName: string, newName: string]>()

  constructor(quorum: number, failoverTimeoutMs: number) {
    this.quorum = quorum
    this.failoverTimeoutMs = failoverTimeoutMs
  }

  /** The words of a command with its name as the servers know it. */
  renamedWords(words: readonly string[]): readonly string[] {
    const renamed = this.renamed.get(words[0].toLowerCase())
    return renamed === undefined ? words : [renamed[1], ...words.slice(1)]
  }
}

export class Primary extends Instance {
  readonly kind = 'master'
  readonly settings: PrimarySettings
  readonly report: ServerReport
  readonly failover = new Failover()
  readonly replicas = new Map<string, Replica>()
  /** By run id. */
  readonly sentinels = new Map<string, Peer>()
  configEpoch = 0
  /** For whom this sentinel voted, in which epoch. */
  leader: string | undefined
  leaderEpoch = 0
  oDownSinceMs = 0
  rebootSinceMs = 0

  constructor(name: string, address: InstanceAddress, settings: PrimarySettings, downAfterMs: number, nowMs: number) {
    super(name, address, downAfterMs, nowMs)
    this.settings = settings
    this.report = new ServerReport('master', nowMs)
  }

  /** The address to use for writes: the promoted replica's, as soon as it is a primary. */
  get currentAddress(): InstanceAddress {
    const { promoted, state } = this.failover
    const promotedRuns = state === 'reconf_slaves' || state === 'update_config'
    return this.has(FAILOVER_IN_PROGRESS) && promoted !== undefined && promotedRuns ? promoted.address : this.address
  }

  /** Of all sentinels that are known for it, this one included: so many votes authorize a failover. */
  get majority(): number {
    return Math.floor((this.sentinels.size + 1) / 2) + 1
  }

  setDownAfter(ms: number): void {
    this.downAfterMs = ms
    for (const one of [...this.replicas.values(), ...this.sentinels.values()]) one.downAfterMs = ms
  }
}

const DEFAULT_PRIORITY = 100

export class Replica extends Instance {
  readonly kind = 'slave'
  readonly primary: Primary
  readonly report: ServerReport
  /** Of its link to its primary, as it reports. */
  linkDownMs = 0
  priority = DEFAULT_PRIORITY
  announced = true
  offset = 0
  /** Whom it follows. */
  primaryHost: string | undefined
  primaryPort = 0
  primaryLinkUp = false
  followsSinceMs: number
  reconfSentMs = 0

  constructor(name: string, address: InstanceAddress, primary: Primary, nowMs: number) {
    super(name, address, primary.downAfterMs, nowMs)
    this.primary = primary
    this.report = new ServerReport('slave', nowMs)
    this.followsSinceMs = nowMs
  }
}

/** Another sentinel, as one that monitors `primary`. */
export class Peer extends Instance {
  readonly kind = 'sentinel'
  readonly primary: Primary
  helloMs: number
  /** Its last answer about the primary's state. */
  answeredMs: number
  /** For whom it voted, in which epoch. */
  leader: string | undefined
  leaderEpoch = 0

  constructor(runId: string, address: InstanceAddress, primary: Primary, nowMs: number) {
    super(runId, address, primary.downAfterMs, nowMs)
    this.runId = runId
    this.primary = primary
    this.helloMs = this.answeredMs = nowMs
  }
}

export type AnyInstance = Primary | Replica | Peer

export function primaryOf(instance: AnyInstance): Primary {
  return instance.kind === 'master' ? instance : instance.primary
}
