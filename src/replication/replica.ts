// Replica: what the feed knows of one replica.

import type { Client } from '../engine/client.ts'
import type { ReplicaFacts, ReplicaState } from '../engine/replicas.ts'

/** A dataset in a file, on its way to the replicas that wait for it. */
export interface Transfer {
  fd: number
  sizeBytes: number
  users: number
}

export class Replica implements ReplicaFacts {
  readonly client: Client
  state: ReplicaState = 'wait_bgsave'
  /** Of the save that is running. */
  saving = false
  port = 0
  ackOffset = 0
  /** What of the stream is on its disk, as far as it told. */
  diskOffset = 0
  ackMs: number
  readonly sinceMs: number
  /** It knows PSYNC, and will acknowledge. */
  readonly partial: boolean
  readonly rdbOnly: boolean
  transfer: Transfer | undefined
  sentBytes = 0
  /** It knows a dataset of unknown length, which ends with a mark (SocketSink). */
  takesMark = false
  /** Such a dataset is sent: the stream follows when it has said that it saw the mark at its end. */
  awaitsAck = false
  sawMark = false
  /** The stream behind the dataset. */
  readonly pending: Uint8Array[] = []
  pendingBytes = 0
  overSinceMs = 0

  constructor(client: Client, partial: boolean, rdbOnly: boolean, nowMs: number) {
    this.client = client
    this.partial = partial
    this.rdbOnly = rdbOnly
    this.ackMs = this.sinceMs = nowMs
  }
}
