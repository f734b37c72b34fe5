// Pauses: how late the event loop is, and how long garbage collections take, as histograms in microseconds.
//
// Always: the lateness of a timer is what a client would have waited in the same moment. Only while metrics are served.

import { Histogram } from '../../lib/histogram.ts'
import type { System, Timer } from '../../system/system.ts'

const EVERY_MS = 20

export class Pauses {
  readonly delay = new Histogram()
  delayUs = 0
  longestDelayUs = 0
  readonly collections = new Histogram()
  collectionUs = 0
  /** Whether this runtime tells of its collections. */
  readonly tellsCollections: boolean
  private readonly system: System
  private timer: Timer | undefined

  constructor(system: System) {
    this.system = system
    this.tellsCollections = system.process.onCollection(ms => {
      if (this.timer === undefined) return
      this.collections.record(ms * 1000, 1)
      this.collectionUs += ms * 1000
    })
  }

  start(): void {
    if (this.timer === undefined) this.wait()
  }

  stop(): void {
    if (this.timer !== undefined) this.system.timers.cancel(this.timer)
    this.timer = undefined
  }

  private wait(): void {
    const { clock, timers } = this.system
    const dueUs = clock.monotonicUs() + EVERY_MS * 1000
    this.timer = timers.after(EVERY_MS, () => {
      const lateUs = Math.max(0, clock.monotonicUs() - dueUs)
      this.delay.record(lateUs, 1)
      this.delayUs += lateUs
      this.longestDelayUs = Math.max(this.longestDelayUs, lateUs)
      this.wait()
    })
  }
}
