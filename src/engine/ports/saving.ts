// Saving: what commands ask of persistence (persistence/persistence.ts). The server fills it in.
//
// Always: an outcome is undefined for success, or the error the client gets, with its code.

export interface Saving {
  /** SAVE. */
  save(): string | undefined
  /** BGSAVE: the status line that the client gets, or an error. */
  backgroundSave(schedule: boolean, inTransaction: boolean): { status: string } | { error: string }
  /** BGREWRITEAOF: likewise. */
  rewriteAof(inTransaction: boolean): { status: string } | { error: string }
  /** LASTSAVE: seconds since 1970. */
  readonly lastSaveSeconds: number
  /** DEBUG RELOAD. */
  reload(options: { save: boolean; flush: boolean; merge: boolean }): string | undefined
  /** Every write to the append-only file is delayed by so many microseconds: for tests. */
  flushSleepUs: number
  /** DEBUG LOADAOF: an error message, or undefined. With `inTurns` others are told meanwhile that it loads. */
  loadAof(inTurns: boolean): Promise<string | undefined> | string | undefined
}
