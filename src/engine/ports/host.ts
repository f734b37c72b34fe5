// Host: what commands ask of the server around the engine. The server (or a test) fills it in; the engine only hands it
// on.
//
// Always: nothing here is called on the way of an ordinary command.

export type ShutdownFlag = 'save' | 'nosave' | 'now' | 'force'

export interface Host {
  /** Wall clock, microseconds since 1970. */
  nowUs(): number
  /** Stops this server, and all others of the process, for a while: DEBUG SLEEP. */
  sleepMs(ms: number): void
  /** The text of INFO; `sections` as the client wrote them, none for the default ones. */
  infoText(sections: readonly string[]): string
  /** CONFIG RESETSTAT: every part's counters begin anew. */
  resetStats(): void
  memory(): MemoryFigures
  /** Gives unused memory back to the operating system as far as the runtime lets us. */
  purgeMemory(): void
  /**
   * Begins an orderly end. `failed` is called if the server goes on after all: when saving failed, or after
   * abortShutdown().
   */
  shutdown(flags: readonly ShutdownFlag[], failed: () => void): void
  /**
   * `error` came unexpectedly, `during` what: there is a crash report in the log, and this server ends without saving.
   * Does not return: it ends the process, or throws ServerFailed where the process belongs to somebody else.
   */
  fail(error: unknown, during: string): never
  /** False: nothing to abort. */
  abortShutdown(): boolean
  /** 'standalone', 'cluster' or 'sentinel'. */
  readonly mode: string
  /** 'master' or 'replica'. */
  readonly role: string
  readonly version: string
  /** FLUSHALL also empties the snapshot file. */
  afterFlushAll(): void
  /** Stops and starts the periodic work. */
  pauseCron(paused: boolean): void
  /** Keys expire by themselves. */
  setActiveExpire(active: boolean): void
  /** After how many milliseconds CLIENT LIST forgets a client's longest reply; negative: never. */
  setReplyPeakReset(ms: number): void
}

/** Where memory went, in bytes unless said otherwise. */
export interface MemoryFigures {
  /** used_memory: everything the dataset, the clients and the subsystems hold. */
  usedBytes: number
  peakBytes: number
  startupBytes: number
  rssBytes: number
  /** Resident memory that is the runtime's own: its code, its heap, the sources. */
  baseBytes: number
  /** What is in use, the pages that hold anything of it, and what is resident for it. */
  allocatedBytes: number
  activeBytes: number
  residentBytes: number
  clientsNormalBytes: number
  clientsReplicaBytes: number
  backlogBytes: number
  aofBufferBytes: number
  scriptBytes: number
  functionBytes: number
  /** Output of replicas and the buffer of the append-only file: evicting keys would not help against it. */
  notCountedBytes: number
  /** Not part of the dataset: what Redis calls overhead. */
  overheadBytes: number
  datasetBytes: number
  keys: number
  databases: { index: number; mainBytes: number; expiresBytes: number }[]
}
