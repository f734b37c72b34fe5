// Latency: a histogram of each command's execution times, and latency spikes of events (time series).
//
// Always: a series holds the worst sample of each of the last SAMPLES_MAX seconds that had one, oldest first.

import { Histogram } from '../../lib/histogram.ts'
import type { TableEntry } from '../catalog/table.ts'

const SAMPLES_MAX = 160

interface LatencySample {
  unixSeconds: number
  ms: number
}

export interface LatencySeries {
  samples: LatencySample[]
  /** Since the server began, or the last LATENCY RESET. */
  worstMs: number
}

export class Latency {
  /** Nanoseconds. */
  readonly histograms = new Map<TableEntry, Histogram>()
  readonly series = new Map<string, LatencySeries>()

  /** `times`: how many calls this one stands for. */
  record(entry: TableEntry, durationUs: number, times: number): void {
    let histogram = this.histograms.get(entry)
    if (histogram === undefined) {
      histogram = new Histogram()
      this.histograms.set(entry, histogram)
    }
    histogram.record(Math.floor(durationUs) * 1000, times)
  }

  /** The histogram of a command. Calls since the last timed one count as long as that one. */
  histogram(entry: TableEntry): Histogram | undefined {
    const histogram = this.histograms.get(entry)
    const missing = entry.calls - entry.timedCalls
    if (histogram === undefined || missing === 0) return histogram
    entry.timedCalls = entry.calls
    entry.usec += (histogram.last / 1000) * missing
    histogram.record(histogram.last, missing)
    return histogram
  }

  /** Adds a spike; the caller has compared it with latency-monitor-threshold. */
  addSpike(event: string, ms: number, unixSeconds: number): void {
    let series = this.series.get(event)
    if (series === undefined) {
      series = { samples: [], worstMs: 0 }
      this.series.set(event, series)
    }
    const { samples } = series
    if (ms > series.worstMs) series.worstMs = ms
    const last = samples[samples.length - 1]
    if (last?.unixSeconds === unixSeconds) {
      if (ms > last.ms) last.ms = ms
      return
    }
    if (samples.length === SAMPLES_MAX) samples.shift()
    samples.push({ unixSeconds, ms })
  }

  /** LATENCY RESET of one event, or of all; returns their number. */
  resetSpikes(event?: string): number {
    let forgotten = 0
    for (const name of [...this.series.keys()]) {
      if (event !== undefined && name !== event.toLowerCase()) continue
      this.series.delete(name)
      forgotten++
    }
    return forgotten
  }
}
