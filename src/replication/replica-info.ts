// The fields of INFO about this server as a replica.

import type { InfoSource, InfoValue } from '../engine/monitoring/info.ts'
import type { Following } from './following.ts'
import type { ReplicationStream } from './stream.ts'

interface ReplicaInfoParts {
  following: Following
  stream: ReplicationStream
  own: { readonly count: number }
  config: {
    readonly replicaPriority: number
    readonly replicaReadOnly: boolean
    readonly replicaAnnounced: boolean
  }
  /** Rate of bytes received from the primary. */
  inputRate: { readonly kilobytesPerSecond: string }
  nowMs(): number
}

export function replicaInfo({ following, stream, own, config, inputRate, nowMs }: ReplicaInfoParts): InfoSource[] {
  const secondsSince = (ms: number) => Math.max(0, Math.floor(nowMs() / 1000) - Math.floor(ms / 1000))
  const asReplica = (read: () => InfoValue) => () => (following.primary === undefined ? undefined : read())
  const inTransfer = (read: () => InfoValue) => () => (following.isTransferring ? read() : undefined)
  const { transfer } = following
  const leftBytes = () => transfer.totalBytes - transfer.readBytes
  const percent = () => (transfer.totalBytes > 0 ? (transfer.readBytes / transfer.totalBytes) * 100 : 0)
  const lastIo = () => (following.lastReceivedMs === undefined ? -1 : secondsSince(following.lastReceivedMs))
  const isDown = () => following.primary !== undefined && following.state !== 'connected'
  const downSeconds = () => (following.downSinceSeconds === 0 ? -1 : secondsSince(following.downSinceSeconds * 1000))
  return [
    {
      section: 'stats',
      fields: {
        total_net_repl_input_bytes: () => following.inputBytes,
        slave_expires_tracked_keys: () => own.count,
        instantaneous_input_repl_kbps: () => inputRate.kilobytesPerSecond,
      },
      reset: () => {
        following.inputBytes = 0
      },
    },
    {
      section: 'replication',
      fields: {
        role: () => (following.primary === undefined ? 'master' : 'slave'),
        master_host: asReplica(() => following.primary!.host),
        master_port: asReplica(() => following.primary!.port),
        master_link_status: asReplica(() => (following.state === 'connected' ? 'up' : 'down')),
        master_last_io_seconds_ago: asReplica(lastIo),
        master_sync_in_progress: asReplica(() => (following.isTransferring ? 1 : 0)),
        slave_read_repl_offset: asReplica(() => following.readOffset),
        slave_repl_offset: asReplica(() => stream.offset),
        master_sync_total_bytes: inTransfer(() => transfer.totalBytes),
        master_sync_read_bytes: inTransfer(() => transfer.readBytes),
        master_sync_left_bytes: inTransfer(leftBytes),
        master_sync_perc: inTransfer(() => percent().toFixed(2)),
        master_sync_last_io_seconds_ago: inTransfer(() => secondsSince(transfer.lastMs)),
        master_link_down_since_seconds: () => (isDown() ? downSeconds() : undefined),
        slave_priority: asReplica(() => config.replicaPriority),
        slave_read_only: asReplica(() => (config.replicaReadOnly ? 1 : 0)),
        replica_announced: asReplica(() => (config.replicaAnnounced ? 1 : 0)),
      },
    },
  ]
}
