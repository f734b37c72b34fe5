// Scrape: INFO and the latencies of commands as metrics, with redis_exporter's names, and what only Redstart has under
// redstart_.

import type { Engine } from '../../engine/engine.ts'
import { Exposition, type Labels } from './exposition.ts'
import { CLUSTER_COUNTERS, METRICS } from './names.ts'
import type { Pauses } from './pauses.ts'

/** LATENCY HISTOGRAM begins with this bound, in nanoseconds. */
const FIRST_COMMAND_NS = 1024
const FIRST_PAUSE_US = 128
const STATES = new Map([
  ['ok', 1],
  ['err', 0],
  ['fail', 0],
])
const INSTANCE =
  'role redis_version redis_build_id redis_mode os maxmemory_policy tcp_port run_id process_id master_replid'

interface ScrapeParts {
  engine: Engine
  /** The fields of INFO. */
  fields: ReadonlyMap<string, string>
  pauses: Pauses
  nowMs: number
}

export function scrape(parts: ScrapeParts): string {
  const out = new Exposition()
  const { fields } = parts
  out.gauge('redis_up', 1)
  for (const [field, value] of fields) addField(out, field, value)
  addServer(out, parts)
  addReplication(out, fields)
  addCluster(out, parts.engine)
  addCommands(out, parts.engine)
  addPauses(out, parts.pauses)
  return out.text()
}

/** 'keys=1,expires=0' */
function partsOf(value: string): Map<string, string> {
  const parts = new Map<string, string>()
  for (let at = 0; at < value.length; ) {
    const found = value.indexOf(',', at)
    const end = found < 0 ? value.length : found
    const sign = value.indexOf('=', at)
    if (sign > at && sign < end) parts.set(value.slice(at, sign), value.slice(sign + 1, end))
    at = end + 1
  }
  return parts
}

function addField(out: Exposition, field: string, value: string): void {
  const metric = METRICS.get(field)
  const number = STATES.get(value) ?? Number(value)
  if (metric !== undefined) {
    if (Number.isFinite(number)) out[metric.kind](metric.name, number)
  } else if (field.startsWith('storage_') && Number.isFinite(number)) out.gauge(`redstart_${field}`, number)
  else if (field === 'primary_empty_guard') out.gauge('redstart_primary_empty_guard_refusals', number)
  else if (field.startsWith('db') && value.startsWith('keys=')) addDatabase(out, field, partsOf(value))
  else if (field.startsWith('errorstat_'))
    out.counter('redis_errors_total', Number(partsOf(value).get('count')), { err: field.slice('errorstat_'.length) })
}

function addDatabase(out: Exposition, db: string, facts: ReadonlyMap<string, string>): void {
  out.gauge('redis_db_keys', Number(facts.get('keys')), { db })
  out.gauge('redis_db_keys_expiring', Number(facts.get('expires')), { db })
  out.gauge('redis_db_avg_ttl_seconds', Number(facts.get('avg_ttl')) / 1000, { db })
}

function addServer(out: Exposition, { engine, fields, nowMs }: ScrapeParts): void {
  const { slowlog } = engine.observers
  const of = (field: string) => fields.get(field) ?? ''
  const labels: Record<string, string> = {}
  for (const name of INSTANCE.split(' ')) labels[name] = of(name)
  out.gauge('redis_instance_info', 1, labels)
  out.gauge('redis_start_time_seconds', Math.floor(nowMs / 1000) - Number(of('uptime_in_seconds')))
  out.gauge('redis_latest_fork_seconds', Number(of('latest_fork_usec')) / 1e6)
  // Its name in older versions of redis_exporter; published dashboards still ask for it.
  out.gauge('redis_memory_fragmentation_ratio', Number(of('mem_fragmentation_ratio')))
  out.gauge('redis_config_maxmemory', engine.settings.maxmemory)
  out.gauge('redis_config_maxclients', engine.settings.maxclients)
  out.gauge('redis_slowlog_length', slowlog.length)
  const [slowest] = slowlog.newest(1)
  out.gauge('redis_slowlog_last_id', slowest?.id ?? 0)
  out.gauge('redis_last_slow_execution_duration_seconds', (slowest?.durationUs ?? 0) / 1e6)
  out.counter('redstart_unexpected_errors_total', Number(of('unexpected_errors')))
  out.gauge('redstart_runtime_base_bytes', Number(of('mem_runtime_base')))
  const leftSeconds = fields.get('tls_server_cert_expires_in_seconds')
  if (leftSeconds !== undefined)
    out.gauge('redstart_tls_certificate_expires_timestamp_seconds', Math.floor(nowMs / 1000) + Number(leftSeconds))
  for (const [event_name, { samples }] of engine.observers.latency.series) {
    const last = samples.at(-1)
    if (last === undefined) continue
    out.gauge('redis_latency_spike_last', last.unixSeconds, { event_name })
    out.gauge('redis_latency_spike_duration_seconds', last.ms / 1000, { event_name })
  }
}

function addReplication(out: Exposition, fields: ReadonlyMap<string, string>): void {
  for (const [field, value] of fields) {
    if (!field.startsWith('slave') || !value.startsWith('ip=')) continue
    const facts = partsOf(value)
    const of = (name: string) => facts.get(name) ?? ''
    const labels = { slave_ip: of('ip'), slave_port: of('port'), slave_state: of('state') }
    out.gauge('redis_connected_slave_offset_bytes', Number(of('offset')), labels)
    out.gauge('redis_connected_slave_lag_seconds', Number(of('lag')), labels)
  }
  const status = fields.get('master_link_status')
  if (status === undefined) return
  const of = (field: string) => fields.get(field) ?? ''
  const primary: Labels = { master_host: of('master_host'), master_port: of('master_port') }
  out.gauge('redis_slave_info', 1, { ...primary, read_only: of('slave_read_only') })
  out.gauge('redis_master_link_up', status === 'up' ? 1 : 0, primary)
  out.gauge('redis_master_last_io_seconds_ago', Number(of('master_last_io_seconds_ago')), primary)
  out.gauge('redis_master_sync_in_progress', Number(of('master_sync_in_progress')), primary)
  out.gauge('redis_slave_repl_offset', Number(of('slave_repl_offset')), primary)
}

function addCluster(out: Exposition, { cluster }: Engine): void {
  for (const [field, value] of cluster?.fields() ?? []) {
    const number = STATES.get(String(value)) ?? Number(value)
    const counter = CLUSTER_COUNTERS.get(field)
    if (counter === undefined) out.gauge(`redis_${field}`, number)
    else out.counter(counter, number)
  }
}

function addCommands(out: Exposition, { table, observers }: Engine): void {
  const { latency } = observers
  for (const entry of table.used) {
    const { calls, rejected, failed } = entry
    if (calls + rejected + failed === 0) continue
    const cmd = entry.fullName
    const histogram = latency.histogram(entry)
    out.counter('redis_commands_total', calls, { cmd })
    out.counter('redis_commands_duration_seconds_total', entry.usec / 1e6, { cmd })
    out.counter('redis_commands_rejected_calls_total', rejected, { cmd })
    out.counter('redis_commands_failed_calls_total', failed, { cmd })
    const scale = { first: FIRST_COMMAND_NS, unit: 1000 }
    if (histogram !== undefined) out.histogram('redis_commands_latencies_usec', histogram, entry.usec, scale, { cmd })
  }
}

function addPauses(out: Exposition, pauses: Pauses): void {
  const scale = { first: FIRST_PAUSE_US, unit: 1e6 }
  const { delay, delayUs, longestDelayUs, collections, collectionUs, tellsCollections } = pauses
  out.histogram('redstart_event_loop_delay_seconds', delay, delayUs / 1e6, scale, {}, 'How late the event loop is.')
  out.gauge('redstart_event_loop_delay_max_seconds', longestDelayUs / 1e6)
  if (!tellsCollections) return
  const name = 'redstart_gc_pause_seconds'
  out.histogram(name, collections, collectionUs / 1e6, scale, {}, 'Garbage collections, in part beside the program.')
}
