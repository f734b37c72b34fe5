// Watches: keys that clients WATCH, and the marking of clients whose watched keys change.
//
// Always: engine.modifiedKeyListeners counts every watched key once per client; a client's `watched` list mirrors the
// map.

import { Slice } from '../lib/slice.ts'
import { CLIENT_DIRTY_CAS, type Client } from './client.ts'
import type { Engine } from './engine.ts'

export class Watches {
  private readonly engine: Engine
  private readonly byKey: Map<string, Set<Client>>[] = []

  constructor(engine: Engine) {
    this.engine = engine
  }

  watch(client: Client, key: Slice): void {
    const name = key.latin1()
    const database = client.db.index
    const keys = (this.byKey[database] ??= new Map())
    const clients = keys.get(name)
    if (clients?.has(client)) return
    client.watched ??= []
    client.watched.push({ database, key: name, existed: client.db.exists(key) })
    if (clients === undefined) keys.set(name, new Set([client]))
    else clients.add(client)
    this.engine.modifiedKeyListeners++
  }

  unwatchAll(client: Client): void {
    if (client.watched === undefined) return
    for (const { database, key } of client.watched) {
      const keys = this.byKey[database]
      const clients = keys?.get(key)
      clients?.delete(client)
      if (clients?.size === 0) keys.delete(key)
      this.engine.modifiedKeyListeners--
    }
    client.watched = undefined
  }

  /** True when a watched key has expired since WATCH. One that had expired before counts as absent. */
  anyExpired(client: Client): boolean {
    if (client.watched === undefined) return false
    const { databases } = this.engine.keyspace
    return client.watched.some(w => w.existed && !databases[w.database].exists(Slice.of(w.key)))
  }

  /** A key has changed: sets CLIENT_DIRTY_CAS for clients that watch it. */
  touchWatchedKey(database: number, key: Slice): void {
    const keys = this.byKey[database]
    if (keys === undefined || keys.size === 0) return
    const clients = keys.get(key.latin1())
    if (clients !== undefined) for (const client of clients) client.flags |= CLIENT_DIRTY_CAS
  }

  /** All keys of a database are removed, or (`other` given) exchanged with those of another. */
  touchAllWatchedKeysInDb(database: number, other = database): void {
    const keys = this.byKey[database]
    if (keys === undefined || keys.size === 0) return
    const probe = new Slice()
    for (const [key, clients] of keys) {
      probe.alias(Slice.of(key))
      const here = this.engine.keyspace.databases[database].exists(probe)
      const there = other !== database && this.engine.keyspace.databases[other].exists(probe)
      if (here || there) for (const client of clients) client.flags |= CLIENT_DIRTY_CAS
    }
  }
}
