// CronRest: when the cron of a program's server has nothing to do. What it would do later without being asked: expire
// keys, time clients out, save, rewrite, serve replicas, free lazily, return memory. Statistics settle within
// SETTLE_TICKS.

import type { Config } from '../config/config.ts'
import type { Engine } from '../engine/engine.ts'

/** Ticks without a command after which rates and peaks have settled, and unused buffers were returned. */
const SETTLE_TICKS = 60

export class CronRest {
  private readonly engine: Engine
  private readonly config: Config
  private readonly isBusy: () => boolean
  private commandsSeen = 0
  private quietTicks = 0

  /** `isBusy`: there is work in slices. */
  constructor(engine: Engine, config: Config, isBusy: () => boolean) {
    this.engine = engine
    this.config = config
    this.isBusy = isBusy
  }

  /** Asked after each tick. */
  begins(): boolean {
    const { commandsProcessed } = this.engine.stats
    this.quietTicks = commandsProcessed === this.commandsSeen ? this.quietTicks + 1 : 0
    this.commandsSeen = commandsProcessed
    // A server that nobody has asked anything yet has nothing to settle.
    if (this.quietTicks < SETTLE_TICKS && commandsProcessed > 0) return false
    return !this.isNeeded && !this.hasExpiries
  }

  woken(): void {
    this.quietTicks = 0
  }

  /** There is periodic work besides expiry. */
  get isNeeded(): boolean {
    const { engine, config } = this
    const { keyspace, settings } = engine
    if (this.isBusy() || keyspace.hasLazy || engine.pause.active) return true
    if (keyspace.replica || engine.replicas.list().length > 0 || config.replicaof !== null) return true
    if (config.appendonly || (config.save.length > 0 && keyspace.dirty > 0)) return true
    return settings.timeout > 0 && engine.clients.size > 0
  }

  private get hasExpiries(): boolean {
    return this.engine.keyspace.databases.some(db => db.expiresSize > 0)
  }
}
