// The fields of INFO persistence.

import { OFF } from './aof/log.ts'
import type { Persistence } from './persistence.ts'

export type Put = (name: string, value: number | string) => void

export function putPersistence(put: Put, persistence: Persistence, changes: number): void {
  const { progress, guard, saver, rewriter, aof, loader } = persistence
  const job = saver.job ?? rewriter.job
  const percent = job === undefined || job.keysTotal === 0 ? 0 : (job.keysDone / job.keysTotal) * 100
  put('loading', progress.active ? 1 : 0)
  put('async_loading', 0)
  put('current_cow_peak', job?.earlyBytes ?? 0)
  put('current_cow_size', job?.earlyBytes ?? 0)
  put('current_cow_size_age', 0)
  put('current_fork_perc', percent.toFixed(2))
  put('current_save_keys_processed', job?.keysDone ?? 0)
  put('current_save_keys_total', job?.keysTotal ?? 0)
  put('rdb_changes_since_last_save', changes)
  put('rdb_bgsave_in_progress', saver.job === undefined ? 0 : 1)
  put('rdb_last_save_time', saver.lastSaveSeconds)
  put('rdb_last_bgsave_status', guard.lastSaveOk ? 'ok' : 'err')
  put('rdb_last_bgsave_time_sec', saver.lastSeconds)
  put('rdb_current_bgsave_time_sec', saver.job?.seconds ?? -1)
  put('rdb_saves', saver.saves)
  put('rdb_last_cow_size', saver.lastEarlyBytes)
  put('rdb_last_load_keys_expired', loader.lastLoad.keysExpired)
  put('rdb_last_load_keys_loaded', loader.lastLoad.keysLoaded)
  put('aof_enabled', aof.state === OFF ? 0 : 1)
  put('aof_rewrite_in_progress', rewriter.isActive ? 1 : 0)
  put('aof_rewrite_scheduled', rewriter.scheduled ? 1 : 0)
  put('aof_last_rewrite_time_sec', rewriter.lastSeconds)
  put('aof_current_rewrite_time_sec', rewriter.job?.seconds ?? -1)
  put('aof_last_bgrewrite_status', rewriter.lastOk ? 'ok' : 'err')
  put('aof_rewrites', rewriter.rewrites)
  put('aof_rewrites_consecutive_failures', rewriter.consecutiveFailures)
  put('aof_last_write_status', guard.writeError === undefined && guard.syncError === undefined ? 'ok' : 'err')
  put('aof_last_cow_size', rewriter.lastEarlyBytes)
  put('module_fork_in_progress', 0)
  put('module_fork_last_cow_size', 0)
  if (aof.state !== OFF) {
    put('aof_current_size', aof.totalSize)
    put('aof_base_size', rewriter.baseSize)
    put('aof_pending_rewrite', rewriter.scheduled ? 1 : 0)
    put('aof_buffer_length', aof.buffer.len)
    put('aof_pending_bio_fsync', aof.syncInProgress ? 1 : 0)
    put('aof_delayed_fsync', aof.delayedSyncs)
  }
  if (progress.active) {
    put('loading_start_time', progress.startSeconds)
    put('loading_total_bytes', progress.totalBytes)
    put('loading_rdb_used_mem', progress.rdbUsedMemory)
    put('loading_loaded_bytes', progress.loadedBytes)
    put('loading_loaded_perc', progress.percent.toFixed(2))
    put('loading_eta_seconds', progress.etaSeconds)
  }
}
