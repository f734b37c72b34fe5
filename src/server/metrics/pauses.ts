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
  private readonly system: System
  private readonly endCollections: (() => void) | undefined
  private timer!: Timer

  constructor(system: System) {
    this.system = system
    this.endCollections = system.process.onCollection(ms => {
      this.collections.record(ms * 1000, 1)
      this.collectionUs += ms * 1000
    })
    this.wait()
  }

  /** Whether this runtime tells of its collections. */
  get tellsCollections(): boolean {
    return this.endCollections !== undefined
  }

  stop(): void {
    this.system.timers.cancel(this.timer)
    this.endCollections?.()
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
