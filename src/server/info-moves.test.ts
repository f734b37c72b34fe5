// Every number of INFO moves when what it counts happens: a server is driven through all of it, and each field must at
// some time differ from what it was at the start. With REDIS_SERVER set the same holds of that redis-server, so that a
// field that stands still here but not there cannot go unseen. What does not move stands below, each with its reason.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestClient } from '../../test/harness/client.ts'
import { factsAreLive, oraclePath } from '../../test/harness/oracle.ts'
import { encodeCommand } from '../../test/harness/resp.ts'
import { startTarget, type Target, type Wire } from '../../test/harness/target.ts'
import { splitWords } from '../../test/harness/words.ts'
import { SECTIONS, WITHOUT_MEANING } from './info-fields.ts'

/** What the server is, not what it does. */
const STEADY = `redis_version redstart_version redis_build_id redis_mode os arch_bits monotonic_clock multiplexing_api
  runtime process_id process_supervised run_id tcp_port uptime_in_days executable config_file total_system_memory
  total_system_memory_human mem_allocator used_memory_startup role cluster_enabled master_replid2 second_repl_offset
  maxclients`

/** Of a replica: following.test.ts. */
const OF_A_REPLICA = `async_loading total_net_repl_input_bytes instantaneous_input_repl_kbps master_host master_port
  master_link_status master_last_io_seconds_ago master_sync_in_progress slave_read_repl_offset slave_repl_offset
  master_sync_total_bytes master_sync_read_bytes master_sync_left_bytes master_sync_perc
  master_sync_last_io_seconds_ago master_link_down_since_seconds slave_priority slave_read_only replica_announced
  master_failover_state slave_expires_tracked_keys shutdown_in_milliseconds primary_empty_guard
  tls_server_cert_expires_in_seconds tls_client_cert_expires_in_seconds`

/** Of values on disk: storage.test.ts. */
const OF_STORAGE = `storage_mode storage_memory_limit storage_cold_keys storage_faults storage_waits storage_spilled
  storage_dropped storage_fault_queue storage_fault_p50_usec storage_fault_p99_usec
  storage_fault_max_usec storage_segments storage_bytes storage_held_bytes storage_live_bytes storage_pending_bytes storage_written_bytes
  storage_read_bytes storage_write_errors storage_read_errors storage_compacted_segments storage_moved_bytes`

/** What would take a test too long, or a fault of the machine, to move. */
const HARD = new Map([
  ['expired_time_cap_reached_count', 'needs millions of keys that run out together'],
  ['expire_cycle_cpu_milliseconds', 'as above'],
  ['expired_stale_perc', 'an estimate that decays to zero between cycles'],
  ['cluster_connections', 'needs a cluster of several nodes'],
  ['mem_cluster_links', 'needs a cluster of several nodes'],
  ['lazyfree_pending_objects', 'over within a slice'],
  ['active_defrag_running', 'needs 64 MB of waste; redis-server has none without jemalloc'],
  ['active_defrag_hits', 'as above'],
  ['active_defrag_misses', 'as above'],
  ['active_defrag_key_hits', 'as above'],
  ['active_defrag_key_misses', 'as above'],
  ['total_active_defrag_time', 'as above'],
  ['current_active_defrag_time', 'as above'],
  ['migrate_cached_sockets', 'needs a second server: migration.test.ts'],
  ['unexpected_errors', 'needs a fault of ours: boundary.test.ts'],
  ['current_cow_peak', 'needs a large change during a snapshot: snapshot tests'],
  ['current_cow_size', 'as above'],
  ['rdb_last_cow_size', 'as above'],
  ['aof_last_cow_size', 'as above'],
  ['loading', 'while the dataset is loaded: loading tests'],
  ['loading_start_time', 'as above'],
  ['loading_total_bytes', 'as above'],
  ['loading_rdb_used_mem', 'as above'],
  ['loading_loaded_bytes', 'as above'],
  ['loading_loaded_perc', 'as above'],
  ['loading_eta_seconds', 'as above'],
  ['rdb_last_load_keys_expired', 'as above'],
  ['rdb_last_load_keys_loaded', 'as above'],
  ['rdb_last_bgsave_status', 'needs a disk that fails: disk-full.ts'],
  ['aof_last_bgrewrite_status', 'as above'],
  ['aof_last_write_status', 'as above'],
  ['aof_rewrites_consecutive_failures', 'as above'],
  ['aof_rewrite_scheduled', 'over within a tick'],
  ['aof_pending_rewrite', 'as above'],
  ['aof_buffer_length', 'empty whenever a client is answered'],
  ['aof_pending_bio_fsync', 'over within milliseconds'],
  ['aof_delayed_fsync', 'needs a disk that is slow'],
  ['mem_total_replication_buffers', 'moves with the backlog'],
  ['mem_clients_slaves', 'redis-server counts what a replica has beyond the backlog'],
  ['rdb_current_bgsave_time_sec', 'a save here may be over within a second'],
  ['evicted_clients', 'limits.test.ts'],
  ['mem_runtime_base', 'stands at its bound where the process runs other tests too'],
  ['rss_overhead_ratio', 'moves when the runtime takes more than that bound'],
  ['rss_overhead_bytes', 'as above'],
])

/** Fields of Redis 8. */
const LATER = new Set(['client_query_buffer_limit_disconnections', 'client_output_buffer_limit_disconnections'])

function names(list: string): string[] {
  return list.split(/\s+/)
}

class Drive {
  readonly moved = new Set<string>()
  readonly target: Target
  private readonly first = new Map<string, string>()
  private readonly main: TestClient

  constructor(target: Target, main: TestClient) {
    this.target = target
    this.main = main
  }

  async values(): Promise<Map<string, string>> {
    const text =
      String(await this.main.send(['INFO', 'everything']).value()) +
      String(await this.main.send(['INFO', 'debug']).value())
    return new Map([...text.matchAll(/^(\w+):(.*)\r$/gm)].map(([, name, value]) => [name, value]))
  }

  /** Notes which fields differ from the start. */
  async look(): Promise<void> {
    for (const [name, value] of await this.values()) {
      if (!this.first.has(name)) this.first.set(name, value)
      else if (this.first.get(name) !== value) this.moved.add(name)
    }
  }

  /** True for what this redis-server does not have. */
  lacks(name: string): boolean {
    return oraclePath !== undefined && (!factsAreLive || LATER.has(name)) && !this.first.has(name)
  }

  /** Looks until all of these have moved, or it is no use any more. */
  async until(names: string): Promise<void> {
    for (let looksLeft = 100; looksLeft > 0; looksLeft--) {
      await this.look()
      if (names.split(/\s+/).every(name => this.moved.has(name))) return
      await this.target.pass(40)
    }
  }

  async say(...lines: string[]): Promise<void> {
    for (const line of lines) await this.main.send(splitWords(line)).value()
  }

  /** Another connection, on which these were sent; replies are not awaited. */
  async other(...lines: string[]): Promise<Wire> {
    const wire = await this.target.open()
    for (const line of lines) wire.write(encodeCommand(splitWords(line)))
    return wire
  }

  /** The same; it reads none of the replies. */
  async deaf(...lines: string[]): Promise<Wire> {
    const wire = await this.other()
    wire.pause()
    for (const line of lines) wire.write(encodeCommand(splitWords(line)))
    return wire
  }
}

async function clients(drive: Drive): Promise<void> {
  const wires = [
    await drive.other('SUBSCRIBE a b', 'PSUBSCRIBE p*', 'SSUBSCRIBE s'),
    await drive.other('CLIENT TRACKING ON BCAST PREFIX x'),
    await drive.other('CLIENT TRACKING ON', 'GET tracked'),
    await drive.other('BLPOP none 100'),
    await drive.other('XGROUP CREATE stream g $ MKSTREAM', 'XREADGROUP GROUP g me BLOCK 0 STREAMS stream >'),
    await drive.other(
      'ACL SETUSER limited on nopass +get +publish ~a &a',
      'AUTH limited any',
      'SET a b',
      'GET b',
      'PUBLISH b m',
    ),
    await drive.other('AUTH nobody wrong', 'NOSUCHCOMMAND', `SETRANGE wide 100000 x`, 'GET wide'),
  ]
  // More than sockets hold is waiting to be sent.
  wires.push(await drive.deaf('SETRANGE wider 30000000 x', 'MULTI', 'GET wider', 'GET wider', 'EXEC'))
  await drive.until(`connected_clients blocked_clients tracking_clients clients_in_timeout_table total_blocking_keys
    total_blocking_keys_on_nokey pubsub_channels pubsub_patterns pubsubshard_channels tracking_total_keys
    tracking_total_items tracking_total_prefixes client_recent_max_input_buffer reply_buffer_shrinks
    acl_access_denied_auth acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel total_error_replies
    instantaneous_ops_per_sec mem_clients_normal client_recent_max_output_buffer`)
  // Replies of a buffer's size, again and again.
  const wire = await drive.other()
  for (let times = 0; times < 60 && !drive.moved.has('reply_buffer_expands'); times++) {
    wire.write(encodeCommand(['GETRANGE', 'wide', 0, 20_000]))
    await drive.target.pass(100)
    await drive.look()
  }
  for (const each of [...wires, wire]) each.close()
}

/** Clients that cross the limits of buffers. */
async function floods(drive: Drive): Promise<void> {
  await drive.say(
    'CONFIG SET client-query-buffer-limit 1mb client-output-buffer-limit "normal 1mb 0 0"',
    'SETRANGE wide 9000000 x',
  )
  const flood = await drive.other()
  flood.write(encodeCommand(['SET', 'k', 'x'.repeat(3_000_000)]).subarray(0, 2_000_000))
  const deaf = await drive.deaf('MULTI', 'GET wide', 'GET wide', 'EXEC')
  await drive.until([...LATER].filter(name => !drive.lacks(name)).join(' '))
  for (const each of [flood, deaf]) each.close()
}

async function keys(drive: Drive): Promise<void> {
  await drive.say('SET k v PX 1', 'SET hit v', 'GET hit', 'GET miss', 'CONFIG SET sanitize-dump-payload yes')
  await drive.say('RPUSH list a b c', 'HSET hash a b')
  const main = await TestClient.open(drive.target)
  const payload = await main.send(['DUMP', 'hash']).bytes()
  const body = payload.subarray(payload.indexOf(10) + 1, payload.length - 2)
  await main.send(['RESTORE', 'copy', 0, body]).value()
  await drive.say(`SADD big ${Array.from({ length: 2000 }, (_, i) => `member${i}`).join(' ')}`, 'UNLINK big')
  await drive.until('expired_keys keyspace_hits keyspace_misses lazyfreed_objects dump_payload_sanitizations')
  // Every second of many values goes: pages are half empty.
  await drive.say('DEBUG POPULATE 100000 n 100')
  await drive.say(`EVAL "for i = 0, 99998, 2 do redis.call('DEL', 'n:' .. i) end" 0`)
  await drive.until('allocator_frag_ratio allocator_frag_bytes')
  await drive.say('FLUSHALL', 'SET evicted v', 'CONFIG SET maxmemory 1 maxmemory-policy noeviction', 'SET refused v')
  await drive.until('current_eviction_exceeded_time total_eviction_exceeded_time maxmemory')
  await drive.say('CONFIG SET maxmemory-policy allkeys-lru', 'SET refused v')
  await drive.until('evicted_keys maxmemory_policy')
  await drive.say('CONFIG SET maxmemory 0')
}

async function scripts(drive: Drive): Promise<void> {
  await drive.say(
    `EVAL "local t = {} for i = 1, 10000 do t[i] = tostring(i) end return #t" 0`,
    'SCRIPT LOAD "return 2"',
  )
  await drive.say(
    `FUNCTION LOAD "#!lua name=lib\\nlocal t = {} for i = 1, 1000 do t[i] = 'x' .. i end\\nredis.register_function('f', function() return #t end)"`,
    'FCALL f 0',
  )
  await drive.until('used_memory_vm_eval used_memory_scripts_eval number_of_libraries used_memory_functions')
}

async function persistence(drive: Drive): Promise<void> {
  // redis-server's child reports every 1,024 keys, at most once a second.
  await drive.say('FLUSHALL', 'DEBUG POPULATE 3000', 'CONFIG SET rdb-key-save-delay 1000', 'BGSAVE')
  await drive.until('rdb_bgsave_in_progress current_save_keys_total current_save_keys_processed current_fork_perc')
  // The time of the last save, in whole seconds, is the start's before the first.
  await drive.target.pass(1000)
  await drive.say('CONFIG SET rdb-key-save-delay 0')
  await drive.until('rdb_saves rdb_last_bgsave_time_sec rdb_last_save_time total_forks')
  await drive.say('FLUSHALL', 'DEBUG POPULATE 500')
  await drive.say('CONFIG SET rdb-key-save-delay 1000', 'CONFIG SET appendonly yes', 'SET k v')
  await drive.until('aof_enabled aof_rewrite_in_progress aof_current_rewrite_time_sec mem_aof_buffer')
  await drive.say('CONFIG SET rdb-key-save-delay 0')
  await drive.until('aof_rewrites aof_last_rewrite_time_sec')
  await drive.say('SET k v', 'BGREWRITEAOF')
  await drive.until('aof_current_size aof_base_size mem_not_counted_for_evict')
}

async function replication(drive: Drive): Promise<void> {
  await drive.say('CONFIG SET repl-diskless-sync-delay 0 min-replicas-to-write 0')
  const replica = await drive.other('REPLCONF listening-port 7000 capa eof capa psync2')
  // PSYNC is refused while a reply is on its way.
  await drive.target.pass(100)
  replica.write(encodeCommand(['PSYNC', '?', -1]))
  await drive.until('sync_full connected_slaves repl_backlog_active')
  await drive.target.pass(300)
  replica.write(encodeCommand(['NOSUCHCOMMAND']))
  await drive.say(...Array.from({ length: 200 }, () => `SET k ${'v'.repeat(1000)}`))
  await drive.until(`total_net_repl_output_bytes instantaneous_output_repl_kbps unexpected_error_replies
    mem_replication_backlog repl_backlog_histlen`)
  await drive.say('CONFIG SET min-replicas-to-write 1')
  await drive.until('min_slaves_good_slaves')
  const info = new Map(
    String(await (await TestClient.open(drive.target)).send(['INFO', 'replication']).value())
      .split('\r\n')
      .map(line => line.split(':') as [string, string]),
  )
  const offset = Number(info.get('master_repl_offset')) + 1
  const again = await drive.other(`PSYNC ${info.get('master_replid')} ${offset}`)
  const stranger = await drive.other(`PSYNC ${'0'.repeat(40)} 1`)
  await drive.until('sync_partial_ok sync_partial_err')
  for (const wire of [replica, again, stranger]) wire.close()
}

/** What CONFIG RESETSTAT puts back to zero, and what it leaves. */
const RESET = `sync_full sync_partial_ok sync_partial_err rdb_saves aof_rewrites expired_keys evicted_keys
  lazyfreed_objects total_forks dump_payload_sanitizations total_error_replies unexpected_error_replies
  reply_buffer_expands rejected_connections total_eviction_exceeded_time total_net_repl_output_bytes keyspace_misses`
const KEPT = 'acl_access_denied_auth acl_access_denied_cmd used_memory_peak rdb_last_save_time'

async function reset(drive: Drive): Promise<void> {
  const before = await drive.values()
  await drive.say('CONFIG RESETSTAT')
  const after = await drive.values()
  const of = (values: Map<string, string>, names: string) =>
    names.split(/\s+/).map(name => `${name}:${values.get(name)}`)
  assert.deepEqual(
    of(after, RESET),
    RESET.split(/\s+/).map(name => `${name}:0`),
  )
  assert.deepEqual(of(after, KEPT), of(before, KEPT))
}

async function limits(drive: Drive): Promise<void> {
  await drive.say('CONFIG SET maxclients 1 repl-backlog-size 2mb hz 50')
  await drive.other()
  await drive.until('rejected_connections repl_backlog_size hz configured_hz')
}

test('every number of INFO moves', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'redstart-info-'))
  const target = await startTarget(oraclePath === undefined ? 'TCP' : 'redis', { dir })
  try {
    const drive = new Drive(target, await TestClient.open(target))
    await drive.look()
    for (const part of [clients, floods, keys, scripts, persistence, replication, limits, reset]) await part(drive)
    await drive.until('uptime_in_seconds lru_clock used_cpu_user_main_thread')
    const all = SECTIONS.flatMap(({ fields }) => fields.split(/\s+/)).filter(name => name !== '' && !name.endsWith('*'))
    const still = new Set([
      ...Object.keys(WITHOUT_MEANING),
      ...names(STEADY),
      ...names(OF_A_REPLICA),
      ...names(OF_STORAGE),
      ...HARD.keys(),
    ])
    assert.deepEqual(
      all.filter(name => !drive.moved.has(name) && !still.has(name) && !drive.lacks(name)),
      [],
    )
    const moving = Object.keys(WITHOUT_MEANING).filter(name => drive.moved.has(name))
    if (oraclePath === undefined) assert.deepEqual(moving, [])
  } finally {
    await target.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})
