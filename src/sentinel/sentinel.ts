// Sentinel: monitors primaries, agrees with other sentinels on their failure, and fails them over.
//
//   tick, 10 to 19 times a second, for each primary, its replicas and its other sentinels:
//     monitoring    connect (connecting.ts) ─▶ INFO, PING, hello (periodic.ts)
//     acting        down? (failure.ts) ─▶ failover (failover.ts), elected by votes (election.ts)
//   replies         INFO (info-report.ts), hello messages (hello.ts)
//
// Always: times are those of a clock that never jumps; what must survive a restart is saved before it is answered or
// acted upon. When this process was stopped for longer than the trigger it is in TILT for a while: it collects
// information, and acts only for a failover that an operator has asked for.

import type { ClientSystem } from '../client/connection.ts'
import type { Network } from '../system/network.ts'
import type { LogLevel } from '../system/system.ts'
import { Addresses, type InstanceAddress, sameAddress } from './addresses.ts'
import { connect } from './connecting.ts'
import { Events } from './events.ts'
import { runFailover, startFailoverIfNeeded, switchToPromoted } from './failover.ts'
import { askPeers, checkObjectivelyDown, checkSubjectivelyDown } from './failure.ts'
import {
  type AnyInstance,
  FORCE_FAILOVER,
  Peer,
  PRIMARY_DOWN,
  Primary,
  PrimarySettings,
  primaryOf,
  Replica,
  S_DOWN,
} from './instance.ts'
import type { OnReply } from './link.ts'
import { sendPeriodicCommands } from './periodic.ts'
import { type ScriptHost, ScriptQueue } from './scripts.ts'
import { Timing } from './timing.ts'

/** A sentinel that says nothing for so many periods of hello messages is not waited for. */
const TOLD_HELLOS = 4

/** Settings of the whole sentinel: `sentinel` lines without a primary's name. */
class SentinelSettings {
  announceIp = ''
  /** 0: the port that is listened on. */
  announcePort = 0
  denyScriptsReconfig = true
  /** For connections to other sentinels. */
  authUser = ''
  authPass = ''
}

/** What a sentinel needs of the process around it. */
export interface SentinelHost {
  readonly system: ClientSystem & { readonly network: Pick<Network, 'dial' | 'resolve'> }
  /** Milliseconds; never jumps. */
  nowMs(): number
  /** Wall clock, milliseconds since 1970: for texts. */
  wallMs(): number
  /** An integer from 0 to below `limit`. */
  random(limit: number): number
  log(level: LogLevel, text: string): void
  logLevel(): string
  setLogLevel(level: LogLevel | 'nothing'): void
  publish(channel: string, message: string): void
  /** Writes settings and state to the configuration file, durably; the reason when that is impossible. */
  save(): string | undefined
  /** The port that others may connect to. */
  port(): number
  /** `requirepass`: also for connections to other sentinels without `sentinel-pass`. */
  password(): string
  spawn: ScriptHost['spawn']
  isExecutable(path: string): boolean
  /** Ends the process at once: SENTINEL SIMULATE-FAILURE. */
  crash(): never
}

/** Why an instance could not be added. */
export type AddFailure = 'duplicate' | 'host' | 'port'

export class Sentinel {
  readonly host: SentinelHost
  readonly addresses: Addresses
  readonly events: Events
  readonly scripts: ScriptQueue
  readonly timing = new Timing()
  readonly settings = new SentinelSettings()
  readonly primaries = new Map<string, Primary>()
  /** 40 hexadecimal digits; '' before the first start. */
  id = ''
  currentEpoch = 0
  tilt = false
  tiltSinceMs = 0
  /** SENTINEL SIMULATE-FAILURE. */
  crashAfterElection = false
  crashAfterPromotion = false
  private tickedMs: number

  constructor(host: SentinelHost) {
    this.host = host
    const nowMs = () => host.nowMs()
    const log = (level: LogLevel, text: string) => host.log(level, text)
    this.addresses = new Addresses(host.system.network, nowMs, text => log('warning', text))
    this.scripts = new ScriptQueue({
      timing: this.timing,
      nowMs,
      spawn: (words, ended) => host.spawn(words, ended),
      event: (level, type, message) => this.events.send(level, type, message),
    })
    this.events = new Events({
      addresses: this.addresses,
      scripts: this.scripts,
      log,
      publish: (channel, message) => host.publish(channel, message),
    })
    this.tickedMs = host.nowMs()
  }

  get nowMs(): number {
    return this.host.nowMs()
  }

  // ---- instances ----

  addPrimary(name: string, host: string, port: number, quorum: number): Primary | AddFailure {
    const address = this.addresses.create(host, port, true)
    if (typeof address === 'string') return address
    if (this.primaries.has(name)) return 'duplicate'
    const settings = new PrimarySettings(quorum, this.timing.defaultFailoverTimeoutMs)
    const primary = new Primary(name, address, settings, this.timing.defaultDownAfterMs, this.nowMs)
    this.primaries.set(name, primary)
    return primary
  }

  addReplica(primary: Primary, host: string, port: number): Replica | AddFailure {
    const address = this.addresses.create(host, port, true)
    if (typeof address === 'string') return address
    const name = this.addresses.joined(address)
    if (primary.replicas.has(name)) return 'duplicate'
    const replica = new Replica(name, address, primary, this.nowMs)
    primary.replicas.set(name, replica)
    return replica
  }

  /** A sentinel that is known for another primary shares its link. */
  addPeer(primary: Primary, runId: string, host: string, port: number): Peer | AddFailure {
    const address = this.addresses.create(host, port, true)
    if (typeof address === 'string') return address
    if (primary.sentinels.has(runId)) return 'duplicate'
    const peer = new Peer(runId, address, primary, this.nowMs)
    primary.sentinels.set(runId, peer)
    for (const other of this.primaries.values()) {
      const known = other === primary ? undefined : other.sentinels.get(runId)
      if (known === undefined) continue
      peer.link.release()
      peer.link = known.link
      peer.link.users++
      break
    }
    return peer
  }

  removePrimary(primary: Primary): void {
    this.clear(primary, true)
    this.primaries.delete(primary.name)
    primary.remove()
  }

  private clear(primary: Primary, sentinelsToo: boolean): void {
    for (const replica of primary.replicas.values()) replica.remove()
    primary.replicas.clear()
    if (!sentinelsToo) return
    for (const peer of primary.sentinels.values()) peer.remove()
    primary.sentinels.clear()
  }

  /** Forgets what was found out about a primary, and its connections. */
  reset(primary: Primary, sentinelsToo: boolean): void {
    const now = this.nowMs
    this.clear(primary, sentinelsToo)
    primary.link.close()
    primary.flags = 0
    primary.leader = primary.runId = undefined
    // What they said was about the server that had the name.
    for (const peer of primary.sentinels.values()) {
      peer.flags &= ~PRIMARY_DOWN
      peer.leader = undefined
    }
    const { failover, link, report } = primary
    failover.enter('none', 0)
    failover.startMs = 0
    failover.promoted = undefined
    failover.coordinated = false
    link.unansweredPingMs = link.availableMs = link.pongMs = now
    link.pingSentMs = 0
    report.role = 'master'
    report.roleSinceMs = now
  }

  /** The primary's name stands for another server from now on; the old one is its replica. */
  changeAddress(primary: Primary, host: string, port: number): void {
    const address = this.addresses.create(host, port, false)
    if (typeof address === 'string') return
    const replicas: InstanceAddress[] = []
    for (const one of primary.replicas.values()) if (!sameAddress(one.address, address)) replicas.push(one.address)
    if (!sameAddress(address, primary.address)) replicas.push(primary.address)
    this.reset(primary, false)
    primary.address = address
    primary.oDownSinceMs = primary.sDownSinceMs = 0
    for (const one of replicas) {
      const replica = this.addReplica(primary, one.host, one.port)
      if (typeof replica !== 'string') this.events.about(replica, 'notice', '+slave')
    }
    this.save()
  }

  /** Saves settings and state; false, and a line in the log, when that is impossible. */
  save(): boolean {
    const failure = this.host.save()
    if (failure === undefined) this.host.log('notice', 'Sentinel new configuration saved on disk')
    else this.host.log('warning', `WARNING: Sentinel was not able to save the new configuration on disk!!!: ${failure}`)
    return failure === undefined
  }

  /** Another sentinel, or an election, has begun a higher epoch. */
  raiseEpoch(epoch: number, primary: Primary): void {
    this.currentEpoch = epoch
    this.save()
    this.events.send('warning', '+new-epoch', String(epoch), primary)
  }

  /** Sends a command under the name that the primary's servers know it by. */
  send(instance: AnyInstance, words: readonly string[], onReply?: OnReply): boolean {
    return instance.link.send(this.renamed(instance, words), onReply)
  }

  renamed(instance: AnyInstance, words: readonly string[]): readonly string[] {
    return primaryOf(instance).settings.renamedWords(words)
  }

  // ---- the tick ----

  tick(): void {
    this.checkTilt()
    for (const primary of [...this.primaries.values()]) {
      this.handle(primary)
      for (const replica of [...primary.replicas.values()]) this.handle(replica)
      for (const peer of [...primary.sentinels.values()]) this.handle(peer)
      if (primary.failover.state === 'update_config') switchToPromoted(this, primary)
    }
    this.scripts.tick()
  }

  private checkTilt(): void {
    const now = this.nowMs
    const gap = now - this.tickedMs
    this.tickedMs = now
    if (gap >= 0 && gap <= this.timing.tiltTriggerMs) return
    this.tilt = true
    this.tiltSinceMs = now
    this.events.send('warning', '+tilt', '#tilt mode entered')
  }

  private handle(instance: AnyInstance): void {
    connect(this, instance)
    sendPeriodicCommands(this, instance)
    if (this.tilt) {
      if (this.nowMs - this.tiltSinceMs < this.timing.tiltMs) {
        if (instance.kind === 'master' && this.actsFor(instance)) runFailover(this, instance)
        return
      }
      this.tilt = false
      this.events.send('warning', '-tilt', '#tilt mode exited')
    }
    checkSubjectivelyDown(this, instance)
    if (instance.kind !== 'master') return
    checkObjectivelyDown(this, instance)
    if (startFailoverIfNeeded(this, instance)) askPeers(this, instance, true)
    runFailover(this, instance)
    askPeers(this, instance, false)
  }

  /** In TILT only for SENTINEL FAILOVER, once the others could tell what has happened meanwhile. */
  actsFor(primary: Primary): boolean {
    if (!this.tilt) return true
    if (!primary.has(FORCE_FAILOVER)) return false
    if (this.nowMs - this.tiltSinceMs > this.timing.helloMs * TOLD_HELLOS) return true
    for (const peer of primary.sentinels.values())
      if (!peer.has(S_DOWN) && peer.helloMs < this.tiltSinceMs) return false
    return true
  }

  /** SENTINEL SIMULATE-FAILURE. */
  crash(): never {
    this.host.log('warning', 'Sentinel CRASH because of SENTINEL simulate-failure')
    return this.host.crash()
  }

  stop(): void {
    for (const primary of [...this.primaries.values()]) this.removePrimary(primary)
  }
}
