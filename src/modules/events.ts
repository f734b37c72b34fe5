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
import { putHook } from '../lib/hooks.ts'
import type { Slice } from '../lib/slice.ts'
import type { KeyEvent, ServerEventName, ServerEvents } from './definition.ts'
import { harmless, logThrown } from './harmless.ts'
import { sliceOf } from './values.ts'

type Listener = (event: never) => unknown
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

const EVENT_NAMES: readonly ServerEventName[] = [
  ...CLASSES.keys(),
  'flushed',
  'client-connected',
  'client-disconnected',
  'audit',
  'role',
  'config-changed',
  'loaded',
  'cron',
  'shutdown',
]

interface Queued {
  readonly name: ServerEventName
  readonly event: ServerEvents[ServerEventName]
}

export class ModuleEvents {
  private readonly engine: Engine
  private readonly sources: EventSources
  private readonly listeners = new Map<ServerEventName, Set<Listener>>()
  private queue: Queued[] = []
  private delivering = false
  /** The classes of keyspace events that somebody listens to. */
  private classes = 0
  private readonly publish: Engine['notifyHook']
  private readonly track: Engine['trackingHook']
  private readonly deliverHook = () => this.deliver()
  private readonly came = (client: Client) => this.tell('client-connected', seen(client))
  private readonly gone = (client: Client) => this.tell('client-disconnected', seen(client))
  private readonly audited = (event: AuditEvent) => this.tell('audit', event)

  constructor(engine: Engine, sources: EventSources) {
    this.engine = engine
    this.sources = sources
    this.publish = engine.notifyHook
    this.track = engine.trackingHook
  }

  /** Calls `listener` for each event of that name until the function that is returned is called. */
  on<Name extends ServerEventName>(name: Name, listener: (event: ServerEvents[Name]) => unknown): () => void {
    if (!this.knows(name)) throw new TypeError(`there is no event '${String(name)}'`)
    if (typeof listener !== 'function') throw new TypeError('a listener is a function')
    // Its own, so that the same function may listen twice.
    const own: Listener = event => listener(event)
    let all = this.listeners.get(name)
    if (all === undefined) this.listeners.set(name, (all = new Set()))
    all.add(own)
    if (all.size === 1) this.hook()
    return () => {
      if (!all.delete(own) || all.size > 0) return
      if (this.listeners.get(name) === all) this.listeners.delete(name)
      this.hook()
    }
  }

  knows(name: string): name is ServerEventName {
    return EVENT_NAMES.includes(name as ServerEventName)
  }

  /** Queues an event for its listeners. */
  tell<Name extends ServerEventName>(name: Name, event: ServerEvents[Name]): void {
    if (this.listeners.has(name)) this.queue.push({ name, event })
  }

  /** As tell(), and tells it now: there will be no other turn. */
  tellNow<Name extends ServerEventName>(name: Name, event: ServerEvents[Name]): void {
    this.tell(name, event)
    this.deliver()
  }

  /** notify-keyspace-events has changed. */
  classesChanged(): void {
    this.sources.announce(this.sources.configuredClasses() | this.classes)
  }

  /** Hooks what is listened to, and nothing else. */
  private hook(): void {
    const { engine, listeners } = this
    const was = this.classes
    this.classes = 0
    for (const name of listeners.keys()) this.classes |= CLASSES.get(name) ?? 0
    engine.notifyHook = this.classes === 0 ? this.publish : this.announced
    if (was !== this.classes) this.classesChanged()
    engine.trackingHook = listeners.has('flushed') ? this.flushed : this.track
    putHook(engine.connections.onConnected, this.came, listeners.has('client-connected'))
    putHook(engine.onClientDisconnected, this.gone, listeners.has('client-disconnected'))
    putHook(engine.observers.audit.listeners, this.audited, listeners.has('audit'))
    putHook(engine.afterCommand, this.deliverHook, listeners.size > 0)
  }

  private readonly announced: Engine['notifyHook'] = (cls, event, key, db) => {
    if ((this.sources.configuredClasses() & cls) !== 0) this.publish?.(cls, event, key, db)
    if ((this.classes & cls) === 0) return
    const name = nameOf(cls)
    if (name !== undefined) this.tell(name, new EventKey(this.engine, event, key, db))
  }

  private readonly flushed: Engine['trackingHook'] = (db, key: Slice | null) => {
    this.track?.(db, key)
    if (key === null) this.tell('flushed', {})
  }

  private deliver(): void {
    if (this.queue.length === 0 || this.delivering) return
    const { queue } = this
    this.queue = []
    this.delivering = true
    try {
      for (const { name, event } of queue)
        for (const listener of this.listeners.get(name) ?? []) this.call(name, listener, event)
    } finally {
      this.delivering = false
    }
    if (this.queue.length > 0) this.engine.machine.soon(() => this.engine.boundary.guard(this.deliverHook))
  }

  private call(name: string, listener: Listener, event: unknown): void {
    const { engine } = this
    const what = `A listener of '${name}'`
    harmless(engine, what, () => {
      const outcome = listener(event as never)
      if (outcome instanceof Promise) outcome.catch(error => logThrown(engine, what, error))
    })
  }
}

/** A key that a keyspace event names; its type and expiry are looked up when they are asked for. */
class EventKey implements KeyEvent {
  readonly event: string
  readonly key: Uint8Array
  readonly database: number
  private readonly db: Database
  private readonly engine: Engine

  constructor(engine: Engine, event: string, key: Slice, db: Database) {
    this.event = event
    this.key = key.u8.slice(key.off, key.off + key.len)
    this.database = db.index
    this.db = db
    this.engine = engine
  }

  get type(): string | null {
    const { db } = this
    const entry = db.peek(sliceOf(this.key))
    return entry === 0 ? null : this.engine.keyspace.types.nameOf(db.entries, entry)
  }

  get expiresAtMs(): number | null {
    const { db } = this
    const entry = db.peek(sliceOf(this.key))
    const expiresAtMs = entry === 0 ? -1 : db.entries.expiryOf(entry)
    return expiresAtMs < 0 ? null : expiresAtMs
  }
}

function nameOf(cls: number): ServerEventName | undefined {
  if ((cls & CHANGED) !== 0) return 'key-changed'
  for (const [name, classes] of CLASSES) if ((classes & cls) !== 0) return name
  return undefined
}

function seen(client: Client) {
  return { id: client.id, address: client.connection.peer }
}
