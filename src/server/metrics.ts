// Metrics: what changes per second, sampled by the cron; for INFO.
//
// Always: a rate is the mean over the last SAMPLES samples, which lie about 100 ms apart.

const SAMPLES = 16

export class Rate {
  private readonly samples = new Float64Array(SAMPLES)
  private next = 0
  private lastCount = 0
  private lastUs = 0

  /** Notes that the counter stands at `count`. */
  sample(count: number, nowUs: number): void {
    const tookUs = nowUs - this.lastUs
    if (this.lastUs > 0 && tookUs > 0) {
      this.samples[this.next] = (Math.max(0, count - this.lastCount) * 1e6) / tookUs
      this.next = (this.next + 1) % SAMPLES
    }
    this.lastCount = count
    this.lastUs = nowUs
  }

  get perSecond(): number {
    let sum = 0
    for (const sample of this.samples) sum += sample
    return sum / SAMPLES
  }

  reset(): void {
    this.samples.fill(0)
    this.lastUs = 0
  }
}

export class Metrics {
  readonly commands = new Rate()
  readonly inputBytes = new Rate()
  readonly outputBytes = new Rate()
  /** Turns of the event loop, and processor time. */
  readonly turns = new Rate()
  readonly busyUs = new Rate()
  /** Input and output of the largest clients in the last seconds, for INFO clients. */
  inputPeakBytes = 0
  outputPeakBytes = 0
  rssBytes = 0
  /** used_memory at its highest. */
  memoryPeakBytes = 0
  cronTicks = 0
  cronUs = 0
  cronUsMax = 0
  expireCycleUs = 0
  expiredStalePercent = 0

  reset(): void {
    for (const rate of [this.commands, this.inputBytes, this.outputBytes, this.turns, this.busyUs]) rate.reset()
    this.expireCycleUs = 0
    this.expiredStalePercent = 0
  }
}
