// ManualFailover: CLUSTER FAILOVER.
//
//   replica ─MFSTART▶ primary: pauses its clients, says so and its offset in each PING
//   replica: applies everything up to that offset ─▶ an election that needs no failure (canStart)
//   FORCE: without the primary      TAKEOVER: without votes either
//
// Always: it ends by success, or TIMEOUT_MS after its begin on both sides.

import { type Cluster, TRY_FAILOVER, TRY_MANUAL_FAILOVER } from './cluster.ts'
import { type Node, nameOf } from './node.ts'

const TIMEOUT_MS = 5000
const CHECK_MS = 5
/** The primary's clients stay paused for so many time-outs: until they learn of the new primary. */
const PAUSE_TIMEOUTS = 2

export class ManualFailover {
  /** On a replica: it may begin an election. */
  canStart = false
  /** On a primary: who asked. */
  replica: Node | undefined
  private readonly cluster: Cluster
  /** 0: none runs. */
  private endMs = 0
  /** On a replica: the offset at which the primary paused; -1: not known yet. */
  private primaryOffset = -1
  private isCheckDue = false

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  get isRunning(): boolean {
    return this.endMs !== 0
  }

  reset(): void {
    if (this.replica !== undefined) this.cluster.host.resumeWrites('failover')
    this.endMs = 0
    this.canStart = false
    this.replica = undefined
    this.primaryOffset = -1
  }

  /** On a replica: CLUSTER FAILOVER. */
  begin(): void {
    this.reset()
    this.cluster.election.forget()
    this.endMs = this.cluster.nowMs + TIMEOUT_MS
  }

  /** On a primary: a replica asks. */
  asked(replica: Node): void {
    this.begin()
    this.replica = replica
    this.cluster.host.pauseWrites(TIMEOUT_MS * PAUSE_TIMEOUTS, 'failover')
    this.cluster.host.log.notice(`Manual failover requested by replica ${nameOf(replica)}.`)
  }

  /** On a replica: the primary has paused at this offset. */
  paused(offset: number): void {
    if (!this.isRunning || this.primaryOffset >= 0) return
    this.primaryOffset = offset
    this.cluster.later(TRY_MANUAL_FAILOVER)
    this.cluster.host.log.notice(`Received replication offset for paused master manual failover: ${offset}`)
  }

  /** On a replica: may it begin now? */
  check(): void {
    if (!this.isRunning || this.canStart || this.primaryOffset < 0) return
    if (this.cluster.host.replication.offset !== this.primaryOffset) return this.checkSoon()
    this.canStart = true
    this.cluster.host.log.notice('All master replication stream processed, manual failover can start.')
    this.cluster.later(TRY_FAILOVER)
  }

  /** The rest of the stream is on its way, while all writers wait: the next tick may be a tenth of a second away. */
  private checkSoon(): void {
    if (this.isCheckDue) return
    this.isCheckDue = true
    this.cluster.host.after(CHECK_MS, () => {
      this.isCheckDue = false
      this.cluster.later(TRY_MANUAL_FAILOVER)
    })
  }

  checkTimeout(): void {
    if (!this.isRunning || this.endMs >= this.cluster.nowMs) return
    this.cluster.host.log.warning('Manual failover timed out.')
    this.reset()
  }
}
