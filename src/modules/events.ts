// ModuleEvents: tells listeners of modules, and of the program around a server, what happens in it.
//
//   keyspace event ─▶ queue ─▶ after the event's commands and their replies ─▶ listeners, which may call commands
//
// Always: while nobody listens to an event, the engine has no hook for it. A listener runs outside of commands; what it
// throws, or its promise rejects with, is logged. What listeners cause themselves is told in a later turn, so that two
// that answer each other do not keep the server.

import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import {
  NOTIFY_EVICTED,
  NOTIFY_EXPIRED,
  NOTIFY_GENERIC,
  NOTIFY_HASH,
  NOTIFY_KEY_MISS,
  NOTIFY_LIST,
  NOTIFY_MODULE,
  NOTIFY_SET,
  NOTIFY_STREAM,
  NOTIFY_STRING,
  NOTIFY_ZSET,
} from '../engine/messaging/events.ts'
import type { AuditEvent } from '../engine/monitoring/audit.ts'
import type { ServerEvent } from '../engine/monitoring/server-events.ts'
import { LOOKUP_EXPIRED, LOOKUP_KEY } from '../keyspace/database.ts'
import { putHook } from '../lib/hooks.ts'
import type { Slice } from '../lib/slice.ts'
import { isUnwind } from '../lib/unwind.ts'
import type { Ref } from '../memory/arena.ts'
import type { KeyEvent, ServerEventName, ServerEvents } from './definition.ts'
import { logThrown } from './harmless.ts'
import { sliceOf } from './values.ts'

/** Its own for each on(), so that the same function may listen twice. */
interface Listener {
  readonly hear: (event: never) => unknown
}
type Database = Engine['keyspace']['databases'][number]

/** What the server around the engine tells of by itself. */
export interface EventSources {
  /** The configured classes of keyspace events. */
  configuredClasses(): number
  /** Sets the classes that commands announce. */
  announce(classes: number): void
}

const CHANGED =
  NOTIFY_GENERIC | NOTIFY_STRING | NOTIFY_LIST | NOTIFY_SET | NOTIFY_HASH | NOTIFY_ZSET | NOTIFY_STREAM | NOTIFY_MODULE

/** The classes of keyspace events by the event they are told as. */
const CLASSES: ReadonlyMap<ServerEventName, number> = new Map<ServerEventName, number>([
  ['key-changed', CHANGED],
  ['key-expired', NOTIFY_EXPIRED],
  ['key-evicted', NOTIFY_EVICTED],
  ['key-missed', NOTIFY_KEY_MISS],
])

export const EVENT_NAMES: readonly ServerEventName[] = [
  ...CLASSES.keys(),
  'flushed',
  'client-connected',
  'client-disconnected',
  'audit',
  'role',
  'primary-link',
  'replica',
  'cluster',
  'save',
  'load',
  'databases-swapped',
  'module',
  'config-changed',
  'loaded',
  'cron',
  'shutdown',
]

/** What the engine's parts tell of. */
const HAPPENINGS: readonly ServerEvent['name'][] = [
  'primary-link',
  'replica',
  'cluster',
  'save',
  'load',
  'databases-swapped',
]

/** Keys of events are copied to blocks of this size, one after the other; longer ones have a block of their own. */
const BLOCK_BYTES = 16 * 1024
/** A queue that was longer is not kept. */
const QUEUE_KEPT = 1024
/** A command announces a key soon after it has looked it up. */
const OLD_EXPIRIES_MAX = 8

/** The listeners of one event; a list that is replaced, never changed. */
class Audience {
  readonly name: ServerEventName
  listeners: readonly Listener[] = []

  constructor(name: ServerEventName) {
    this.name = name
  }
}

export class ModuleEvents {
  private readonly engine: Engine
  private readonly sources: EventSources
  private readonly audiences: ReadonlyMap<ServerEventName, Audience>
  /** Who is told, and what, in order: so many. */
  private queue = new Queue()
  /** That of the turn before, to be used again. */
  private spare = new Queue()
  private delivering = false
  private block: KeyBlock
  private readonly oldExpiries: OldExpiries
  /** The classes of keyspace events that somebody listens to, and those that are configured. */
  private classes = 0
  private configured = 0
  private readonly changed: Audience
  private readonly publish: Engine['notifyHook']
  private readonly track: Engine['trackingHook']
  private readonly deliverHook = () => this.deliver()
  private readonly came = (client: Client) => this.tell('client-connected', seen(client))
  private readonly gone = (client: Client) => this.tell('client-disconnected', seen(client))
  private readonly happened = ({ name, ...event }: ServerEvent) => this.tell(name, event as never)
  private readonly audited = (event: AuditEvent) => this.tell('audit', event)

  constructor(engine: Engine, sources: EventSources) {
    this.engine = engine
    this.sources = sources
    this.block = new KeyBlock(engine, BLOCK_BYTES)
    this.oldExpiries = new OldExpiries(engine)
    this.publish = engine.notifyHook
    this.track = engine.trackingHook
    this.audiences = new Map(EVENT_NAMES.map(name => [name, new Audience(name)]))
    this.changed = this.audiences.get('key-changed')!
  }

  /** Calls `listener` for each event of that name until the function that is returned is called. */
  on<Name extends ServerEventName>(name: Name, listener: (event: ServerEvents[Name]) => unknown): () => void {
    if (!this.knows(name)) throw new TypeError(`there is no event '${String(name)}'`)
    if (typeof listener !== 'function') throw new TypeError('a listener is a function')
    const own: Listener = { hear: listener }
    const audience = this.audiences.get(name)!
    audience.listeners = [...audience.listeners, own]
    if (audience.listeners.length === 1) this.hook()
    return () => {
      if (!audience.listeners.includes(own)) return
      audience.listeners = audience.listeners.filter(one => one !== own)
      if (audience.listeners.length === 0) this.hook()
    }
  }

  knows(name: string): name is ServerEventName {
    return this.audiences.has(name as ServerEventName)
  }

  /** Queues an event for its listeners. */
  tell<Name extends ServerEventName>(name: Name, event: ServerEvents[Name]): void {
    const audience = this.audiences.get(name)!
    if (audience.listeners.length !== 0) this.queue.put(audience, event)
  }

  /** As tell(), and tells it now: there will be no other turn. */
  tellNow<Name extends ServerEventName>(name: Name, event: ServerEvents[Name]): void {
    this.tell(name, event)
    this.deliver()
  }

  /** notify-keyspace-events has changed. */
  classesChanged(): void {
    this.configured = this.sources.configuredClasses()
    this.sources.announce(this.configured | this.classes)
  }

  /** Hooks what is listened to, and nothing else. */
  private hook(): void {
    const { engine, audiences } = this
    const was = this.classes
    const isHeard = (name: ServerEventName) => audiences.get(name)!.listeners.length > 0
    const heard = EVENT_NAMES.filter(isHeard)
    this.classes = heard.reduce((classes, name) => classes | (CLASSES.get(name) ?? 0), 0)
    engine.notifyHook = this.classes === 0 ? this.publish : this.announced
    if (was !== this.classes) this.classesChanged()
    engine.keyspace.events.expiryMayChange = this.classes === 0 ? undefined : this.oldExpiries.remember
    engine.trackingHook = isHeard('flushed') ? this.flushed : this.track
    putHook(engine.connections.onConnected, this.came, isHeard('client-connected'))
    putHook(engine.onClientDisconnected, this.gone, isHeard('client-disconnected'))
    putHook(engine.observers.happenings.listeners, this.happened, HAPPENINGS.some(isHeard))
    putHook(engine.observers.audit.listeners, this.audited, isHeard('audit'))
    putHook(engine.afterCommand, this.deliverHook, heard.length > 0)
  }

  private readonly announced: Engine['notifyHook'] = (cls, event, key, db) => {
    if ((this.configured & cls) !== 0) this.publish?.(cls, event, key, db)
    if ((this.classes & cls) === 0) return
    const audience = (cls & CHANGED) !== 0 ? this.changed : this.audienceOf(cls)
    if (audience === undefined) return
    if (this.block.bytes.length - this.block.end < key.len)
      this.block = new KeyBlock(this.engine, Math.max(BLOCK_BYTES, key.len))
    const at = this.block.add(key)
    this.queue.put(audience, new EventKey(event, db, this.block, at, key.len, this.oldExpiries.of(db, key, cls)))
  }

  private readonly flushed: Engine['trackingHook'] = (db, key: Slice | null) => {
    this.track?.(db, key)
    if (key === null) this.tell('flushed', {})
  }

  private audienceOf(cls: number): Audience | undefined {
    for (const [name, classes] of CLASSES) if ((classes & cls) !== 0) return this.audiences.get(name)
    return undefined
  }

  private deliver(): void {
    const { queue } = this
    const { length } = queue
    if (length === 0 || this.delivering) return
    this.queue = this.spare
    this.oldExpiries.forget()
    this.delivering = true
    try {
      for (let i = 0; i < length; i++) this.call(queue.audiences[i], queue.events[i])
    } finally {
      this.delivering = false
      this.spare = queue.emptied()
    }
    if (this.queue.length > 0) this.engine.machine.soon(() => this.engine.boundary.guard(this.deliverHook))
  }

  private call(audience: Audience, event: unknown): void {
    const { name, listeners } = audience
    for (let i = 0; i < listeners.length; i++) {
      // Another listener may have ended this one.
      if (audience.listeners !== listeners && !audience.listeners.includes(listeners[i])) continue
      try {
        const outcome = listeners[i].hear(event as never)
        if (outcome !== undefined && outcome instanceof Promise) outcome.catch(error => this.failed(name, error))
      } catch (error) {
        if (isUnwind(error)) throw error
        this.failed(name, error)
      }
    }
  }

  private failed(name: string, error: unknown): void {
    logThrown(this.engine, `A listener of '${name}'`, error)
  }
}

/** Events and who is told of them; its lists are used again, turn after turn. */
class Queue {
  audiences: Audience[] = []
  events: unknown[] = []
  length = 0

  put(audience: Audience, event: unknown): void {
    this.audiences[this.length] = audience
    this.events[this.length++] = event
  }

  emptied(): this {
    if (this.length > QUEUE_KEPT) this.audiences.length = this.events.length = 0
    else this.events.fill(undefined, 0, this.length)
    this.length = 0
    return this
  }
}

/** Copies of keys: their bytes are written once, so that an event may be looked at later. */
class KeyBlock {
  readonly engine: Engine
  readonly bytes: Uint8Array
  end = 0

  constructor(engine: Engine, size: number) {
    this.engine = engine
    this.bytes = new Uint8Array(size)
  }

  /** Copies a key, for which there is space; returns where it is. */
  add({ u8, off, len }: Slice): number {
    const { bytes, end } = this
    for (let i = 0; i < len; i++) bytes[end + i] = u8[off + i]
    this.end = end + len
    return end
  }
}

/** The expiries of the keys that the running command has looked up to write them. */
class OldExpiries {
  private readonly engine: Engine
  private readonly found: { db: Database; key: Slice; atMs: number }[] = []
  /** The command: how many have run before it. */
  private command = -1

  constructor(engine: Engine) {
    this.engine = engine
  }

  readonly remember = (db: Database, key: Slice, entry: Ref): void => {
    const { commandsProcessed } = this.engine.stats
    if (this.command !== commandsProcessed) this.found.length = 0
    this.command = commandsProcessed
    // What it was before the command.
    if (this.find(db, key) !== undefined) return
    if (this.found.length === OLD_EXPIRIES_MAX) this.found.shift()
    this.found.push({ db, key: key.copy(), atMs: db.entries.expiryOf(entry) })
  }

  /** The expiry of a key before the command that announces it; -1: none. */
  of(db: Database, key: Slice, cls: number): number {
    if (cls === NOTIFY_EXPIRED) {
      const entry = db.find(key, LOOKUP_EXPIRED | LOOKUP_KEY)
      return entry === 0 ? -1 : db.entries.expiryOf(entry)
    }
    if (this.found.length === 0 || this.command !== this.engine.stats.commandsProcessed) return -1
    return this.find(db, key)?.atMs ?? -1
  }

  forget(): void {
    if (this.found.length !== 0) this.found.length = 0
  }

  private find(db: Database, key: Slice) {
    return this.found.find(one => one.db === db && one.key.equals(key))
  }
}

/** A key that a keyspace event names; its type and expiry are looked up when they are asked for. */
class EventKey implements KeyEvent {
  readonly event: string
  private readonly db: Database
  private readonly block: KeyBlock
  private readonly at: number
  private readonly len: number
  private readonly oldExpiry: number

  constructor(event: string, db: Database, block: KeyBlock, at: number, len: number, oldExpiry: number) {
    this.event = event
    this.db = db
    this.block = block
    this.at = at
    this.len = len
    this.oldExpiry = oldExpiry
  }

  /** A copy: what a listener does to it is its own affair. */
  get key(): Uint8Array {
    return this.block.bytes.slice(this.at, this.at + this.len)
  }

  get database(): number {
    return this.db.index
  }

  get type(): string | null {
    const { db } = this
    const entry = db.peek(sliceOf(this.key))
    return entry === 0 ? null : this.block.engine.keyspace.types.nameOf(db.entries, entry)
  }

  get expiresAtMs(): number | null {
    const { db } = this
    const entry = db.peek(sliceOf(this.key))
    const expiresAtMs = entry === 0 ? -1 : db.entries.expiryOf(entry)
    return expiresAtMs < 0 ? null : expiresAtMs
  }

  get oldExpiresAtMs(): number | null {
    return this.oldExpiry < 0 ? null : this.oldExpiry
  }
}

function seen(client: Client) {
  return { id: client.id, address: client.connection.peer }
}
