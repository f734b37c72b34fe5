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
/** What takes time for each node, a write of the nodes file among it, is done every so many ticks for so many nodes. */
const NODES_PER_TICK = 100

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
    const { clusterLinkSendbufLimit: sendbufLimit } = cluster.host.settings
    if (sendbufLimit > 0) for (const node of cluster.nodes.values()) this.dropOverLimit(node, sendbufLimit)
    if (this.ticks % TICKS_PER_SECOND === 0) this.pingRandom()
    const changed = this.lookAtAll(nowMs)
    const isTurn = this.ticks % Math.ceil(cluster.nodes.size / NODES_PER_TICK) === 0
    this.followMissing()
    cluster.manual.checkTimeout()
    cluster.moves.imports.check()
    cluster.moves.cleaner.check()
    if (cluster.me.has(REPLICA)) {
      cluster.manual.check()
      cluster.election.step()
      if (isTurn) this.migrateReplica()
    }
    if (changed || !cluster.isOk) updateState(cluster)
    if (isTurn) cluster.ticked()
  }

  /** True when a node is possibly failing from now on. */
  private lookAtAll(nowMs: number): boolean {
    const { cluster } = this
    const suspects: Node[] = []
    let changed = false
    for (const node of cluster.nodes.values()) {
      if (node.link === undefined || node.has(HANDSHAKE)) this.connect(node)
      if (!node.has(MYSELF | NOADDR | HANDSHAKE)) changed = this.watch(node, nowMs) || changed
      if (node.has(PFAIL) && !node.has(MYSELF | NOADDR)) suspects.push(node)
    }
    cluster.stats.suspects = suspects
    return changed
  }

  // ---- connections ----

  private connect(node: Node): void {
    const { cluster } = this
    const { settings, log } = cluster.host
    if (node.has(MYSELF | NOADDR)) return
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
      if (node.pingSentMs === 0) node.pingSentMs = cluster.nowMs
      log.debug(`Connection with Node ${node.id} at ${ip}:${busPort} failed: ${result.message}`)
    })
  }

  private connected(node: Node, link: BusLink): void {
    // A ping that was not answered over the last link stays unanswered.
    const { pingSentMs } = node
    sendPing(this.cluster, link, node.has(MEET) ? MEET_TYPE : PING)
    if (pingSentMs !== 0) node.pingSentMs = pingSentMs
    node.flags &= ~MEET
  }

  private dropOverLimit(node: Node, limit: number): void {
    const { stats, host } = this.cluster
    for (const which of ['link', 'inbound'] as const) {
      const link = node[which]
      if (link === undefined || link.queuedBytes <= limit) continue
      const direction = link.isInbound ? 'from' : 'to'
      host.log.warning(
        `Freeing cluster link(${direction} node ${node.id}, used memory: ${link.queuedBytes}) due to exceeding send buffer memory limit.`,
      )
      node.closeLink(which)
      stats.linksOverLimit++
    }
  }

  // ---- pings ----

  private pingRandom(): void {
    const { cluster } = this
    const nodes = cluster.nodes.values()
    let oldest: Node | undefined
    for (let i = 0; i < RANDOM_NODES; i++) {
      const node = nodes[cluster.host.random(nodes.length)]
      if (node.link === undefined || node.pingSentMs !== 0 || node.has(MYSELF | HANDSHAKE)) continue
      if (oldest === undefined || node.pongMs < oldest.pongMs) oldest = node
    }
    if (oldest?.link !== undefined) sendPing(cluster, oldest.link, PING)
  }

  /** Pings a node that was not heard of for long; true when it is possibly failing from now on. */
  private watch(node: Node, nowMs: number): boolean {
    const { cluster } = this
    const { me } = cluster
    const { clusterNodeTimeout: timeoutMs, clusterPingInterval } = cluster.host.settings
    const { link, pingSentMs } = node
    if (pingSentMs === 0) {
      const isQuiet = nowMs - node.pongMs > (clusterPingInterval || timeoutMs / 2)
      if ((isQuiet || this.isTakingOver(node)) && link?.isOpen)
        sendPing(cluster, link, isQuiet && this.isStranger(node) ? MEET_TYPE : PING)
      return false
    }
    const pingMs = nowMs - pingSentMs
    const dataMs = nowMs - node.times.dataMs
    const isSilent = pingMs > timeoutMs / 2 && dataMs > timeoutMs / 2
    if (isSilent && link !== undefined && nowMs - link.createdMs > timeoutMs) node.closeLink('link')
    if (this.isTakingOver(node) && node.link?.isOpen) {
      sendPing(cluster, node.link, PING)
      return false
    }
    if (Math.min(pingMs, dataMs) <= timeoutMs || node.has(PFAIL | FAIL)) return false
    cluster.host.log.debug(`*** NODE ${nameOf(node)} possibly failing`)
    node.flags |= PFAIL
    cluster.stats.suspects.push(node)
    if (me.has(PRIMARY) && me.slotCount > 0 && node.slotCount > 0) reportToReplicas(cluster, node)
    markFailingIfAgreed(cluster, node)
    return true
  }

  /** The replica to which this primary hands over in a manual failover: it is told the offset at each tick. */
  private isTakingOver(node: Node): boolean {
    const { manual, me } = this.cluster
    return manual.isRunning && me.has(PRIMARY) && manual.replica === node
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
