// HostAdapter: the server behind the engine's Host port (engine/ports/host.ts); delegates to the server's parts.

import type { Config } from '../config/config.ts'
import type { Host, MemoryFigures, ShutdownFlag } from '../engine/ports/host.ts'
import type { ModuleLoader } from '../engine/ports/modules.ts'
import type { System } from '../system/system.ts'
import type { ServerMaintenance } from './maintenance.ts'
import { REDIS_VERSION } from './version.ts'

interface HostParts {
  maintenance: ServerMaintenance
  config: Config
  system: System
  modules: ModuleLoader
  /** Sentinel mode. */
  sentinel: boolean
  /** 'master' or 'replica'. */
  role(): string
  /** Shuts the server down; rejects when it continues after all. */
  shutdown(flags: readonly ShutdownFlag[]): Promise<void>
  /** Cancels a pending shutdown; false when there is none. */
  abortShutdown(): boolean
  /** Ends the process, after shutdown(). */
  exit(): void
  /** Host.fail(). */
  fail(error: unknown, during: string): never
}

export class HostAdapter implements Host {
  readonly version = REDIS_VERSION
  private readonly parts: HostParts

  constructor(parts: HostParts) {
    this.parts = parts
  }

  get modules(): ModuleLoader {
    return this.parts.modules
  }

  get mode(): string {
    if (this.parts.sentinel) return 'sentinel'
    return this.parts.config.clusterEnabled ? 'cluster' : 'standalone'
  }

  get role(): string {
    return this.parts.role()
  }

  nowUs(): number {
    return this.parts.system.clock.nowUs()
  }

  sleepMs(ms: number): void {
    this.parts.system.clock.sleepMs(ms)
  }

  infoText(sections: readonly string[]): string {
    return this.parts.maintenance.info.text(sections)
  }

  resetStats(): void {
    this.parts.maintenance.info.reset()
  }

  memory(): MemoryFigures {
    return this.parts.maintenance.memoryStats.figures()
  }

  purgeMemory(): void {
    this.parts.maintenance.purgeMemory()
  }

  shutdown(flags: readonly ShutdownFlag[], failed: () => void): void {
    this.parts.shutdown(flags).then(
      () => this.parts.exit(),
      () => failed(),
    )
  }

  fail(error: unknown, during: string): never {
    return this.parts.fail(error, during)
  }

  abortShutdown(): boolean {
    return this.parts.abortShutdown()
  }

  afterFlushAll(): void {
    for (const hook of this.parts.maintenance.onFlushAll) hook()
  }

  pauseCron(paused: boolean): void {
    this.parts.maintenance.cron.paused = paused
  }

  setActiveExpire(active: boolean): void {
    this.parts.maintenance.expire.enabled = active
  }

  setReplyResizing(on: boolean): void {
    this.parts.maintenance.clientsCron.replyResizing = on
  }

  setReplyPeakReset(ms: number): void {
    this.parts.maintenance.clientsCron.replyPeakResetMs = ms
  }
}
