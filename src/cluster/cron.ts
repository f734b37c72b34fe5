// The cron of the bus, ten times a second: connections, pings, failures, elections, migration of replicas.

import { NetworkError } from '../system/network.ts'
import { type Cluster, UPDATE_STATE } from './cluster.ts'
import { markFailingIfAgreed, updateState } from './health.ts'
import { BusLink, type LinkOwner } from './link.ts'
import {
  FAIL,
  HANDSHAKE,
  MEET,
  MIGRATE_TO,
  MYSELF,
  NOADDR,
  type Node,
  nameOf,
  PFAIL,
  PRIMARY,
  REPLICA,
} from './node.ts'
import { MEET_TYPE, PING } from './packet.ts'
import { reportToReplicas, sendPing, updateMyself } from './send.ts'

const TICKS_PER_SECOND = 10
const HANDSHAKE_MS_MIN = 1000
/** Of so many random nodes, the one heard of least recently is pinged each second. */
const RANDOM_NODES = 5
/** A primary without replicas is given one after so long. */
const MIGRATION_DELAY_MS = 5000

export class ClusterCron {
  private readonly cluster: Cluster
  private readonly links: LinkOwner
  private ticks = 0

  constructor(cluster: Cluster, links: LinkOwner) {
    this.cluster = cluster
    this.links = links
  }

  tick(): void {
    const { cluster } = this
    const { nowMs } = cluster
    this.ticks++
    updateMyself(cluster)
    cluster.stats.pfailNodes = 0
    for (const node of cluster.nodes.values()) this.connect(node)
    if (this.ticks % TICKS_PER_SECOND === 0) this.pingRandom()
    let changed = false
    for (const node of cluster.nodes.values())
      if (!node.has(MYSELF | NOADDR | HANDSHAKE)) changed = this.watch(node, nowMs) || changed
    this.followMissing()
    cluster.manual.checkTimeout()
    cluster.moves.imports.check()
    cluster.moves.cleaner.check()
    if (cluster.me.has(REPLICA)) {
      cluster.manual.check()
      cluster.election.step()
      this.migrateReplica()
    }
    if (changed || !cluster.isOk) updateState(cluster)
    cluster.ticked()
  }

  // ---- connections ----

  private connect(node: Node): void {
    const { cluster } = this
    const { settings, log } = cluster.host
    if (settings.clusterLinkSendbufLimit > 0) {
      this.dropOverLimit(node, 'link')
      this.dropOverLimit(node, 'inbound')
    }
    if (node.has(MYSELF | NOADDR)) return
    if (node.has(PFAIL)) cluster.stats.pfailNodes++
    if (node.has(HANDSHAKE)) {
      const handshakeMs = Math.max(settings.clusterNodeTimeout, HANDSHAKE_MS_MIN)
      if (cluster.nowMs - node.times.createdMs > handshakeMs) return cluster.remove(node)
    }
    if (node.link !== undefined) return
    const link = new BusLink(this.links, node, cluster.nowMs)
    node.link = link
    const { ip, busPort } = node.address
    cluster.host.dial({ host: ip, port: busPort }, settings.clusterNodeTimeout, result => {
      if (node.link !== link) {
        if (!(result instanceof NetworkError)) result.close()
        return
      }
      if (!(result instanceof NetworkError)) {
        link.opened(result)
        return this.connected(node, link)
      }
      node.link = undefined
      if (node.times.pingSentMs === 0) node.times.pingSentMs = cluster.nowMs
      log.debug(`Connection with Node ${node.id} at ${ip}:${busPort} failed: ${result.message}`)
    })
  }

  private connected(node: Node, link: BusLink): void {
    // A ping that was not answered over the last link stays unanswered.
    const { pingSentMs } = node.times
    sendPing(this.cluster, link, node.has(MEET) ? MEET_TYPE : PING)
    if (pingSentMs !== 0) node.times.pingSentMs = pingSentMs
    node.flags &= ~MEET
  }

  private dropOverLimit(node: Node, which: 'link' | 'inbound'): void {
    const { stats, host } = this.cluster
    const limit = host.settings.clusterLinkSendbufLimit
    const link = node[which]
    if (link === undefined || link.queuedBytes <= limit) return
    const direction = link.isInbound ? 'from' : 'to'
    host.log.warning(
      `Freeing cluster link(${direction} node ${node.id}, used memory: ${link.queuedBytes}) due to exceeding send buffer memory limit.`,
    )
    node.closeLink(which)
    stats.linksOverLimit++
  }

  // ---- pings ----

  private pingRandom(): void {
    const { cluster } = this
    const nodes = cluster.nodes.values()
    let oldest: Node | undefined
    for (let i = 0; i < RANDOM_NODES; i++) {
      const node = nodes[cluster.host.random(nodes.length)]
      if (node.link === undefined || node.times.pingSentMs !== 0 || node.has(MYSELF | HANDSHAKE)) continue
      if (oldest === undefined || node.times.pongMs < oldest.times.pongMs) oldest = node
    }
    if (oldest?.link !== undefined) sendPing(cluster, oldest.link, PING)
  }

  /** Pings a node that was not heard of for long; true when it is possibly failing from now on. */
  private watch(node: Node, nowMs: number): boolean {
    const { cluster } = this
    const { manual, me } = cluster
    const { clusterNodeTimeout: timeoutMs, clusterPingInterval } = cluster.host.settings
    const { times } = node
    const pingMs = nowMs - times.pingSentMs
    const dataMs = nowMs - times.dataMs
    const isSilent = times.pingSentMs !== 0 && pingMs > timeoutMs / 2 && dataMs > timeoutMs / 2
    if (node.link !== undefined && nowMs - node.link.createdMs > timeoutMs && isSilent) node.closeLink('link')
    if (node.link?.isOpen && times.pingSentMs === 0 && nowMs - times.pongMs > (clusterPingInterval || timeoutMs / 2)) {
      sendPing(cluster, node.link, this.isStranger(node) ? MEET_TYPE : PING)
      return false
    }
    if (manual.isRunning && me.has(PRIMARY) && manual.replica === node && node.link?.isOpen) {
      sendPing(cluster, node.link, PING)
      return false
    }
    if (times.pingSentMs === 0 || Math.min(pingMs, dataMs) <= timeoutMs || node.has(PFAIL | FAIL)) return false
    cluster.host.log.debug(`*** NODE ${nameOf(node)} possibly failing`)
    node.flags |= PFAIL
    if (me.has(PRIMARY) && me.slotCount > 0 && node.slotCount > 0) reportToReplicas(cluster, node)
    markFailingIfAgreed(cluster, node)
    return true
  }

  /** The other node does not seem to know us, although we have introduced ourselves. */
  private isStranger(node: Node): boolean {
    if (node.inbound !== undefined) node.times.meetUntilMs = 0
    return this.cluster.nowMs < node.times.meetUntilMs
  }

  /** A replica that does not follow its primary, as after a start. */
  private followMissing(): void {
    const { me, host } = this.cluster
    const { primary } = me
    if (!me.has(REPLICA) || primary === undefined || host.replication.isFollowing || primary.has(NOADDR)) return
    if (primary.address.ip !== '') host.replication.follow(primary.address.ip, this.cluster.replicationPort(primary))
  }

  // ---- replica migration ----

  /** A primary that lost its replicas gets one of the primary that has most. */
  private migrateReplica(): void {
    const { cluster } = this
    const { me, host, nowMs } = cluster
    const { primary } = me
    if (!host.settings.clusterAllowReplicaMigration || !cluster.isOk || primary === undefined) return
    const nodes = cluster.nodes.values()
    let most = 0
    let target: Node | undefined
    for (const node of nodes) {
      if (!node.has(PRIMARY)) continue
      const { workingReplicas } = node
      if (!node.has(FAIL) && workingReplicas > most) most = workingReplicas
      const isOrphaned = !node.has(FAIL) && node.has(MIGRATE_TO) && workingReplicas === 0
      if (!isOrphaned) node.times.orphanedMs = 0
      else if (node.times.orphanedMs === 0) node.times.orphanedMs = nowMs
      if (isOrphaned && target === undefined && node.slotCount > 0) target = node
    }
    if (target === undefined || most < 2 || primary.workingReplicas !== most) return
    if (most <= host.settings.clusterMigrationBarrier || !this.isSmallestOf(nodes, most)) return
    if (nowMs - target.times.orphanedMs <= MIGRATION_DELAY_MS) return
    host.log.notice(`Migrating to orphaned master ${target.id}`)
    cluster.follow(target)
    cluster.later(UPDATE_STATE)
  }

  /** Only one replica moves: that with the smallest id among those of the primaries with most. */
  private isSmallestOf(nodes: readonly Node[], most: number): boolean {
    const { me } = this.cluster
    const withMost = nodes.filter(node => node.has(PRIMARY) && node.workingReplicas === most)
    return withMost.every(node => node.replicas.every(one => one.id >= me.id))
  }
}
