// Rates: changes per second, sampled by the cron; for INFO.
//
// Always: a rate is the mean over the last SAMPLES samples, about 100 ms apart.

const SAMPLES = 16

class Rate {
  private readonly samples = new Float64Array(SAMPLES)
  private readonly count: () => number
  private next = 0
  private lastCount = 0
  private lastUs = 0

  /** `count`: a growing counter. */
  constructor(count: () => number) {
    this.count = count
  }

  sample(nowUs: number): void {
    const count = this.count()
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

  /** For a counter of bytes, as INFO shows it. */
  get kilobytesPerSecond(): string {
    return (this.perSecond / 1024).toFixed(2)
  }

  reset(): void {
    this.samples.fill(0)
    this.lastUs = 0
  }
}

export class Rates {
  private readonly rates: Rate[] = []

  /** Adds a rate for a counter. */
  follow(count: () => number): Rate {
    const rate = new Rate(count)
    this.rates.push(rate)
    return rate
  }

  sample(nowUs: number): void {
    for (const rate of this.rates) rate.sample(nowUs)
  }

  reset(): void {
    for (const rate of this.rates) rate.reset()
  }
}
