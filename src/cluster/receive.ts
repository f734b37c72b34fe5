// A packet has come: what this node learns from it, and what it answers.

import { type Cluster, FSYNC, FSYNC_AT_TICK, SAVE, SAVE_AT_TICK, UPDATE_STATE } from './cluster.ts'
import { voteFor } from './election.ts'
import { addFailureReport, clearFailure, failureReports, markFailing, markFailingIfAgreed } from './health.ts'
import type { BusLink } from './link.ts'
import {
  ANNOUNCED_FLAGS,
  FAIL,
  HANDSHAKE,
  MIGRATE_TO,
  MYSELF,
  NOADDR,
  type Node,
  nameOf,
  PFAIL,
  PRIMARY,
  REPLICA,
} from './node.ts'
import { newerClaim, resolveCollision, updateSlots } from './ownership.ts'
import {
  AUTH_ACK,
  AUTH_REQUEST,
  FAIL_TYPE,
  type Gossip,
  MEET_TYPE,
  MFLAG_PAUSED,
  MFSTART,
  Packet,
  PING,
  PONG,
  PRIMARY_AT,
  PUBLISH,
  PUBLISHSHARD,
  SLOTS_AT,
  UPDATE,
} from './packet.ts'
import { sendPing, sendUpdate } from './send.ts'

/** Clocks may differ by so much. */
const GOSSIP_AHEAD_MS = 500

export function receive(cluster: Cluster, link: BusLink, bytes: Uint8Array): void {
  const { host, stats } = cluster
  const packet = Packet.parse(bytes)
  if (typeof packet === 'string') {
    if (packet !== '') host.log.warning(packet)
    return
  }
  const { type } = packet
  if (type < stats.received.length) stats.received[type]++
  if (type === cluster.droppedType) return host.log.warning('Dropping packet that matches debug drop filter')
  if (packet.isLight) return receiveLight(cluster, link, packet)
  const sender = senderOf(cluster, link, packet)
  if (sender !== undefined) learn(cluster, sender, packet)
  switch (type) {
    case PING:
    case PONG:
    case MEET_TYPE:
      return receivePing(cluster, link, packet, sender)
    case FAIL_TYPE:
      return receiveFail(cluster, packet, sender)
  }
  if (sender === undefined) return
  switch (type) {
    case PUBLISH:
    case PUBLISHSHARD:
      return receivePublished(cluster, packet, type === PUBLISHSHARD)
    case AUTH_REQUEST:
      return voteFor(cluster, sender, packet)
    case AUTH_ACK:
      if (sender.has(PRIMARY) && sender.slotCount > 0) cluster.election.voted(packet.currentEpoch)
      return
    case MFSTART:
      if (sender.primary !== cluster.me) return
      cluster.manual.asked(sender)
      return sendPing(cluster, link, PING)
    case UPDATE:
      return receiveUpdate(cluster, packet)
  }
  host.log.warning(`Received unknown packet type: ${type}`)
}

/** A message whose sender is known from the link. */
function receiveLight(cluster: Cluster, link: BusLink, packet: Packet): void {
  const sender = link.node ?? cluster.nodes.get(link.senderId)
  if (sender === undefined || sender.has(HANDSHAKE)) return
  sender.times.dataMs = cluster.nowMs
  receivePublished(cluster, packet, packet.type === PUBLISHSHARD)
}

/** Who sent it, if this node knows it. An inbound link gets to know its node here. */
function senderOf(cluster: Cluster, link: BusLink, packet: Packet): Node | undefined {
  if (link.node !== undefined && !link.node.has(HANDSHAKE)) return link.node
  link.senderId = packet.sender
  const sender = cluster.nodes.get(link.senderId)
  if (sender !== undefined && link.node === undefined) {
    sender.closeLink('inbound')
    sender.inbound = link
    link.node = sender
  }
  return sender
}

/** What every packet says of its sender. */
function learn(cluster: Cluster, sender: Node, packet: Packet): void {
  sender.times.dataMs = cluster.nowMs
  if (sender.has(HANDSHAKE)) return
  if (packet.currentEpoch > cluster.currentEpoch) cluster.currentEpoch = packet.currentEpoch
  if (packet.configEpoch > sender.configEpoch) {
    sender.configEpoch = packet.configEpoch
    cluster.later(cluster.me.primary === sender ? SAVE | FSYNC : FSYNC_AT_TICK)
  }
  sender.replicationOffset = packet.offset
  cluster.election.heard(sender)
  const isOwnPrimary = cluster.me.has(REPLICA) && cluster.me.primary === sender
  if (isOwnPrimary && (packet.messageFlags & MFLAG_PAUSED) !== 0) cluster.manual.paused(packet.offset)
}

// ---- PING, PONG, MEET ----

function receivePing(cluster: Cluster, link: BusLink, packet: Packet, sender: Node | undefined): void {
  const { type } = packet
  if (type !== PONG) {
    learnOwnIp(cluster, link, type)
    if (sender === undefined && type === MEET_TYPE) meet(cluster, link, packet)
    sendPing(cluster, link, PONG)
  }
  if (!link.isInbound && !introduced(cluster, link, packet, sender)) return
  if (sender !== undefined) {
    sender.flags = (sender.flags & ~ANNOUNCED_FLAGS) | (packet.flags & ANNOUNCED_FLAGS)
    if (type === PING && !sender.has(HANDSHAKE) && updateAddress(cluster, sender, link, packet))
      cluster.later(SAVE | UPDATE_STATE)
  }
  if (!link.isInbound && type === PONG) answered(cluster, link.node!)
  if (sender === undefined) return
  learnRole(cluster, sender, packet)
  learnSlots(cluster, sender, packet)
  const { gossipCount } = packet
  const aheadMs = cluster.nowMs + GOSSIP_AHEAD_MS
  for (let i = 0; i < gossipCount; i++) learnGossip(cluster, sender, packet, i, aheadMs)
  learnExtensions(cluster, sender, packet)
}

/** Our own IP is what others connect to. */
function learnOwnIp(cluster: Cluster, link: BusLink, type: number): void {
  const { me, host } = cluster
  if ((type !== MEET_TYPE && me.address.ip !== '') || host.settings.clusterAnnounceIp !== '') return
  const ip = hostOf(link.local)
  if (ip === '' || ip === me.address.ip) return
  me.address = { ...me.address, ip }
  host.log.notice(`IP address for this node updated to ${ip}`)
  cluster.later(SAVE)
}

/** 'address:port', IPv6 in brackets. */
function hostOf(endpoint: string): string {
  const colon = endpoint.lastIndexOf(':')
  const text = endpoint.slice(0, Math.max(0, colon))
  return text.startsWith('[') ? text.slice(1, -1) : text
}

/** A stranger introduces itself: it is to be introduced to in turn. */
function meet(cluster: Cluster, link: BusLink, packet: Packet): void {
  const node = cluster.newNode(cluster.host.newId(), HANDSHAKE)
  setAddress(cluster, node, packet.announcedIp || hostOf(link.peer), packet.port, packet.otherPort, packet.busPort)
  cluster.add(node)
  cluster.later(SAVE)
}

/** `port` is of the kind that the bus uses, `otherPort` of the other. True when the address is another one now. */
function setAddress(
  { host }: Cluster,
  node: Node,
  ip: string,
  port: number,
  otherPort: number,
  busPort: number,
): boolean {
  const [plain, tls] = host.settings.tlsCluster ? [otherPort, port] : [port, otherPort]
  const { address } = node
  if (address.ip === ip && address.port === plain && address.tlsPort === tls && address.busPort === busPort)
    return false
  node.address = { ip, port: plain, tlsPort: tls, busPort }
  return true
}

/** The node has another address: it is connected to anew. */
function moved(node: Node): void {
  node.closeLink('link')
  node.flags &= ~NOADDR
}

/** The node behind a link that we opened: false when it is not the one that it should be. */
function introduced(cluster: Cluster, link: BusLink, packet: Packet, sender: Node | undefined): boolean {
  const node = link.node!
  const { host } = cluster
  if (node.has(HANDSHAKE)) {
    if (sender !== undefined) {
      host.log.verbose(`Handshake: we already know node ${nameOf(sender)}, updating the address if needed.`)
      if (updateAddress(cluster, sender, link, packet)) cluster.later(SAVE | UPDATE_STATE)
      cluster.remove(node)
      return false
    }
    cluster.rename(node, packet.sender)
    node.flags = (node.flags & ~HANDSHAKE) | (packet.flags & (PRIMARY | REPLICA))
    cluster.later(SAVE)
    return true
  }
  if (packet.isFrom(node.id)) return true
  // Another node answers at this address.
  node.flags |= NOADDR
  setAddress(cluster, node, '', 0, 0, 0)
  node.link = undefined
  link.close()
  cluster.later(SAVE)
  return false
}

/** True when the node has another address now. */
function updateAddress(cluster: Cluster, node: Node, link: BusLink, packet: Packet): boolean {
  if (link === node.link) return false
  const ip = packet.announcedIp || hostOf(link.peer)
  if (!setAddress(cluster, node, ip, packet.port, packet.otherPort, packet.busPort)) return false
  moved(node)
  const { host, me } = cluster
  host.log.notice(`Address updated for node ${nameOf(node)}, now ${ip}:${cluster.replicationPort(node)}`)
  if (me.has(REPLICA) && me.primary === node) host.replication.follow(ip, cluster.replicationPort(node))
  return true
}

function answered(cluster: Cluster, node: Node): void {
  node.pongMs = cluster.nowMs
  node.pingSentMs = 0
  if (node.has(PFAIL)) {
    node.flags &= ~PFAIL
    cluster.later(SAVE_AT_TICK | UPDATE_STATE)
  } else if (node.has(FAIL)) clearFailure(cluster, node)
}

function learnRole(cluster: Cluster, sender: Node, packet: Packet): void {
  if (!packet.hasPrimary) return cluster.makePrimary(sender)
  if (sender.has(PRIMARY)) {
    cluster.takeSlots(sender)
    sender.flags = (sender.flags & ~(PRIMARY | MIGRATE_TO)) | REPLICA
    cluster.later(SAVE_AT_TICK | UPDATE_STATE)
  }
  sender.flags |= REPLICA
  const primary = cluster.nodes.at(packet.dv, PRIMARY_AT)
  if (primary !== undefined) cluster.setPrimary(sender, primary)
}

function learnSlots(cluster: Cluster, sender: Node, packet: Packet): void {
  const primary = sender.has(PRIMARY) ? sender : sender.primary
  const { slots, configEpoch } = packet
  if (primary !== undefined && !primary.slots.equals(packet.dv, SLOTS_AT)) {
    if (sender.has(PRIMARY)) updateSlots(cluster, sender, configEpoch, slots)
    correct(cluster, sender, configEpoch, slots)
  }
  if (cluster.me.has(PRIMARY) && sender.has(PRIMARY) && configEpoch === cluster.me.configEpoch)
    resolveCollision(cluster, sender)
}

/** Tells a node that claims slots of an owner with a newer configuration. */
function correct(cluster: Cluster, sender: Node, configEpoch: number, slots: Uint8Array): void {
  const slot = newerClaim(cluster, sender, configEpoch, slots)
  if (slot < 0) return
  const owner = cluster.owners[slot]!
  cluster.host.log.verbose(`Node ${sender.id} has old slots configuration, sending an UPDATE message about ${owner.id}`)
  sendUpdate(cluster, sender.link, owner)
}

/** `aheadMs`: later times are not believed. */
function learnGossip(cluster: Cluster, sender: Node, packet: Packet, index: number, aheadMs: number): void {
  const node = cluster.nodes.at(packet.dv, packet.gossipAt(index))
  if (node === undefined) return learnStranger(cluster, packet.gossip(index))
  const { host, me } = cluster
  const flags = packet.gossipFlags(index)
  const isFailing = (flags & (FAIL | PFAIL)) !== 0
  if (sender.has(PRIMARY) && node !== me) {
    if (isFailing) {
      if (addFailureReport(cluster, node, sender))
        host.log.verbose(`Node ${nameOf(sender)} reported node ${nameOf(node)} as not reachable.`)
      markFailingIfAgreed(cluster, node)
    } else if (node.failureReports?.delete(sender.number))
      host.log.verbose(`Node ${nameOf(sender)} reported node ${nameOf(node)} is back online.`)
  }
  if (!isFailing && node.pingSentMs === 0) {
    const pongMs = packet.gossipPongS(index) * 1000
    const isNews = pongMs > node.pongMs && pongMs <= aheadMs
    if (isNews && failureReports(cluster, node) === 0) node.pongMs = pongMs
  }
  // A node that we cannot reach may have moved.
  if (!node.has(FAIL | PFAIL) || isFailing || (flags & NOADDR) !== 0 || node === me) return
  const gossip = packet.gossip(index)
  if (setAddress(cluster, node, gossip.ip, gossip.port, gossip.otherPort, gossip.busPort)) moved(node)
}

/** A node that only others know. */
function learnStranger(cluster: Cluster, gossip: Gossip): void {
  if ((gossip.flags & NOADDR) !== 0 || cluster.isForgotten(gossip.id)) return
  const node = cluster.newNode(gossip.id, gossip.flags & ~(MYSELF | ANNOUNCED_FLAGS))
  setAddress(cluster, node, gossip.ip, gossip.port, gossip.otherPort, gossip.busPort)
  cluster.add(node)
}

function learnExtensions(cluster: Cluster, sender: Node, packet: Packet): void {
  const { hostname = '', humanName = '', shardId, forgotten } = packet.extensions()
  if (sender.hostname !== hostname || sender.humanName !== humanName) {
    sender.hostname = hostname
    sender.humanName = humanName
    cluster.later(SAVE)
  }
  for (const { id, ttlS } of forgotten) {
    const node = cluster.nodes.get(id)
    if (node === undefined || node === cluster.me || cluster.me.primary === node) continue
    cluster.forget(id, cluster.nowMs + ttlS * 1000)
    cluster.remove(node)
    cluster.later(SAVE | UPDATE_STATE)
  }
  cluster.setShard(sender, shardId ?? sender.topPrimary.shardId)
}

// ---- other packets ----

function receiveFail(cluster: Cluster, packet: Packet, sender: Node | undefined): void {
  const { log } = cluster.host
  if (sender === undefined)
    return log.notice(`Ignoring FAIL message from unknown node ${packet.sender} about ${packet.failing}`)
  const failing = cluster.nodes.get(packet.failing)
  if (failing === undefined || failing.has(FAIL | MYSELF)) return
  log.notice(`FAIL message received from ${nameOf(sender)} about ${nameOf(failing)}`)
  markFailing(cluster, failing)
}

function receivePublished({ host }: Cluster, packet: Packet, shard: boolean): void {
  const { channelAt, channelBytes, messageBytes } = packet.published
  const messageAt = channelAt + channelBytes
  const { u8 } = packet
  host.publish(u8.subarray(channelAt, messageAt), u8.subarray(messageAt, messageAt + messageBytes), shard)
}

function receiveUpdate(cluster: Cluster, packet: Packet): void {
  const { id, configEpoch, slots } = packet.update
  const node = cluster.nodes.get(id)
  if (node === undefined || node.configEpoch >= configEpoch) return
  if (node.has(REPLICA)) cluster.makePrimary(node)
  node.configEpoch = configEpoch
  cluster.later(cluster.me.primary === node ? SAVE | FSYNC : FSYNC_AT_TICK)
  updateSlots(cluster, node, configEpoch, slots)
}
