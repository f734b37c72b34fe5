// Replica: the state of one connected replica.
//
//   WAITING ─▶ SAVING ─▶ SENDING ─▶ ONLINE                           disk-backed full synchronisation
//      │────────────────▶ STREAMING ─▶ AWAITING_ACK ─▶ CONTINUING ─▶ ONLINE    diskless
//      └──────────────────▶ CONTINUING ─▶ ONLINE          partial resynchronisation from the backlog
//   for an rdb-only replica TRANSMITTED takes the place of AWAITING_ACK and ONLINE
//
// Always: only ONLINE replicas get the stream directly; in the other states behind WAITING it waits for them.

import type { Client } from '../engine/client.ts'
import type { RdbFilter, ReplicaInfo, ReplicaInfoState } from '../engine/ports/replicas.ts'

type ReplicaState =
  | 'waiting'
  | 'saving'
  | 'sending'
  | 'streaming'
  | 'continuing'
  | 'awaitingAck'
  | 'online'
  | 'transmitted'

/** The states as INFO names them. */
const INFO_STATES: { readonly [state in ReplicaState]: ReplicaInfoState } = {
  waiting: 'wait_bgsave',
  saving: 'wait_bgsave',
  sending: 'send_bulk',
  streaming: 'wait_bgsave',
  continuing: 'online',
  awaitingAck: 'online',
  online: 'online',
  transmitted: 'rdb_transmitted',
}

/** An RDB file that is sent to replicas. */
export interface Transfer {
  fd: number
  sizeBytes: number
  users: number
}

/** What a client sent with REPLCONF. */
export class ReplicaOptions {
  /** listening-port; 0: not sent. */
  port = 0
  /** ip-address; '': not sent. */
  address = ''
  /** REPLCONF capa eof: accepts a dataset of unknown length with an EOF marker. */
  capaEof = false
  /** REPLCONF rdb-only: wants the dataset without the stream. */
  rdbOnly = false
  /** REPLCONF rdb-filter-only. */
  filter: RdbFilter = 'everything'

  addressOf({ connection }: Client): string {
    return this.address || connection.peer.replace(/:\d+$/, '')
  }

  /** As the log names the client. */
  nameOf(client: Client): string {
    return this.port === 0 ? `client id #${client.id}` : `${this.addressOf(client)}:${this.port}`
  }
}

/** Seconds since an online replica was last heard of; 0 for others. */
export function lagOf({ state, ackMs }: ReplicaInfo, nowMs: number): number {
  return state === 'online' ? Math.floor((nowMs - ackMs) / 1000) : 0
}

export class Replica implements ReplicaInfo {
  readonly client: Client
  readonly options: ReplicaOptions
  phase: ReplicaState = 'waiting'
  ackOffset = 0
  /** The offset it reported as fsynced (REPLCONF ACK … FACK). */
  diskOffset = 0
  ackMs: number
  readonly sinceMs: number
  /** It used PSYNC, so it acknowledges. */
  readonly psync: boolean
  transfer: Transfer | undefined
  sentBytes = 0
  /** It has sent an ACK: after a dataset with an EOF marker, that it has read the marker. */
  acked = false
  /** Where the stream goes on for it, once it is neither waiting nor online. */
  nextOffset = 0
  /** Since when, in Unix milliseconds, the soft output limit has been exceeded; 0: it is not. */
  softLimitSinceMs = 0

  constructor(client: Client, psync: boolean, options: ReplicaOptions, nowMs: number) {
    this.client = client
    this.psync = psync
    this.options = options
    this.ackMs = this.sinceMs = nowMs
  }

  get address(): string {
    return this.options.addressOf(this.client)
  }

  get name(): string {
    return this.options.nameOf(this.client)
  }

  get port(): number {
    return this.options.port
  }

  get state(): ReplicaInfoState {
    return INFO_STATES[this.phase]
  }

  /** It gets the stream later, from nextOffset on. */
  get awaitsStream(): boolean {
    return this.phase !== 'waiting' && this.phase !== 'online' && !this.options.rdbOnly
  }
}
