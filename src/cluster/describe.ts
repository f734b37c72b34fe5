// Descriptions of the cluster: CLUSTER INFO, LINKS, SLOTS and SHARDS.

import type { Context } from '../engine/context.ts'
import { type Field, replyFields } from '../protocol/fields.ts'
import type { Reply } from '../protocol/reply.ts'
import { eachRange, SLOTS } from './bitmap.ts'
import type { Cluster } from './cluster.ts'
import { FAIL, type Node, PFAIL, REPLICA } from './node.ts'
import { TYPE_NAMES } from './packet.ts'
import { preferredEndpoint } from './redirect.ts'

export function isTls(ctx: Context): boolean {
  return ctx.client.connection.kind === 'tls'
}

export function infoFields(cluster: Cluster): [name: string, value: string | number][] {
  const { me, stats, owners } = cluster
  const assigned = owners.filter(one => one !== undefined)
  const failed = assigned.filter(one => one.has(FAIL)).length
  const possibly = assigned.filter(one => !one.has(FAIL) && one.has(PFAIL)).length
  const epoch = me.primary?.configEpoch ?? me.configEpoch
  return [
    ['cluster_state', cluster.isOk ? 'ok' : 'fail'],
    ['cluster_slots_assigned', assigned.length],
    ['cluster_slots_ok', assigned.length - failed - possibly],
    ['cluster_slots_pfail', possibly],
    ['cluster_slots_fail', failed],
    ['cluster_known_nodes', cluster.nodes.size],
    ['cluster_size', cluster.size],
    ['cluster_current_epoch', cluster.currentEpoch],
    ['cluster_my_epoch', epoch],
    ...messageLines(stats.sent, 'sent'),
    ...messageLines(stats.received, 'received'),
    ['total_cluster_links_buffer_limit_exceeded', stats.linksOverLimit],
  ]
}

export function infoText(cluster: Cluster): string {
  return infoFields(cluster)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')
}

function messageLines(counts: readonly number[], way: string): [string, number][] {
  const lines: [string, number][] = []
  let total = 0
  for (const [type, count] of counts.entries()) {
    if (count === 0) continue
    total += count
    lines.push([`cluster_stats_messages_${TYPE_NAMES[type]}_${way}`, count])
  }
  return [...lines, [`cluster_stats_messages_${way}`, total]]
}

export function links(cluster: Cluster, { reply }: Context): void {
  const all = [...cluster.nodes.values()].flatMap(node => [node.link, node.inbound].filter(one => one !== undefined))
  reply.array(all.length)
  for (const link of all)
    replyFields(reply, [
      ['direction', link.isInbound ? 'from' : 'to'],
      ['node', link.node?.id ?? ''],
      ['create-time', Math.floor(link.createdMs)],
      ['events', link.queuedBytes > 0 ? 'rw' : 'r'],
      ['send-buffer-allocated', link.queuedBytes],
      ['send-buffer-used', link.queuedBytes],
    ])
}

function offsetOf(cluster: Cluster, node: Node): number {
  return node === cluster.me ? cluster.host.replication.offset : node.replicationOffset
}

/** SLOTS: [first, last, primary, replicas …] */
export function slots(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const mark = reply.beginDeferredArray()
  let count = 0
  for (let first = 0; first < SLOTS; ) {
    const owner = cluster.owners[first]
    let last = first
    while (last + 1 < SLOTS && cluster.owners[last + 1] === owner) last++
    if (owner !== undefined) {
      const available = owner.replicas.filter(one => !one.has(FAIL) && offsetOf(cluster, one) !== 0)
      reply.array(3 + available.length)
      reply.integer(first)
      reply.integer(last)
      for (const node of [owner, ...available]) replyNode(cluster, ctx, node)
      count++
    }
    first = last + 1
  }
  reply.endArray(mark, count)
}

function replyNode(cluster: Cluster, ctx: Context, node: Node): void {
  const { reply } = ctx
  const type = cluster.host.settings.clusterPreferredEndpointType
  reply.array(4)
  if (type === 'unknown-endpoint') reply.null()
  else reply.bulkText(preferredEndpoint(cluster, node))
  reply.integer(node.clientPort(isTls(ctx)))
  reply.bulkText(node.id)
  const more: Field[] = []
  if (type !== 'ip') more.push(['ip', node.address.ip])
  if (type !== 'hostname' && node.hostname !== '') more.push(['hostname', node.hostname])
  replyFields(reply, more)
}

export function shards(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const all = cluster.shards
  reply.array(all.size)
  for (const members of all.values()) {
    reply.map(2)
    reply.bulkText('slots')
    const bounds: number[] = []
    eachRange(members[0].topPrimary.slots.bitmap, (first, last) => void bounds.push(first, last))
    reply.array(bounds.length)
    for (const bound of bounds) reply.integer(bound)
    reply.bulkText('nodes')
    reply.array(members.length)
    for (const node of members) replyShardNode(cluster, reply, node)
  }
}

function replyShardNode(cluster: Cluster, reply: Reply, node: Node): void {
  const { address } = node
  const offset = offsetOf(cluster, node)
  const isReplica = node.has(REPLICA)
  const health = node.has(FAIL) ? 'fail' : isReplica && offset === 0 ? 'loading' : 'online'
  const fields: Field[] = [['id', node.id]]
  if (address.port) fields.push(['port', address.port])
  if (address.tlsPort) fields.push(['tls-port', address.tlsPort])
  fields.push(['ip', address.ip], ['endpoint', preferredEndpoint(cluster, node)])
  if (node.hostname !== '') fields.push(['hostname', node.hostname])
  fields.push(['role', isReplica ? 'replica' : 'master'], ['replication-offset', offset], ['health', health])
  replyFields(reply, fields)
}
