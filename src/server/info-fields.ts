// The list of INFO's sections and fields, in their order: Redis 7.2.4's, with our own among them.
//
// Always: every name listed has one owner, or is in WITHOUT_MEANING; docs/info.md lists the same names of ours.

export interface SectionFields {
  readonly name: string
  readonly title: string
  readonly byDefault: boolean
  /** Not part of 'all': only when named. */
  readonly hidden?: boolean
  /** Names separated by white space; one that ends with `*` is the place of fields whose names depend on the state. */
  readonly fields: string
}

export const SECTIONS: readonly SectionFields[] = [
  {
    name: 'server',
    title: 'Server',
    byDefault: true,
    fields: `redis_version redstart_version redis_git_sha1 redis_git_dirty redis_build_id redis_mode os arch_bits
      monotonic_clock multiplexing_api atomicvar_api gcc_version runtime process_id process_supervised run_id tcp_port
      server_time_usec uptime_in_seconds uptime_in_days hz configured_hz lru_clock executable config_file
      io_threads_active shutdown_in_milliseconds listener*
      tls_server_cert_expires_in_seconds tls_client_cert_expires_in_seconds`,
  },
  {
    name: 'clients',
    title: 'Clients',
    byDefault: true,
    fields: `connected_clients cluster_connections maxclients client_recent_max_input_buffer
      client_recent_max_output_buffer blocked_clients tracking_clients clients_in_timeout_table total_blocking_keys
      total_blocking_keys_on_nokey`,
  },
  {
    name: 'memory',
    title: 'Memory',
    byDefault: true,
    fields: `used_memory used_memory_human used_memory_rss used_memory_rss_human used_memory_peak
      used_memory_peak_human used_memory_peak_perc used_memory_overhead used_memory_startup used_memory_dataset
      used_memory_dataset_perc allocator_allocated allocator_active allocator_resident total_system_memory
      total_system_memory_human used_memory_lua used_memory_vm_eval used_memory_lua_human used_memory_scripts_eval
      number_of_cached_scripts number_of_functions number_of_libraries used_memory_vm_functions used_memory_vm_total
      used_memory_vm_total_human used_memory_functions used_memory_scripts used_memory_scripts_human maxmemory
      maxmemory_human maxmemory_policy allocator_frag_ratio allocator_frag_bytes allocator_rss_ratio
      allocator_rss_bytes rss_overhead_ratio rss_overhead_bytes mem_fragmentation_ratio mem_fragmentation_bytes
      mem_runtime_base mem_not_counted_for_evict mem_replication_backlog mem_total_replication_buffers
      mem_clients_slaves mem_clients_normal mem_cluster_links mem_aof_buffer mem_allocator active_defrag_running
      lazyfree_pending_objects lazyfreed_objects`,
  },
  {
    name: 'storage',
    title: 'Storage',
    byDefault: false,
    hidden: true,
    fields: `storage_mode storage_memory_limit storage_cold_keys storage_faults storage_waits storage_spilled
      storage_dropped storage_fault_queue storage_fault_p50_usec storage_fault_p99_usec
      storage_fault_max_usec storage_segments storage_bytes storage_held_bytes storage_live_bytes storage_pending_bytes
      storage_written_bytes storage_read_bytes storage_write_errors storage_read_errors storage_compacted_segments
      storage_moved_bytes`,
  },
  {
    name: 'persistence',
    title: 'Persistence',
    byDefault: true,
    fields: `loading async_loading current_cow_peak current_cow_size current_cow_size_age current_fork_perc
      current_save_keys_processed current_save_keys_total rdb_changes_since_last_save rdb_bgsave_in_progress
      rdb_last_save_time rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves
      rdb_last_cow_size rdb_last_load_keys_expired rdb_last_load_keys_loaded aof_enabled aof_rewrite_in_progress
      aof_rewrite_scheduled aof_last_rewrite_time_sec aof_current_rewrite_time_sec aof_last_bgrewrite_status
      aof_rewrites aof_rewrites_consecutive_failures aof_last_write_status aof_last_cow_size module_fork_in_progress
      module_fork_last_cow_size aof_current_size aof_base_size aof_pending_rewrite aof_buffer_length
      aof_pending_bio_fsync aof_delayed_fsync loading_start_time loading_total_bytes loading_rdb_used_mem
      loading_loaded_bytes loading_loaded_perc loading_eta_seconds`,
  },
  {
    name: 'stats',
    title: 'Stats',
    byDefault: true,
    fields: `total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes
      total_net_output_bytes total_net_repl_input_bytes total_net_repl_output_bytes instantaneous_input_kbps
      instantaneous_output_kbps instantaneous_input_repl_kbps instantaneous_output_repl_kbps rejected_connections
      sync_full sync_partial_ok sync_partial_err expired_keys expired_stale_perc expired_time_cap_reached_count
      expire_cycle_cpu_milliseconds evicted_keys evicted_clients total_eviction_exceeded_time
      current_eviction_exceeded_time keyspace_hits keyspace_misses pubsub_channels pubsub_patterns
      pubsubshard_channels latest_fork_usec total_forks migrate_cached_sockets slave_expires_tracked_keys
      active_defrag_hits active_defrag_misses active_defrag_key_hits active_defrag_key_misses
      total_active_defrag_time current_active_defrag_time tracking_total_keys tracking_total_items
      tracking_total_prefixes unexpected_error_replies unexpected_errors total_error_replies
      dump_payload_sanitizations total_reads_processed total_writes_processed io_threaded_reads_processed
      io_threaded_writes_processed client_query_buffer_limit_disconnections
      client_output_buffer_limit_disconnections reply_buffer_shrinks reply_buffer_expands eventloop_cycles
      eventloop_duration_sum eventloop_duration_cmd_sum instantaneous_eventloop_cycles_per_sec instantaneous_eventloop_duration_usec
      acl_access_denied_auth acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel`,
  },
  {
    name: 'replication',
    title: 'Replication',
    byDefault: true,
    fields: `role master_host master_port master_link_status master_last_io_seconds_ago master_sync_in_progress
      slave_read_repl_offset slave_repl_offset master_sync_total_bytes master_sync_read_bytes master_sync_left_bytes
      master_sync_perc master_sync_last_io_seconds_ago master_link_down_since_seconds slave_priority slave_read_only
      replica_announced connected_slaves primary_empty_guard min_slaves_good_slaves slave* master_failover_state master_replid
      master_replid2 master_repl_offset second_repl_offset repl_backlog_active repl_backlog_size repl_backlog_first_byte_offset
      repl_backlog_histlen`,
  },
  {
    name: 'cpu',
    title: 'CPU',
    byDefault: true,
    fields: `used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children used_cpu_sys_main_thread
      used_cpu_user_main_thread`,
  },
  { name: 'modules', title: 'Modules', byDefault: true, fields: 'module*' },
  { name: 'commandstats', title: 'Commandstats', byDefault: false, fields: 'cmdstat_*' },
  { name: 'errorstats', title: 'Errorstats', byDefault: true, fields: 'errorstat_*' },
  { name: 'latencystats', title: 'Latencystats', byDefault: false, fields: 'latency_percentiles_usec_*' },
  { name: 'cluster', title: 'Cluster', byDefault: true, fields: 'cluster_enabled' },
  { name: 'keyspace', title: 'Keyspace', byDefault: true, fields: 'db*' },
  {
    name: 'debug',
    title: 'Debug',
    byDefault: false,
    hidden: true,
    fields: `eventloop_duration_aof_sum eventloop_duration_cron_sum eventloop_duration_max
      eventloop_cmd_per_cycle_max`,
  },
]

const NO_FORK = 'nothing forks: snapshots are taken in slices of the event loop'
const NO_THREADS = 'there are no input and output threads'
const NO_MODULES = 'there are no modules'
const NOT_IN_C = 'nothing is compiled from C'

/** Redis's fields that mean nothing here: their constant value, and why. */
export const WITHOUT_MEANING: { readonly [field: string]: readonly [value: number | string, reason: string] } = {
  redis_git_sha1: ['00000000', 'there is no commit of Redis in it'],
  redis_git_dirty: [0, 'there is no commit of Redis in it'],
  atomicvar_api: ['none', NOT_IN_C],
  gcc_version: ['0.0.0', NOT_IN_C],
  io_threads_active: [0, NO_THREADS],
  current_cow_size_age: [0, 'the size is counted as it grows, not reported now and then'],
  module_fork_in_progress: [0, NO_MODULES],
  module_fork_last_cow_size: [0, NO_MODULES],
  latest_fork_usec: [0, NO_FORK],
  io_threaded_reads_processed: [0, NO_THREADS],
  io_threaded_writes_processed: [0, NO_THREADS],
  used_cpu_sys_children: ['0.000000', NO_FORK],
  used_cpu_user_children: ['0.000000', NO_FORK],
}
