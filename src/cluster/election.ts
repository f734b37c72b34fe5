// Election: a replica takes its failing primary's place, when most primaries vote for it.
//
//   primary FAIL ─▶ delay: 500 ms and chance and rank ─▶ AUTH_REQUEST in a new epoch ─▶ votes ─▶ primary
//               └─▶ prompt: no delay for the best of its replicas
//
// The delay lets the news of the failure reach the voters, and replicas learn of each other's offsets. A prompt
// election needs neither: this replica tells the voters itself before it asks them, and has heard every sibling since
// the failure. Where nodes of another kind take part, and after the majority was lost, the delay is Redis's.
//
// Replicas of several primaries may ask in the same epoch, and none of them wins. Where all voters are of this kind
// each asks again soon, in a new epoch and after a random time; a voter of another kind would refuse that.
//
// Always: a primary votes once in an epoch, and for one replica of the same primary in two node timeouts, manual
// failovers apart; its vote is durable before it is sent. Votes count for one failover.

import { slotsIn } from './bitmap.ts'
import { type Cluster, FSYNC, SAVE, TRY_FAILOVER, UPDATE_STATE } from './cluster.ts'
import { quorumOf, updateState } from './health.ts'
import { FAIL, NOFAILOVER, type Node, nameOf, PFAIL, PRIMARY, PROMPT, REPLICA } from './node.ts'
import { newerClaim } from './ownership.ts'
import { MFLAG_FORCE, type Packet } from './packet.ts'
import { broadcastPong, requestVotes, sendFailToVoters, sendVote } from './send.ts'

const DELAY_MS = 500
const DELAY_RANDOM_MS = 500
const DELAY_PER_RANK_MS = 1000
/** Prompt elections of several shards: each waits so long for each shard before it, as they would share an epoch. */
const DELAY_PER_SHARD_MS = 50
/** All are asked again after so long, and a random time that grows with the shards that elect. */
const AGAIN_MS = 500
/** Elections are not prompt before the majority is back for so many node timeouts. */
const SETTLED_TIMEOUTS = 2
const TIMEOUT_MS_MIN = 2000
/** The same reason is logged again after so long. */
const RELOG_MS = 10_000
/** Reasons are not logged before the primary has failed for so much longer than the node timeout. */
const QUIET_MS = 5000

const DATA_AGE =
  "Disconnected from master for longer than allowed. Please check the 'cluster-replica-validity-factor' configuration option."
const WAITING_DELAY = 'Waiting the delay before I can start a new failover.'
const EXPIRED = 'Failover attempt expired.'
const WAITING_VOTES = 'Waiting for votes, but majority still not reached.'

export class Election {
  private readonly cluster: Cluster
  /** When votes are asked for, or were. */
  private startMs = 0
  private votes = 0
  private isSent = false
  private rank = 0
  /** A prompt election was scheduled then (ms); 0: the one that is scheduled is not prompt. */
  private promptMs = 0
  /** When votes are asked for again, if they are not enough by then. */
  private againMs = 0
  private epoch = 0
  private reason = ''
  private loggedMs = 0

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** The next step schedules a new one: votes of an earlier one do not count. */
  forget(): void {
    this.startMs = 0
    this.isSent = false
    this.votes = 0
  }

  /** A primary has voted for this node. */
  voted(epoch: number): void {
    if (epoch < this.epoch) return
    this.votes++
    this.cluster.later(TRY_FAILOVER)
  }

  /** A packet of this node has come: it may have been the last sibling that was waited for. */
  heard(sender: Node): void {
    const { me } = this.cluster
    if (me.primary !== undefined && sender.primary === me.primary && me.primary.has(FAIL))
      this.cluster.later(TRY_FAILOVER)
  }

  /** The next step of this replica towards a failover, if it is time for one. */
  step(): void {
    const { cluster } = this
    const { me, host, manual, nowMs } = cluster
    const { settings } = host
    const isManual = manual.isRunning && manual.canStart
    const { primary } = me
    const timeoutMs = Math.max(settings.clusterNodeTimeout * 2, TIMEOUT_MS_MIN)
    if (me.has(PRIMARY) || primary === undefined || primary.slotCount === 0) return this.nothingToDo()
    if (!isManual && (!primary.has(FAIL) || settings.clusterReplicaNoFailover)) return this.nothingToDo()
    if (!isManual && this.isDataTooOld()) return this.explain(DATA_AGE)
    const isNewFailure = !manual.isRunning && this.startMs < primary.times.failedMs
    if (nowMs - this.startMs > timeoutMs * 2 || isNewFailure) return this.schedule(isManual, primary)
    if (!this.isSent && !manual.isRunning) {
      this.updateRank()
      this.hurry(primary)
    }
    if (nowMs < this.startMs) return this.explain(WAITING_DELAY)
    if (nowMs - this.startMs > timeoutMs) return this.explain(EXPIRED)
    if (!this.isSent) return this.ask(primary)
    if (this.votes < quorumOf(cluster)) return this.askAgain(primary)
    host.log.notice("Failover election won: I'm the new master.")
    if (me.configEpoch < this.epoch) {
      me.configEpoch = this.epoch
      host.log.notice(`configEpoch set to ${me.configEpoch} after successful failover`)
    }
    this.replacePrimary()
  }

  private nothingToDo(): void {
    this.reason = ''
  }

  private isDataTooOld(): boolean {
    const { settings, replication } = this.cluster.host
    const factor = settings.clusterReplicaValidityFactor
    if (factor === 0) return false
    const timeoutMs = settings.clusterNodeTimeout
    const ageMs = replication.dataAgeMs > timeoutMs ? replication.dataAgeMs - timeoutMs : replication.dataAgeMs
    return ageMs > settings.replPingReplicaPeriod * 1000 + timeoutMs * factor
  }

  private schedule(isManual: boolean, primary: Node): void {
    const { cluster } = this
    const { host, nowMs } = cluster
    const isFirst = this.startMs < primary.times.failedMs
    this.votes = 0
    this.isSent = false
    this.rank = isManual ? 0 : this.ownRank()
    this.startMs = nowMs
    this.promptMs = !isManual && isFirst && this.mayBePrompt(primary) ? nowMs : 0
    if (isManual || cluster.manual.isRunning) cluster.later(TRY_FAILOVER)
    else this.startMs += DELAY_MS + host.random(DELAY_RANDOM_MS) + this.rank * DELAY_PER_RANK_MS
    this.hurry(primary)
    this.stepAt(this.startMs)
    host.log.notice(
      `Start of election delayed for ${Math.round(this.startMs - nowMs)} milliseconds (rank #${this.rank}, offset ${host.replication.offset}).`,
    )
    broadcastPong(cluster, 'siblings')
  }

  /** All whose delays this replica would cut short are of this kind, and the majority was not lost lately. */
  private mayBePrompt(primary: Node): boolean {
    const { me, stateTimes, nowMs, host } = this.cluster
    if (nowMs - stateTimes.minorityMs < host.settings.clusterNodeTimeout * SETTLED_TIMEOUTS) return false
    return !primary.replicas.some(one => one !== me && !one.has(PROMPT)) && this.votersArePrompt()
  }

  private votersArePrompt(): boolean {
    for (const node of this.cluster.nodes.values())
      if (node.has(PRIMARY) && node.slotCount > 0 && !node.has(PROMPT | FAIL)) return false
    return true
  }

  /** Begins a prompt election as soon as this replica is known to be the best. */
  private hurry(primary: Node): void {
    const { promptMs } = this
    if (promptMs === 0 || !this.isBest(primary)) return
    const shardRank = this.failingShards(one => one.id < primary.id)
    const startMs = Math.min(this.startMs, promptMs + shardRank * DELAY_PER_SHARD_MS)
    if (startMs === this.startMs) return
    this.startMs = startMs
    this.stepAt(startMs)
  }

  /** The next step is not one of the cron, whose ticks may coincide on several nodes. */
  private stepAt(ms: number): void {
    const { cluster } = this
    const { nowMs } = cluster
    if (ms <= nowMs) cluster.later(TRY_FAILOVER)
    else cluster.host.after(ms - nowMs, () => cluster.later(TRY_FAILOVER))
  }

  /** Every sibling that works was heard of since the failure, and has less data, or as much and a larger id. */
  private isBest(primary: Node): boolean {
    const { me, host } = this.cluster
    const { offset } = host.replication
    for (const one of primary.replicas) {
      if (one === me || one.has(NOFAILOVER | FAIL | PFAIL)) continue
      if (one.times.dataMs < primary.times.failedMs || one.replicationOffset > offset) return false
      if (one.replicationOffset === offset && one.id < me.id) return false
    }
    return true
  }

  private failingShards(isCounted: (primary: Node) => boolean): number {
    let count = 0
    for (const node of this.cluster.nodes.values()) if (node.has(FAIL) && node.slotCount > 0 && isCounted(node)) count++
    return count
  }

  /** Number of siblings with more data. */
  private ownRank(): number {
    const { me, host } = this.cluster
    let rank = 0
    for (const one of me.primary?.replicas ?? [])
      if (one !== me && !one.has(NOFAILOVER) && one.replicationOffset > host.replication.offset) rank++
    return rank
  }

  private updateRank(): void {
    const rank = this.ownRank()
    if (rank <= this.rank) return
    const addedMs = (rank - this.rank) * DELAY_PER_RANK_MS
    this.startMs += addedMs
    this.rank = rank
    this.cluster.host.log.notice(`Replica rank updated to #${rank}, added ${addedMs} milliseconds of delay.`)
  }

  private ask(primary: Node): void {
    const { cluster } = this
    this.epoch = ++cluster.currentEpoch
    cluster.host.log.notice(`Starting a failover election for epoch ${this.epoch}.`)
    this.isSent = true
    this.votes = 0
    cluster.later(SAVE | UPDATE_STATE | FSYNC)
    cluster.afterwards()
    if (this.promptMs !== 0 && primary.has(FAIL)) sendFailToVoters(cluster, primary)
    requestVotes(cluster)
    const spreadMs = this.failingShards(() => true) * DELAY_PER_SHARD_MS
    this.againMs = cluster.nowMs + AGAIN_MS + cluster.host.random(AGAIN_MS + spreadMs)
    this.stepAt(this.againMs)
  }

  private askAgain(primary: Node): void {
    this.explain(WAITING_VOTES)
    if (this.cluster.nowMs >= this.againMs && this.votersArePrompt()) this.ask(primary)
  }

  private explain(reason: string): void {
    const { cluster } = this
    const { me, nowMs, host } = cluster
    if (reason === this.reason && nowMs - this.loggedMs < RELOG_MS) return
    this.reason = reason
    const failedForMs = nowMs - (me.primary?.times.failedMs ?? 0)
    if (me.primary?.has(FAIL) && failedForMs < host.settings.clusterNodeTimeout + QUIET_MS) return
    this.loggedMs = nowMs
    host.log.notice(`Currently unable to failover: ${reason}`)
    if (reason === WAITING_VOTES || reason === EXPIRED)
      host.log.notice(`Needed quorum: ${quorumOf(cluster)}. Number of votes received so far: ${this.votes}`)
  }

  /** This replica serves its primary's slots from now on. */
  replacePrimary(): void {
    const { cluster } = this
    const { me } = cluster
    const old = me.primary
    if (me.has(PRIMARY) || old === undefined) return
    cluster.makePrimary(me)
    cluster.host.replication.promote()
    for (const slot of slotsIn(old.slots.bitmap)) cluster.give(me, slot)
    cluster.moves.imports.known.claim()
    cluster.moves.cleaner.check()
    updateState(cluster)
    cluster.saveOrDie(true)
    broadcastPong(cluster, 'all')
    cluster.manual.reset()
    this.forget()
  }
}

/** A replica asks for this node's vote. */
export function voteFor(cluster: Cluster, candidate: Node, request: Packet): void {
  const { me, host, nowMs } = cluster
  if (me.has(REPLICA) || me.slotCount === 0) return
  const refusal = refusalOf(cluster, candidate, request)
  if (refusal !== undefined) return host.log.warning(`Failover auth denied to ${nameOf(candidate)}: ${refusal}`)
  cluster.lastVoteEpoch = cluster.currentEpoch
  candidate.primary!.times.votedMs = nowMs
  candidate.primary!.votedFor = candidate
  cluster.later(SAVE | FSYNC)
  cluster.afterwards()
  sendVote(cluster, candidate)
  host.log.notice(`Failover auth granted to ${nameOf(candidate)} for epoch ${cluster.currentEpoch}`)
}

function refusalOf(cluster: Cluster, candidate: Node, request: Packet): string | undefined {
  const { currentEpoch, host, nowMs, owners } = cluster
  if (request.currentEpoch < currentEpoch) return `reqEpoch (${request.currentEpoch}) < curEpoch(${currentEpoch})`
  if (cluster.lastVoteEpoch === currentEpoch) return `already voted for epoch ${currentEpoch}`
  if (candidate.has(PRIMARY)) return 'it is a master node'
  if (candidate.primary === undefined) return "I don't know its master"
  const isManual = (request.messageFlags & MFLAG_FORCE) !== 0
  if (!candidate.primary.has(FAIL) && !isManual) return 'its master is up'
  const waitMs = host.settings.clusterNodeTimeout * 2 - (nowMs - candidate.primary.times.votedMs)
  const asksAgain = candidate.primary.votedFor === candidate && candidate.has(PROMPT)
  if (waitMs > 0 && !asksAgain && !isManual)
    return `can't vote about this master before ${Math.round(waitMs)} milliseconds`
  const { slots, configEpoch } = request
  const slot = newerClaim(cluster, candidate, configEpoch, slots)
  return slot < 0 ? undefined : `slot ${slot} epoch (${owners[slot]!.configEpoch}) > reqEpoch (${configEpoch})`
}
