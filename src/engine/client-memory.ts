// Client memory: what a client costs and its class, for CLIENT LIST, INFO, maxmemory and maxmemory-clients.

import { CLIENT_MASTER, CLIENT_MONITOR, CLIENT_PUBSUB, CLIENT_REPLICA, type Client } from './client.ts'
import type { TrackingState } from './messaging/tracking.ts'

/** A Client, its connection and its table entries, measured on a heap of idle clients. */
const CLIENT_BYTES = 2048
const WATCHED_BYTES = 96
const CHANNEL_BYTES = 64
const PREFIX_BYTES = 160
const CHUNK_BYTES = 64

/** All clients read through one shared buffer: a recently active client is shown with a share of it. */
export const READ_SHARE_BYTES = 16 * 1024

export type ClientClass = 'normal' | 'replica' | 'pubsub' | 'master'

export function clientClass(client: Client): ClientClass {
  if (client.has(CLIENT_MASTER)) return 'master'
  // MONITOR clients are marked as replicas but shown as ordinary ones.
  if (client.has(CLIENT_REPLICA) && !client.has(CLIENT_MONITOR)) return 'replica'
  return client.has(CLIENT_PUBSUB) ? 'pubsub' : 'normal'
}

/** Pending output and the overhead of its chunks. */
export function outputMemory(client: Client): number {
  return client.outBytes + chunkMemory(client)
}

/** The overhead of the chunks of pending output. */
export function chunkMemory(client: Client): number {
  return client.out.length * CHUNK_BYTES
}

export function clientMemory(client: Client): number {
  const tracking = client.tracking as TrackingState | undefined
  const channels = (client.channels?.size ?? 0) + (client.patterns?.size ?? 0) + (client.shardChannels?.size ?? 0)
  return (
    CLIENT_BYTES +
    (client.query?.length ?? 0) +
    (client.partial?.memoryBytes ?? 0) +
    outputMemory(client) +
    (client.queued?.memoryBytes ?? 0) +
    (client.blocked?.command.bytes ?? 0) +
    (client.watched?.length ?? 0) * WATCHED_BYTES +
    channels * CHANNEL_BYTES +
    (tracking?.prefixes.length ?? 0) * PREFIX_BYTES
  )
}
