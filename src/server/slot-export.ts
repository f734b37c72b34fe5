// SlotExporter: the source's side of atomic slot migrations (cluster/slot-migration.ts): a connection to the target, a
// snapshot of the slots as commands, and the changes that follow.
//
//   connecting ─▶ waiting (for the snapshot slot) ─▶ snapshotting ─▶ streaming ─▶ pausing ─▶ finishing ─▶ success
//
// Always: the changes of the slots are kept from the moment of the snapshot on, and sent behind it, in order. What was
// sent is acknowledged by the replies to fences, random words that no data can contain; at most FENCES_MAX are awaited
// before the snapshot goes on, and no more is sent while the target's replicas lag far behind: the target takes the
// slots over when they have acknowledged everything. An error among the replies ends the migration.

import { type ClientSystem, Connection, type ReplyHandler, writeWords } from '../client/connection.ts'
import type { CloseReason } from '../client/errors.ts'
import { hasBit, slotsIn } from '../cluster/bitmap.ts'
import type { Cluster, ClusterHost } from '../cluster/cluster.ts'
import { type Node, PRIMARY } from '../cluster/node.ts'
import { askPrimaries, claimAnew, mostHaveAnswered, updateSlots } from '../cluster/ownership.ts'
import { rangeWords, type SlotExports, type SlotMigration } from '../cluster/slot-migration.ts'
import { type Effect, PROPAGATE_REPLICAS, type Sink } from '../engine/effect.ts'
import { EffectEncoder } from '../engine/effect-encoder.ts'
import type { Engine } from '../engine/engine.ts'
import type { Entries } from '../keyspace/entries.ts'
import type { SnapshotConsumer } from '../keyspace/snapshot.ts'
import { keySlot } from '../lib/crc16.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { AofBaseWriter } from '../persistence/aof/base-writer.ts'
import type { JobSink } from '../persistence/file-sink.ts'
import { jobParts } from '../persistence/parts.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { SnapshotJob } from '../persistence/snapshot-job.ts'
import { CommandWriter } from '../protocol/command-writer.ts'
import { ReplyError, textOf, type Value } from '../protocol/value.ts'
import { DiskError, type System } from '../system/system.ts'

const FENCES_MAX = 8
/** Writes are paused when so much or less waits to be acknowledged. */
const SMALL_BYTES = 64 * 1024
/** Likewise for what the target's replicas have not acknowledged, and how much of that stops the snapshot. */
const SMALL_LAG_BYTES = 1024 * 1024
const LAG_BYTES_MAX = 32 * 1024 * 1024
/** How long the source waits for the target with its writes paused. */
const PAUSE_MS = 2000
/** Other primaries have at least so long to answer. */
const ASK_MS = 200
/** A timer ends the pause: the wall clock may jump. */
const NEVER_MS = Number.POSITIVE_INFINITY
const RETRY_MS = 20
/** The replicas are asked about again after so long. */
const LAG_RETRY_MS = 2
/** Changes that wait for the target: more ends the migration. */
const PENDING_BYTES_MAX = 1024 * 1024 * 1024

interface ExportServer {
  engine: Engine
  system: System
  dialler: ClientSystem['network']
  persistence: Persistence
  cluster: Cluster
  /** Of the target, as of a primary. */
  login(): { user: string; password: string }
  silenceMs(): number
}

export class SlotExporter implements SlotExports {
  private readonly server: ExportServer
  private readonly running = new Map<SlotMigration, SlotExport>()
  private readonly pauses: Pauses

  constructor(server: ExportServer) {
    this.server = server
    this.pauses = new Pauses(server.cluster.host)
  }

  begin(migration: SlotMigration, target: Node): void {
    const one = new SlotExport(this.server, this.pauses, migration, target, () => this.running.delete(migration))
    this.running.set(migration, one)
    one.connect()
  }

  cancel(migration: SlotMigration): void {
    this.running.get(migration)?.cancel()
  }

  /** This node is no primary any more, or its dataset has been replaced. */
  abortAll(reason: string): void {
    for (const one of [...this.running.values()]) one.fail(reason)
  }

  ask(source: Node, words: readonly string[], done: (error: string | undefined) => void): void {
    const handler: ReplyHandler = {
      reply(value) {
        connection.close()
        done(value instanceof ReplyError ? value.text : undefined)
      },
      closed: reason => done(reason.text || reason.kind),
    }
    const connection = connectionTo(this.server, source, { closed: () => {} })
    writeWords(connection.out, words)
    connection.expect(1, handler)
    connection.flush()
  }
}

function connectionTo(
  { system, dialler, cluster, login, silenceMs }: ExportServer,
  node: Node,
  owner: { closed(reason: CloseReason): void; drained?(): void },
): Connection {
  const address = { host: node.address.ip, port: cluster.replicationPort(node) }
  return new Connection({ ...system, network: dialler }, { address, ...login(), silenceMs: silenceMs() }, owner)
}

/** The exports for which writes are paused: none goes on before the last of them has ended. */
class Pauses {
  private readonly host: ClusterHost
  private readonly exports = new Set<SlotExport>()

  constructor(host: ClusterHost) {
    this.host = host
  }

  begin(one: SlotExport): void {
    this.exports.add(one)
    this.host.pauseWrites(NEVER_MS, 'migration')
  }

  end(one: SlotExport): void {
    if (this.exports.delete(one) && this.exports.size === 0) this.host.resumeWrites('migration')
  }
}

class SlotExport implements Sink, JobSink {
  readonly target = PROPAGATE_REPLICAS
  error: DiskError | undefined
  release: (u8: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  private readonly server: ExportServer
  private readonly migration: SlotMigration
  private readonly node: Node
  private readonly pauses: Pauses
  private readonly ended: () => void
  private connection!: Connection
  /** Changes since the snapshot that were not sent yet. */
  private readonly changed = new CommandWriter()
  private readonly encoder = new EffectEncoder(this.changed, PROPAGATE_REPLICAS)
  private readonly kept: Effect[] = []
  private writer: AofBaseWriter | undefined
  private job: SnapshotJob | undefined
  /** Fences that were sent and not answered, with the bytes before each. */
  private readonly fences: { word: string; bytes: number }[] = []
  private unackedBytes = 0
  /** Of the snapshot, sent since the last fence. */
  private unfencedBytes = 0
  /** What the target's replicas lacked at the last fence. */
  private lagBytes = 0
  private pauseBeganMs = 0
  private isFlushing = false
  /** The target has refused FINISH. */
  private isRefused = false

  constructor(server: ExportServer, pauses: Pauses, migration: SlotMigration, node: Node, ended: () => void) {
    this.server = server
    this.pauses = pauses
    this.migration = migration
    this.node = node
    this.ended = ended
  }

  private get nowMs(): number {
    return this.server.cluster.nowMs
  }

  private after(ms: number, fn: () => void): void {
    const { system, engine } = this.server
    system.timers.after(ms, () => engine.boundary.guard(() => this.migration.isRunning && fn()))
  }

  private soon(fn: () => void): void {
    const { system, engine } = this.server
    system.timers.soon(() => engine.boundary.guard(fn))
  }

  // ---- the beginning ----

  connect(): void {
    const { migration, server } = this
    const { cluster, engine } = server
    cluster.host.log.notice(`Migrating slots to node ${this.node.id}: ${migration.name}`)
    const handler: ReplyHandler = {
      reply: value => engine.boundary.guard(() => this.replied(value)),
      closed: () => {},
    }
    this.connection = connectionTo(server, this.node, {
      closed: reason => engine.boundary.guard(() => this.lost(reason)),
      drained: () => engine.boundary.guard(() => this.job !== undefined && this.onDrain()),
    })
    this.connection.expect(Number.POSITIVE_INFINITY, handler)
    this.say('ESTABLISH', migration.name, cluster.me.id, ...rangeWords(migration.slots))
  }

  private say(...words: readonly string[]): void {
    writeWords(this.connection.out, ['CLUSTER', 'SYNCSLOTS', ...words])
    this.connection.flush()
  }

  private replied(value: Value): void {
    const { migration } = this
    if (!migration.isRunning) return
    if (value instanceof ReplyError) {
      this.isRefused = true
      return this.fail(value.text)
    }
    if (migration.state === 'connecting') {
      migration.become('waiting', this.nowMs)
      return this.begin()
    }
    if (migration.state === 'finishing') return this.finished(Number(value))
    const [fence] = this.fences
    const text = fence === undefined ? '' : textOf(value)
    if (fence !== undefined && text.startsWith(fence.word)) this.acknowledged(Number(text.slice(fence.word.length)))
    else if (fence === undefined && migration.state === 'pausing') this.paused()
  }

  /** Takes the snapshot as soon as no other is taken. */
  private begin(): void {
    const { server, migration } = this
    const { persistence, engine } = server
    const { slot } = persistence
    if (slot.isFinishing || !slot.acquire('migration')) return this.after(RETRY_MS, () => this.begin())
    migration.become('snapshotting', this.nowMs)
    engine.sinks.push(this)
    const { codecs } = persistence.parts
    const options = { codecs, libraries: [], timestampSeconds: undefined }
    const makeWriter = () => {
      this.writer = new AofBaseWriter(engine.keyspace, this, options)
      return new SlotsWriter(this.writer, engine, migration.slots)
    }
    this.job = new SnapshotJob(jobParts(persistence.parts), this, makeWriter, error => {
      slot.release('migration')
      this.job = undefined
      if (!migration.isRunning) return
      if (error !== null) return this.fail(error.message)
      migration.become('streaming', this.nowMs)
      this.flush()
    })
    slot.started(this.job)
  }

  // ---- JobSink: the snapshot's commands ----

  get ready(): boolean {
    if (this.error !== undefined) return true
    return this.connection.writable && this.fences.length < FENCES_MAX && this.lagBytes < LAG_BYTES_MAX
  }

  write(u8: Uint8Array, length: number): void {
    if (length === 0 || this.error !== undefined) return
    const { connection } = this
    connection.out.raw(u8, length)
    this.unfencedBytes += length
    // A large value comes in parts of a command, which nothing may come between.
    if (this.writer!.isWhole) {
      this.fence(this.unfencedBytes)
      this.unfencedBytes = 0
    } else connection.flush()
    this.release(u8)
  }

  finish(done: (error: DiskError | null) => void): void {
    this.soon(() => done(this.error ?? null))
  }

  abort(reason: DiskError): void {
    this.error ??= reason
  }

  // ---- Sink: changes since the snapshot ----

  changes(effects: readonly Effect[], asTransaction: boolean): void {
    const { kept } = this
    kept.length = 0
    for (const effect of effects) if (this.concerns(effect)) kept.push(effect)
    if (kept.length === 0) return
    this.encoder.write(kept, asTransaction && kept.length > 1)
    kept.length = 0
    if (this.changed.len > PENDING_BYTES_MAX) return this.failSoon('too many changes wait for the target')
    if (this.migration.state !== 'streaming' || this.isFlushing) return
    this.isFlushing = true
    this.soon(() => this.flush())
  }

  private concerns({ args }: Effect): boolean {
    const { table } = this.server.engine
    const entry = table.resolve(args, args.length)
    if (entry === undefined) return false
    if (entry.fullName === 'flushall' || entry.fullName === 'flushdb') {
      this.failSoon('the dataset was flushed')
      return false
    }
    if (!entry.hasKeys()) return false
    const keys = table.keysOf(entry, args, args.length)
    return keys.count > 0 && hasBit(this.migration.slots, keySlot(args[keys.positions[0]]))
  }

  private failSoon(reason: string): void {
    this.soon(() => this.fail(reason))
  }

  private flush(): void {
    this.isFlushing = false
    const { migration, changed } = this
    if (migration.state !== 'streaming') return
    if (this.unackedBytes + changed.len <= SMALL_BYTES && this.lagBytes <= SMALL_LAG_BYTES) return this.pause()
    this.sendChanges()
    if (this.fences.length === 0) this.fence(0)
  }

  private sendChanges(): void {
    const { changed, connection } = this
    const bytes = changed.len
    if (bytes === 0) return
    connection.out.append(changed)
    changed.drop(bytes)
    this.fence(bytes)
  }

  private fence(bytes: number): void {
    const word = this.server.cluster.host.newId()
    this.fences.push({ word, bytes })
    this.unackedBytes += bytes
    this.say('FENCE', word)
  }

  private acknowledged(lagBytes: number): void {
    this.unackedBytes -= this.fences.shift()!.bytes
    this.lagBytes = lagBytes
    if (this.job !== undefined) this.onDrain()
    // Nothing else would tell when the replicas have caught up.
    const waitsForReplicas = this.fences.length === 0 && this.lagBytes > SMALL_LAG_BYTES
    if (waitsForReplicas) this.after(LAG_RETRY_MS, () => this.fences.length === 0 && this.fence(0))
    else this.flush()
  }

  // ---- the end ----

  /** Nothing is written any more; the target gets the rest. */
  private pause(): void {
    const { migration } = this
    migration.become('pausing', this.nowMs)
    this.pauseBeganMs = this.nowMs
    this.pauses.begin(this)
    this.sendChanges()
    this.say('PAUSED', migration.name, String(PAUSE_MS))
    this.after(PAUSE_MS, () => this.fail('the target did not answer in time'))
  }

  private paused(): void {
    if (this.nowMs - this.pauseBeganMs > PAUSE_MS / 2) return this.fail('the target answered too late')
    this.migration.become('finishing', this.nowMs)
    this.say('FINISH', this.migration.name)
  }

  /** The slots are the target's, in this epoch; 0: its replicas have not acknowledged them yet. */
  private finished(epoch: number): void {
    const { server, node, migration } = this
    if (epoch === 0) return this.after(1, () => this.say('FINISH', migration.name))
    const { cluster } = server
    node.configEpoch = Math.max(node.configEpoch, epoch)
    cluster.currentEpoch = Math.max(cluster.currentEpoch, epoch)
    const claimed = node.slots.bitmap.map((byte, i) => byte | migration.slots[i])
    this.close()
    updateSlots(cluster, node, epoch, claimed)
    cluster.afterwards()
    this.end('success', '')
  }

  private lost({ kind, text }: CloseReason): void {
    this.fail(`the connection to the target has ended: ${text || kind}`)
  }

  cancel(): void {
    const { state } = this.migration
    if (state !== 'finishing' && state !== 'pausing') this.end('canceled', 'canceled')
  }

  /** A node that gives its last slots away follows the target when it sees the claim: maybe before the answer. */
  fail(reason: string): void {
    const { server, migration, node } = this
    const isTaken = migration.state === 'finishing' && holdsAll(server.cluster, node, migration.slots)
    if (isTaken) this.end('success', '')
    else this.end('failed', reason)
  }

  private end(state: 'success' | 'failed' | 'canceled', message: string): void {
    const { migration, server } = this
    if (!migration.isRunning) return
    const { log } = server.cluster.host
    this.close()
    if (this.pauseBeganMs > 0) {
      migration.pausedMs = this.nowMs - this.pauseBeganMs
      if (state === 'success') this.pauses.end(this)
      else this.keepSlots(migration.state === 'finishing' && !this.isRefused)
    }
    migration.end(state, message, this.nowMs)
    if (state === 'success') log.notice(`Slots migrated to node ${this.node.id}: ${migration.name}`)
    else log.warning(`Slot migration ${migration.name} to node ${this.node.id} has ended: ${message}`)
    this.ended()
  }

  /**
   * The slots are this node's, in a newer epoch: no replica of the target that was ready to take them over does. When
   * FINISH was not answered (`isUnknown`) the target may have claimed them: only if no primary knows of that by the end
   * of the pause, and most were asked; a node that is cut off from most does not claim anything anew.
   */
  private keepSlots(isUnknown: boolean): void {
    const { cluster } = this.server
    const { me, host } = cluster
    const { slots } = this.migration
    const sinceMs = this.nowMs
    const keep = () => {
      const isOwner = me.has(PRIMARY) && slotsIn(slots).some(slot => cluster.owners[slot] === me)
      if (isOwner && (!isUnknown || mostHaveAnswered(cluster, sinceMs))) claimAnew(cluster)
      this.pauses.end(this)
    }
    if (!isUnknown) return keep()
    askPrimaries(cluster)
    host.after(Math.max(ASK_MS, this.pauseBeganMs + PAUSE_MS - this.nowMs), keep)
  }

  private close(): void {
    const { sinks } = this.server.engine
    const at = sinks.indexOf(this)
    if (at >= 0) sinks.splice(at, 1)
    this.connection.close()
    this.error ??= new DiskError('EPIPE', '', 'the migration has ended')
    if (this.job !== undefined) this.onDrain()
  }
}

function holdsAll(cluster: Cluster, node: Node, slots: Uint8Array): boolean {
  return slotsIn(slots).every(slot => cluster.owners[slot] === node)
}

/** Passes the entries of some slots on, and only looks at the others. */
class SlotsWriter implements SnapshotConsumer {
  private readonly writer: AofBaseWriter
  private readonly entries: Entries
  private readonly slots: Uint8Array
  private readonly key = new Slice()
  private isPassing = false

  /** Most values are not of the slots. */
  readonly withoutValues = true

  constructor(writer: AofBaseWriter, engine: Engine, slots: Uint8Array) {
    this.writer = writer
    this.entries = engine.keyspace.entries
    this.slots = slots
  }

  get copyOnWriteBytes(): number {
    return this.writer.copyOnWriteBytes
  }

  get failure(): Error | undefined {
    return this.writer.failure
  }

  private concerns(entry: Ref): boolean {
    return hasBit(this.slots, keySlot(this.entries.keyOf(entry, this.key)))
  }

  isLarge(entry: Ref): boolean {
    return this.concerns(entry) && this.writer.isLarge(entry)
  }

  take(entry: Ref, database: number): void {
    if (this.concerns(entry)) this.writer.take(entry, database)
  }

  begin(entry: Ref, database: number): void {
    this.isPassing = this.concerns(entry)
    if (this.isPassing) this.writer.begin(entry, database)
  }

  step(): boolean {
    return !this.isPassing || this.writer.step()
  }

  end(): void {
    this.writer.end()
  }
}
