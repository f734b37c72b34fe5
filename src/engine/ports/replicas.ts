// Replicas: replication as commands use it; implemented by replication/replicas.ts.

import type { Slice } from '../../lib/slice.ts'
import type { Client } from '../client.ts'
import type { Following } from './following.ts'

/** What a replica's snapshot contains. */
export type RdbFilter = 'everything' | 'functions' | 'nothing'

export interface Replicas {
  /** This server as a replica of another. */
  readonly following: Following
  /** SYNC: full synchronisation, then the replication stream. */
  sync(client: Client): void
  /**
   * PSYNC: likewise, or a partial one from `offset` of the stream with replication ID `id`; offset -1: always full,
   * NaN: refused.
   * `failover`: the client was the primary until now, and this server becomes it.
   */
  psync(client: Client, id: string, offset: number, failover: boolean): void
  /** REPLCONF rdb-only: the client gets the snapshot and no stream. */
  setRdbOnly(client: Client, only: boolean): void
  /** REPLCONF rdb-filter-only: what the client's snapshot contains; until then everything. */
  setRdbFilter(client: Client, filter: RdbFilter): void
  /** REPLCONF capa eof: the client accepts a diskless snapshot, of unknown length. */
  setCapaEof(client: Client): void
  /** REPLCONF listening-port. */
  setPort(client: Client, port: number): void
  /** REPLCONF ip-address: the address to show for the client, '' for that of its connection. */
  setAddress(client: Client, address: string): void
  /** REPLCONF ACK: the replica's offset, and (FACK) its fsynced offset, if it sends one. */
  acknowledged(client: Client, offset: number, onDisk: number | undefined): void
  /** DEBUG REPLICATE: appends a command to the stream. */
  feed(args: readonly Slice[]): void
  /** DEBUG CHANGE-REPL-ID: a new replid without a second one. */
  changeId(): void
  /** REPLICAOF NO ONE on a primary: that it started without data is right (primary-empty-guard). */
  acceptEmpty(): void
  /** The dataset has become another one: replicas are disconnected, and synchronise in full when they come back. */
  restart(): void
  /** FAILOVER in progress: its name for INFO, or 'no-failover'. */
  readonly failoverState: string
  /** FAILOVER. The caller has checked that it is possible. */
  beginFailover(request: FailoverRequest): void
  /** FAILOVER ABORT. */
  abortFailover(): void
  /** The connected replicas. */
  list(): readonly ReplicaInfo[]
  /** master_repl_offset. */
  readonly offset: number
}

export interface FailoverRequest {
  /** undefined: any replica. */
  target: { host: string; port: number } | undefined
  /** After the time-out, also to a target that has not caught up. */
  force: boolean
  /** 0: none. */
  timeoutMs: number
}

/** 'rdb_transmitted': an rdb-only client has its snapshot. */
export type ReplicaInfoState = 'wait_bgsave' | 'send_bulk' | 'online' | 'rdb_transmitted'

export interface ReplicaInfo {
  readonly client: Client
  /** From REPLCONF ip-address, or the connection's. */
  readonly address: string
  /** From REPLCONF listening-port; 0: not sent. */
  readonly port: number
  /** As in INFO. */
  readonly state: ReplicaInfoState
  readonly ackOffset: number
  /** Wall clock, milliseconds. */
  readonly ackMs: number
}
