// CLUSTER in cluster mode. The literals are in commands/cluster; here is what each subcommand does.

import type { Context } from '../engine/context.ts'
import type { ClusterCommands } from '../engine/ports/cluster.ts'
import { isAddress } from '../lib/address.ts'
import { keySlot } from '../lib/crc16.ts'
import { PORT_MAX } from '../lib/limits.ts'
import { parseInt64 } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import { SYNTAX } from '../protocol/errors.ts'
import { replyHelp } from '../protocol/help.ts'
import type { Reply } from '../protocol/reply.ts'
import { SLOTS } from './bitmap.ts'
import { type Cluster, FSYNC, SAVE, SAVE_AT_TICK, UPDATE_STATE } from './cluster.ts'
import { infoFields, infoText, isTls, links, shards, slots } from './describe.ts'
import { failureReports } from './health.ts'
import { BUS_PORT_OFFSET, FAIL, HANDSHAKE, MEET, type Node, nameOf, PRIMARY, REPLICA } from './node.ts'
import { nodeLine } from './nodes-file.ts'
import { broadcastPong, sendManualFailoverStart, sendPublished } from './send.ts'
import { BAD_SLOT, rangeAt, type SlotRange, slotAt } from './slot-arguments.ts'
import { cancelSlotMigrations, getSlotMigrations, migrateSlots, migration, syncSlots } from './slot-commands.ts'
import { SlotScan } from './slot-scan.ts'
import { slotStats } from './slot-stats.ts'

const FORGET_MS = 60_000
/** A node that was introduced, and is not known to the other, is introduced again for so long. */
const MEET_MS = 60_000

type Run = (cluster: Cluster, ctx: Context) => void

export class ClusterCommand implements ClusterCommands {
  readonly scan: SlotScan
  private readonly cluster: Cluster

  constructor(cluster: Cluster) {
    this.cluster = cluster
    this.scan = new SlotScan(cluster)
  }

  run(ctx: Context): void {
    SUBCOMMANDS.get(ctx.command.command.name)!(this.cluster, ctx)
    // What a reply depends on is saved before it is sent.
    this.cluster.afterwards()
  }

  fields() {
    return infoFields(this.cluster)
  }

  killLinks(which: 'to' | 'from' | 'all', id: string): boolean {
    const node = this.cluster.nodes.get(id)
    if (node === undefined) return false
    if (which !== 'from') node.closeLink('link')
    if (which !== 'to') node.closeLink('inbound')
    return true
  }

  dropPackets(type: number): void {
    this.cluster.droppedType = type
  }

  publish(channel: Slice, message: Slice, shard: boolean): void {
    sendPublished(this.cluster, channel.view(), message.view(), shard)
  }
}

const SUBCOMMANDS = new Map<string, Run>([
  ['addslots', (cluster, ctx) => changeSlots(cluster, ctx, singleSlots, false)],
  ['addslotsrange', (cluster, ctx) => changeSlots(cluster, ctx, slotRanges, false)],
  ['bumpepoch', bumpEpoch],
  ['cancelslotmigrations', cancelSlotMigrations],
  ['count-failure-reports', withNode((cluster, { reply }, node) => reply.integer(failureReports(cluster, node)))],
  ['countkeysinslot', countKeys],
  ['delslots', (cluster, ctx) => changeSlots(cluster, ctx, singleSlots, true)],
  ['delslotsrange', (cluster, ctx) => changeSlots(cluster, ctx, slotRanges, true)],
  ['failover', failover],
  ['flushslots', flushSlots],
  ['forget', forget],
  ['getkeysinslot', getKeys],
  ['getslotmigrations', getSlotMigrations],
  ['help', (_, ctx) => replyHelp(ctx.reply, ctx.args[0], HELP)],
  ['info', (cluster, { reply }) => reply.verbatim('txt', infoText(cluster))],
  ['keyslot', (_, { args, reply }) => reply.integer(keySlot(args[2]))],
  ['links', links],
  ['meet', meet],
  ['migrateslots', migrateSlots],
  ['migration', migration],
  ['myid', ({ me }, { reply }) => reply.bulkText(me.id)],
  ['myshardid', ({ me }, { reply }) => reply.bulkText(me.shardId)],
  ['nodes', nodes],
  ['replicas', withNode(replicas)],
  ['replicate', withNode(replicate)],
  ['reset', reset],
  ['saveconfig', saveConfig],
  ['set-config-epoch', setConfigEpoch],
  ['setslot', setSlot],
  ['shards', shards],
  ['slaves', withNode(replicas)],
  ['slot-stats', slotStats],
  ['slots', slots],
  ['syncslots', syncSlots],
])

function withNode(run: (cluster: Cluster, ctx: Context, node: Node) => void): Run {
  return (cluster, ctx) => {
    const id = ctx.args[2].latin1()
    const node = cluster.nodes.get(id)
    if (node === undefined) ctx.reply.error(`ERR Unknown node ${id}`)
    else run(cluster, ctx, node)
  }
}

// ---- slots ----

type SlotReader = (ctx: Context) => SlotRange[] | string

const singleSlots: SlotReader = ctx => {
  const ranges: SlotRange[] = []
  for (let i = 2; i < ctx.argc; i++) {
    const slot = slotAt(ctx, i)
    if (slot < 0) return BAD_SLOT
    ranges.push([slot, slot])
  }
  return ranges
}

const slotRanges: SlotReader = ctx => {
  if (ctx.argc % 2 === 1) return `ERR wrong number of arguments for '${ctx.command.fullName}' command`
  const ranges: SlotRange[] = []
  for (let i = 2; i < ctx.argc; i += 2) {
    const range = rangeAt(ctx, i)
    if (typeof range === 'string') return range
    ranges.push(range)
  }
  return ranges
}

/** ADDSLOTS, DELSLOTS and the like: all slots, or none. */
function changeSlots(cluster: Cluster, ctx: Context, read: SlotReader, remove: boolean): void {
  const { reply } = ctx
  const ranges = read(ctx)
  if (typeof ranges === 'string') return reply.error(ranges)
  const chosen = new Set<number>()
  for (const [first, last] of ranges)
    for (let slot = first; slot <= last; slot++) {
      const owner = cluster.owners[slot]
      if (remove && owner === undefined) return reply.error(`ERR Slot ${slot} is already unassigned`)
      if (!remove && owner !== undefined) return reply.error(`ERR Slot ${slot} is already busy`)
      if (chosen.has(slot)) return reply.error(`ERR Slot ${slot} specified multiple times`)
      chosen.add(slot)
    }
  for (const slot of chosen) {
    cluster.importing.delete(slot)
    if (remove) cluster.unassign(slot)
    else cluster.assign(cluster.me, slot)
  }
  cluster.later(UPDATE_STATE | SAVE)
  reply.ok()
}

function flushSlots(cluster: Cluster, { reply }: Context): void {
  if (!cluster.host.keys.isEmpty) return reply.error('ERR DB must be empty to perform CLUSTER FLUSHSLOTS.')
  cluster.takeSlots(cluster.me)
  cluster.later(UPDATE_STATE | SAVE)
  reply.ok()
}

/** SETSLOT slot IMPORTING id | MIGRATING id | STABLE | NODE id */
function setSlot(cluster: Cluster, ctx: Context): void {
  const { reply, argc } = ctx
  const { me, owners } = cluster
  if (me.has(REPLICA)) return reply.error('ERR Please use SETSLOT only with masters.')
  const slot = slotAt(ctx, 2)
  if (slot < 0) return reply.error(BAD_SLOT)
  const id = argc === 5 ? ctx.args[4].latin1() : ''
  const node = cluster.nodes.get(id)
  let save = SAVE
  if (ctx.is(3, 'migrating') && argc === 5) {
    if (owners[slot] !== me) return reply.error(`ERR I'm not the owner of hash slot ${slot}`)
    if (!isTargetOrReply(reply, node, id)) return
    cluster.migrating.set(slot, node!)
  } else if (ctx.is(3, 'importing') && argc === 5) {
    if (owners[slot] === me) return reply.error(`ERR I'm already the owner of hash slot ${slot}`)
    if (!isTargetOrReply(reply, node, id)) return
    cluster.importing.set(slot, node!)
  } else if (ctx.is(3, 'stable') && argc === 4) {
    cluster.importing.delete(slot)
    cluster.migrating.delete(slot)
  } else if (ctx.is(3, 'node') && argc === 5) {
    if (node === undefined) return reply.error(`ERR Unknown node ${id}`)
    if (node.has(REPLICA)) return reply.error('ERR Target node is not a master')
    if (owners[slot] === me && node !== me && cluster.host.keys.count(slot) > 0)
      return reply.error(
        `ERR Can't assign hashslot ${slot} to a different node while I still hold keys for this hash slot.`,
      )
    if (owners[slot] !== me && node !== me) save = SAVE_AT_TICK
    giveSlot(cluster, slot, node)
  } else return reply.error('ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP')
  cluster.later(save | UPDATE_STATE)
  reply.ok()
}

function isTargetOrReply(reply: Reply, node: Node | undefined, id: string): boolean {
  if (node === undefined) reply.error(`ERR I don't know about node ${id}`)
  else if (node.has(REPLICA)) reply.error('ERR Target node is not a master')
  else return true
  return false
}

/** The slot has another owner from now on, as an administrator says. */
function giveSlot(cluster: Cluster, slot: number, node: Node): void {
  const { me, host } = cluster
  if (host.keys.count(slot) === 0) cluster.migrating.delete(slot)
  const wasMine = cluster.owners[slot] === me
  cluster.give(node, slot)
  if (wasMine && node !== me && me.slotCount === 0 && host.settings.clusterAllowReplicaMigration) {
    host.log.notice(`Configuration change detected. Reconfiguring myself as a replica of ${nameOf(node)}`)
    cluster.follow(node)
    cluster.later(SAVE | UPDATE_STATE | FSYNC)
  }
  if (node !== me || !cluster.importing.has(slot)) return
  // The new owner's epoch is the highest, so that its claim wins everywhere.
  if (cluster.bumpEpoch()) host.log.notice(`configEpoch updated after importing slot ${slot}`)
  cluster.importing.delete(slot)
  broadcastPong(cluster, 'all')
}

function countKeys(cluster: Cluster, ctx: Context): void {
  const slot = ctx.longOrReply(2)
  if (Number.isNaN(slot)) return
  if (slot < 0 || slot >= SLOTS) return ctx.reply.error('ERR Invalid slot')
  ctx.reply.integer(cluster.host.keys.count(slot))
}

function getKeys(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const slot = ctx.longOrReply(2)
  if (Number.isNaN(slot)) return
  const limit = ctx.longOrReply(3)
  if (Number.isNaN(limit)) return
  if (slot < 0 || slot >= SLOTS || limit < 0) return reply.error('ERR Invalid slot or number of keys')
  const count = Math.min(limit, cluster.host.keys.count(slot))
  reply.array(count)
  let left = count
  for (let cursor = 0; left > 0; ) {
    cursor = cluster.host.keys.scan(slot, cursor, key => {
      if (left-- > 0) reply.bulk(key)
    })
    if (cursor === 0) break
  }
}

// ---- nodes ----

function nodes(cluster: Cluster, ctx: Context): void {
  const lines = [...cluster.nodes.values()].map(node => `${nodeLine(cluster, node, isTls(ctx), false)}\n`)
  ctx.reply.verbatim('txt', lines.join(''))
}

function replicas(cluster: Cluster, ctx: Context, node: Node): void {
  const { reply } = ctx
  if (node.has(REPLICA)) return reply.error('ERR The specified node is not a master')
  reply.array(node.replicas.length)
  for (const one of node.replicas) reply.bulk(Slice.of(nodeLine(cluster, one, isTls(ctx), false)))
}

/** MEET ip port [bus port] */
function meet(cluster: Cluster, ctx: Context): void {
  const { args, argc, reply } = ctx
  const ip = args[2].latin1()
  const port = parseInt64(args[3])
  if (Number.isNaN(port)) return reply.error(`ERR Invalid base port specified: ${args[3].latin1()}`)
  const busPort = argc === 5 ? parseInt64(args[4]) : port + BUS_PORT_OFFSET
  if (Number.isNaN(busPort)) return reply.error(`ERR Invalid bus port specified: ${args[4].latin1()}`)
  const isPort = (n: number) => n > 0 && n <= PORT_MAX
  if (!isAddress(ip) || !isPort(port) || !isPort(busPort))
    return reply.error(`ERR Invalid node address specified: ${ip}:${args[3].latin1()}`)
  const { tlsCluster } = cluster.host.settings
  const isSame = (node: Node) =>
    node.has(HANDSHAKE) &&
    node.address.ip === ip &&
    node.address.busPort === busPort &&
    cluster.replicationPort(node) === port
  if (![...cluster.nodes.values()].some(isSame)) {
    const node = cluster.newNode(cluster.host.newId(), HANDSHAKE | MEET)
    node.times.meetUntilMs = cluster.nowMs + MEET_MS
    node.address = { ip, port: tlsCluster ? 0 : port, tlsPort: tlsCluster ? port : 0, busPort }
    cluster.add(node)
  }
  reply.ok()
}

function forget(cluster: Cluster, { args, reply }: Context): void {
  const id = args[2].latin1()
  const node = cluster.nodes.get(id)
  if (node === undefined) {
    if (cluster.isForgotten(id)) reply.ok()
    else reply.error(`ERR Unknown node ${id}`)
    return
  }
  if (node === cluster.me) return reply.error("ERR I tried hard but I can't forget myself...")
  if (cluster.me.primary === node) return reply.error("ERR Can't forget my master!")
  cluster.forget(id, cluster.nowMs + FORGET_MS)
  cluster.remove(node)
  cluster.later(UPDATE_STATE | SAVE)
  reply.ok()
}

function replicate(cluster: Cluster, { reply }: Context, node: Node): void {
  const { me, host } = cluster
  if (node === me) return reply.error("ERR Can't replicate myself")
  if (node.has(REPLICA)) return reply.error('ERR I can only replicate a master, not a replica.')
  if (me.has(PRIMARY) && (me.slotCount > 0 || !host.keys.isEmpty))
    return reply.error('ERR To set a master the node must be empty and without assigned slots.')
  cluster.follow(node)
  cluster.later(UPDATE_STATE | SAVE)
  reply.ok()
}

/** RESET [HARD|SOFT] */
function reset(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const hard = ctx.argc === 3 && ctx.is(2, 'hard')
  if (ctx.argc > 3 || (ctx.argc === 3 && !hard && !ctx.is(2, 'soft'))) return reply.fixedError(SYNTAX)
  const { me, host } = cluster
  if (me.has(PRIMARY) && !host.keys.isEmpty)
    return reply.error("ERR CLUSTER RESET can't be called with master nodes containing keys")
  if (me.has(REPLICA)) {
    cluster.makePrimary(me)
    host.replication.promote()
    host.keys.clear()
  }
  cluster.migrating.clear()
  cluster.importing.clear()
  cluster.manual.reset()
  cluster.moves.abortAll('CLUSTER RESET')
  for (let slot = 0; slot < SLOTS; slot++) cluster.unassign(slot)
  for (const node of [...cluster.nodes.values()]) if (node !== me) cluster.remove(node)
  cluster.forgotten.clear()
  if (hard) {
    cluster.currentEpoch = cluster.lastVoteEpoch = me.configEpoch = 0
    host.log.notice('configEpoch set to 0 via CLUSTER RESET HARD')
    cluster.rename(me, host.newId())
    me.shardId = host.newId()
    host.log.notice(`Node hard reset, now I'm ${me.id}`)
  }
  cluster.later(SAVE | UPDATE_STATE | FSYNC)
  reply.ok()
}

/** FAILOVER [FORCE|TAKEOVER] */
function failover(cluster: Cluster, ctx: Context): void {
  const { reply, argc } = ctx
  const takeover = argc === 3 && ctx.is(2, 'takeover')
  const force = takeover || (argc === 3 && ctx.is(2, 'force'))
  if (argc > 3 || (argc === 3 && !force)) return reply.fixedError(SYNTAX)
  const { me, manual, host } = cluster
  const { primary } = me
  if (me.has(PRIMARY)) return reply.error('ERR You should send CLUSTER FAILOVER to a replica')
  if (primary === undefined) return reply.error("ERR I'm a replica but my master is unknown to me")
  if (!force && (primary.has(FAIL) || primary.link === undefined))
    return reply.error('ERR Master is down or failed, please use CLUSTER FAILOVER FORCE')
  manual.begin()
  if (takeover) {
    host.log.notice('Taking over the master (user request).')
    cluster.bumpEpoch()
    cluster.election.replacePrimary()
  } else if (force) {
    host.log.notice('Forced failover user request accepted.')
    manual.canStart = true
  } else {
    host.log.notice('Manual failover user request accepted.')
    sendManualFailoverStart(cluster, primary)
  }
  reply.ok()
}

// ---- epochs and the file ----

function bumpEpoch(cluster: Cluster, { reply }: Context): void {
  const word = cluster.bumpEpoch() ? 'BUMPED' : 'STILL'
  reply.simple(`${word} ${cluster.me.configEpoch}`)
}

function setConfigEpoch(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const epoch = ctx.longOrReply(2)
  if (Number.isNaN(epoch)) return
  if (epoch < 0) return reply.error(`ERR Invalid config epoch specified: ${epoch}`)
  if (cluster.nodes.size > 1)
    return reply.error('ERR The user can assign a config epoch only when the node does not know any other node.')
  if (cluster.me.configEpoch !== 0) return reply.error('ERR Node config epoch is already non-zero')
  cluster.me.configEpoch = epoch
  cluster.host.log.notice(`configEpoch set to ${epoch} via CLUSTER SET-CONFIG-EPOCH`)
  cluster.currentEpoch = Math.max(cluster.currentEpoch, epoch)
  cluster.later(UPDATE_STATE | SAVE)
  reply.ok()
}

function saveConfig(cluster: Cluster, { reply }: Context): void {
  const failure = cluster.save(true)
  if (failure === undefined) reply.ok()
  else reply.error(`ERR error saving the cluster node config: ${failure}`)
}

const HELP = [
  'ADDSLOTS <slot> [<slot> ...]',
  '    Takes over slots that nobody serves.',
  'ADDSLOTSRANGE <start-slot> <end-slot> [<start-slot> <end-slot> ...]',
  '    The same, by ranges.',
  'BUMPEPOCH',
  "    Raises this node's configuration epoch to the highest.",
  'CANCELSLOTMIGRATIONS',
  '    Ends all atomic migrations of slots that run here.',
  'COUNT-FAILURE-REPORTS <node-id>',
  '    How many primaries report the node as failing.',
  'COUNTKEYSINSLOT <slot>',
  '    Number of keys of a slot here.',
  'DELSLOTS <slot> [<slot> ...]',
  '    Forgets who serves slots.',
  'DELSLOTSRANGE <start-slot> <end-slot> [<start-slot> <end-slot> ...]',
  '    The same, by ranges.',
  'FAILOVER [FORCE|TAKEOVER]',
  '    Makes this replica the primary: in agreement with it, without it, or without votes.',
  'FLUSHSLOTS',
  "    Gives up all of this node's slots.",
  'FORGET <node-id>',
  '    Removes a node from the known ones.',
  'GETKEYSINSLOT <slot> <count>',
  '    Some keys of a slot here.',
  'GETSLOTMIGRATIONS',
  '    Atomic migrations of slots that run here, or ran.',
  'INFO',
  '    State of the cluster as seen from here.',
  'KEYSLOT <key>',
  '    The slot of a key.',
  'LINKS',
  '    Connections of the bus.',
  'MEET <ip> <port> [<bus-port>]',
  '    Introduces this node to another one.',
  'MIGRATESLOTS SLOTSRANGE <start-slot> <end-slot> [<start-slot> <end-slot> ...] NODE <node-id> [SLOTSRANGE ...]',
  '    Moves whole slots with their keys to another primary.',
  'MIGRATION (IMPORT <start-slot> <end-slot> [...]|STATUS [ALL|ID <id>]|CANCEL (ALL|ID <id>))',
  '    The same, begun at the node that gets the slots.',
  'MYID',
  "    This node's id.",
  'MYSHARDID',
  "    This node's shard id.",
  'NODES',
  '    A line for each known node.',
  'REPLICAS <node-id>',
  '    The replicas of a primary.',
  'REPLICATE <node-id>',
  '    Makes this node a replica.',
  'RESET [HARD|SOFT]',
  '    Forgets the cluster; HARD: the own id too.',
  'SAVECONFIG',
  '    Writes the nodes file.',
  'SET-CONFIG-EPOCH <epoch>',
  '    Sets the epoch of a new node.',
  'SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)',
  '    Says that a slot moves, or who serves it.',
  'SHARDS',
  '    Shards with their slots and nodes.',
  'SLOT-STATS (SLOTSRANGE <start-slot> <end-slot>|ORDERBY KEY-COUNT [LIMIT <limit>] [ASC|DESC])',
  '    Number of keys by slot.',
  'SLOTS',
  '    Ranges of slots with their nodes.',
]
