// LATENCY DOCTOR: what the spikes of latency may come from, in the form that Redis users know.

import type { LatencySeries } from '../../../engine/latency.ts'

interface DoctorSettings {
  latencyMonitorThreshold: number
  slowlogLogSlowerThan: number
  hz: number
}

const DISABLED =
  "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. If we weren't in a deep space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n"
const NOTHING =
  'Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n'
const SPIKES =
  "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n"
const NO_ADVICE =
  "\nWhile there are latency events logged, I'm not able to suggest any easy fix. Please use the community to get some help, providing this report in your help request.\n"

/** The advice for an event, by a key that keeps it from being given twice. */
const ADVICE: { readonly [event: string]: readonly string[] } = {
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
}

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
    for (const key of ADVICE[event] ?? []) {
      const text = adviceText(key, settings)
      if (text !== '') advice.add(text)
    }
  }
  if (advice.size === 0) return report + NO_ADVICE
  return `${report}\nI have a few advices for you:\n\n${[...advice].map(text => `- ${text}\n`).join('')}`
}

function summary({ samples, worstMs }: LatencySeries, nowMs: number): string {
  const average = samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length
  const deviation = samples.reduce((sum, { ms }) => sum + Math.abs(ms - average), 0) / samples.length
  const period = (Math.floor(nowMs / 1000) - samples[0].unixSeconds) / samples.length
  return (
    `${samples.length} latency spikes (average ${Math.floor(average)}ms, mean deviation ${Math.floor(deviation)}ms, ` +
    `period ${period.toFixed(2)} sec). Worst all time event ${worstMs}ms.`
  )
}

function adviceText(key: string, settings: DoctorSettings): string {
  const thresholdUs = settings.latencyMonitorThreshold * 1000
  switch (key) {
    case 'slowlog':
      if (settings.slowlogLogSlowerThan >= 0 && settings.slowlogLogSlowerThan <= thresholdUs) return ''
      return `The Slow Log does not note commands as short as your latency monitor threshold. Please use 'CONFIG SET slowlog-log-slower-than ${thresholdUs}'.`
    case 'inspect':
      return 'Check your Slow Log to understand what are the commands you are running which are too slow to execute. Please check https://redis.io/commands/slowlog for more information.'
    case 'large':
      return 'Commands that read, copy or store a very large value take long. If you have very large objects, try to fragment them into multiple smaller ones. Deleting them is not the problem here: that goes in slices.'
    case 'scheduler':
      return 'Commands that take constant time were slow: the process did not get the processor, or the runtime collected garbage. Lower the load of the machine, and look for a noisy neighbour.'
    case 'hz':
      return settings.hz < 100
        ? "In order to make the keys expiring process more incremental, try to set the 'hz' configuration parameter to 100 using 'CONFIG SET hz 100'."
        : ''
    case 'eviction':
      return "Sudden changes to the 'maxmemory' setting via 'CONFIG SET', or allocation of large objects, may create sudden memory pressure, so that many keys are evicted at once."
    case 'fsync':
      return "Your fsync policy is 'always'. If possible try to relax the fsync policy to 'everysec'."
    default:
      return 'The disk was slow. It is strongly advised to use local SSD disks for persistence, and to keep other programs from using the same disk heavily.'
  }
}
