// The INFO fields of the engine and its parts: clients, commands, errors, latency, pub/sub, tracking, keys.

import type { TableEntry } from '../catalog/table.ts'
import { clientClass } from '../client-memory.ts'
import type { Engine } from '../engine.ts'
import { type InfoSource, type PutField, safeName } from './info.ts'

export function engineInfo(engine: Engine): InfoSource[] {
  return [
    clientsInfo(engine),
    trafficInfo(engine),
    keyspaceInfo(engine),
    pubsubInfo(engine),
    trackingInfo(engine),
    {
      section: 'commandstats',
      rows: { 'cmdstat_*': put => putCommands(put, engine) },
      reset: () => resetCommands(engine),
    },
    { section: 'errorstats', rows: { 'errorstat_*': put => putErrors(put, engine) } },
    { section: 'latencystats', rows: { 'latency_percentiles_usec_*': put => putLatency(put, engine) } },
    { section: 'keyspace', rows: { 'db*': put => putDatabases(put, engine) } },
    { section: 'debug', fields: { eventloop_cmd_per_cycle_max: () => engine.stats.commandsPerTurnMax } },
  ]
}

function clientsInfo(engine: Engine): InfoSource {
  const { blocking, clients, settings, postponed, tracking } = engine
  const count = (test: (client: Parameters<typeof clientClass>[0]) => boolean) => {
    let found = 0
    for (const client of clients.values()) if (test(client)) found++
    return found
  }
  return {
    section: 'clients',
    fields: {
      connected_clients: () => count(client => clientClass(client) !== 'replica'),
      maxclients: () => settings.maxclients,
      blocked_clients: () => blocking.clients.size + postponed.count,
      tracking_clients: () => tracking.clients,
      clients_in_timeout_table: () => count(client => (client.blocked?.deadlineMs ?? 0) > 0),
      total_blocking_keys: () => blocking.keyCount(false),
      total_blocking_keys_on_nokey: () => blocking.keyCount(true),
    },
  }
}

/** Connections, commands, bytes, errors. */
function trafficInfo(engine: Engine): InfoSource {
  const { stats } = engine
  const { denials } = engine.acl
  return {
    section: 'stats',
    fields: {
      total_connections_received: () => stats.connectionsReceived,
      total_commands_processed: () => stats.commandsProcessed,
      total_net_input_bytes: () => stats.netInputBytes,
      total_net_output_bytes: () => stats.netOutputBytes,
      evicted_clients: () => stats.evictedClients,
      rejected_connections: () => stats.rejectedConnections,
      unexpected_error_replies: () => stats.unexpectedErrorReplies,
      unexpected_errors: () => stats.unexpectedErrors,
      total_error_replies: () => stats.errorReplies,
      total_reads_processed: () => stats.reads,
      total_writes_processed: () => stats.writes,
      client_query_buffer_limit_disconnections: () => stats.clientQueryBufferLimitDisconnections,
      client_output_buffer_limit_disconnections: () => stats.clientOutputBufferLimitDisconnections,
      eventloop_duration_cmd_sum: () => Math.round(engine.table.used.reduce((sum, entry) => sum + entry.usec, 0)),
      acl_access_denied_auth: () => denials.auth,
      acl_access_denied_cmd: () => denials.command,
      acl_access_denied_key: () => denials.key,
      acl_access_denied_channel: () => denials.channel,
      dump_payload_sanitizations: () => engine.payloads.sanitizations,
    },
    reset: () => {
      stats.reset()
      engine.payloads.sanitizations = 0
    },
  }
}

function keyspaceInfo({ keyspace }: Engine): InfoSource {
  return {
    section: 'stats',
    fields: {
      expired_keys: () => keyspace.expiredKeys,
      keyspace_hits: () => keyspace.hits,
      keyspace_misses: () => keyspace.misses,
    },
    reset: () => {
      keyspace.hits = keyspace.misses = keyspace.expiredKeys = keyspace.lazyFreedObjects = 0
    },
  }
}

function pubsubInfo({ pubsub }: Engine): InfoSource {
  return {
    section: 'stats',
    fields: {
      pubsub_channels: () => pubsub.channels.size,
      pubsub_patterns: () => pubsub.patterns.size,
      pubsubshard_channels: () => pubsub.shardChannels.size,
    },
  }
}

function trackingInfo({ tracking }: Engine): InfoSource {
  return {
    section: 'stats',
    fields: {
      tracking_total_keys: () => tracking.table.size,
      tracking_total_items: () => tracking.trackedItems,
      tracking_total_prefixes: () => tracking.prefixes.size,
    },
  }
}

function resetCommands(engine: Engine): void {
  engine.table.resetStats()
  engine.observers.latency.histograms.clear()
}

function putCommands(put: PutField, engine: Engine): void {
  for (const entry of engine.table.used) {
    if (entry.calls + entry.rejected + entry.failed > 0) put(`cmdstat_${safeName(entry.fullName)}`, countsOf(entry))
  }
}

function countsOf({ calls, usec, rejected, failed }: TableEntry): string {
  const us = Math.round(usec)
  const each = calls === 0 ? '0.00' : (us / calls).toFixed(2)
  return `calls=${calls},usec=${us},usec_per_call=${each},rejected_calls=${rejected},failed_calls=${failed}`
}

function putErrors(put: PutField, { stats }: Engine): void {
  const codes = [...stats.errors.keys()].sort()
  for (const code of codes) put(`errorstat_${safeName(code)}`, `count=${stats.errors.get(code)}`)
}

function putLatency(put: PutField, { table, observers, settings }: Engine): void {
  if (!settings.latencyTracking) return
  for (const entry of table.used) {
    const histogram = observers.latency.histogram(entry)
    if (histogram === undefined) continue
    const points = settings.latencyTrackingInfoPercentiles.map(
      percentile => `p${shortNumber(percentile)}=${(histogram.percentile(percentile) / 1000).toFixed(3)}`,
    )
    put(`latency_percentiles_usec_${safeName(entry.fullName)}`, points.join(','))
  }
}

function shortNumber(n: number): string {
  return String(Number(n.toFixed(6)))
}

function putDatabases(put: PutField, { keyspace }: Engine): void {
  for (const db of keyspace.databases) {
    if (db.size === 0) continue
    put(`db${db.index}`, `keys=${db.size},expires=${db.expiresSize},avg_ttl=${Math.floor(db.averageTtlMs)}`)
  }
}
