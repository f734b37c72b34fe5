// Replica: what is known of one replica.
//
//   WAITING ─▶ SAVING ─▶ SENDING ─▶ ONLINE               full synchronisation by way of a file
//      │─────────────────▶ SENDING ─▶ AWAITING_ACK ─▶ ONLINE    to its socket, as the snapshot is made
//      └──────────────────▶ CONTINUING ─▶ ONLINE          partial: the backlog has what it missed
//   of one that wants the dataset alone, TRANSMITTED stands in the place of AWAITING_ACK and ONLINE
//
// Always: only ONLINE gets the stream as it is made; behind SAVING, SENDING, CONTINUING and AWAITING_ACK it is queued.

import type { Client } from '../engine/client.ts'
import type { ReplicaInfo, ReplicaInfoState } from '../engine/ports/replicas.ts'

type ReplicaState = 'waiting' | 'saving' | 'sending' | 'continuing' | 'awaitingAck' | 'online' | 'transmitted'

/** The states as INFO names them. */
const INFO_STATES: { readonly [state in ReplicaState]: ReplicaInfoState } = {
  waiting: 'wait_bgsave',
  saving: 'wait_bgsave',
  sending: 'send_bulk',
  continuing: 'send_bulk',
  awaitingAck: 'online',
  online: 'online',
  transmitted: 'rdb_transmitted',
}

/** A dataset in a file, on its way to the replicas that wait for it. */
export interface Transfer {
  fd: number
  sizeBytes: number
  users: number
}

/** What a client has said of itself with REPLCONF. */
export class ReplicaOptions {
  /** 0: it did not say. */
  port = 0
  /** REPLCONF capa eof: it takes a dataset of unknown length, which ends with a marker. */
  capaEof = false
  /** REPLCONF rdb-only: it wants the dataset and nothing behind it. */
  rdbOnly = false
}

export class Replica implements ReplicaInfo {
  readonly client: Client
  readonly options: ReplicaOptions
  phase: ReplicaState = 'waiting'
  ackOffset = 0
  /** What of the stream is on its disk, as far as it said. */
  diskOffset = 0
  ackMs: number
  readonly sinceMs: number
  /** It came with PSYNC, and will acknowledge. */
  readonly psync: boolean
  transfer: Transfer | undefined
  sentBytes = 0
  /** It has acknowledged: of a dataset with an EOF marker, that it has come to the marker. */
  acked = false
  /** The stream behind the dataset. */
  readonly queued: Uint8Array[] = []
  queuedBytes = 0
  /** Wall-clock milliseconds since when the soft output limit is exceeded; 0: it is not. */
  softLimitSinceMs = 0

  constructor(client: Client, psync: boolean, options: ReplicaOptions, nowMs: number) {
    this.client = client
    this.psync = psync
    this.options = options
    this.ackMs = this.sinceMs = nowMs
  }

  get port(): number {
    return this.options.port
  }

  get state(): ReplicaInfoState {
    return INFO_STATES[this.phase]
  }

  /** The stream is queued behind what it is being sent. */
  get queuesStream(): boolean {
    return this.phase !== 'waiting' && this.phase !== 'online' && !this.options.rdbOnly
  }
}
