// The replication section of INFO.

import type { InfoSource, PutField } from '../engine/monitoring/info.ts'
import type { MinReplicasGuard } from './min-replicas.ts'
import { lagOf } from './replica.ts'
import type { ConnectedReplicas } from './replicas.ts'

interface ReplicationInfoParts {
  replicas: ConnectedReplicas
  guard: MinReplicasGuard
  config: { readonly replBacklogSize: number }
  /** Rate of bytes sent to replicas. */
  outputRate: { readonly kilobytesPerSecond: string }
  nowMs(): number
}

export function replicationInfo({ replicas, guard, config, outputRate, nowMs }: ReplicationInfoParts): InfoSource[] {
  const { stream, fullSync } = replicas
  const backlog = () => stream.backlog
  const stats: InfoSource = {
    section: 'stats',
    fields: {
      sync_full: () => fullSync.count,
      sync_partial_ok: () => replicas.partialSyncs,
      sync_partial_err: () => replicas.partialSyncsRefused,
      instantaneous_output_repl_kbps: () => outputRate.kilobytesPerSecond,
      total_net_repl_output_bytes: () => replicas.streamFeed.outputBytes,
    },
    reset: () => {
      fullSync.count = replicas.partialSyncs = replicas.partialSyncsRefused = replicas.streamFeed.outputBytes = 0
    },
  }
  const state: InfoSource = {
    section: 'replication',
    fields: {
      connected_slaves: () => replicas.list().length,
      primary_empty_guard: () => (replicas.emptyGuard.isUp ? replicas.emptyGuard.refused : undefined),
      min_slaves_good_slaves: () => (guard.isConfigured ? guard.goodReplicas : undefined),
      master_failover_state: () => replicas.failoverState,
      master_replid: () => stream.replid,
      master_replid2: () => stream.replid2,
      master_repl_offset: () => stream.offset,
      second_repl_offset: () => stream.secondOffset,
      repl_backlog_active: () => (backlog() === undefined ? 0 : 1),
      repl_backlog_size: () => config.replBacklogSize,
      repl_backlog_first_byte_offset: () => (stream.backlog === undefined ? 0 : stream.backlog.start + 1),
      repl_backlog_histlen: () => backlog()?.bytes ?? 0,
    },
    rows: { 'slave*': put => putReplicas(put, replicas, nowMs()) },
  }
  return [stats, state]
}

function putReplicas(put: PutField, replicas: ConnectedReplicas, nowMs: number): void {
  replicas.list().forEach((replica, i) => {
    const { address, port, state, ackOffset } = replica
    put(`slave${i}`, `ip=${address},port=${port},state=${state},offset=${ackOffset},lag=${lagOf(replica, nowMs)}`)
  })
}
