// Tracking: server-assisted client-side caching. Remembers which client has read which key, and sends an invalidation
// when the key changes.
//
//   default   a tracking client reads keys ─▶ remembered; a change ─▶ one invalidation, forgotten
//   BCAST     a client names prefixes; changed keys with one are sent at the end of the event loop's turn
//
// Always: `trackedItems` is the number of remembered (key, client) pairs; engine.modifiedKeyListeners includes one for
// each tracking client and one for each remembered key; keys stay remembered when their clients disconnect or stop
// tracking. Invalidations to the client whose command made the change follow that command's reply.

import type { Slice } from '../../lib/slice.ts'
import type { Reply } from '../../protocol/reply.ts'
import { CMD_READONLY } from '../catalog/command.ts'
import { KeyPositions } from '../catalog/keyspecs.ts'
import type { TableEntry } from '../catalog/table.ts'
import { CLIENT_BLOCKED, CLIENT_MULTI, CLIENT_PUBSUB, CLIENT_SCRIPT, CLIENT_TRACKING, type Client } from '../client.ts'
import type { Engine } from '../engine.ts'

export interface TrackingOptions {
  /** Id of the client that gets the invalidations, 0: the client itself. */
  redirect: number
  bcast: boolean
  optIn: boolean
  optOut: boolean
  noLoop: boolean
  prefixes: string[]
}

export interface TrackingState extends TrackingOptions {
  /** Set by CLIENT CACHING for the next command. */
  hasCaching: boolean
  brokenRedirect: boolean
}

/** Keys that one event forgets above tracking-table-max-keys: more than it usually reads. */
const EVICTED_PER_ROUND = 4096
/** Measured on Bun: a key in the table besides its text, and each further client of it. */
const KEY_BYTES = 96
const FURTHER_CLIENT_BYTES = 64

export class Tracking {
  trackedItems = 0
  /** Goes through the table to forget keys: a new iterator would pass the removed ones again. */
  private oldest: Iterator<string> = [][Symbol.iterator]()
  /** Bytes of the keys in the table. */
  private keyBytes = 0
  clients = 0
  /** The clients that a key's changes are sent to: one id, or several. */
  readonly table = new Map<string, number | Set<number>>()
  readonly prefixes = new Map<string, Set<Client>>()
  private readonly engine: Engine
  private readonly positions = new KeyPositions()
  /** By prefix: the keys that this turn has changed, and who changed each of them last. */
  private readonly changed = new Map<string, Map<string, Client | undefined>>()

  constructor(engine: Engine) {
    this.engine = engine
    engine.trackingHook = (_db, key) => this.keyChanged(key)
    engine.onClientDisconnected.push(client => this.disable(client))
    engine.onClientReset.push(client => this.disable(client))
    engine.afterCommand.push(() => this.limitTable())
    engine.output.beforeTurnEnds.push(() => this.sendChanges())
  }

  static stateOf(client: Client): TrackingState | undefined {
    return client.tracking as TrackingState | undefined
  }

  enable(client: Client, options: TrackingOptions): void {
    const state = Tracking.stateOf(client)
    if (state === undefined) {
      this.clients++
      this.engine.modifiedKeyListeners++
      client.flags |= CLIENT_TRACKING
      client.tracking = { ...options, prefixes: [], hasCaching: false, brokenRedirect: false } satisfies TrackingState
    } else Object.assign(state, { ...options, prefixes: state.prefixes, brokenRedirect: false })
    const now = Tracking.stateOf(client)!
    if (!options.bcast) return
    for (const prefix of options.prefixes.length === 0 ? [''] : options.prefixes) {
      const set = this.prefixes.get(prefix)
      if (set?.has(client)) continue
      now.prefixes.push(prefix)
      if (set === undefined) this.prefixes.set(prefix, new Set([client]))
      else set.add(client)
    }
  }

  disable(client: Client): void {
    const state = Tracking.stateOf(client)
    if (state === undefined) return
    for (const prefix of state.prefixes) {
      const set = this.prefixes.get(prefix)
      set?.delete(client)
      if (set?.size === 0) {
        this.prefixes.delete(prefix)
        this.changed.delete(prefix)
      }
    }
    client.tracking = undefined
    client.flags &= ~CLIENT_TRACKING
    this.clients--
    this.engine.modifiedKeyListeners--
  }

  /** After a command that was refused: CLIENT CACHING was meant for it. */
  refused(client: Client, entry: TableEntry | undefined): void {
    const state = Tracking.stateOf(client)
    if (state !== undefined && !leavesCaching(entry) && !client.has(CLIENT_MULTI)) state.hasCaching = false
  }

  /** The command that a client was blocked in has ended. */
  unblocked(client: Client): void {
    const state = Tracking.stateOf(client)
    if (state !== undefined) state.hasCaching = false
  }

  /** After a command of a tracking client, or of its script: remembers the keys it has read. */
  remember(client: Client, entry: TableEntry, args: Slice[], argc: number, inScript = false): void {
    const state = Tracking.stateOf(client)
    if (state === undefined) return
    const { hasCaching } = state
    // CLIENT CACHING decides for a whole transaction or script.
    if (!inScript && !leavesCaching(entry) && (client.flags & (CLIENT_MULTI | CLIENT_BLOCKED)) === 0)
      state.hasCaching = false
    // A script's keys are remembered by the commands in it, not by EVAL.
    if (state.bcast || (entry.flags & CMD_READONLY) === 0 || entry.command.group === 'scripting') return
    if ((state.optIn && !hasCaching) || (state.optOut && hasCaching)) return
    const count = entry.findKeys(args, argc, this.positions)
    for (let i = 0; i < count; i++) {
      const key = args[this.positions.positions[i]].latin1()
      this.add(key, client.id)
    }
  }

  private add(key: string, id: number): void {
    const ids = this.table.get(key)
    if (ids === id) return
    if (ids === undefined) {
      this.table.set(key, id)
      this.keyBytes += key.length
      this.engine.modifiedKeyListeners++
    } else if (typeof ids === 'number') this.table.set(key, new Set([ids, id]))
    else if (ids.has(id)) return
    else ids.add(id)
    this.trackedItems++
  }

  /** Memory of the table. */
  get memoryBytes(): number {
    return this.table.size * KEY_BYTES + this.keyBytes + (this.trackedItems - this.table.size) * FURTHER_CLIENT_BYTES
  }

  /** A key was modified or removed; null: all keys. */
  keyChanged(key: Slice | null): void {
    if (key === null) return this.everythingChanged()
    const { current, ctx } = this.engine
    const name = key.latin1()
    // What a script changes is nobody's own.
    const by = ctx.client.has(CLIENT_SCRIPT) ? undefined : current
    for (const [prefix] of this.prefixes) {
      if (!name.startsWith(prefix)) continue
      let keys = this.changed.get(prefix)
      if (keys === undefined) this.changed.set(prefix, (keys = new Map()))
      keys.set(name, by)
      this.engine.output.schedule()
    }
    this.forget(name, current)
  }

  private forget(name: string, by: Client | undefined): void {
    const ids = this.table.get(name)
    if (ids === undefined) return
    this.table.delete(name)
    this.keyBytes -= name.length
    this.engine.modifiedKeyListeners--
    this.trackedItems -= typeof ids === 'number' ? 1 : ids.size
    if (typeof ids === 'number') this.invalidate(ids, name, by)
    else for (const id of ids) this.invalidate(id, name, by)
  }

  private invalidate(id: number, name: string, by: Client | undefined): void {
    const client = this.engine.clients.get(id)
    const state = client === undefined ? undefined : Tracking.stateOf(client)
    if (client === undefined || state === undefined || state.bcast) return
    if (state.noLoop && client === by) return
    this.sendInvalidation(client, state, [name])
  }

  private everythingChanged(): void {
    for (const client of this.engine.clients.values()) {
      const state = Tracking.stateOf(client)
      if (state !== undefined) this.sendInvalidation(client, state, null)
    }
    this.engine.modifiedKeyListeners -= this.table.size
    this.table.clear()
    this.trackedItems = this.keyBytes = 0
  }

  private sendInvalidation(client: Client, state: TrackingState, keys: string[] | null): void {
    const { current, blocking } = this.engine
    if (client === current || blocking.isReprocessing(client))
      this.engine.dispatch.afterReply(() => this.send(client, Tracking.stateOf(client) ?? state, keys))
    else this.send(client, state, keys)
  }

  /** As `state` says, even if the client has ended tracking since. */
  private send(client: Client, state: TrackingState, keys: string[] | null): void {
    let target: Client | undefined = client
    if (state.redirect !== 0) {
      target = this.engine.clients.get(state.redirect)
      if (target === undefined) {
        if (!state.brokenRedirect && client.resp === 3) {
          this.engine.replyTo(client, reply => {
            reply.push(2)
            reply.bulkText('tracking-redir-broken')
            reply.integer(state.redirect)
          })
        }
        state.brokenRedirect = true
        return
      }
    }
    if (target.resp === 3) {
      this.engine.replyTo(target, reply => {
        reply.push(2)
        reply.bulkText('invalidate')
        writeKeys(reply, keys)
      })
    } else if (target.has(CLIENT_PUBSUB) && state.redirect !== 0) {
      this.engine.replyTo(target, reply => {
        reply.array(3)
        reply.bulkText('message')
        reply.bulkText('__redis__:invalidate')
        writeKeys(reply, keys)
      })
    }
  }

  /** At the end of a turn: BCAST invalidations, of whatever clients have changed in it. */
  private sendChanges(): void {
    if (this.changed.size === 0) return
    for (const prefix of [...this.changed.keys()].sort()) {
      const keys = this.changed.get(prefix)!
      const all = [...keys.keys()].sort()
      for (const client of this.prefixes.get(prefix) ?? []) {
        const state = Tracking.stateOf(client)!
        const ofOthers = state.noLoop ? all.filter(name => keys.get(name) !== client) : all
        if (ofOthers.length > 0) this.send(client, state, ofOthers)
      }
    }
    this.changed.clear()
  }

  /** tracking-table-max-keys. */
  private limitTable(): void {
    const most = this.engine.settings.trackingTableMaxKeys
    if (most === 0) return
    for (let i = 0; i < EVICTED_PER_ROUND && this.table.size > most; i++) {
      const { value, done } = this.oldest.next()
      if (done) this.oldest = this.table.keys()
      else this.forget(value, undefined)
    }
  }
}

function writeKeys(reply: Reply, keys: string[] | null): void {
  if (keys === null) return reply.null()
  reply.array(keys.length)
  for (const key of keys) reply.bulkText(key)
}

/** As in Redis, what CLIENT CACHING has said outlasts the commands of CLIENT, but for CLIENT SETINFO. */
function leavesCaching(entry: TableEntry | undefined): boolean {
  return entry?.parent?.fullName === 'client' && entry.fullName !== 'client|setinfo'
}
