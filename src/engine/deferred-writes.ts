// DeferredWrites: clients whose next command would change a large value that a snapshot has not taken yet. Such a
// command would have to wait for the whole value to be written; its client waits instead, and everybody else is served.
//
//   command ─▶ mustWait ─▶ [the snapshot takes the value, in slices] ─▶ release ─▶ parsed and judged again
//
// Always: a transaction or script waits as a whole, before any of it has run. What a script changes without naming it
// among its keys is not seen here: the snapshot then takes the value at once.

import type { Slice } from '../lib/slice.ts'
import { CLIENT_PAUSED, type Client } from './client.ts'
import { CMD_MAY_REPLICATE, CMD_WRITE } from './command.ts'
import type { Engine } from './engine.ts'
import { KEY_OW, KEY_RM, KEY_RO } from './keyspecs.ts'
import type { TableEntry } from './table.ts'

const MAY_CHANGE = CMD_WRITE | CMD_MAY_REPLICATE
/** What is only read stays as it is, and what is replaced or removed is cheaply put aside. */
const LEAVES_VALUE = KEY_RO | KEY_OW | KEY_RM

export class DeferredWrites {
  private readonly engine: Engine
  private readonly clients = new Set<Client>()

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Asked of every command while a snapshot walks; true: the client is held back, and its command comes again. */
  mustWait(client: Client, entry: TableEntry, args: Slice[], argc: number): boolean {
    if (entry.fullName === 'exec') {
      if (!client.queued?.some(one => this.changesLarge(client, one.entry, one.args, one.args.length))) return false
    } else if (!this.changesLarge(client, entry, args, argc)) return false
    client.flags |= CLIENT_PAUSED
    this.clients.add(client)
    return true
  }

  private changesLarge(client: Client, entry: TableEntry, args: Slice[], argc: number): boolean {
    if ((entry.flags & MAY_CHANGE) === 0) return false
    const { keyspace, table } = this.engine
    const { positions, flags, count } = table.keysOf(entry, args, argc)
    for (let i = 0; i < count; i++) {
      if ((flags[i] & LEAVES_VALUE) !== 0) continue
      const found = client.db.find(args[positions[i]])
      if (found !== 0 && keyspace.walk?.defers(client.db, found)) return true
    }
    return false
  }

  /** Lets them try again. */
  release(): void {
    for (const client of this.clients) {
      client.flags &= ~CLIENT_PAUSED
      this.engine.blocking.resumed.push(client)
    }
    this.clients.clear()
  }
}
