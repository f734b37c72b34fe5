// Exposition: metrics as Prometheus reads them (text format 0.0.4).
//
//   # HELP redis_db_keys Keys of a database.
//   # TYPE redis_db_keys gauge
//   redis_db_keys{db="db0"} 12
//
// Always: the samples of one metric are together, whatever the order in which they are added.

import type { Histogram } from '../../lib/histogram.ts'

export type Labels = Readonly<Record<string, string>>

type Kind = 'gauge' | 'counter' | 'histogram'

interface Metric {
  readonly kind: Kind
  readonly help: string
  readonly lines: string[]
}

/** Steps of the bounds of a histogram: each twice the one before. */
interface Scale {
  /** The lowest bound, as the histogram has recorded it. */
  first: number
  /** What a recorded value is divided by for the bound that is shown. */
  unit: number
}

export class Exposition {
  private readonly metrics = new Map<string, Metric>()

  gauge(name: string, value: number, labels: Labels = {}, help = ''): void {
    this.sample(name, 'gauge', help, value, labels)
  }

  counter(name: string, value: number, labels: Labels = {}, help = ''): void {
    this.sample(name, 'counter', help, value, labels)
  }

  /** `sum`: of all values, in the unit that is shown. */
  histogram(name: string, from: Histogram, sum: number, { first, unit }: Scale, labels: Labels = {}, help = ''): void {
    const { lines } = this.metric(name, 'histogram', help)
    for (const [value, count] of from.doublings(first))
      lines.push(`${name}_bucket${labelText({ ...labels, le: String(value / unit) })} ${count}`)
    lines.push(`${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${from.total}`)
    lines.push(`${name}_sum${labelText(labels)} ${sum}`)
    lines.push(`${name}_count${labelText(labels)} ${from.total}`)
  }

  text(): string {
    const parts: string[] = []
    for (const [name, { kind, help, lines }] of this.metrics) {
      if (help !== '') parts.push(`# HELP ${name} ${help}`)
      parts.push(`# TYPE ${name} ${kind}`, ...lines)
    }
    return `${parts.join('\n')}\n`
  }

  private sample(name: string, kind: Kind, help: string, value: number, labels: Labels): void {
    this.metric(name, kind, help).lines.push(`${name}${labelText(labels)} ${value}`)
  }

  private metric(name: string, kind: Kind, help: string): Metric {
    let metric = this.metrics.get(name)
    if (metric === undefined) {
      metric = { kind, help, lines: [] }
      this.metrics.set(name, metric)
    }
    return metric
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
