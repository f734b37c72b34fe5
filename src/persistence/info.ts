// The persistence section of INFO.

import type { InfoSource } from '../engine/monitoring/info.ts'
import { AOF_OFF } from './aof/log.ts'
import type { Persistence } from './persistence.ts'

type Fields = NonNullable<InfoSource['fields']>

export function persistenceInfo(persistence: Persistence): InfoSource[] {
  return [
    { section: 'persistence', fields: saveFields(persistence), reset: () => resetStats(persistence) },
    { section: 'persistence', fields: aofFields(persistence) },
    { section: 'persistence', fields: loadFields(persistence) },
    {
      section: 'stats',
      // Nothing forks here: counted is what redis-server would have forked for.
      fields: { total_forks: () => persistence.saver.saves + persistence.rewriter.rewrites },
    },
    { section: 'debug', fields: { eventloop_duration_aof_sum: () => Math.floor(persistence.guard.logUs) } },
  ]
}

function resetStats({ saver, rewriter, aof, guard }: Persistence): void {
  guard.logUs = 0
  saver.saves = rewriter.rewrites = rewriter.consecutiveFailures = aof.delayedSyncs = 0
}

/** Progress of the snapshot in percent. */
function percentDone(job: { keysDone: number; keysTotal: number } | undefined): number {
  return job === undefined || job.keysTotal === 0 ? 0 : (job.keysDone / job.keysTotal) * 100
}

function saveFields(persistence: Persistence): Fields {
  const { guard, saver, rewriter, loader, slot } = persistence
  const job = () => saver.job ?? rewriter.job
  return {
    current_cow_peak: () => job()?.copyOnWriteBytes ?? 0,
    current_cow_size: () => job()?.copyOnWriteBytes ?? 0,
    current_fork_perc: () => percentDone(job()).toFixed(2),
    current_save_keys_processed: () => job()?.keysDone ?? 0,
    current_save_keys_total: () => job()?.keysTotal ?? 0,
    rdb_changes_since_last_save: () => persistence.parts.engine.keyspace.dirty,
    rdb_bgsave_in_progress: () => (saver.job === undefined && !slot.isTakenBy('replicas') ? 0 : 1),
    rdb_last_save_time: () => saver.lastSaveSeconds,
    rdb_last_bgsave_status: () => (guard.lastSaveOk ? 'ok' : 'err'),
    rdb_last_bgsave_time_sec: () => saver.lastSeconds,
    rdb_current_bgsave_time_sec: () => saver.job?.seconds ?? -1,
    rdb_saves: () => saver.saves,
    rdb_last_cow_size: () => saver.lastCopyOnWriteBytes,
    rdb_last_load_keys_expired: () => loader.lastLoad.keysExpired,
    rdb_last_load_keys_loaded: () => loader.lastLoad.keysLoaded,
  }
}

function aofFields({ guard, rewriter, aof }: Persistence): Fields {
  const isOn = () => aof.state !== AOF_OFF
  return {
    aof_enabled: () => (aof.state === AOF_OFF ? 0 : 1),
    aof_rewrite_in_progress: () => (rewriter.isActive ? 1 : 0),
    aof_rewrite_scheduled: () => (rewriter.scheduled ? 1 : 0),
    aof_last_rewrite_time_sec: () => rewriter.lastSeconds,
    aof_current_rewrite_time_sec: () => rewriter.job?.seconds ?? -1,
    aof_last_bgrewrite_status: () => (rewriter.lastOk ? 'ok' : 'err'),
    aof_rewrites: () => rewriter.rewrites,
    aof_rewrites_consecutive_failures: () => rewriter.consecutiveFailures,
    aof_last_write_status: () => (guard.writeError === undefined && guard.syncError === undefined ? 'ok' : 'err'),
    aof_last_cow_size: () => rewriter.lastCopyOnWriteBytes,
    aof_current_size: () => (isOn() ? aof.totalSize : undefined),
    aof_base_size: () => (isOn() ? rewriter.baseSize : undefined),
    aof_pending_rewrite: () => (isOn() ? (rewriter.scheduled ? 1 : 0) : undefined),
    aof_buffer_length: () => (isOn() ? aof.buffer.len : undefined),
    aof_pending_bio_fsync: () => (isOn() ? (aof.syncInProgress ? 1 : 0) : undefined),
    aof_delayed_fsync: () => (isOn() ? aof.delayedSyncs : undefined),
  }
}

function loadFields({ progress }: Persistence): Fields {
  const now = (read: () => number | string) => () => (progress.active || progress.isAsync ? read() : undefined)
  return {
    loading: () => (progress.active ? 1 : 0),
    async_loading: () => (progress.isAsync ? 1 : 0),
    loading_start_time: now(() => progress.startSeconds),
    loading_total_bytes: now(() => progress.totalBytes),
    loading_rdb_used_mem: now(() => progress.rdbUsedMemory),
    loading_loaded_bytes: now(() => progress.loadedBytes),
    loading_loaded_perc: now(() => progress.percent.toFixed(2)),
    loading_eta_seconds: now(() => progress.etaSeconds),
  }
}
