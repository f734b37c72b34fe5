// Packets that this node sends.

import { type Cluster, SAVE } from './cluster.ts'
import type { BusLink } from './link.ts'
import {
  BUS_PORT_OFFSET,
  HANDSHAKE,
  LIGHT,
  MYSELF,
  NOADDR,
  NOFAILOVER,
  type Node,
  PFAIL,
  PRIMARY,
  PROMPT,
  REPLICA,
} from './node.ts'
import {
  AUTH_ACK,
  AUTH_REQUEST,
  FAIL_TYPE,
  MFLAG_FORCE,
  MFLAG_PAUSED,
  MFSTART,
  PONG,
  PUBLISH,
  PUBLISHSHARD,
  UPDATE,
} from './packet.ts'
import {
  barePacket,
  failPacket,
  type Header,
  lightPublishPacket,
  pingPacket,
  publishPacket,
  updatePacket,
} from './packet-writer.ts'

/** Nodes named in each ping: a tenth of all, and at least so many. */
const GOSSIP_MIN = 3
const STATE_OK = 0
const STATE_FAIL = 1

/** The ports of this node as others are to use them. */
function announcedPorts({ host }: Cluster): { port: number; tlsPort: number; busPort: number } {
  const { settings } = host
  const port = settings.clusterAnnouncePort || settings.port
  const tlsPort = settings.clusterAnnounceTlsPort || settings.tlsPort
  return { port, tlsPort, busPort: settings.clusterAnnounceBusPort || busPortOf(settings) }
}

/** What the configuration says of this node: after a start, and when CONFIG SET has changed it. */
export function updateMyself(cluster: Cluster): void {
  const { me, host } = cluster
  const { settings } = host
  me.address = { ip: settings.clusterAnnounceIp || me.address.ip, ...announcedPorts(cluster) }
  const willing = settings.clusterReplicaNoFailover ? me.flags | NOFAILOVER : me.flags & ~NOFAILOVER
  me.flags = willing | LIGHT | PROMPT
  const { clusterAnnounceHostname: hostname, clusterAnnounceHumanNodename: humanName } = settings
  if (me.hostname === hostname && me.humanName === humanName) return
  me.hostname = hostname
  me.humanName = humanName
  cluster.later(SAVE)
}

/** The port that the bus listens on. */
export function busPortOf(settings: Cluster['host']['settings']): number {
  return settings.clusterPort || (settings.tlsCluster ? settings.tlsPort : settings.port) + BUS_PORT_OFFSET
}

function headerOf(cluster: Cluster, type: number): Header {
  const { me, host, manual } = cluster
  const { settings } = host
  const primary = me.has(REPLICA) && me.primary !== undefined ? me.primary : me
  const { port, tlsPort, busPort } = announcedPorts(cluster)
  return {
    type,
    port: settings.tlsCluster ? tlsPort : port,
    otherPort: settings.tlsCluster ? port : tlsPort,
    busPort,
    currentEpoch: cluster.currentEpoch,
    configEpoch: primary.configEpoch,
    offset: host.replication.offset,
    sender: me.id,
    slots: primary.slots,
    primary: me.primary?.id ?? '',
    announcedIp: settings.clusterAnnounceIp,
    flags: me.flags,
    state: cluster.isOk ? STATE_OK : STATE_FAIL,
    messageFlags: me.has(PRIMARY) && manual.isRunning ? MFLAG_PAUSED : 0,
  }
}

/** `isShared`: other links send the same packet. */
function send(cluster: Cluster, link: BusLink | undefined, type: number, packet: Uint8Array, isShared = false): void {
  if (link === undefined) return
  cluster.stats.sent[type]++
  link.send(packet, isShared)
}

/** To every node that is introduced. */
function broadcast(cluster: Cluster, type: number, packet: Uint8Array): void {
  for (const node of cluster.nodes.values())
    if (!node.has(MYSELF | HANDSHAKE)) send(cluster, node.link, type, packet, true)
}

/** PING, PONG or MEET over a link. */
export function sendPing(cluster: Cluster, link: BusLink, type: number, nodes = chooseGossip(cluster)): void {
  const { me, host } = cluster
  if (!link.isInbound && type !== PONG) link.node!.pingSentMs = cluster.nowMs
  const nowMs = cluster.forgotten.size === 0 ? 0 : cluster.nowMs
  const forgotten: { id: string; ttlS: number }[] = []
  for (const [id, untilMs] of cluster.forgotten)
    if (untilMs > nowMs) forgotten.push({ id, ttlS: Math.ceil((untilMs - nowMs) / 1000) })
  const extensions = { hostname: me.hostname, humanName: me.humanName, shardId: me.shardId, forgotten }
  const named = { nodes, entries: cluster.nodes, isTls: host.settings.tlsCluster }
  send(cluster, link, type, pingPacket(headerOf(cluster, type), named, extensions))
}

/** Some random nodes, and all that are possibly failing. */
function chooseGossip(cluster: Cluster): Node[] {
  const { me, host, stats } = cluster
  const ping = ++stats.pings
  const nodes = cluster.nodes.values()
  let fresh = nodes.length - 2
  const wanted = Math.min(Math.max(GOSSIP_MIN, Math.floor(nodes.length / 10)), fresh)
  const gossip: Node[] = []
  for (let tries = wanted * 3; fresh > 0 && gossip.length < wanted && tries > 0; tries--) {
    const node = nodes[host.random(nodes.length)]
    if (node === me || node.gossipedIn === ping || node.has(PFAIL)) continue
    fresh--
    if (node.has(HANDSHAKE | NOADDR) || (node.link === undefined && node.slotCount === 0)) continue
    node.gossipedIn = ping
    gossip.push(node)
  }
  for (const node of stats.suspects) if (node.has(PFAIL) && !node.has(HANDSHAKE | NOADDR)) gossip.push(node)
  return gossip
}

/** PONG to all, or to the other replicas of this node's primary: news without a question. */
export function broadcastPong(cluster: Cluster, whom: 'all' | 'siblings'): void {
  const { me } = cluster
  for (const node of cluster.nodes.values()) {
    if (node.link === undefined || node === me || node.has(HANDSHAKE)) continue
    const { primary } = node
    const isSibling = node.has(REPLICA) && primary !== undefined && (primary === me || primary === me.primary)
    if (whom === 'all' || isSibling) sendPing(cluster, node.link, PONG)
  }
}

/** Tells the replicas of a primary that it is possibly failing: they count such reports, and one of them takes over. */
export function reportToReplicas(cluster: Cluster, failing: Node): void {
  for (const { link } of failing.replicas) if (link !== undefined) sendPing(cluster, link, PONG, [failing])
}

export function sendFail(cluster: Cluster, failing: Node): void {
  broadcast(cluster, FAIL_TYPE, failPacket(headerOf(cluster, FAIL_TYPE), failing.id))
}

/** Tells a node whose slots are out of date what another one serves. */
export function sendUpdate(cluster: Cluster, link: BusLink | undefined, about: Node): void {
  if (link === undefined) return
  send(cluster, link, UPDATE, updatePacket(headerOf(cluster, UPDATE), about.id, about.configEpoch, about.slots))
}

/** Tells the voters that a primary fails: what is sent to them next finds them informed. */
export function sendFailToVoters(cluster: Cluster, failing: Node): void {
  const packet = failPacket(headerOf(cluster, FAIL_TYPE), failing.id)
  for (const node of cluster.nodes.values())
    if (node !== failing && node.has(PRIMARY) && node.slotCount > 0) send(cluster, node.link, FAIL_TYPE, packet, true)
}

/** Asks all for their votes. */
export function requestVotes(cluster: Cluster): void {
  const header = headerOf(cluster, AUTH_REQUEST)
  if (cluster.manual.isRunning) header.messageFlags |= MFLAG_FORCE
  broadcast(cluster, AUTH_REQUEST, barePacket(header))
}

export function sendVote(cluster: Cluster, to: Node): void {
  send(cluster, to.link, AUTH_ACK, barePacket(headerOf(cluster, AUTH_ACK)))
}

/** Asks a primary to pause its clients. */
export function sendManualFailoverStart(cluster: Cluster, to: Node): void {
  send(cluster, to.link, MFSTART, barePacket(headerOf(cluster, MFSTART)))
}

/** A message: to all nodes, or to those of this node's shard. */
export function sendPublished(cluster: Cluster, channel: Uint8Array, message: Uint8Array, shard: boolean): void {
  const type = shard ? PUBLISHSHARD : PUBLISH
  let whole: Uint8Array | undefined
  let light: Uint8Array | undefined
  for (const node of cluster.nodes.values()) {
    if (node.has(MYSELF | HANDSHAKE) || (shard && node.shardId !== cluster.me.shardId)) continue
    if (node.has(LIGHT)) {
      light ??= lightPublishPacket(type, channel, message)
      send(cluster, node.link, type, light, true)
    } else {
      whole ??= publishPacket(headerOf(cluster, type), channel, message)
      send(cluster, node.link, type, whole, true)
    }
  }
}
