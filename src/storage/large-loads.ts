// LargeLoads: builds large values in slices, from pieces as they arrive.

import { UnreadableValue } from '../keyspace/cold.ts'
import type { LargeLoad } from './large-load.ts'

/** A request that arrives during a slice waits for its end. */
const SLICE_US = 300

interface LargeLoadParts {
  nowUs(): number
  /** Calls job(limitUs) between commands, until it returns true. */
  start(job: (limitUs: number) => boolean): void
}

interface Job {
  readonly load: LargeLoad
  /** `failure`: the value cannot be read. */
  done(failure: UnreadableValue | undefined): void
}

export class LargeLoads {
  private readonly parts: LargeLoadParts
  /** Those of which a piece has arrived. */
  private readonly ready: Job[] = []

  constructor(parts: LargeLoadParts) {
    this.parts = parts
  }

  /** Builds a value. `done` is not called before this returns, nor when the load is dropped. */
  begin(load: LargeLoad, done: Job['done']): void {
    const job = { load, done }
    const goOn = () => {
      this.ready.push(job)
      this.parts.start(this.run)
    }
    load.onReady = goOn
    if (load.isReady) goOn()
  }

  private readonly run = (limitUs: number): boolean => {
    const { nowUs } = this.parts
    const until = nowUs() + Math.min(limitUs, SLICE_US)
    for (let job = this.ready.shift(); job !== undefined; job = this.ready.shift())
      while (this.goesOn(job)) {
        if (nowUs() < until) continue
        this.ready.push(job)
        return false
      }
    return true
  }

  /** Builds some kilobytes; false: it waits for the disk, or has ended. */
  private goesOn({ load, done }: Job): boolean {
    if (load.isDone) return false
    let failure: UnreadableValue | undefined
    try {
      if (!load.step()) return load.isReady
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      failure = error
    }
    done(failure)
    return false
  }
}
