// The fields of INFO that depend on neither time nor memory, and what CONFIG RESETSTAT resets.

import type { Row } from './observer.ts'

const STATS = `total_commands_processed expired_keys evicted_keys evicted_clients keyspace_hits keyspace_misses
  pubsub_channels pubsub_patterns pubsubshard_channels tracking_total_keys tracking_total_items tracking_total_prefixes
  unexpected_error_replies total_error_replies dump_payload_sanitizations acl_access_denied_auth acl_access_denied_cmd
  acl_access_denied_key acl_access_denied_channel`
const CLIENTS = `blocked_clients tracking_clients clients_in_timeout_table total_blocking_keys
  total_blocking_keys_on_nokey`

export const FIGURES = {
  sections: ['stats', 'clients', 'persistence', 'commandstats', 'errorstats', 'keyspace'],
  names: new Set(`${STATS} ${CLIENTS}`.split(/\s+/)),
}

/** One row per field: its name and its value without times. `dirtyBefore`: changes that came before the epoch. */
export function figuresOf(info: string, dirtyBefore: number): Row[] {
  const rows: Row[] = []
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1)
    if (FIGURES.names.has(name) || name.startsWith('errorstat_')) rows.push([name, value])
    else if (name.startsWith('cmdstat_')) rows.push([name, value.replace(/usec(_per_call)?=[\d.]+,/g, '')])
    else if (/^db\d+$/.test(name)) rows.push([name, value.replace(/,avg_ttl=-?\d+$/, '')])
    else if (name === 'rdb_changes_since_last_save') rows.push([name, String(Number(value) - dirtyBefore)])
  }
  return rows.sort(([a], [b]) => (a < b ? -1 : 1))
}
