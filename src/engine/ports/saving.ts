// Saving: persistence as commands use it; implemented by persistence/persistence.ts.
//
// Always: an outcome is undefined for success, or the error reply with its code.

export interface ReloadOptions {
  save: boolean
  flush: boolean
  merge: boolean
  /** Other clients get -LOADING meanwhile. */
  inTurns: boolean
}

export interface Saving {
  /** SAVE. */
  save(): string | undefined
  /** BGSAVE: the status reply, or an error. */
  backgroundSave(schedule: boolean, inTransaction: boolean): { status: string } | { error: string }
  /** BGREWRITEAOF: likewise. */
  rewriteAof(inTransaction: boolean): { status: string } | { error: string }
  /** LASTSAVE: seconds since 1970. */
  readonly lastSaveSeconds: number
  /** A dataset is being loaded, maybe beside the one that is served. */
  readonly isLoadingAny: boolean
  /** DEBUG RELOAD: an error message, or undefined. */
  reload(options: ReloadOptions): Promise<string | undefined> | string | undefined
  /** Delays every write to the append-only file by so many microseconds: for tests. */
  flushSleepUs: number
  /** DEBUG LOADAOF: an error message, or undefined. `inTurns`: other clients get -LOADING meanwhile. */
  loadAof(inTurns: boolean): Promise<string | undefined> | string | undefined
}
