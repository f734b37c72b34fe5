// Faults: the 'storage' gate. A command whose keys have values on disk is postponed; the values are read in the
// background, many at once, and the command is judged again when the last of them is in memory.
//
//   command ─▶ POSTPONE ─▶ readLater for each cold key ─▶ [all are there] installed, released ─▶ runs
//                                                     └─▶ [one is not sound] ─▶ refused
//   a large value is read in pieces and built in slices (large-load.ts)
//
// Always: the socket of a client is not read while it waits, so that the kernel slows the sender down: its input would
// grow without bound otherwise, a command for each fault. A command is postponed for its values once; what is cold then
// (a value spilled again, a key that a script does not declare) is read while it runs; for a large one it is
// postponed again, some times. Commands about keys and those that overwrite a value read nothing.

import { CMD_DENYOOM, CMD_SOLE_KEY } from '../engine/catalog/command.ts'
import { KEY_ACCESS, KEY_OW, KEY_RM, KEY_VARIABLE_FLAGS } from '../engine/catalog/keyspecs.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import { CLIENT_CLOSING, CLIENT_INPUT_QUEUED, CLIENT_MULTI, CLIENT_UNREAD, type Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { type Gate, POSTPONE, wouldRun } from '../engine/gates.ts'
import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import { type Database, LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import { FlatMap } from '../lib/flat-map.ts'
import { Histogram } from '../lib/histogram.ts'
import { parseInt64 } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import { errorBytes } from '../protocol/reply.ts'
import type { ColdStore } from './cold-store.ts'
import type { LargeLoad } from './large-load.ts'
import { LargeLoads } from './large-loads.ts'
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
const SLICE_US = 300
/** How often a command is postponed for large values. */
const TRIES_MAX = 4

// Of which keys a command needs the values.
const NEEDS_NOTHING = 0
/** Of args[1] alone. */
const NEEDS_FIRST = 1
const NEEDS_ANY = 2

interface Fault {
  /** idOf() its place. */
  id: number
  db: Database
  key: Slice
  record: Uint8Array | undefined
  /** A large value instead; undefined when a client has got it. */
  load: LargeLoad | undefined
  isLarge: boolean
  failure: UnreadableValue | undefined
  beganUs: number
  clients: Client[]
  /** Clients that need the record still. */
  uses: number
}

/** What a client waits for: values, or (missing is infinite) the disk. */
interface Waiting {
  client: Client
  faults: Fault[]
  /** How many of them have not arrived. */
  missing: number
  /** How often its command was postponed for them. */
  tries: number
}

/** What becomes of a command that has waited. */
interface Verdict {
  isRefused: boolean
  tries: number
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
  start(serve: (limitUs: number) => boolean): void
}

export class Faults {
  /** Values that could not be read. */
  readErrors = 0
  /** Microseconds from the request of a value until it has arrived. */
  readonly durations = new Histogram()
  private readonly parts: FaultParts
  /** By their places. */
  private readonly pending = new FlatMap<Fault>()
  private readonly arrived: Fault[] = []
  // By the ids of clients.
  /** Clients whose sockets are not read: those with CLIENT_UNREAD. */
  private readonly unread = new FlatMap<Client>()
  private readonly waiting = new FlatMap<Waiting>()
  /** Clients whose command is judged again. */
  private readonly served = new FlatMap<Verdict>()
  private readonly loads: LargeLoads
  /** Clients whose values are there, but a snapshot is busy with one of them. */
  private readonly held = new Set<Client>()
  /** The command that was judged last, and what it needs. */
  private lastEntry: TableEntry | undefined
  private lastNeed = NEEDS_ANY
  /** Of the command that is being judged. */
  private wanted: Waiting | undefined

  constructor(parts: FaultParts) {
    this.parts = parts
    this.loads = new LargeLoads(parts)
    parts.engine.onClientDisconnected.push(client => {
      this.forget(client)
      this.held.delete(client)
      this.served.delete(client.id)
      this.unread.delete(client.id)
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
    // What another command has left: arguments are in the same Slices.
    this.parts.engine.keyspace.entries.ahead.forget()
    // Before anything is spilled again: the values that the client has waited for are in memory.
    if (this.served.size !== 0) {
      const verdict = this.served.get(client.id)
      if (verdict !== undefined) return this.judgeAgain(client, verdict, entry, args, argc)
    }
    const blocked = this.parts.guard()
    if (blocked && (flags & CMD_DENYOOM) !== 0) {
      this.wait({ client, faults: [], missing: Number.POSITIVE_INFINITY, tries: 0 })
      return POSTPONE
    }
    if (this.parts.store.figures.coldKeys === 0) return undefined
    if (entry !== this.lastEntry) this.look(entry)
    if (this.lastNeed !== NEEDS_ANY && !client.has(CLIENT_MULTI)) {
      if (this.lastNeed === NEEDS_NOTHING) return undefined
      const found = this.parts.engine.keyspace.entries.ahead.find(client.db, args[1])
      if (found === 0 || !client.db.entries.isCold(found)) return undefined
    }
    this.wanted = undefined
    wouldRun(client, entry, args, argc, this.request)
    if (this.wanted === undefined) return undefined
    this.wait(this.wanted)
    return POSTPONE
  }

  /** Which values a command needs. */
  private look(entry: TableEntry): void {
    this.lastEntry = entry
    this.lastNeed = KEYS_ONLY.has(entry.fullName) ? NEEDS_NOTHING : NEEDS_ANY
    if (this.lastNeed !== NEEDS_ANY || (entry.flags & CMD_SOLE_KEY) === 0) return
    const { flags } = entry.keySpecs[0]
    if ((flags & KEY_VARIABLE_FLAGS) === 0) this.lastNeed = needsValue(flags) ? NEEDS_FIRST : NEEDS_NOTHING
  }

  /** A command that has waited runs, unless a large value is on disk again. */
  private judgeAgain(client: Client, verdict: Verdict, entry: TableEntry, args: Slice[], argc: number) {
    this.served.delete(client.id)
    if (verdict.isRefused) return UNREADABLE
    if (this.parts.store.figures.coldKeys === 0 || verdict.tries >= TRIES_MAX) return undefined
    this.wanted = undefined
    wouldRun(client, entry, args, argc, this.requestLarge)
    const wanted = this.wanted as Waiting | undefined
    if (wanted === undefined) return undefined
    wanted.tries = verdict.tries
    this.wait(wanted)
    return POSTPONE
  }

  private wait(waiting: Waiting): void {
    const { client } = waiting
    this.waiting.set(client.id, waiting)
    // In process nothing slows the sender down.
    if (client.connection.kind === 'memory' || client.has(CLIENT_UNREAD)) return
    client.flags |= CLIENT_UNREAD
    client.connection.pause()
    this.unread.set(client.id, client)
  }

  /** The sockets of clients that wait no longer and have used up their input are read again. */
  private readonly resume = (): boolean => {
    let isBusy = false
    this.unread.forEach(client => {
      if (this.waiting.has(client.id)) return
      if (client.has(CLIENT_INPUT_QUEUED)) isBusy = true
      else {
        this.unread.delete(client.id)
        client.flags &= ~CLIENT_UNREAD
        if (!client.has(CLIENT_CLOSING)) client.connection.resume()
      }
    })
    return !isBusy
  }

  /** Requests the values of one command. Never true, so that all commands of a transaction are seen. */
  private readonly request = (client: Client, entry: TableEntry, args: Slice[], argc: number): boolean =>
    this.requestAll(client, entry, args, argc, false)

  private readonly requestLarge = (client: Client, entry: TableEntry, args: Slice[], argc: number): boolean =>
    this.requestAll(client, entry, args, argc, true)

  private requestAll(client: Client, entry: TableEntry, args: Slice[], argc: number, onlyLarge: boolean): boolean {
    if (KEYS_ONLY.has(entry.fullName)) return false
    if (entry.fullName === 'client|unblock') this.follow(client, args[2])
    const { engine, store } = this.parts
    const { positions, flags, count } = engine.table.keysOf(entry, args, argc)
    for (let i = 0; i < count; i++) {
      if (!needsValue(flags[i])) continue
      const key = args[positions[i]]
      const found = client.db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
      if (found === 0 || !client.db.entries.isCold(found)) continue
      if (!onlyLarge || store.isLarge(found)) this.read(client, key, found)
    }
    return false
  }

  private read(client: Client, key: Slice, entry: Ref): void {
    const { store } = this.parts
    const place = store.placeOf(entry)
    const id = idOf(place)
    const running = this.pending.get(id)
    if (running !== undefined) {
      if (running.clients.includes(client)) return
      running.clients.push(client)
      this.want(client, running)
      return
    }
    const fault: Fault = {
      id,
      db: client.db,
      key: key.copy(),
      record: undefined,
      load: undefined,
      isLarge: store.isLarge(entry),
      failure: undefined,
      beganUs: this.parts.nowUs(),
      clients: [client],
      uses: 0,
    }
    if (fault.isLarge) this.beginLoad(fault, entry)
    else this.readWhole(fault, place)
    this.pending.set(id, fault)
    this.want(client, fault)
  }

  private readWhole(fault: Fault, place: ValuePlace): void {
    const arrive = (record: Uint8Array | undefined) => {
      fault.record = record
      this.arrived.push(fault)
      this.parts.start(this.serve)
    }
    const kept = this.parts.store.log.readLater(place, arrive)
    if (kept !== undefined) arrive(kept)
  }

  // ---- large values ----

  private beginLoad(fault: Fault, entry: Ref): void {
    fault.load = this.parts.store.beginLoad(entry)
    this.loads.begin(fault.load, failure => {
      fault.failure = failure
      this.arrived.push(fault)
      this.parts.start(this.serve)
    })
  }

  /** A client needs its values no longer. */
  private forget(client: Client): void {
    const waiting = this.waiting.get(client.id)
    this.waiting.delete(client.id)
    for (const fault of waiting?.faults ?? []) this.unuse(fault)
  }

  private unuse(fault: Fault): void {
    if (--fault.uses > 0) return
    if (fault.record !== undefined) this.parts.store.log.discard(fault.record)
    if (fault.load === undefined) return
    fault.load.drop()
    fault.load = undefined
    if (this.pending.get(fault.id) === fault) this.pending.delete(fault.id)
  }

  /** CLIENT UNBLOCK is for a command that came before it: where that waits for values, both do, and it runs first. */
  private follow(client: Client, clientId: Slice): void {
    const target = this.parts.engine.clients.get(parseInt64(clientId))
    const waiting = target && this.waiting.get(target.id)
    if (waiting === undefined || target === client) return
    for (const fault of waiting.faults) {
      if (this.pending.get(fault.id) !== fault || fault.clients.includes(client)) continue
      fault.clients.push(client)
      this.want(client, fault)
    }
  }

  private want(client: Client, fault: Fault): void {
    this.wanted ??= { client, faults: [], missing: 0, tries: 0 }
    this.wanted.faults.push(fault)
    this.wanted.missing++
    fault.uses++
  }

  /** Installs values that have arrived; true: there are no more. */
  private readonly serve = (limitUs: number): boolean => {
    const { nowUs } = this.parts
    const until = nowUs() + Math.min(limitUs, SLICE_US)
    for (let i = 0; i < INSTALLED_AT_ONCE && this.arrived.length > 0; i++) {
      this.finish(this.arrived.pop()!)
      if (nowUs() > until) break
    }
    return this.arrived.length === 0
  }

  private finish(fault: Fault): void {
    if (this.pending.get(fault.id) === fault) this.pending.delete(fault.id)
    const us = Math.round(this.parts.nowUs() - fault.beganUs)
    this.durations.record(us, 1)
    this.parts.took(us)
    // Values of one command come to memory together, so that none is moved to disk again while others are read.
    for (const client of fault.clients) {
      const waiting = this.waiting.get(client.id)
      if (waiting !== undefined && --waiting.missing <= 0) this.installAll(client, waiting)
    }
  }

  private installAll(client: Client, waiting: Waiting): void {
    if (waiting.faults.some(this.isBusy)) {
      this.held.add(client)
      return
    }
    let isWhole = true
    for (const fault of waiting.faults) {
      if (!this.install(fault)) isWhole = false
      this.unuse(fault)
    }
    this.release(client, !isWhole)
  }

  /** A snapshot is about to write a large value, from the disk: it comes to memory afterwards. */
  private readonly isBusy = ({ db, key, load }: Fault): boolean => {
    if (load === undefined) return false
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    return entry !== 0 && db.entries.isCold(entry) && this.parts.store.isSavedLater(db, entry)
  }

  /** Looks again whether a snapshot is busy with what clients wait for. */
  retry(): void {
    // A copy: those that wait on come back.
    for (const client of [...this.held]) {
      this.held.delete(client)
      const waiting = this.waiting.get(client.id)
      if (waiting !== undefined) this.installAll(client, waiting)
    }
  }

  /** False: the value cannot be read. */
  private install(fault: Fault): boolean {
    const { id, db, key, record } = fault
    const { store, warn } = this.parts
    const entry = db.find(key, LOOKUP_KEY | LOOKUP_EXPIRED)
    if (entry === 0 || !db.entries.isCold(entry) || idOf(store.placeOf(entry)) !== id) return true
    try {
      if (fault.failure !== undefined) throw fault.failure
      if (fault.isLarge) this.installLarge(fault, entry)
      else if (record === undefined) throw new UnreadableValue('the file cannot be read')
      else store.install(db, entry, store.log.checked(record))
      return true
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error
      this.readErrors++
      const { segment, offset } = store.placeOf(entry)
      warn(`A value on disk cannot be read, in segment ${segment} at ${offset}: ${error.message}`)
      return false
    }
  }

  /** For one client; another one that waited for it, and does not find it in memory any more, waits again. */
  private installLarge(fault: Fault, entry: Ref): void {
    const { load, db } = fault
    fault.load = undefined
    if (load !== undefined) this.parts.store.installLarge(db, entry, load.take())
  }

  private release(client: Client, isRefused = false): void {
    const tries = (this.waiting.get(client.id)?.tries ?? 0) + 1
    this.waiting.delete(client.id)
    this.served.set(client.id, { isRefused, tries })
    this.parts.engine.postponed.releaseOne(client, 'storage')
    if (this.unread.size !== 0) this.parts.start(this.resume)
  }

  /** The disk has followed: writers may go on. */
  releaseWriters(): void {
    this.waiting.forEach(({ client, missing }) => {
      if (missing === Number.POSITIVE_INFINITY) this.release(client)
    })
  }
}

/** Whether a command needs the value of a key with these flags. */
function needsValue(flags: number): boolean {
  return (flags & (KEY_OW | KEY_RM)) === 0 || (flags & KEY_ACCESS) !== 0
}
