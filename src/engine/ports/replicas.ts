// Replicas: what commands ask of replication (replication/replicas.ts). The server fills it in.

import type { Client } from '../client.ts'

export interface Replicas {
  /** SYNC: the client gets the dataset and from then on every change. */
  sync(client: Client): void
  /** PSYNC: likewise, or only what it has missed since `offset` of the stream `id`; offset -1: it has nothing. */
  psync(client: Client, id: string, offset: number): void
  /** REPLCONF rdb-only: the client wants the dataset and nothing after it. */
  setRdbOnly(client: Client, only: boolean): void
  /** REPLCONF capa eof: the client takes a dataset whose length is not known beforehand. */
  setCapaEof(client: Client): void
  /** REPLCONF listening-port. */
  setPort(client: Client, port: number): void
  /** REPLCONF ACK: how much of the stream the client has, and (FACK) how much of it on its disk, if it tells. */
  acknowledged(client: Client, offset: number, onDisk: number | undefined): void
  /** Those that are there. */
  list(): readonly ReplicaInfo[]
  /** Bytes of the stream so far. */
  readonly offset: number
}

/** 'rdb_transmitted': it has what it wanted, the dataset alone. */
export type ReplicaInfoState = 'wait_bgsave' | 'send_bulk' | 'online' | 'rdb_transmitted'

export interface ReplicaInfo {
  readonly client: Client
  /** As it told by REPLCONF; 0: it did not. */
  readonly port: number
  /** As INFO says it. */
  readonly state: ReplicaInfoState
  readonly ackOffset: number
  /** Wall clock, milliseconds. */
  readonly ackMs: number
}
