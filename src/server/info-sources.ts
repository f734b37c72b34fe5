// The server's INFO fields: process, memory, cron and its tasks.

import type { Config } from '../config/config.ts'
import type { Engine } from '../engine/engine.ts'
import type { InfoSource } from '../engine/monitoring/info.ts'
import type { MemoryFigures } from '../engine/ports/host.ts'
import type { Defrag } from '../keyspace/defrag.ts'
import type { Eviction } from '../keyspace/eviction.ts'
import type { ExpireCycle } from '../keyspace/expire-cycle.ts'
import type { System } from '../system/system.ts'
import type { ClientsCron } from './clients-cron.ts'
import type { Cron } from './cron.ts'
import { humanBytes, ratio } from './info.ts'
import type { MemoryStats } from './memory-stats.ts'
import type { Rates } from './rates.ts'
import { buildId, REDIS_VERSION, REDSTART_VERSION } from './version.ts'

interface InfoParts {
  engine: Engine
  config: Config
  system: System
  rates: Rates
  memoryStats: MemoryStats
  clientsCron: ClientsCron
  expire: ExpireCycle
  eviction: Eviction
  defrag: Defrag
  cron: Cron
  runId: string
  startedMs: number
  supervisedBy: string
  port(): number
}

const DAY_SECONDS = 86400

export function serverInfo(parts: InfoParts): InfoSource[] {
  return [
    processInfo(parts),
    clientsCronInfo(parts),
    usedMemoryInfo(parts),
    allocatorInfo(parts),
    expiryInfo(parts),
    evictionInfo(parts),
    defragInfo(parts),
    cpuInfo(parts),
    debugInfo(parts),
    { section: 'cluster', fields: { cluster_enabled: () => (parts.config.clusterEnabled ? 1 : 0) } },
  ]
}

function processInfo(parts: InfoParts): InfoSource {
  const { engine, config, system, runId, startedMs, supervisedBy, port, cron } = parts
  const { process, clock } = system
  const uptimeSeconds = () => Math.floor((clock.nowMs() - startedMs) / 1000)
  return {
    section: 'server',
    fields: {
      redis_version: () => REDIS_VERSION,
      redstart_version: () => REDSTART_VERSION,
      redis_build_id: buildId,
      redis_mode: () => engine.host.mode,
      os: () => process.os,
      arch_bits: () => 64,
      monotonic_clock: () => 'POSIX clock_gettime',
      multiplexing_api: () => process.runtime.split(' ')[0],
      runtime: () => process.runtime,
      process_id: () => process.pid,
      process_supervised: () => supervisedBy,
      run_id: () => runId,
      tcp_port: port,
      server_time_usec: () => clock.nowUs(),
      uptime_in_seconds: uptimeSeconds,
      uptime_in_days: () => Math.floor(uptimeSeconds() / DAY_SECONDS),
      hz: () => cron.hz,
      configured_hz: () => config.hz,
      lru_clock: () => engine.keyspace.lruClock,
      executable: () => process.executable,
      config_file: () => config.configFile,
    },
    rows: {
      'listener*': put => {
        const binds = config.bind.map(bind => `bind=${bind}`).join(',')
        if (config.port !== 0 && port() !== 0) put('listener0', `name=tcp,${binds},port=${port()}`)
        if (config.unixsocket !== '') put('listener1', `name=unix,bind=${config.unixsocket}`)
        if (config.tlsPort !== 0) put('listener2', `name=tls,${binds},port=${config.tlsPort}`)
      },
    },
  }
}

function clientsCronInfo({ clientsCron }: InfoParts): InfoSource {
  return {
    section: 'clients',
    fields: {
      client_recent_max_input_buffer: () => clientsCron.inputPeakBytes,
      client_recent_max_output_buffer: () => clientsCron.outputPeakBytes,
    },
  }
}

function usedMemoryInfo({ config, system, engine, memoryStats }: InfoParts): InfoSource {
  let m!: MemoryFigures
  return {
    section: 'memory',
    prepare: () => {
      m = memoryStats.figures()
    },
    fields: {
      used_memory: () => m.usedBytes,
      used_memory_human: () => humanBytes(m.usedBytes),
      used_memory_rss: () => m.rssBytes,
      used_memory_rss_human: () => humanBytes(m.rssBytes),
      used_memory_peak: () => m.peakBytes,
      used_memory_peak_human: () => humanBytes(m.peakBytes),
      used_memory_peak_perc: () => `${ratio(m.usedBytes * 100, m.peakBytes)}%`,
      used_memory_overhead: () => m.overheadBytes,
      used_memory_startup: () => m.startupBytes,
      used_memory_dataset: () => m.datasetBytes,
      used_memory_dataset_perc: () => `${ratio(m.datasetBytes * 100, Math.max(1, m.usedBytes - m.startupBytes))}%`,
      total_system_memory: () => system.process.totalMemoryBytes,
      total_system_memory_human: () => humanBytes(system.process.totalMemoryBytes),
      maxmemory: () => config.maxmemory,
      maxmemory_human: () => humanBytes(config.maxmemory),
      maxmemory_policy: () => config.maxmemoryPolicy,
      mem_not_counted_for_evict: () => m.notCountedBytes,
      mem_replication_backlog: () => m.backlogBytes,
      mem_total_replication_buffers: () => m.backlogBytes,
      mem_clients_slaves: () => m.clientsReplicaBytes,
      mem_clients_normal: () => m.clientsNormalBytes,
      mem_aof_buffer: () => m.aofBufferBytes,
      lazyfree_pending_objects: () => engine.keyspace.lazyPending,
      lazyfreed_objects: () => engine.keyspace.lazyFreedObjects,
    },
  }
}

/** The allocator's numbers: resident memory without the runtime's own. */
function allocatorInfo({ memoryStats, defrag }: InfoParts): InfoSource {
  let m!: MemoryFigures
  let processBytes = 0
  return {
    section: 'memory',
    prepare: () => {
      m = memoryStats.figures()
      processBytes = m.rssBytes - m.baseBytes
    },
    fields: {
      allocator_allocated: () => m.allocatedBytes,
      allocator_active: () => m.activeBytes,
      allocator_resident: () => m.residentBytes,
      allocator_frag_ratio: () => ratio(m.activeBytes, m.allocatedBytes),
      allocator_frag_bytes: () => m.activeBytes - m.allocatedBytes,
      allocator_rss_ratio: () => ratio(m.residentBytes, m.activeBytes),
      allocator_rss_bytes: () => m.residentBytes - m.activeBytes,
      rss_overhead_ratio: () => ratio(processBytes, m.residentBytes),
      rss_overhead_bytes: () => processBytes - m.residentBytes,
      mem_fragmentation_ratio: () => ratio(processBytes, m.allocatedBytes),
      mem_fragmentation_bytes: () => processBytes - m.allocatedBytes,
      mem_runtime_base: () => m.baseBytes,
      mem_allocator: () => `redstart-${REDSTART_VERSION}`,
      active_defrag_running: () => defrag.percent,
    },
  }
}

function expiryInfo({ expire }: InfoParts): InfoSource {
  return {
    section: 'stats',
    fields: {
      expired_stale_perc: () => expire.stalePercent.toFixed(2),
      expired_time_cap_reached_count: () => expire.timeCapReached,
      expire_cycle_cpu_milliseconds: () => Math.floor(expire.usedUs / 1000),
    },
    reset: () => expire.resetStats(),
  }
}

function evictionInfo({ eviction, clientsCron }: InfoParts): InfoSource {
  return {
    section: 'stats',
    fields: {
      evicted_keys: () => eviction.evictedKeys,
      total_eviction_exceeded_time: () => Math.floor(eviction.exceededUs / 1000),
      current_eviction_exceeded_time: () => Math.floor(eviction.currentExceededUs / 1000),
      reply_buffer_shrinks: () => clientsCron.replyBufferShrinks,
      reply_buffer_expands: () => clientsCron.replyBufferExpands,
    },
    reset: () => {
      eviction.resetStats()
      clientsCron.resetStats()
    },
  }
}

function defragInfo({ defrag }: InfoParts): InfoSource {
  return {
    section: 'stats',
    fields: {
      active_defrag_hits: () => defrag.hits,
      active_defrag_misses: () => defrag.misses,
      active_defrag_key_hits: () => defrag.hits,
      active_defrag_key_misses: () => defrag.misses,
      total_active_defrag_time: () => Math.floor(defrag.usedUs / 1000),
      current_active_defrag_time: () => Math.floor(defrag.currentUsedUs / 1000),
    },
    reset: () => defrag.resetStats(),
  }
}

/** What is measured from the server's start on. */
export function ratesInfo(parts: InfoParts): InfoSource[] {
  return [trafficRatesInfo(parts), eventLoopInfo(parts)]
}

function trafficRatesInfo({ engine, rates }: InfoParts): InfoSource {
  const { stats } = engine
  const commands = rates.follow(() => stats.commandsProcessed)
  const input = rates.follow(() => stats.netInputBytes)
  const output = rates.follow(() => stats.netOutputBytes)
  return {
    section: 'stats',
    fields: {
      instantaneous_ops_per_sec: () => Math.round(commands.perSecond),
      instantaneous_input_kbps: () => input.kilobytesPerSecond,
      instantaneous_output_kbps: () => output.kilobytesPerSecond,
    },
    reset: () => rates.reset(),
  }
}

/** The runtime owns the event loop: its time is shown as the process's CPU time. */
function eventLoopInfo({ engine, rates, cron, system }: InfoParts): InfoSource {
  const cycles = () => engine.stats.turns + cron.ticks
  let resetUs = 0
  const cpuUs = () => {
    const { userUs, systemUs } = system.process.cpuUsage()
    return userUs + systemUs
  }
  const turns = rates.follow(cycles)
  const busy = rates.follow(cpuUs)
  return {
    section: 'stats',
    fields: {
      eventloop_cycles: cycles,
      eventloop_duration_sum: () => cpuUs() - resetUs,
      instantaneous_eventloop_cycles_per_sec: () => Math.round(turns.perSecond),
      instantaneous_eventloop_duration_usec: () =>
        turns.perSecond === 0 ? 0 : Math.round(busy.perSecond / turns.perSecond),
    },
    reset: () => {
      resetUs = cpuUs()
      cron.resetStats()
    },
  }
}

function cpuInfo({ system }: InfoParts): InfoSource {
  const seconds = (name: 'userUs' | 'systemUs') => () => (system.process.cpuUsage()[name] / 1e6).toFixed(6)
  return {
    section: 'cpu',
    fields: {
      used_cpu_sys: seconds('systemUs'),
      used_cpu_user: seconds('userUs'),
      used_cpu_sys_main_thread: seconds('systemUs'),
      used_cpu_user_main_thread: seconds('userUs'),
    },
  }
}

function debugInfo({ cron }: InfoParts): InfoSource {
  return {
    section: 'debug',
    fields: {
      eventloop_duration_cron_sum: () => Math.floor(cron.usedUs),
      eventloop_duration_max: () => Math.ceil(cron.longestUs),
    },
  }
}
