// ServerMaintenance: what a server does besides answering commands - INFO, the cron, expiry, eviction, compaction.

import type { Config } from '../config/config.ts'
import { CMD_DENYOOM } from '../engine/catalog/command.ts'
import { CLIENT_MULTI } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { Gate } from '../engine/gates.ts'
import { NOTIFY_EVICTED } from '../engine/messaging/events.ts'
import type { InfoSource } from '../engine/monitoring/info.ts'
import { engineInfo } from '../engine/monitoring/info-sources.ts'
import { DEFRAG_LIMITS, Defrag, type DefragLimits } from '../keyspace/defrag.ts'
import { Eviction, type EvictionOutcome } from '../keyspace/eviction.ts'
import { ExpireCycle } from '../keyspace/expire-cycle.ts'
import { NO_REPLICA } from '../keyspace/keyspace.ts'
import { Slice } from '../lib/slice.ts'
import { OOM } from '../protocol/errors.ts'
import { newId } from '../system/random.ts'
import type { System } from '../system/system.ts'
import { ClientsCron } from './clients-cron.ts'
import { Cron } from './cron.ts'
import { CronRest } from './cron-rest.ts'
import { Info } from './info.ts'
import { ratesInfo, serverInfo } from './info-sources.ts'
import { MemoryStats } from './memory-stats.ts'
import { Rates } from './rates.ts'
import { SegmentReleaser } from './segment-releaser.ts'

const DEL = Slice.of('DEL')
const UNLINK = Slice.of('UNLINK')
const LEAVES_MULTI: ReadonlySet<string> = new Set(['exec', 'discard', 'quit', 'reset'])

interface MaintenanceParts {
  engine: Engine
  config: Config
  system: System
  startedMs: number
  /** The service manager, or 'no'. */
  supervisedBy: string
  /** The TCP port in use, 0 for none. */
  port(): number
  /** The cron rests while there is nothing for it to do. */
  mayRest: boolean
}

export class ServerMaintenance {
  readonly runId: string
  readonly rates = new Rates()
  readonly info = new Info()
  readonly memoryStats: MemoryStats
  readonly clientsCron: ClientsCron
  readonly expire: ExpireCycle
  readonly eviction: Eviction
  readonly defrag: Defrag
  readonly cron: Cron
  private diskBytes: (() => number) | undefined
  /** FLUSHALL has emptied the dataset. */
  readonly onFlushAll: (() => void)[] = []
  /** Bytes that other modules dropped, ever: many of them are worth a garbage collection. */
  readonly droppedSources: (() => number)[] = []
  private readonly parts: MaintenanceParts
  private readonly segmentReleaser: SegmentReleaser

  constructor(parts: MaintenanceParts) {
    this.parts = parts
    const { engine, config, system } = parts
    const nowUs = () => system.clock.monotonicUs()
    this.runId = newId(system.random)
    this.memoryStats = new MemoryStats(engine, () => system.process.rssBytes())
    this.memoryStats.memorySources.push({ kind: 'other', bytes: () => engine.tracking.memoryBytes })
    this.clientsCron = new ClientsCron(engine, this.memoryStats)
    engine.onClientDisconnected.push(client => this.memoryStats.forget(client))
    this.expire = new ExpireCycle(engine.keyspace, nowUs)
    this.eviction = this.makeEviction(nowUs)
    this.defrag = new Defrag(engine.keyspace, nowUs)
    this.segmentReleaser = new SegmentReleaser(
      engine.keyspace.arena,
      () => engine.stats.commandsProcessed,
      later => {
        engine.ctx.value.clear()
        engine.keyspace.strings.forgetBuffers()
        system.process.collectGarbage(later)
      },
      () => this.droppedSources.reduce((sum, bytes) => sum + bytes(), engine.input.droppedBytes),
    )
    this.cron = new Cron({
      engine,
      timers: system.timers,
      rates: this.rates,
      memoryStats: this.memoryStats,
      clientsCron: this.clientsCron,
      expire: this.expire,
      defrag: this.defrag,
      hz: () => config.hz,
      dynamicHz: () => config.dynamicHz,
      rest: parts.mayRest ? new CronRest(engine, config, () => this.cron.background.isBusy) : undefined,
    })
    this.cron.hooks.push(() => this.segmentReleaser.tick())
    engine.output.beforeTurnEnds.push(() => engine.keyspace.arena.spare.releaseSurplus())
    const { startedMs, supervisedBy, port } = parts
    const { runId, rates, memoryStats, clientsCron, expire, eviction, defrag, cron } = this
    const own = { runId, rates, memoryStats, clientsCron, expire, eviction, defrag, cron }
    const infoParts = { engine, config, system, startedMs, supervisedBy, port, ...own }
    this.addInfo(() => [...engineInfo(engine), ...serverInfo(infoParts)])
    for (const source of ratesInfo(infoParts)) this.info.add(source)
    this.followSettings()
  }

  /** Adds fields to INFO, which are made when they are asked for. */
  addInfo(make: () => readonly InfoSource[]): void {
    this.info.addLate(make)
  }

  start(): void {
    this.cron.start()
  }

  stop(): void {
    this.cron.stop()
  }

  // ---- eviction ----

  private makeEviction(nowUs: () => number): Eviction {
    const { engine } = this.parts
    const eviction = new Eviction(engine.keyspace, {
      usedBytes: () => this.memoryStats.countedBytes(),
      usedBytesRoughly: () => this.memoryStats.countedRoughly(),
      nowUs,
      isObserved: () =>
        engine.hasSinks || engine.modifiedKeyListeners !== 0 || engine.settings.notifyKeyspaceEvents !== 0,
      evicted: (db, key) => {
        if (engine.modifiedKeyListeners !== 0) engine.signalModifiedKey(db, key)
        engine.notify(NOTIFY_EVICTED, 'evicted', key, db)
        engine.dispatch.propagateNow(db, [engine.settings.lazyfreeLazyEviction ? UNLINK : DEL, key])
      },
      took: (event, us) => engine.observers.spike(event, us),
    })
    return eviction
  }

  /** performEvictions before a command; refuses denyoom commands (-OOM) when memory stays above maxmemory. */
  private readonly memoryGate: Gate = (client, entry, _args, _argc, flags) => {
    const { dispatch, scripting } = this.parts.engine
    if (scripting.running !== undefined) return undefined
    dispatch.outOfMemory = this.performEvictions() === 'failed'
    // Invalidations of evicted keys are sent before the reply.
    dispatch.runAfterReply()
    if (!dispatch.outOfMemory) return undefined
    // Any command may add to the memory of a transaction.
    const grows = (flags & CMD_DENYOOM) !== 0 || (client.has(CLIENT_MULTI) && !LEAVES_MULTI.has(entry.fullName))
    return grows ? OOM : undefined
  }

  private guardMemory(): void {
    const { gates, dispatch } = this.parts.engine
    gates.set('memory', this.isLimited ? this.memoryGate : undefined)
    this.memoryStats.askSources()
    if (!this.isLimited) dispatch.outOfMemory = false
  }

  /** Memory is limited, or what values on disk take. */
  private get isLimited(): boolean {
    const { engine, config } = this.parts
    return engine.settings.maxmemory > 0 || (this.diskBytes !== undefined && config.storageMaxBytes > 0)
  }

  /** Values are on disk: so many bytes of them, for storage-max-bytes. */
  limitDisk(bytes: () => number): void {
    this.diskBytes = bytes
    this.guardMemory()
  }

  private performEvictions(): EvictionOutcome {
    const outcome = this.evict()
    if (outcome === 'running') this.cron.background.start(this.evictSome)
    return outcome
  }

  private evict(): EvictionOutcome {
    const { diskBytes, eviction } = this
    const { engine, config } = this.parts
    if (!this.mayEvict) return 'ok'
    const outcome = engine.settings.maxmemory === 0 ? 'ok' : eviction.run(engine.settings)
    if (outcome !== 'ok' || diskBytes === undefined || config.storageMaxBytes === 0) return outcome
    return eviction.runWhile(() => diskBytes() > config.storageMaxBytes, engine.settings)
  }

  private get mayEvict(): boolean {
    const { engine } = this.parts
    return !engine.pause.active && !(engine.keyspace.replica !== NO_REPLICA && this.parts.config.replicaIgnoreMaxmemory)
  }

  private readonly evictSome = (): boolean => this.evict() !== 'running'

  // ---- settings ----

  /** Settings that need an action when they change. */
  private followSettings(): void {
    const { config, engine } = this.parts
    const { keyspace, settings } = engine
    const policy = () => {
      keyspace.lfu = config.maxmemoryPolicy.endsWith('lfu')
      const lrm = config.maxmemoryPolicy.endsWith('lrm')
      if (lrm !== keyspace.lrm) engine.modifiedKeyListeners += lrm ? 1 : -1
      keyspace.lrm = lrm
      keyspace.lfuLogFactor = config.lfuLogFactor
      keyspace.lfuDecayMinutes = config.lfuDecayTime
      return undefined
    }
    policy()
    config.onChange(['maxmemory-policy', 'lfu-log-factor', 'lfu-decay-time'], policy)
    const effort = () => {
      this.expire.effort = config.activeExpireEffort
      return undefined
    }
    effort()
    config.onChange('active-expire-effort', effort)
    const compaction = () => {
      this.defrag.limits = config.activedefrag ? defragLimits(config) : DEFRAG_LIMITS
      return undefined
    }
    compaction()
    config.onChange(DEFRAG_DIRECTIVES, compaction)
    const observed = () => {
      engine.observers.settingsChanged()
      return undefined
    }
    observed()
    config.onChange(
      ['slowlog-log-slower-than', 'latency-monitor-threshold', 'latency-tracking', 'cluster-slot-stats-enabled'],
      observed,
    )
    const limits = () => {
      this.guardMemory()
      const used = this.memoryStats.usedBytes()
      if (settings.maxmemory > 0 && used > settings.maxmemory) {
        config.warn(
          `WARNING: the new maxmemory value set via CONFIG SET (${settings.maxmemory}) is smaller than the current memory usage (${used}). This will result in key eviction and/or the inability to accept new write commands depending on the maxmemory-policy.`,
        )
        this.cron.background.start(this.evictSome)
      }
      this.clientsCron.settingsChanged()
      this.clientsCron.evict()
      return undefined
    }
    this.clientsCron.settingsChanged()
    this.guardMemory()
    config.onChange(['maxmemory', 'maxmemory-clients', 'storage-max-bytes'], limits)
  }

  /** Requests a garbage collection beside commands. */
  collectGarbage(): void {
    this.segmentReleaser.releaseNow(0, true)
  }

  /** Returns unused memory to the operating system, as far as the runtime allows. */
  purgeMemory(): void {
    this.defrag.start()
    this.segmentReleaser.releaseNow(Number.POSITIVE_INFINITY)
  }
}

const DEFRAG_DIRECTIVES = [
  'activedefrag',
  'active-defrag-ignore-bytes',
  'active-defrag-threshold-lower',
  'active-defrag-threshold-upper',
  'active-defrag-cycle-min',
  'active-defrag-cycle-max',
] as const

function defragLimits(config: Config): DefragLimits {
  return {
    ignoreBytes: config.activeDefragIgnoreBytes,
    lowerPercent: config.activeDefragThresholdLower,
    upperPercent: config.activeDefragThresholdUpper,
    cycleMin: config.activeDefragCycleMin,
    cycleMax: config.activeDefragCycleMax,
  }
}
