// Commands of atomic slot migration: those of Valkey 9 (MIGRATESLOTS …), of Redis 8.4 (MIGRATION …), and SYNCSLOTS,
// which nodes send to each other.

import type { Context } from '../engine/context.ts'
import { parseInt64 } from '../lib/number.ts'
import { SYNTAX } from '../protocol/errors.ts'
import { replyFields } from '../protocol/fields.ts'
import { bitmapOf, rangesText, slotsIn } from './bitmap.ts'
import type { Cluster } from './cluster.ts'
import type { KnownImports } from './known-imports.ts'
import { type Node, PRIMARY, REPLICA } from './node.ts'
import { rangeAt, type SlotRange } from './slot-arguments.ts'
import { overlap, rangeWords, SlotMigration } from './slot-migration.ts'

const MS = 1000

/** Reads 'first last …' from args[at] on, up to a word that is no number; where that is, or an error. */
function readRanges(ctx: Context, at: number): { ranges: SlotRange[]; next: number } | string {
  const ranges: SlotRange[] = []
  let next = at
  for (; next + 1 < ctx.argc; next += 2) {
    if (ranges.length > 0 && Number.isNaN(parseInt64(ctx.args[next]))) break
    const range = rangeAt(ctx, next)
    if (typeof range === 'string') return range
    ranges.push(range)
  }
  if (ranges.length === 0) return 'ERR No slot ranges given'
  return { ranges, next }
}

// ---- MIGRATESLOTS SLOTSRANGE first last [first last …] NODE id [SLOTSRANGE … NODE …] ----

export function migrateSlots(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const wanted: { slots: Uint8Array; target: Node }[] = []
  for (let at = 2; at < ctx.argc; ) {
    if (!ctx.is(at, 'slotsrange')) return reply.fixedError(SYNTAX)
    const read = readRanges(ctx, at + 1)
    if (typeof read === 'string') return reply.error(read)
    if (read.next + 1 >= ctx.argc || !ctx.is(read.next, 'node')) return reply.fixedError(SYNTAX)
    const id = ctx.args[read.next + 1].latin1()
    const target = cluster.nodes.get(id)
    if (target === undefined) return reply.error(`ERR Unknown node ${id}`)
    const slots = bitmapOf(read.ranges)
    if (wanted.some(one => overlap(one.slots, slots))) return reply.error('ERR Slot ranges in migrations overlap')
    const refusal = refusalOf(cluster, slots, target)
    if (refusal !== undefined) return reply.error(refusal)
    wanted.push({ slots, target })
    at = read.next + 2
  }
  for (const { slots, target } of wanted) beginExport(cluster, slots, target)
  reply.ok()
}

function refusalOf(cluster: Cluster, slots: Uint8Array, target: Node): string | undefined {
  const { me, owners, migrating, importing, moves } = cluster
  if (me.has(REPLICA)) return 'ERR Only primaries can migrate slots'
  if (target === me) return 'ERR Slots are already owned by the target node'
  if (!target.has(PRIMARY)) return 'ERR Target node is not a master'
  for (const slot of slotsIn(slots)) {
    if (owners[slot] !== me) return `ERR Slot ${slot} is not served by this node`
    if (migrating.has(slot) || importing.has(slot)) return `ERR Slot ${slot} is being moved with CLUSTER SETSLOT`
  }
  const isBusy = moves.all.some(one => one.isRunning && one.isExport && overlap(one.slots, slots))
  return isBusy ? 'ERR I am already migrating some of these slots' : undefined
}

function beginExport(cluster: Cluster, slots: Uint8Array, target: Node, name = cluster.host.newId()): void {
  const what = { name, slots, source: cluster.me.id, target: target.id }
  const migration = new SlotMigration(true, what, cluster.nowMs)
  cluster.moves.record(migration)
  cluster.moves.exports!.begin(migration, target)
}

// ---- GETSLOTMIGRATIONS, CANCELSLOTMIGRATIONS ----

export function getSlotMigrations(cluster: Cluster, { reply }: Context): void {
  const newestFirst = [...cluster.moves.all].reverse()
  reply.array(newestFirst.length)
  for (const one of newestFirst)
    replyFields(reply, [
      ['name', one.name],
      ['operation', one.isExport ? 'EXPORT' : 'IMPORT'],
      ['slot_ranges', rangesText(one.slots)],
      ['target_node', one.target],
      ['source_node', one.source],
      ['create_time', Math.floor(one.createdMs / MS)],
      ['last_update_time', Math.floor(one.updatedMs / MS)],
      ['write_pause_ms', Math.round(one.pausedMs)],
      ['state', one.state],
      ['message', one.message],
    ])
}

export function cancelSlotMigrations(cluster: Cluster, { reply }: Context): void {
  const running = cluster.moves.all.filter(one => one.isRunning)
  if (running.length === 0) return reply.error('ERR No migrations ongoing')
  for (const one of running) cancel(cluster, one)
  reply.ok()
}

/** True: it can still be cancelled, and was. */
function cancel(cluster: Cluster, one: SlotMigration): boolean {
  if (one.isExport) cluster.moves.exports!.cancel(one)
  else cluster.moves.imports.cancel(one)
  return !one.isRunning
}

// ---- MIGRATION IMPORT first last … | STATUS [ALL | ID id] | CANCEL ALL | ID id ----

export function migration(cluster: Cluster, ctx: Context): void {
  if (ctx.is(2, 'import')) return importSlots(cluster, ctx)
  if (ctx.is(2, 'status')) return migrationStatus(cluster, ctx)
  if (ctx.is(2, 'cancel')) return cancelMigrations(cluster, ctx)
  ctx.reply.fixedError(SYNTAX)
}

/** On the target: its slots' present owner is asked to migrate them. The reply is the name of the migration. */
function importSlots(cluster: Cluster, ctx: Context): void {
  const { reply } = ctx
  const { me, owners } = cluster
  const read = readRanges(ctx, 3)
  if (typeof read === 'string') return reply.error(read)
  if (read.next !== ctx.argc) return reply.fixedError(SYNTAX)
  if (me.has(REPLICA)) return reply.error('ERR Only primaries can import slots')
  const slots = bitmapOf(read.ranges)
  const source = owners[read.ranges[0][0]]
  for (const slot of slotsIn(slots)) {
    if (owners[slot] === undefined) return reply.error(`ERR Slot ${slot} has no owner`)
    if (owners[slot] === me) return reply.error(`ERR This node is already the owner of slot ${slot}`)
    if (owners[slot] !== source) return reply.error('ERR Slots belong to different source nodes')
  }
  if (cluster.moves.imports.hasSlots(slots)) return reply.error('ERR These slots are being imported already')
  const name = cluster.host.newId()
  const words = ['CLUSTER', 'SYNCSLOTS', 'REQUEST', name, me.id, ...rangeWords(slots)]
  cluster.moves.exports!.ask(source!, words, error => {
    if (error === undefined) return
    const migration = new SlotMigration(false, { name, slots, source: source!.id, target: me.id }, cluster.nowMs)
    cluster.moves.record(migration)
    migration.end('failed', error, cluster.nowMs)
  })
  reply.bulkText(name)
}

function migrationStatus(cluster: Cluster, ctx: Context): void {
  const { reply, argc } = ctx
  const byId = argc === 5 && ctx.is(3, 'id')
  if (!byId && argc !== 3 && !(argc === 4 && ctx.is(3, 'all'))) return reply.fixedError(SYNTAX)
  const id = byId ? ctx.args[4].latin1() : ''
  const shown = [...cluster.moves.all].reverse().filter(one => !byId || one.name === id)
  reply.array(shown.length)
  for (const one of shown)
    replyFields(reply, [
      ['id', one.name],
      ['slots', rangesText(one.slots).replaceAll(' ', ',')],
      ['source', one.source],
      ['dest', one.target],
      ['operation', one.isExport ? 'migrate' : 'import'],
      ['state', one.state === 'success' ? 'completed' : one.state],
      ['last_error', one.message],
      ['retries', 0],
      ['create_time', Math.floor(one.createdMs)],
      ['start_time', Math.floor(one.createdMs)],
      ['end_time', Math.floor(one.endedMs)],
      ['write_pause_ms', Math.round(one.pausedMs)],
    ])
}

function cancelMigrations(cluster: Cluster, ctx: Context): void {
  const { reply, argc } = ctx
  const all = argc === 4 && ctx.is(3, 'all')
  if (!all && !(argc === 5 && ctx.is(3, 'id'))) return reply.fixedError(SYNTAX)
  const id = all ? '' : ctx.args[4].latin1()
  const chosen = cluster.moves.all.filter(one => one.isRunning && (all || one.name === id))
  let count = 0
  for (const one of chosen) if (cancel(cluster, one)) count++
  reply.integer(count)
}

// ---- SYNCSLOTS: between nodes ----

export function syncSlots(cluster: Cluster, ctx: Context): void {
  const { reply, args } = ctx
  const { imports } = cluster.moves
  const name = ctx.argc > 3 ? args[3].latin1() : ''
  if (ctx.is(2, 'fence')) return reply.bulkText(`${name} ${imports.lagBytes}`)
  if (ctx.is(2, 'establish')) return establish(cluster, ctx, name)
  if (ctx.is(2, 'request')) return requested(cluster, ctx, name)
  if (ctx.is(2, 'paused')) {
    if (!imports.paused(ctx.client, parseInt64(args[4]) || 0)) return reply.error('ERR This client imports no slots')
    return reply.ok()
  }
  if (ctx.is(2, 'finish')) {
    const outcome = imports.finish(ctx.client)
    return typeof outcome === 'string' ? reply.error(outcome) : reply.integer(outcome)
  }
  // The rest is in the stream of this node's primary.
  if (!cluster.me.has(REPLICA)) return reply.error('ERR CLUSTER SYNCSLOTS is for nodes')
  followImports(imports.known, ctx, name)
  reply.ok()
}

/** IMPORTING name first last … | PREPARED name source epoch first last … | IMPORTED name | ABORTED name | RESET */
function followImports(known: KnownImports, ctx: Context, name: string): void {
  const { args } = ctx
  const isPrepared = ctx.is(2, 'prepared') && ctx.argc > 6
  if (isPrepared || ctx.is(2, 'importing')) {
    const read = readRanges(ctx, isPrepared ? 6 : 4)
    const [source, epoch] = isPrepared ? [args[4].latin1(), parseInt64(args[5])] : ['', 0]
    if (typeof read !== 'string') known.learn(name, { slots: bitmapOf(read.ranges), source, epoch })
  } else if (ctx.is(2, 'reset')) known.forgetAll()
  else known.forget(name, ctx.is(2, 'imported'))
}

/** ESTABLISH name source first last … */
function establish(cluster: Cluster, ctx: Context, name: string): void {
  const { reply } = ctx
  const source = cluster.nodes.get(ctx.argc > 4 ? ctx.args[4].latin1() : '')
  const read = readRanges(ctx, 5)
  if (source === undefined) return reply.error('ERR Unknown source node')
  if (typeof read === 'string') return reply.error(read)
  const refusal = cluster.moves.imports.establish(ctx.client, name, source, bitmapOf(read.ranges))
  if (refusal === undefined) reply.ok()
  else reply.error(refusal)
}

/** REQUEST name target first last …: the target wants these slots. */
function requested(cluster: Cluster, ctx: Context, name: string): void {
  const { reply } = ctx
  const target = cluster.nodes.get(ctx.argc > 4 ? ctx.args[4].latin1() : '')
  const read = readRanges(ctx, 5)
  if (target === undefined) return reply.error('ERR Unknown target node')
  if (typeof read === 'string') return reply.error(read)
  const slots = bitmapOf(read.ranges)
  const refusal = refusalOf(cluster, slots, target)
  if (refusal !== undefined) return reply.error(refusal)
  beginExport(cluster, slots, target, name)
  reply.ok()
}
