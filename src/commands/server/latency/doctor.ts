// LATENCY DOCTOR: likely causes of latency spikes, and advice.

import type { LatencySeries } from '../../../engine/monitoring/latency.ts'

interface DoctorSettings {
  latencyMonitorThreshold: number
  slowlogLogSlowerThan: number
  hz: number
}

const DISABLED =
  'Latency is not monitored. CONFIG SET latency-monitor-threshold <milliseconds> records every event that takes at ' +
  'least that long.\n'
const NOTHING = 'No latency spike has been recorded since the server started or LATENCY RESET was called.\n'
const SPIKES = 'Recorded latency spikes:\n\n'
const NO_ADVICE = '\nThere is no advice for these events.\n'

/** The advice for each event; a key prevents repeating it. */
const ADVICE: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries<readonly string[]>({
    command: ['slowlog', 'inspect', 'large'],
    'fast-command': ['scheduler'],
    'expire-cycle': ['hz', 'large'],
    'eviction-del': ['large'],
    'eviction-cycle': ['eviction'],
    'aof-write-pending-fsync': ['disk'],
    'aof-write-active-child': ['disk'],
    'aof-write-alone': ['disk'],
    'aof-fsync-always': ['fsync', 'disk'],
    'aof-rename': ['disk'],
    'rdb-unlink-temp-file': ['disk'],
  }),
)

export function latencyReport(
  series: ReadonlyMap<string, LatencySeries>,
  settings: DoctorSettings,
  nowMs: number,
): string {
  if (series.size === 0) return settings.latencyMonitorThreshold === 0 ? DISABLED : NOTHING
  const advice = new Set<string>()
  let report = SPIKES
  let number = 0
  for (const [event, one] of series) {
    report += `${++number}. ${event}: ${summary(one, nowMs)}\n`
    for (const key of ADVICE.get(event) ?? []) {
      const text = adviceText(key, settings)
      if (text !== '') advice.add(text)
    }
  }
  if (advice.size === 0) return report + NO_ADVICE
  return `${report}\nWhat may help:\n\n${[...advice].map(text => `- ${text}\n`).join('')}`
}

function summary({ samples, worstMs }: LatencySeries, nowMs: number): string {
  const average = samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length
  const deviation = samples.reduce((sum, { ms }) => sum + Math.abs(ms - average), 0) / samples.length
  const period = (Math.floor(nowMs / 1000) - samples[0].unixSeconds) / samples.length
  return (
    `${samples.length} ${samples.length === 1 ? 'spike' : 'spikes'}, one every ${period.toFixed(2)} s, of ${Math.floor(average)} ms on average ` +
    `(mean deviation ${Math.floor(deviation)} ms); the longest ever took ${worstMs} ms.`
  )
}

function adviceText(key: string, settings: DoctorSettings): string {
  const thresholdUs = settings.latencyMonitorThreshold * 1000
  switch (key) {
    case 'slowlog':
      if (settings.slowlogLogSlowerThan >= 0 && settings.slowlogLogSlowerThan <= thresholdUs) return ''
      return `The slow log leaves out commands that already count as a spike: CONFIG SET slowlog-log-slower-than ${thresholdUs} records them.`
    case 'inspect':
      return 'SLOWLOG GET shows which commands took long.'
    case 'large':
      return 'Commands that read, copy or store a very large value take long: split such values. Deleting them is harmless, as memory is freed in slices.'
    case 'scheduler':
      return 'Commands that take constant time were slow: the process did not get the processor, or the runtime collected garbage. Lower the load of the machine, and look for a noisy neighbour.'
    case 'hz':
      return settings.hz < 100
        ? 'Expired keys are removed in fewer, longer steps at a low hz: CONFIG SET hz 100 makes the steps shorter.'
        : ''
    case 'eviction':
      return 'A lower maxmemory, or a large value that comes at once, makes many keys be evicted together: lower it in steps.'
    case 'fsync':
      return 'With appendfsync always every write waits for the disk. With everysec, up to a second of writes may be lost in a power failure, but none waits.'
    default:
      return 'The disk was slow: keep the dataset on a local SSD, and away from other programs that write much.'
  }
}
