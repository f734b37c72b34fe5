// The sections of INFO that describe the process, its clients, memory, keys and commands; fields of rooms that are not
// here yet stand with the values of a server that does not use them, until those rooms provide them.

import type { Config } from '../config/config.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import type { Engine } from '../engine/engine.ts'
import type { System } from '../system/system.ts'
import { humanBytes, type Info, ratio } from './info.ts'
import type { MemoryStats } from './memory-stats.ts'
import type { Metrics } from './metrics.ts'
import { buildId, REDIS_VERSION, REDSTART_VERSION } from './version.ts'

export interface InfoParts {
  engine: Engine
  config: Config
  system: System
  metrics: Metrics
  memory: MemoryStats
  runId: string
  startedMs: number
  port(): number
  /** What the cron runs at. */
  cron: { readonly hz: number }
}

const DAY_SECONDS = 86400

export function addSections(info: Info, parts: InfoParts): void {
  info.section('server', 'Server', true, put => serverSection(put, parts))
  info.section('clients', 'Clients', true, put => clientsSection(put, parts))
  info.section('memory', 'Memory', true, put => memorySection(put, parts))
  info.section('persistence', 'Persistence', true, put => persistenceSection(put, parts))
  info.section('stats', 'Stats', true, put => statsSection(put, parts))
  info.section('replication', 'Replication', true, put => replicationSection(put, parts))
  info.section('cpu', 'CPU', true, put => cpuSection(put, parts))
  info.section('modules', 'Modules', true, () => {})
  info.section('commandstats', 'Commandstats', false, put => commandSection(put, parts))
  info.section('errorstats', 'Errorstats', true, put => errorSection(put, parts))
  info.section('latencystats', 'Latencystats', false, put => latencySection(put, parts))
  info.section('cluster', 'Cluster', true, put => put('cluster_enabled', parts.config.clusterEnabled ? 1 : 0))
  info.section('keyspace', 'Keyspace', true, put => keyspaceSection(put, parts))
  info.section('debug', 'Debug', false, put => debugSection(put, parts), true)
}

type Put = (name: string, value: number | string) => void

function serverSection(put: Put, { engine, config, system, runId, startedMs, port, cron }: InfoParts): void {
  const { process, clock } = system
  const uptime = Math.floor((clock.nowMs() - startedMs) / 1000)
  put('redis_version', REDIS_VERSION)
  put('redstart_version', REDSTART_VERSION)
  put('redis_git_sha1', '00000000')
  put('redis_git_dirty', 0)
  put('redis_build_id', buildId())
  put('redis_mode', engine.host.mode)
  put('os', process.os)
  put('arch_bits', 64)
  put('monotonic_clock', 'POSIX clock_gettime')
  put('multiplexing_api', process.runtime.split(' ')[0])
  put('atomicvar_api', 'none')
  put('gcc_version', '0.0.0')
  put('runtime', process.runtime)
  put('process_id', process.pid)
  put('process_supervised', 'no')
  put('run_id', runId)
  put('tcp_port', port())
  put('server_time_usec', clock.nowUs())
  put('uptime_in_seconds', uptime)
  put('uptime_in_days', Math.floor(uptime / DAY_SECONDS))
  put('hz', cron.hz)
  put('configured_hz', config.hz)
  put('lru_clock', engine.keyspace.lruClock)
  put('executable', '')
  put('config_file', config.configFile)
  put('io_threads_active', 0)
  if (port() !== 0) put('listener0', `name=tcp,${config.bind.map(bind => `bind=${bind}`).join(',')},port=${port()}`)
  if (config.unixsocket !== '') put('listener1', `name=unix,bind=${config.unixsocket}`)
}

function clientsSection(put: Put, { engine, metrics }: InfoParts): void {
  const { blocking, clients, settings } = engine
  let withDeadline = 0
  for (const client of blocking.clients) if ((client.blocked?.deadlineMs ?? 0) > 0) withDeadline++
  put('connected_clients', clients.size)
  put('cluster_connections', 0)
  put('maxclients', settings.maxclients)
  put('client_recent_max_input_buffer', metrics.inputPeakBytes)
  put('client_recent_max_output_buffer', metrics.outputPeakBytes)
  put('blocked_clients', blocking.clients.size + engine.postponed.count)
  put('tracking_clients', engine.tracking.clients)
  put('clients_in_timeout_table', withDeadline)
  put('total_blocking_keys', blocking.keyCount(false))
  put('total_blocking_keys_on_nokey', blocking.keyCount(true))
}

function memorySection(put: Put, { config, system, engine, memory }: InfoParts): void {
  const m = memory.figures()
  const both = (name: string, bytes: number) => {
    put(name, bytes)
    put(`${name}_human`, humanBytes(bytes))
  }
  both('used_memory', m.usedBytes)
  both('used_memory_rss', m.rssBytes)
  both('used_memory_peak', m.peakBytes)
  put('used_memory_peak_perc', `${ratio(m.usedBytes * 100, m.peakBytes)}%`)
  put('used_memory_overhead', m.overheadBytes)
  put('used_memory_startup', m.startupBytes)
  put('used_memory_dataset', m.datasetBytes)
  put('used_memory_dataset_perc', `${ratio(m.datasetBytes * 100, Math.max(1, m.usedBytes - m.startupBytes))}%`)
  put('allocator_allocated', m.allocatedBytes)
  put('allocator_active', m.activeBytes)
  put('allocator_resident', m.residentBytes)
  both('total_system_memory', system.process.totalMemoryBytes)
  put('used_memory_lua', 0)
  put('used_memory_vm_eval', 0)
  put('used_memory_lua_human', '0B')
  put('used_memory_scripts_eval', m.scriptBytes)
  put('number_of_cached_scripts', 0)
  put('number_of_functions', 0)
  put('number_of_libraries', 0)
  put('used_memory_vm_functions', 0)
  both('used_memory_vm_total', 0)
  put('used_memory_functions', m.functionBytes)
  both('used_memory_scripts', m.scriptBytes + m.functionBytes)
  both('maxmemory', config.maxmemory)
  put('maxmemory_policy', config.maxmemoryPolicy)
  put('allocator_frag_ratio', ratio(m.activeBytes, m.allocatedBytes))
  put('allocator_frag_bytes', m.activeBytes - m.allocatedBytes)
  put('allocator_rss_ratio', ratio(m.residentBytes, m.activeBytes))
  put('allocator_rss_bytes', m.residentBytes - m.activeBytes)
  put('rss_overhead_ratio', ratio(m.rssBytes, m.residentBytes))
  put('rss_overhead_bytes', m.rssBytes - m.residentBytes)
  put('mem_fragmentation_ratio', ratio(m.rssBytes, m.usedBytes))
  put('mem_fragmentation_bytes', m.rssBytes - m.usedBytes)
  put('mem_not_counted_for_evict', memory.notCountedBytes())
  put('mem_replication_backlog', m.backlogBytes)
  put('mem_total_replication_buffers', m.backlogBytes)
  put('mem_clients_slaves', m.clientsReplicaBytes)
  put('mem_clients_normal', m.clientsNormalBytes)
  put('mem_cluster_links', 0)
  put('mem_aof_buffer', m.aofBufferBytes)
  put('mem_allocator', `redstart-${REDSTART_VERSION}`)
  put('active_defrag_running', 0)
  put('lazyfree_pending_objects', engine.keyspace.lazyPending)
  put('lazyfreed_objects', engine.keyspace.lazyFreedObjects)
}

function persistenceSection(put: Put, { engine, startedMs }: InfoParts): void {
  put('loading', 0)
  put('async_loading', 0)
  put('current_cow_peak', 0)
  put('current_cow_size', 0)
  put('current_cow_size_age', 0)
  put('current_fork_perc', '0.00')
  put('current_save_keys_processed', 0)
  put('current_save_keys_total', 0)
  put('rdb_changes_since_last_save', engine.keyspace.dirty)
  put('rdb_bgsave_in_progress', 0)
  put('rdb_last_save_time', Math.floor(startedMs / 1000))
  put('rdb_last_bgsave_status', 'ok')
  put('rdb_last_bgsave_time_sec', -1)
  put('rdb_current_bgsave_time_sec', -1)
  put('rdb_saves', 0)
  put('rdb_last_cow_size', 0)
  put('rdb_last_load_keys_expired', 0)
  put('rdb_last_load_keys_loaded', 0)
  put('aof_enabled', 0)
  put('aof_rewrite_in_progress', 0)
  put('aof_rewrite_scheduled', 0)
  put('aof_last_rewrite_time_sec', -1)
  put('aof_current_rewrite_time_sec', -1)
  put('aof_last_bgrewrite_status', 'ok')
  put('aof_rewrites', 0)
  put('aof_rewrites_consecutive_failures', 0)
  put('aof_last_write_status', 'ok')
  put('aof_last_cow_size', 0)
  put('module_fork_in_progress', 0)
  put('module_fork_last_cow_size', 0)
}

function statsSection(put: Put, { engine, metrics, system }: InfoParts): void {
  const { stats, keyspace } = engine
  put('total_connections_received', stats.connectionsReceived)
  put('total_commands_processed', stats.commandsProcessed)
  put('instantaneous_ops_per_sec', Math.round(metrics.commands.perSecond))
  put('total_net_input_bytes', stats.netInputBytes)
  put('total_net_output_bytes', stats.netOutputBytes)
  put('total_net_repl_input_bytes', 0)
  put('total_net_repl_output_bytes', stats.netReplOutputBytes)
  put('instantaneous_input_kbps', (metrics.inputBytes.perSecond / 1024).toFixed(2))
  put('instantaneous_output_kbps', (metrics.outputBytes.perSecond / 1024).toFixed(2))
  put('instantaneous_input_repl_kbps', '0.00')
  put('instantaneous_output_repl_kbps', '0.00')
  put('rejected_connections', stats.rejectedConnections)
  put('sync_full', stats.syncFull)
  put('sync_partial_ok', stats.syncPartialOk)
  put('sync_partial_err', stats.syncPartialErr)
  put('expired_keys', keyspace.expiredKeys)
  put('expired_stale_perc', metrics.expiredStalePercent.toFixed(2))
  put('expired_time_cap_reached_count', stats.expiredTimeCapReached)
  put('expire_cycle_cpu_milliseconds', Math.floor(metrics.expireCycleUs / 1000))
  put('evicted_keys', stats.evictedKeys)
  put('evicted_clients', stats.evictedClients)
  put('total_eviction_exceeded_time', Math.floor(stats.evictionExceededUs / 1000))
  put('current_eviction_exceeded_time', 0)
  put('keyspace_hits', keyspace.hits)
  put('keyspace_misses', keyspace.misses)
  put('pubsub_channels', 0)
  put('pubsub_patterns', 0)
  put('pubsubshard_channels', 0)
  put('latest_fork_usec', 0)
  put('total_forks', 0)
  put('migrate_cached_sockets', 0)
  put('slave_expires_tracked_keys', 0)
  put('active_defrag_hits', stats.defragHits)
  put('active_defrag_misses', stats.defragMisses)
  put('active_defrag_key_hits', stats.defragHits)
  put('active_defrag_key_misses', stats.defragMisses)
  put('total_active_defrag_time', Math.floor(stats.defragUs / 1000))
  put('current_active_defrag_time', 0)
  put('tracking_total_keys', engine.tracking.table.size)
  put('tracking_total_items', engine.tracking.trackedItems)
  put('tracking_total_prefixes', engine.tracking.prefixes.size)
  put('unexpected_error_replies', 0)
  put('unexpected_errors', stats.unexpectedErrors)
  put('total_error_replies', stats.errorReplies)
  put('dump_payload_sanitizations', 0)
  put('total_reads_processed', stats.reads)
  put('total_writes_processed', stats.writes)
  put('io_threaded_reads_processed', 0)
  put('io_threaded_writes_processed', 0)
  put('reply_buffer_shrinks', 0)
  put('reply_buffer_expands', 0)
  // The runtime owns the event loop: its time is told as the processor time of the process.
  const { userUs, systemUs } = system.process.cpuUsage()
  const turns = metrics.turns.perSecond
  put('eventloop_cycles', stats.turns + metrics.cronTicks)
  put('eventloop_duration_sum', userUs + systemUs)
  put('eventloop_duration_cmd_sum', Math.round(engine.table.all.reduce((sum, entry) => sum + entry.usec, 0)))
  put('instantaneous_eventloop_cycles_per_sec', Math.round(turns))
  put('instantaneous_eventloop_duration_usec', turns === 0 ? 0 : Math.round(metrics.busyUs.perSecond / turns))
  put('acl_access_denied_auth', stats.aclDeniedAuth)
  put('acl_access_denied_cmd', stats.aclDeniedCmd)
  put('acl_access_denied_key', 0)
  put('acl_access_denied_channel', 0)
}

function replicationSection(put: Put, { config, runId }: InfoParts): void {
  put('role', 'master')
  put('connected_slaves', 0)
  put('master_failover_state', 'no-failover')
  put('master_replid', runId)
  put('master_replid2', '0'.repeat(40))
  put('master_repl_offset', 0)
  put('second_repl_offset', -1)
  put('repl_backlog_active', 0)
  put('repl_backlog_size', config.replBacklogSize)
  put('repl_backlog_first_byte_offset', 0)
  put('repl_backlog_histlen', 0)
}

function cpuSection(put: Put, { system }: InfoParts): void {
  const { userUs, systemUs } = system.process.cpuUsage()
  put('used_cpu_sys', (systemUs / 1e6).toFixed(6))
  put('used_cpu_user', (userUs / 1e6).toFixed(6))
  put('used_cpu_sys_children', '0.000000')
  put('used_cpu_user_children', '0.000000')
  put('used_cpu_sys_main_thread', (systemUs / 1e6).toFixed(6))
  put('used_cpu_user_main_thread', (userUs / 1e6).toFixed(6))
}

/** Field names must not contain what ends one. */
export function safeName(name: string): string {
  return name.replace(/[#:\n\r]/g, '_')
}

function commandSection(put: Put, { engine }: InfoParts): void {
  for (const entry of commandsUsed(engine)) {
    const usec = Math.round(entry.usec)
    const each = entry.calls === 0 ? '0.00' : (usec / entry.calls).toFixed(2)
    put(
      `cmdstat_${safeName(entry.fullName)}`,
      `calls=${entry.calls},usec=${usec},usec_per_call=${each},rejected_calls=${entry.rejected},failed_calls=${entry.failed}`,
    )
  }
}

function commandsUsed(engine: Engine): TableEntry[] {
  return engine.table.all.filter(entry => entry.calls + entry.rejected + entry.failed > 0)
}

function errorSection(put: Put, { engine }: InfoParts): void {
  const codes = [...engine.stats.errors.keys()].sort()
  for (const code of codes) put(`errorstat_${safeName(code)}`, `count=${engine.stats.errors.get(code)}`)
}

function latencySection(put: Put, { engine, config }: InfoParts): void {
  if (!config.latencyTracking) return
  for (const entry of engine.table.all) {
    const histogram = engine.observers.latency.histogram(entry)
    if (histogram === undefined) continue
    const points = config.latencyTrackingInfoPercentiles.map(
      percentile => `p${shortNumber(percentile)}=${(histogram.percentile(percentile) / 1000).toFixed(3)}`,
    )
    put(`latency_percentiles_usec_${safeName(entry.fullName)}`, points.join(','))
  }
}

function shortNumber(n: number): string {
  return String(Number(n.toFixed(6)))
}

function keyspaceSection(put: Put, { engine }: InfoParts): void {
  for (const db of engine.keyspace.databases) {
    if (db.size === 0) continue
    put(`db${db.index}`, `keys=${db.size},expires=${db.expiresSize},avg_ttl=${Math.floor(db.averageTtlMs)}`)
  }
}

function debugSection(put: Put, { engine, metrics }: InfoParts): void {
  put('eventloop_duration_aof_sum', 0)
  put('eventloop_duration_cron_sum', Math.floor(metrics.cronUs))
  put('eventloop_duration_max', Math.ceil(metrics.cronUsMax))
  put('eventloop_cmd_per_cycle_max', engine.stats.commandsPerTurnMax)
}
