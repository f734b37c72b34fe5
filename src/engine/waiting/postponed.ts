// PostponedClients: clients whose next command waits for a reason to end: CLIENT PAUSE, keys that MIGRATE sends, a
// large value that a snapshot has not saved yet, values on disk. The reason is the name of the gate that postponed, or
// a fault.
//
//   gate ─▶ POSTPONE ─▶ [postpone: the bytes stay in the query buffer] ─▶ release ─▶ parsed and judged again
//
// Always: a client is postponed for one reason, has CLIENT_POSTPONED meanwhile, and is removed when it disconnects.
// A blocked command that may not run again yet stays blocked; release() then offers it all keys anew.

import { FlatMap } from '../../lib/flat-map.ts'
import { CLIENT_POSTPONED, type Client } from '../client.ts'
import type { Engine } from '../engine.ts'
import type { GateName } from '../gates.ts'

/** A gate, or 'fault': on demand, for tests. */
type PostponeReason = GateName | 'fault'

export class PostponedClients {
  private readonly engine: Engine
  /** Clients by their ids. */
  private readonly reasons = new Map<PostponeReason, FlatMap<Client>>()
  /** Reasons for which a blocked command was not run again. */
  private readonly retryReasons = new Set<GateName>()

  constructor(engine: Engine) {
    this.engine = engine
    engine.onClientDisconnected.push(client => {
      if (client.has(CLIENT_POSTPONED)) for (const postponed of this.reasons.values()) postponed.delete(client.id)
    })
  }

  /** Number of postponed clients; INFO counts them among blocked_clients. */
  get count(): number {
    let count = 0
    for (const clients of this.reasons.values()) count += clients.size
    return count
  }

  postpone(client: Client, reason: PostponeReason): void {
    client.flags |= CLIENT_POSTPONED
    let clients = this.reasons.get(reason)
    if (clients === undefined) this.reasons.set(reason, (clients = new FlatMap()))
    clients.set(client.id, client)
  }

  /** A blocked command could be served, but may not run for this reason. */
  postponeRetry(reason: GateName): void {
    this.retryReasons.add(reason)
  }

  /** The reason has ended for one client. */
  releaseOne(client: Client, reason: PostponeReason): void {
    if (this.reasons.get(reason)?.delete(client.id) !== true) return
    client.flags &= ~CLIENT_POSTPONED
    this.engine.blocking.unblockedClients.push(client)
  }

  /** The reason has ended, or may have for some: commands are judged again, at the end of the event. */
  release(reason: GateName): void {
    const { blocking, keyspace } = this.engine
    this.reasons.get(reason)?.forEach(client => {
      client.flags &= ~CLIENT_POSTPONED
      blocking.unblockedClients.push(client)
    })
    this.reasons.delete(reason)
    if (this.retryReasons.delete(reason)) for (const db of keyspace.databases) blocking.databaseReady(db)
  }
}
