// Failover: FAILOVER: this primary hands its role to a replica that has the whole stream.
//
//   NO_FAILOVER ─[request]─▶ WAITING: writes paused ─[a replica has caught up; time-out with FORCE]─▶ IN_PROGRESS
//        ▲                        └─[abort, time-out]──▶                       PSYNC … FAILOVER       │
//        └─────────────────────────────────────────────[the target's reply; abort: a primary again]──┘
//
// Always: writes are paused from the request to the end, so that no acknowledged one is missing at the target.

import type { Engine } from '../engine/engine.ts'
import type { FailoverRequest, ReplicaInfo } from '../engine/ports/replicas.ts'
import type { Log } from '../system/system.ts'
import type { Following } from './following.ts'
import type { ReplicationStream } from './stream.ts'

type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress'

interface FailoverParts {
  engine: Engine
  log: Log
  stream: ReplicationStream
  following: Following
  replicas(): readonly ReplicaInfo[]
}

export class Failover {
  state: FailoverState = 'no-failover'
  private readonly parts: FailoverParts
  private target: { host: string; port: number } | undefined
  private force = false
  /** Unix milliseconds; 0: never. */
  private endMs = 0

  constructor(parts: FailoverParts) {
    this.parts = parts
    parts.following.onFailoverReply = accepted => {
      if (accepted) this.clear()
      else this.abort('Failover target rejected psync request')
    }
  }

  get isActive(): boolean {
    return this.state !== 'no-failover'
  }

  /** The target, as the log names it. */
  private get whom(): string {
    const { target } = this
    return target === undefined ? 'any replica' : `${target.host}:${target.port}`
  }

  begin({ target, force, timeoutMs }: FailoverRequest): void {
    const { engine, log, stream } = this.parts
    this.target = target
    this.force = force
    this.endMs = timeoutMs === 0 ? 0 : engine.keyspace.nowMs + timeoutMs
    this.state = 'waiting-for-sync'
    log.notice(`FAILOVER requested to ${this.whom}.`)
    // Replicas acknowledge once a second unless they are asked.
    if (this.synced() === undefined) stream.requestAcks()
    engine.pause.begin(Number.POSITIVE_INFINITY, false, 'failover')
  }

  abort(why: string): void {
    const { state, parts } = this
    if (!this.isActive) return
    parts.log.notice(`FAILOVER to ${this.whom} aborted: ${why}`)
    parts.following.failover = false
    if (state === 'failover-in-progress') parts.following.lead()
    this.clear()
  }

  private clear(): void {
    this.state = 'no-failover'
    this.target = undefined
    this.force = false
    this.endMs = 0
    this.parts.engine.pause.end('failover')
  }

  /** Every tick, and after acknowledgements. */
  update(): void {
    if (this.state === 'failover-in-progress') return this.parts.following.cron(true)
    if (this.state !== 'waiting-for-sync') return
    const { engine, log } = this.parts
    if (this.endMs !== 0 && engine.keyspace.nowMs >= this.endMs) {
      if (!this.force) return this.abort('Replica never caught up before timeout')
      const { host, port } = this.target!
      log.notice(`FAILOVER to ${this.whom} time out exceeded, failing over.`)
      return this.handOver(host, port)
    }
    const replica = this.synced()
    if (replica === undefined) return
    log.notice(`Failover target ${replica.address}:${replica.port} is synced, failing over.`)
    this.handOver(replica.address, replica.port)
  }

  /** The target, or any replica, if it has the whole stream. */
  private synced(): ReplicaInfo | undefined {
    const { target, parts } = this
    return parts
      .replicas()
      .find(
        one => one.ackOffset === parts.stream.offset && (target === undefined || isAt(one, target.host, target.port)),
      )
  }

  private handOver(host: string, port: number): void {
    const { following } = this.parts
    this.target = { host, port }
    this.state = 'failover-in-progress'
    following.failover = true
    following.follow(host, port)
  }
}

function isAt({ address, port }: ReplicaInfo, host: string, wanted: number): boolean {
  return address.toLowerCase() === host.toLowerCase() && port === wanted
}
