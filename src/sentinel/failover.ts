// The failover of a primary:
//
//   none ─[startFailover]─▶ wait_start ─[elected]─▶ select_slave ─▶ send_slaveof_noone ─▶ wait_promotion
//    ▲                          │ not elected             │ none is good     │ time-out         │ time-out
//    ├──────────[abort]─────────┴─────────────────────────┴──────────────────┴──────────────────┘
//    │                                                     INFO of the promoted replica: role master [info-report.ts]
//    └─[switchToPromoted]─ update_config ◀─[all follow, or time-out]─ reconf_slaves ◀──┘
//
// A failover that was asked for while the primary is well is coordinated: the primary hands over with FAILOVER, so that
// no write is lost. A primary that cannot is left to the ordinary way.

import { ReplyError } from '../protocol/value.ts'
import { electedLeader } from './election.ts'
import {
  FAILOVER_IN_PROGRESS,
  FORCE_FAILOVER,
  O_DOWN,
  PROMOTED,
  type Primary,
  RECONF_DONE,
  RECONF_INPROG,
  RECONF_SENT,
  type Replica,
  S_DOWN,
} from './instance.ts'
import { sendReplicaOf } from './reconfiguration.ts'
import type { Sentinel } from './sentinel.ts'
import { DESYNC_MS_MAX } from './timing.ts'

/** A replica answered PING within so many ping periods. */
const AVAILABLE_PINGS = 5
/** Its INFO is at most so many periods old. */
const FRESH_INFOS = 3
/** Its link to the primary was down for at most so many times down-after-milliseconds. */
const LINK_DOWN_AFTERS = 10
/** After which a primary that was asked to hand over goes on by itself. */
const HAND_OVER_MS_MAX = 5000

export function startFailover(sentinel: Sentinel, primary: Primary): void {
  const { failover } = primary
  const { nowMs, events } = sentinel
  failover.enter('wait_start', nowMs)
  failover.coordinated = false
  failover.epoch = ++sentinel.currentEpoch
  primary.flags |= FAILOVER_IN_PROGRESS
  events.send('warning', '+new-epoch', String(sentinel.currentEpoch), primary)
  events.about(primary, 'warning', '+try-failover')
  failover.startMs = nowMs + sentinel.host.random(DESYNC_MS_MAX)
}

/** True when a failover has begun now. */
export function startFailoverIfNeeded(sentinel: Sentinel, primary: Primary): boolean {
  const { failover, settings } = primary
  if (!primary.has(O_DOWN) || primary.has(FAILOVER_IN_PROGRESS)) return false
  const waitMs = failover.startMs + settings.failoverTimeoutMs * 2 - sentinel.nowMs
  if (failover.startMs === 0 || waitMs <= 0) {
    startFailover(sentinel, primary)
    return true
  }
  if (failover.delayLoggedMs !== failover.startMs) {
    failover.delayLoggedMs = failover.startMs
    const at = new Date(sentinel.host.wallMs() + waitMs).toUTCString()
    sentinel.host.log('notice', `Next failover delay: I will not start a failover before ${at}`)
  }
  return false
}

/** One step of a failover in progress. */
export function runFailover(sentinel: Sentinel, primary: Primary): void {
  if (!primary.has(FAILOVER_IN_PROGRESS)) return
  switch (primary.failover.state) {
    case 'wait_start':
      return waitForElection(sentinel, primary)
    case 'select_slave':
      return selectReplica(sentinel, primary)
    case 'send_slaveof_noone':
      return promote(sentinel, primary)
    case 'wait_promotion':
      return abortAfterTimeout(sentinel, primary)
    case 'reconf_slaves':
      return reconfigureReplicas(sentinel, primary)
  }
}

function waitForElection(sentinel: Sentinel, primary: Primary): void {
  const { failover, settings } = primary
  const { events, nowMs, timing } = sentinel
  const isElected = electedLeader(sentinel, primary)?.toLowerCase() === sentinel.id
  // Another one's try may have begun a later epoch: then the votes are of that, and in this try's own another one may
  // have been elected. Two configurations of one epoch would never give way to each other.
  if (isElected) failover.epoch = sentinel.currentEpoch
  else if (!primary.has(FORCE_FAILOVER)) {
    if (nowMs - failover.startMs <= Math.min(timing.electionMs, settings.failoverTimeoutMs)) return
    events.about(primary, 'warning', '-failover-abort-not-elected')
    return abortFailover(sentinel, primary)
  }
  events.about(primary, 'warning', '+elected-leader')
  if (sentinel.crashAfterElection) sentinel.crash()
  failover.enter('select_slave', nowMs)
  events.about(primary, 'warning', '+failover-state-select-slave')
}

function selectReplica(sentinel: Sentinel, primary: Primary): void {
  const { failover } = primary
  const { events } = sentinel
  const replica = bestReplica(sentinel, primary)
  if (replica === undefined) {
    events.about(primary, 'warning', '-failover-abort-no-good-slave')
    return abortFailover(sentinel, primary)
  }
  events.about(replica, 'warning', '+selected-slave')
  replica.flags |= PROMOTED
  failover.promoted = replica
  failover.enter('send_slaveof_noone', sentinel.nowMs)
  events.about(replica, 'notice', '+failover-state-send-slaveof-noone')
}

/** The replica to promote: lowest priority number, then largest offset, then smallest run id. */
export function bestReplica(sentinel: Sentinel, primary: Primary): Replica | undefined {
  const good = [...primary.replicas.values()].filter(one => isGood(sentinel, primary, one))
  return good.sort(comparePromotion)[0]
}

function isGood({ nowMs, timing }: Sentinel, primary: Primary, replica: Replica): boolean {
  const { link } = replica
  if (replica.has(S_DOWN) || link.disconnected || replica.priority === 0) return false
  if (nowMs - link.availableMs > timing.pingMs * AVAILABLE_PINGS) return false
  const down = primary.has(S_DOWN)
  const infoMsMax = down ? timing.pingMs * AVAILABLE_PINGS : timing.infoMs * FRESH_INFOS
  if (nowMs - replica.report.refreshedMs > infoMsMax) return false
  const downMs = down ? nowMs - primary.sDownSinceMs : 0
  return replica.linkDownMs <= downMs + primary.downAfterMs * LINK_DOWN_AFTERS
}

function comparePromotion(a: Replica, b: Replica): number {
  if (a.priority !== b.priority) return a.priority - b.priority
  if (a.offset !== b.offset) return b.offset - a.offset
  if (a.runId === undefined || b.runId === undefined)
    return Number(a.runId === undefined) - Number(b.runId === undefined)
  return a.runId < b.runId ? -1 : Number(a.runId > b.runId)
}

function promote(sentinel: Sentinel, primary: Primary): void {
  const replica = primary.failover.promoted!
  if (replica.link.disconnected) return abortAfterTimeout(sentinel, primary)
  if (!handOver(sentinel, primary, replica) && !sendReplicaOf(sentinel, replica)) return
  sentinel.events.about(replica, 'notice', '+failover-state-wait-promotion')
  primary.failover.enter('wait_promotion', sentinel.nowMs)
}

/** Asks a primary that is well to hand over; false: it is to be replaced without it. */
function handOver(sentinel: Sentinel, primary: Primary, replica: Replica): boolean {
  const { failover, settings } = primary
  if (!primary.has(FORCE_FAILOVER) || primary.has(S_DOWN) || primary.link.disconnected) return false
  const { address } = replica
  const host = sentinel.addresses.announced(address)
  const timeoutMs = Math.min(HAND_OVER_MS_MAX, Math.ceil(settings.failoverTimeoutMs / 2))
  const { epoch } = failover
  const words = ['FAILOVER', 'TO', host, String(address.port), 'TIMEOUT', String(timeoutMs)]
  failover.coordinated = sentinel.send(primary, words, value => {
    const isStill = failover.epoch === epoch && failover.state === 'wait_promotion' && failover.promoted === replica
    if (!(value instanceof ReplyError) || !isStill) return
    failover.coordinated = false
    sendReplicaOf(sentinel, replica)
  })
  return failover.coordinated
}

function abortAfterTimeout(sentinel: Sentinel, primary: Primary): void {
  const { failover, settings } = primary
  const waitedMs = sentinel.nowMs - failover.stateSinceMs
  // The primary has not handed over in time, or has died meanwhile.
  if (failover.coordinated && waitedMs > HAND_OVER_MS_MAX && !failover.promoted!.link.disconnected) {
    failover.coordinated = false
    sendReplicaOf(sentinel, failover.promoted!)
  }
  if (waitedMs <= settings.failoverTimeoutMs) return
  sentinel.events.about(primary, 'warning', '-failover-abort-slave-timeout')
  abortFailover(sentinel, primary)
}

/** Possible until the promoted replica is a primary. */
function abortFailover(sentinel: Sentinel, primary: Primary): void {
  const { failover } = primary
  primary.flags &= ~(FAILOVER_IN_PROGRESS | FORCE_FAILOVER)
  failover.enter('none', sentinel.nowMs)
  if (failover.promoted !== undefined) failover.promoted.flags &= ~PROMOTED
  failover.promoted = undefined
  failover.coordinated = false
}

/** Makes the other replicas follow the new primary, a few at a time. */
function reconfigureReplicas(sentinel: Sentinel, primary: Primary): void {
  const { events, nowMs, timing } = sentinel
  const { settings, failover } = primary
  const replicas = [...primary.replicas.values()]
  let inProgress = replicas.filter(one => one.has(RECONF_SENT | RECONF_INPROG)).length
  for (const replica of replicas) {
    if (inProgress >= settings.parallelSyncs) break
    if (replica.has(PROMOTED | RECONF_DONE)) continue
    if (replica.has(RECONF_SENT) && nowMs - replica.reconfSentMs > timing.reconfigureMs) {
      events.about(replica, 'notice', '-slave-reconf-sent-timeout')
      replica.flags = (replica.flags & ~RECONF_SENT) | RECONF_DONE
    }
    if (replica.has(RECONF_SENT | RECONF_INPROG) || replica.link.disconnected) continue
    if (!sendReplicaOf(sentinel, replica, failover.promoted!.address)) continue
    replica.flags |= RECONF_SENT
    replica.reconfSentMs = nowMs
    events.about(replica, 'notice', '+slave-reconf-sent')
    inProgress++
  }
  detectEnd(sentinel, primary)
}

/** The failover ends when every reachable replica follows the new primary, or after the time-out. */
function detectEnd(sentinel: Sentinel, primary: Primary): void {
  const { events, nowMs } = sentinel
  const { failover, settings } = primary
  const { promoted } = failover
  if (promoted === undefined || promoted.has(S_DOWN)) return
  const isLate = nowMs - failover.stateSinceMs > settings.failoverTimeoutMs
  const replicas = [...primary.replicas.values()]
  const missing = replicas.filter(one => !one.has(PROMOTED | RECONF_DONE | S_DOWN))
  if (isLate) events.about(primary, 'warning', '+failover-end-for-timeout')
  if (!isLate && missing.length > 0) return
  events.about(primary, 'warning', '+failover-end')
  failover.enter('update_config', nowMs)
  if (!isLate) return
  for (const replica of replicas) {
    if (replica.has(PROMOTED | RECONF_DONE | RECONF_SENT) || replica.link.disconnected) continue
    if (!sendReplicaOf(sentinel, replica, promoted.address)) continue
    events.about(replica, 'notice', '+slave-reconf-sent-be')
    replica.flags |= RECONF_SENT
  }
}

/** The last step: the name stands for the promoted server, and the old primary is its replica. */
export function switchToPromoted(sentinel: Sentinel, primary: Primary): void {
  const { addresses, events } = sentinel
  const from = primary.address
  const to = (primary.failover.promoted ?? primary).address
  const change = `${addresses.announced(from)} ${from.port} ${addresses.announced(to)} ${to.port}`
  events.send('warning', '+switch-master', `${primary.name} ${change}`, primary)
  sentinel.changeAddress(primary, to.host, to.port)
}
