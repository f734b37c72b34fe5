// SyncedOffsets: up to which replication offset the append-only file of a replica is fsynced (FACK).
//
//   applied(offset) ─▶ marks [ log position → offset | … ] ─▶ those up to aof.synced are passed
//
// Always: marks ascend in both; of many marks the last stands for several, so that the answer may only be too low. They
// are also made while the log is off or waits for its base, in which what came before the log's file will be.

import { AOF_ON } from '../persistence/aof/log.ts'

const MARKS_MAX = 64

interface Log {
  readonly state: number
  /** Bytes appended, and how many of them are fsynced. */
  readonly appended: number
  readonly synced: number
}

interface Mark {
  appended: number
  offset: number
}

export class SyncedOffsets {
  private readonly log: Log
  private readonly marks: Mark[] = []
  private passed = 0

  constructor(log: Log) {
    this.log = log
  }

  /** A stream begins at this offset. */
  reset(offset: number): void {
    this.marks.length = 0
    this.passed = 0
    this.applied(offset)
  }

  /** Everything up to this offset has been applied, and appended to the log. */
  applied(offset: number): void {
    const { marks, log } = this
    const last = marks[marks.length - 1]
    if (last !== undefined && (last.appended === log.appended || marks.length === MARKS_MAX)) {
      last.appended = log.appended
      last.offset = offset
    } else marks.push({ appended: log.appended, offset })
    if (log.state === AOF_ON) this.pass()
  }

  private pass(): void {
    const { marks, log } = this
    while (marks.length > 0 && marks[0].appended <= log.synced) this.passed = marks.shift()!.offset
  }

  /** undefined: there is no log. */
  get offset(): number | undefined {
    if (this.log.state !== AOF_ON) return undefined
    this.pass()
    return this.passed
  }
}
