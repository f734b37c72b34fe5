// ReplicaGates: the gates of a replica: no writes (replica-read-only), and nothing while it has no link to its primary
// (replica-serve-stale-data no).
//
// Always: they are set only while this server is a replica and the directives ask for them.

import { CMD_STALE, CMD_WRITE } from '../engine/catalog/command.ts'
import type { Gate, Gates } from '../engine/gates.ts'
import type { FollowState } from '../engine/ports/following.ts'
import { errorBytes } from '../protocol/reply.ts'

const READ_ONLY = errorBytes("READONLY You can't write against a read only replica.")
const STALE = errorBytes("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")
const STALE_IN_SCRIPT = errorBytes('ERR Can not execute the command on a stale replica')

interface ReplicaGatesConfig {
  readonly replicaReadOnly: boolean
  readonly replicaServeStaleData: boolean
}

export class ReplicaGates {
  private readonly gates: Gates
  private readonly config: ReplicaGatesConfig

  constructor(gates: Gates, config: ReplicaGatesConfig) {
    this.gates = gates
    this.config = config
  }

  update(state: FollowState): void {
    const { gates, config } = this
    const isReadOnly = state !== 'none' && config.replicaReadOnly
    const isStale = state !== 'none' && state !== 'connected' && !config.replicaServeStaleData
    gates.set('readOnlyReplica', isReadOnly ? readOnlyGate : undefined)
    gates.set('staleReplica', isStale ? staleGate : undefined)
  }
}

const readOnlyGate: Gate = (_client, _entry, _args, _argc, flags) => ((flags & CMD_WRITE) !== 0 ? READ_ONLY : undefined)

const staleGate: Gate = (_client, _entry, _args, _argc, flags, place) => {
  if ((flags & CMD_STALE) !== 0) return undefined
  return place === 'script' ? STALE_IN_SCRIPT : STALE
}
