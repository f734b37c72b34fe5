// Faults: the 'storage' gate. A command whose keys have values on disk is postponed; the values are read in the
// background, many at once, and the command is judged again when the last of them is in memory.
//
//   command ─▶ POSTPONE ─▶ readLater for each cold key ─▶ [all are there] installed, released ─▶ runs
//                                                     └─▶ [one is not sound] ─▶ refused
//
// Always: the socket of a client is not read while it waits, so that the kernel slows the sender down: its input would
// grow without bound otherwise, a command for each fault. A command is postponed for its values once; what is cold then
// (a value spilled again, a key that a script does not declare) is read while it runs. Commands about keys and those
// that overwrite a value read nothing.

import { CMD_DENYOOM } from '../engine/catalog/command.ts'
import { KEY_ACCESS, KEY_OW, KEY_RM } from '../engine/catalog/keyspecs.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import { CLIENT_CLOSING, CLIENT_INPUT_QUEUED, CLIENT_UNREAD, type Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { type Gate, POSTPONE, wouldRun } from '../engine/gates.ts'
import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import { type Database, LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import { Histogram } from '../lib/histogram.ts'
import { parseInt64 } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'
import { errorBytes } from '../protocol/reply.ts'
import type { ColdStore } from './cold-store.ts'
import { idOf } from './value-log.ts'

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

const UNREADABLE = errorBytes('ERR A value of this command cannot be read from disk')
const INSTALLED_AT_ONCE = 16

interface Fault {
  /** idOf() its place. */
  id: number
  db: Database
  key: Slice
  record: Uint8Array | undefined
  beganUs: number
  clients: Client[]
  /** Clients that need the record still. */
  uses: number
}

/** What a client waits for: values, or (missing is infinite) the disk. */
interface Waiting {
  faults: Fault[]
  /** How many of them have not arrived. */
  missing: number
}

interface FaultParts {
  engine: Engine
  store: ColdStore
  /** Keeps memory below its limit; true: it must wait for the disk. */
  guard(): boolean
  warn(text: string): void
  nowUs(): number
  /** A value has come to memory after so long. */
  took(us: number): void
  /** Calls serve() between commands, until it returns true. */
  start(serve: () => boolean): void
}

export class Faults {
  /** Values that could not be read. */
  readErrors = 0
  /** Microseconds from the request of a value until it has arrived. */
  readonly durations = new Histogram()
  private readonly parts: FaultParts
  private readonly pending = new Map<number, Fault>()
  private readonly arrived: Fault[] = []
  /** Clients whose sockets are not read: those with CLIENT_UNREAD. */
  private readonly unread = new Set<Client>()
  private readonly waiting = new Map<Client, Waiting>()
  /** Clients whose command is judged again, and whether it is refused. */
  private readonly served = new Map<Client, boolean>()
  /** Of the command that is being judged. */
  private wanted: Waiting | undefined

  constructor(parts: FaultParts) {
    this.parts = parts
    parts.engine.onClientDisconnected.push(client => {
      this.waiting.delete(client)
      this.served.delete(client)
      this.unread.delete(client)
    })
  }

  /** Values that are being read. */
  get queue(): number {
    return this.pending.size
  }

  /** Whether the value at this place is being read. */
  isAwaited(place: ValuePlace): boolean {
    return this.pending.size !== 0 && this.pending.has(idOf(place))
  }

  readonly gate: Gate = (client, entry, args, argc, flags) => {
    // Before anything is spilled again: the values that the client has waited for are in memory.
    if (this.served.size !== 0) {
      const isRefused = this.served.get(client)
      if (this.served.delete(client)) return isRefused ? UNREADABLE : undefined
    }
    const blocked = this.parts.guard()
    if (blocked && (flags & CMD_DENYOOM) !== 0) {
      this.wait(client, { faults: [], missing: Number.POSITIVE_INFINITY })
      return POSTPONE
    }
    if (this.parts.store.figures.coldKeys === 0) return undefined
    this.wanted = undefined
    wouldRun(client, entry, args, argc, this.request)
    if (this.wanted === undefined) return undefined
    this.wait(client, this.wanted)
    return POSTPONE
  }

  private wait(client: Client, waiting: Waiting): void {
    this.waiting.set(client, waiting)
    // In process nothing slows the sender down.
    if (client.connection.kind === 'memory' || client.has(CLIENT_UNREAD)) return
    client.flags |= CLIENT_UNREAD
    client.connection.pause()
    this.unread.add(client)
  }

  /** The sockets of clients that wait no longer and have used up their input are read again. */
  private readonly resume = (): boolean => {
    let isBusy = false
    for (const client of this.unread) {
      if (this.waiting.has(client)) continue
      if (client.has(CLIENT_INPUT_QUEUED)) isBusy = true
      else {
        this.unread.delete(client)
        client.flags &= ~CLIENT_UNREAD
        if (!client.has(CLIENT_CLOSING)) client.connection.resume()
      }
    }
    return !isBusy
  }

  /** Requests the values of one command. Never true, so that all commands of a transaction are seen. */
  private readonly request = (client: Client, entry: TableEntry, args: Slice[], argc: number): boolean => {
    if (KEYS_ONLY.has(entry.fullName)) return false
    if (entry.fullName === 'client|unblock') this.follow(client, args[2])
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

  private read(client: Client, key: Slice, place: ValuePlace): void {
    const { store } = this.parts
    const id = idOf(place)
    const running = this.pending.get(id)
    if (running !== undefined) {
      if (running.clients.includes(client)) return
      running.clients.push(client)
      this.want(running)
      return
    }
    const fault: Fault = {
      id,
      db: client.db,
      key: key.copy(),
      record: undefined,
      beganUs: this.parts.nowUs(),
      clients: [client],
      uses: 0,
    }
    const arrive = (record: Uint8Array | undefined) => {
      fault.record = record
      this.arrived.push(fault)
      this.parts.start(this.serve)
    }
    const kept = store.log.readLater(place, arrive)
    if (kept !== undefined) arrive(kept)
    this.pending.set(id, fault)
    this.want(fault)
  }

  /** CLIENT UNBLOCK is for a command that came before it: where that waits for values, both do, and it runs first. */
  private follow(client: Client, clientId: Slice): void {
    const target = this.parts.engine.clients.get(parseInt64(clientId))
    const waiting = target && this.waiting.get(target)
    if (waiting === undefined || target === client) return
    for (const fault of waiting.faults) {
      if (this.pending.get(fault.id) !== fault || fault.clients.includes(client)) continue
      fault.clients.push(client)
      this.want(fault)
    }
  }

  private want(fault: Fault): void {
    this.wanted ??= { faults: [], missing: 0 }
    this.wanted.faults.push(fault)
    this.wanted.missing++
    fault.uses++
  }

  /** Installs values that have arrived; true: there are no more. */
  private readonly serve = (): boolean => {
    for (let i = 0; i < INSTALLED_AT_ONCE && this.arrived.length > 0; i++) this.finish(this.arrived.pop()!)
    return this.arrived.length === 0
  }

  private finish(fault: Fault): void {
    this.pending.delete(fault.id)
    const us = Math.round(this.parts.nowUs() - fault.beganUs)
    this.durations.record(us, 1)
    this.parts.took(us)
    // Values of one command come to memory together, so that none is moved to disk again while others are read.
    for (const client of fault.clients) {
      const waiting = this.waiting.get(client)
      if (waiting === undefined || --waiting.missing > 0) continue
      let isWhole = true
      for (const one of waiting.faults) {
        if (!this.install(one)) isWhole = false
        if (--one.uses === 0 && one.record !== undefined) this.parts.store.log.discard(one.record)
      }
      this.release(client, !isWhole)
    }
  }

  /** False: the value cannot be read. */
  private install({ id, db, key, record }: Fault): boolean {
    const { store, warn } = this.parts
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    if (entry === 0 || !db.entries.isCold(entry) || idOf(store.placeOf(entry)) !== id) return true
    try {
      if (record === undefined) throw new UnreadableValue('the file cannot be read')
      store.install(db, entry, store.log.checked(record))
      return true
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      this.readErrors++
      const { segment, offset } = store.placeOf(entry)
      warn(`A value on disk cannot be read, in segment ${segment} at ${offset}: ${error.message}`)
      return false
    }
  }

  private release(client: Client, isRefused = false): void {
    this.waiting.delete(client)
    this.served.set(client, isRefused)
    this.parts.engine.postponed.releaseOne(client, 'storage')
    if (this.unread.size !== 0) this.parts.start(this.resume)
  }

  /** The disk has followed: writers may go on. */
  releaseWriters(): void {
    for (const [client, { missing }] of this.waiting) if (missing === Number.POSITIVE_INFINITY) this.release(client)
  }
}
