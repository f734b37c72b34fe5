// Background: tasks that run in slices between commands: lazy freeing, active expiry, eviction, compaction, snapshots.
//
// Always: one slice runs at a time and takes about SLICE_US; between two slices pending input is handled.

import type { Timers } from '../system/system.ts'

export const SLICE_US = 1000

/** Works for about `limitUs`; true when there is nothing more to do. */
type BackgroundTask = (limitUs: number) => boolean

export class Background {
  /** Runs before and after each slice: the clock is read, replies are sent. */
  private readonly around: (slice: () => boolean) => boolean
  private readonly timers: Timers
  private readonly jobs: BackgroundTask[] = []
  private scheduled = false
  private stopped = false
  private readonly run = () => this.step()

  constructor(timers: Timers, around: (slice: () => boolean) => boolean) {
    this.timers = timers
    this.around = around
  }

  /** Runs slices of `job` until it is done; a job that is running already is not started twice. */
  start(job: BackgroundTask): void {
    if (!this.jobs.includes(job)) this.jobs.push(job)
    this.schedule()
  }

  isRunning(job: BackgroundTask): boolean {
    return this.jobs.includes(job)
  }

  get isBusy(): boolean {
    return this.jobs.length > 0
  }

  stop(): void {
    this.stopped = true
    this.jobs.length = 0
  }

  private schedule(): void {
    if (this.scheduled || this.stopped || this.jobs.length === 0) return
    this.scheduled = true
    this.timers.soon(this.run)
  }

  private step(): void {
    this.scheduled = false
    const job = this.jobs.shift()
    if (job === undefined || this.stopped) return
    if (!this.around(() => job(SLICE_US)) && !this.stopped) this.jobs.push(job)
    this.schedule()
  }
}
