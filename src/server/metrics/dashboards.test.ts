// What published dashboards and alerts for redis_exporter ask Prometheus for, without the choice of an instance:
// Grafana 763 (redis_exporter's own), its version for exporter 0.3, 11835 and the overview of the Redis mixin; the
// alerts and the rule of the mixin, and those of the collection Awesome Prometheus Alerts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, started } from '../../../test/harness/metrics-port.ts'

const QUERIES = `
  label_values(redis_up, instance)
  max(max_over_time(redis_uptime_in_seconds[30s]))
  sum(redis_connected_clients)
  sum(redis_blocked_clients)
  sum(redis_connected_slaves) by (instance)
  sum(100 * (redis_memory_used_bytes / redis_memory_max_bytes))
  sum(redis_memory_used_rss_bytes)
  redis_memory_fragmentation_ratio
  redis_memory_used_rss_bytes / redis_memory_used_bytes
  sum(rate(redis_commands_total[1m])) by (cmd)
  topk(5, irate(redis_commands_total[1m]))
  rate(redis_commands_processed_total[5m])
  sum(irate(redis_commands_duration_seconds_total[1m])) by (cmd) != 0
  sum(irate(redis_commands_duration_seconds_total[1m])) by (cmd) / sum(irate(redis_commands_total[1m])) by (cmd)
  irate(redis_keyspace_hits_total[5m])
  irate(redis_keyspace_misses_total[5m])
  avg(irate(redis_keyspace_hits_total[1m]) / (irate(redis_keyspace_misses_total[1m]) + irate(redis_keyspace_hits_total[1m])))
  sum(rate(redis_net_input_bytes_total[5m]))
  sum(rate(redis_net_output_bytes_total[5m]))
  sum(redis_db_keys) by (db, instance)
  sum(redis_db_keys) by (instance) - sum(redis_db_keys_expiring) by (instance)
  sum(rate(redis_expired_keys_total[5m])) by (instance)
  sum(rate(redis_evicted_keys_total[5m])) by (instance)
  sum(rate(redis_slowlog_last_id[5m])) by (instance)
  redis_slowlog_length
  redis_up == 0
  redis_memory_used_bytes / redis_total_system_memory_bytes * 100 > 90
  redis_connected_clients / redis_config_maxclients * 100 > 90
  count(redis_instance_info{role="master"}) < 1
  count without (instance, job) (redis_connected_slaves) - sum without (instance, job) (redis_connected_slaves) - 1 > 1
  delta(redis_connected_slaves[1m]) < 0
  changes(redis_connected_slaves[1m]) > 1
  time() - redis_rdb_last_save_timestamp_seconds > 60 * 60 * 24
  increase(redis_rejected_connections_total[1m]) > 0
  histogram_quantile(0.99, sum(rate(redis_commands_latencies_usec_bucket[5m])) by (le, cmd))
  redis_start_time_seconds
  redis_aof_last_write_status
  redis_rdb_last_bgsave_status`

const OF_A_REPLICA = `
  redis_master_last_io_seconds_ago
  redis_master_link_up
  redis_slave_repl_offset`

const OF_A_CLUSTER_NODE = `
  redis_cluster_slots_fail > 0
  redis_cluster_slots_pfail > 0
  redis_cluster_state == 0
  redis_cluster_slots_ok
  redis_cluster_known_nodes
  redis_cluster_size
  rate(redis_cluster_messages_sent_total[1m])`

/** Labels that Prometheus adds itself. */
const OF_PROMETHEUS = new Set(['instance', 'job'])

/** The metrics of a query, each with the labels it is chosen or grouped by. */
function asked(query: string): { name: string; labels: string[] }[] {
  const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list]) => list.split(', '))
  return [...query.matchAll(/(redis_\w+)(?:\{(\w+)=)?/g)].map(([, name, label]) => ({
    name,
    labels: [...grouped, ...(label === undefined ? [] : [label])].filter(one => !OF_PROMETHEUS.has(one)),
  }))
}

async function samplesOf(directives: Readonly<Record<string, string>>, ...commands: string[]): Promise<string[]> {
  const { world, server, client } = await started(directives)
  for (const words of commands) server.call(...words.split(' '))
  const { body } = get(world, client, '/metrics')
  return body.split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

function assertAnswered(queries: string, samples: readonly string[]): void {
  for (const query of queries.split('\n').filter(line => line !== ''))
    for (const { name, labels } of asked(query)) {
      const of = samples.filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      assert.notEqual(of.length, 0, `${query}: ${name}`)
      for (const label of labels)
        assert.ok(
          of.every(line => line.includes(`${label}="`)),
          `${query}: ${label}`,
        )
      for (const line of of) assert.match(line, / -?[0-9.]+(e[+-]?[0-9]+)?$/)
    }
}

test('what dashboards and alerts ask for is there', async () => {
  const samples = await samplesOf({ maxmemory: '100mb' }, 'SET a 1', 'SET b 2 EX 1000', 'GET a', 'GET absent')
  assertAnswered(QUERIES, samples)
})

test('what they ask of a replica is there', async () => {
  assertAnswered(OF_A_REPLICA, await samplesOf({ replicaof: 'nowhere 6379' }))
})

test('what they ask of a node of a cluster is there', async () => {
  const samples = await samplesOf({ 'cluster-enabled': 'yes' }, 'CLUSTER ADDSLOTS 1 2')
  assertAnswered(OF_A_CLUSTER_NODE, samples)
  for (const line of ['redis_cluster_state 0', 'redis_cluster_slots_ok 2', 'redis_cluster_enabled 1'])
    assert.ok(samples.includes(line), line)
})
