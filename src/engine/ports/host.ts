// Host: the server around the engine, as commands use it. Implemented by the server (or a test); the engine only hands
// it on.
//
// Always: ordinary commands call nothing here.

import type { ModuleLoader } from './modules.ts'

export type ShutdownFlag = 'save' | 'nosave' | 'now' | 'force'

export interface Host {
  /** MODULE LOAD and UNLOAD. */
  readonly modules: ModuleLoader
  /** Wall clock, microseconds since 1970. */
  nowUs(): number
  /** Blocks the whole process for a while: DEBUG SLEEP. */
  sleepMs(ms: number): void
  /** The text of INFO; `sections` as the client wrote them, none for the default ones. */
  infoText(sections: readonly string[]): string
  /** CONFIG RESETSTAT: resets every part's counters. */
  resetStats(): void
  memory(): MemoryFigures
  /** Returns unused memory to the operating system, as far as the runtime allows. */
  purgeMemory(): void
  /**
   * Begins an orderly shutdown. `failed` is called if the server continues after all: when saving failed, or after
   * abortShutdown().
   */
  shutdown(flags: readonly ShutdownFlag[], failed: () => void): void
  /**
   * Handles an unexpected `error`; `during` names the work. Logs a crash report and ends this server without saving.
   * Does not return: ends the process, or throws ServerFailed where the process belongs to an embedding program.
   */
  fail(error: unknown, during: string): never
  /** False: nothing to abort. */
  abortShutdown(): boolean
  /** 'standalone', 'cluster' or 'sentinel'. */
  readonly mode: string
  /** 'master' or 'replica'. */
  readonly role: string
  readonly version: string
  /** After FLUSHALL: empties the RDB file too. */
  afterFlushAll(): void
  /** Stops or starts the cron. */
  pauseCron(paused: boolean): void
  /** DEBUG SET-ACTIVE-EXPIRE. */
  setActiveExpire(active: boolean): void
  /** Milliseconds after which the peak reply size of a client is reset; negative: never. */
  setReplyPeakReset(ms: number): void
  /** DEBUG REPLYBUFFER RESIZING. */
  setReplyResizing(on: boolean): void
}

/** The memory statistics, in bytes unless said otherwise. */
export interface MemoryFigures {
  /** used_memory: dataset, clients and subsystems. */
  usedBytes: number
  peakBytes: number
  startupBytes: number
  rssBytes: number
  /** Resident memory of the runtime itself: its code, its heap, the sources. */
  baseBytes: number
  /** Allocated, active (pages with any allocation) and resident bytes of the arena. */
  allocatedBytes: number
  activeBytes: number
  residentBytes: number
  clientsNormalBytes: number
  clientsReplicaBytes: number
  backlogBytes: number
  aofBufferBytes: number
  scriptBytes: number
  functionBytes: number
  /** Replica output buffers and the AOF buffer: eviction would not free them, so maxmemory does not count them. */
  notCountedBytes: number
  /** Redis's overhead: everything that is not the dataset. */
  overheadBytes: number
  datasetBytes: number
  keys: number
  databases: { index: number; mainBytes: number; expiresBytes: number }[]
}
