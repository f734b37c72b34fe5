// Which nodes fail, and whether the cluster as a whole is up.
//
//   no answer for node-timeout ─▶ PFAIL ─[most primaries report it]─▶ FAIL ─[told to all]

import { SLOTS } from './bitmap.ts'
import { type Cluster, SAVE_AT_TICK, TRY_FAILOVER, UPDATE_STATE } from './cluster.ts'
import { FailureReports } from './failure-reports.ts'
import { FAIL, type Node, nameOf, PFAIL, PRIMARY, REPLICA } from './node.ts'
import { sendFail } from './send.ts'

/** A report is valid for so many node timeouts. */
const REPORT_TIMEOUTS = 2
/** A primary that is back, and whose slots nobody took, is accepted after so many. */
const UNDO_TIMEOUTS = 2
/** A primary that was in the minority waits before it serves again. */
const REJOIN_MS_MIN = 500
const REJOIN_MS_MAX = 5000
/** A restarted primary waits for news of others. */
const WRITABLE_MS = 2000

/** Number of valid reports. */
export function failureReports(cluster: Cluster, node: Node): number {
  const reports = node.failureReports
  if (reports === undefined) return 0
  const { host, nowMs } = cluster
  const count = reports.countSince(nowMs - host.settings.clusterNodeTimeout * REPORT_TIMEOUTS, nowMs)
  if (count === 0) node.failureReports = undefined
  return count
}

/** True when the report is new. */
export function addFailureReport({ nowMs }: Cluster, node: Node, reporter: Node): boolean {
  if (reporter.number < 0) return false
  node.failureReports ??= new FailureReports()
  return node.failureReports.add(reporter.number, nowMs)
}

export function quorumOf({ size }: Cluster): number {
  return Math.floor(size / 2) + 1
}

/** A node that is possibly failing fails, when most primaries say so. */
export function markFailingIfAgreed(cluster: Cluster, node: Node): void {
  if (!node.has(PFAIL) || node.has(FAIL)) return
  const reports = failureReports(cluster, node) + (cluster.me.has(PRIMARY) ? 1 : 0)
  if (reports < quorumOf(cluster)) return
  cluster.host.log.notice(`Marking node ${nameOf(node)} as failing (quorum reached).`)
  markFailing(cluster, node)
  sendFail(cluster, node)
}

export function markFailing(cluster: Cluster, node: Node): void {
  node.flags = (node.flags & ~PFAIL) | FAIL
  node.times.failedMs = cluster.nowMs
  cluster.later(UPDATE_STATE | SAVE_AT_TICK | (cluster.me.primary === node ? TRY_FAILOVER : 0))
}

/** A failing node has answered. */
export function clearFailure(cluster: Cluster, node: Node): void {
  const { log, settings } = cluster.host
  if (node.has(REPLICA) || node.slotCount === 0) {
    const kind = node.has(REPLICA) ? 'replica' : 'master without slots'
    log.notice(`Clear FAIL state for node ${nameOf(node)}:${kind} is reachable again.`)
  } else if (cluster.nowMs - node.times.failedMs > settings.clusterNodeTimeout * UNDO_TIMEOUTS)
    log.notice(
      `Clear FAIL state for node ${nameOf(node)}: is reachable again and nobody is serving its slots after some time.`,
    )
  else return
  node.flags &= ~FAIL
  cluster.later(UPDATE_STATE | SAVE_AT_TICK)
}

/** Computes the state, and the number of primaries that count for a quorum. */
export function updateState(cluster: Cluster): void {
  const { me, host, nowMs } = cluster
  const known = cluster.stateTimes
  if (known.firstMs < 0) known.firstMs = nowMs
  if (me.has(PRIMARY) && !cluster.isOk && nowMs - known.firstMs < WRITABLE_MS) return
  let served = 0
  let reachable = 0
  cluster.size = 0
  for (const node of cluster.nodes.values()) {
    if (node.slotCount === 0) continue
    if (!node.has(FAIL)) served += node.slotCount
    if (!node.has(PRIMARY)) continue
    cluster.size++
    if (!node.has(FAIL | PFAIL)) reachable++
  }
  let isOk = !host.settings.clusterRequireFullCoverage || served === SLOTS
  if (reachable < quorumOf(cluster)) {
    isOk = false
    known.minorityMs = nowMs
  }
  if (isOk === cluster.isOk) return
  const rejoinMs = Math.min(Math.max(host.settings.clusterNodeTimeout, REJOIN_MS_MIN), REJOIN_MS_MAX)
  if (isOk && me.has(PRIMARY) && nowMs - known.minorityMs < rejoinMs) return
  if (isOk) host.log.notice('Cluster state changed: ok')
  else host.log.warning('Cluster state changed: fail')
  cluster.isOk = isOk
}
