// Faults: the 'storage' gate. A command whose keys have values on disk is postponed; the values are read in the
// background, many at once, and the command is judged again when the last of them is in memory.
//
//   command ─▶ POSTPONE ─▶ readLater for each cold key ─▶ [all are there] installed, released ─▶ runs
//
// Always: a command is postponed for its values once; what is cold then (a value spilled again, a key that a
// script does not declare) is read while it runs. Commands about keys and those that overwrite a value read nothing.

import { CMD_DENYOOM } from '../engine/catalog/command.ts'
import { KEY_ACCESS, KEY_OW, KEY_RM } from '../engine/catalog/keyspecs.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { type Gate, POSTPONE, wouldRun } from '../engine/gates.ts'
import { type Database, LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import { TWO_32 } from '../lib/bits.ts'
import type { Slice } from '../lib/slice.ts'
import type { ColdStore } from './cold-store.ts'

/** Commands about keys: their values stay where they are. */
const KEYS_ONLY: ReadonlySet<string> = new Set([
  'exists',
  'expire',
  'expireat',
  'expiretime',
  'memory|usage',
  'move',
  'object|encoding',
  'object|freq',
  'object|idletime',
  'object|refcount',
  'persist',
  'pexpire',
  'pexpireat',
  'pexpiretime',
  'pttl',
  'rename',
  'renamenx',
  'touch',
  'ttl',
  'type',
  'watch',
])

const INSTALLED_AT_ONCE = 16

interface Fault {
  db: Database
  key: Slice
  segment: number
  offset: number
  record: Uint8Array | undefined
  clients: Client[]
}

interface FaultParts {
  engine: Engine
  store: ColdStore
  /** Keeps memory below its limit; true: it must wait for the disk. */
  guard(): boolean
  /** Calls serve() between commands, until it returns true. */
  start(serve: () => boolean): void
}

export class Faults {
  private readonly parts: FaultParts
  private readonly pending = new Map<number, Fault>()
  private readonly arrived: Fault[] = []
  /** Clients that wait, and how many values for. */
  private readonly missing = new Map<Client, number>()
  private readonly collected = new Map<Client, Fault[]>()
  private readonly served = new Set<Client>()
  private wanted = 0

  constructor(parts: FaultParts) {
    this.parts = parts
    parts.engine.onClientDisconnected.push(client => {
      this.missing.delete(client)
      this.collected.delete(client)
      this.served.delete(client)
    })
  }

  /** Values that are being read. */
  get queue(): number {
    return this.pending.size
  }

  readonly gate: Gate = (client, entry, args, argc, flags) => {
    // Before anything is spilled again: the values that the client has waited for are in memory.
    if (this.served.size !== 0 && this.served.delete(client)) return undefined
    const blocked = this.parts.guard()
    if (blocked && (flags & CMD_DENYOOM) !== 0) {
      this.missing.set(client, Number.POSITIVE_INFINITY)
      return POSTPONE
    }
    if (this.parts.store.figures.coldKeys === 0) return undefined
    this.wanted = 0
    wouldRun(client, entry, args, argc, this.request)
    if (this.wanted === 0) return undefined
    this.missing.set(client, this.wanted)
    return POSTPONE
  }

  /** Requests the values of one command. Never true, so that all commands of a transaction are seen. */
  private readonly request = (client: Client, entry: TableEntry, args: Slice[], argc: number): boolean => {
    if (KEYS_ONLY.has(entry.fullName)) return false
    const { engine, store } = this.parts
    const { positions, flags, count } = engine.table.keysOf(entry, args, argc)
    for (let i = 0; i < count; i++) {
      if ((flags[i] & (KEY_OW | KEY_RM)) !== 0 && (flags[i] & KEY_ACCESS) === 0) continue
      const key = args[positions[i]]
      const found = client.db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
      if (found !== 0 && client.db.entries.isCold(found)) this.read(client, key, store.placeOf(found))
    }
    return false
  }

  private read(client: Client, key: Slice, place: { segment: number; offset: number; bytes: number }): void {
    const { store } = this.parts
    const { segment, offset } = place
    const id = segment * TWO_32 + offset
    const running = this.pending.get(id)
    if (running !== undefined) {
      if (running.clients.includes(client)) return
      running.clients.push(client)
      this.collect(client, running)
      this.wanted++
      return
    }
    const fault: Fault = { db: client.db, key: key.copy(), segment, offset, record: undefined, clients: [client] }
    const arrive = (record: Uint8Array | undefined) => {
      fault.record = record
      this.arrived.push(fault)
      this.parts.start(this.serve)
    }
    const kept = store.log.readLater(place, arrive)
    if (kept !== undefined) arrive(kept)
    this.pending.set(id, fault)
    this.collect(client, fault)
    this.wanted++
  }

  /** Installs values that have arrived; true: there are no more. */
  private readonly serve = (): boolean => {
    for (let i = 0; i < INSTALLED_AT_ONCE && this.arrived.length > 0; i++) this.finish(this.arrived.pop()!)
    return this.arrived.length === 0
  }

  private finish(fault: Fault): void {
    this.pending.delete(fault.segment * TWO_32 + fault.offset)
    // Values of one command come to memory together, so that none is moved to disk again while others are read.
    for (const client of fault.clients) {
      const missing = this.missing.get(client)
      if (missing === undefined) continue
      if (missing > 1) this.missing.set(client, missing - 1)
      else {
        for (const one of this.collected.get(client) ?? []) this.install(one)
        this.release(client)
      }
    }
  }

  private collect(client: Client, fault: Fault): void {
    const faults = this.collected.get(client)
    if (faults === undefined) this.collected.set(client, [fault])
    else faults.push(fault)
  }

  private install({ db, key, segment, offset, record }: Fault): void {
    const { store } = this.parts
    if (record === undefined) return
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    if (entry === 0 || !db.entries.isCold(entry)) return
    const place = store.placeOf(entry)
    if (place.segment === segment && place.offset === offset) store.install(db, entry, store.log.checked(record))
  }

  private release(client: Client): void {
    this.missing.delete(client)
    this.collected.delete(client)
    this.served.add(client)
    this.parts.engine.postponed.releaseOne(client, 'storage')
  }

  /** The disk has followed: writers may go on. */
  releaseWriters(): void {
    for (const [client, missing] of this.missing) if (missing === Number.POSITIVE_INFINITY) this.release(client)
  }
}
