// Engine: the core of one server. Takes bytes from connections, executes the commands, sends the replies.
//
//   input.receive(client, bytes) ─▶ parser ─▶ dispatch: gates ─▶ command ─▶ reply buffer ─▶ flush: one write a client
//                                                                   └─▶ changes ─▶ sinks (append-only file, replicas…)
//
// Always: one command runs at a time, to its end; `reply` takes output of the current client only (after replies that
// are queued for others, see output.ts); output for any other client goes through answer() and replyTo(). Clock,
// network and files are handed in.

import type { Database } from '../keyspace/database.ts'
import { Keyspace } from '../keyspace/keyspace.ts'
import { builtInTypes } from '../keyspace/values/index.ts'
import type { Slice } from '../lib/slice.ts'
import type { Allocate } from '../memory/arena.ts'
import { Reply, SMALL_REPLY_BYTES } from '../protocol/reply.ts'
import type { Clock, LogLevel, Timers } from '../system/system.ts'
import { Acl } from './acl/acl.ts'
import { Auth } from './auth.ts'
import { Boundary } from './boundary.ts'
import type { Command } from './catalog/command.ts'
import { CommandTable } from './catalog/table.ts'
import {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSING,
  CLIENT_MASTER,
  CLIENT_PENDING_REPLY,
  type Client,
  REPLY_MUTED,
} from './client.ts'
import { Connections } from './connections.ts'
import { Context } from './context.ts'
import { Dispatch } from './dispatch.ts'
import type { Sink } from './effect.ts'
import { Gates } from './gates.ts'
import { InputBuffers } from './input.ts'
import type { Broadcast } from './messaging/broadcast.ts'
import { NOTIFY_KEY_MISS, NOTIFY_NEW } from './messaging/events.ts'
import { PubSub } from './messaging/pubsub.ts'
import { Tracking } from './messaging/tracking.ts'
import { Observers } from './monitoring/observers.ts'
import { Stats } from './monitoring/stats.ts'
import { OutputBuffers } from './output.ts'
import type { ClusterCommands } from './ports/cluster.ts'
import type { Configuration } from './ports/configuration.ts'
import type { Host } from './ports/host.ts'
import type { Migration } from './ports/migration.ts'
import type { Payloads } from './ports/payloads.ts'
import type { Replicas } from './ports/replicas.ts'
import type { Saving } from './ports/saving.ts'
import type { Scripting } from './ports/scripting.ts'
import type { ServerCommands } from './ports/server-commands.ts'
import { defaultSettings, type Settings } from './settings.ts'
import { Transactions } from './transaction.ts'
import { Acknowledgements } from './waiting/acknowledgements.ts'
import { Blocking } from './waiting/blocking.ts'
import { largeValueGate } from './waiting/large-values.ts'
import { ClientPause } from './waiting/pause.ts'
import { PostponedClients } from './waiting/postponed.ts'
import { Watches } from './watches.ts'

/** The parts of the system that the engine uses. */
export interface Machine extends Pick<Clock, 'nowMs' | 'monotonicUs'>, Pick<Timers, 'soon'> {
  /** Unsigned 32-bit integers. */
  random(): number
  /** Allocates memory for data; absent: plain buffers. */
  allocate?: Allocate
  /** Size of the arena's first segment; absent: that of the others. */
  arenaStartBytes?: number
}

/** Queued replies of all clients beyond this are sent at once. */
const FLUSH_BYTES = 256 * 1024

/** The reply that ends a connection is its last. */
const GETS_NOTHING_MORE = CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY

export class Engine implements ServerCommands {
  readonly settings: Settings = defaultSettings()
  readonly keyspace: Keyspace
  readonly table: CommandTable
  readonly machine: Machine
  readonly reply = new Reply()
  readonly clients = new Map<number, Client>()
  readonly connections = new Connections(this)
  readonly stats = new Stats()
  readonly ctx: Context
  readonly dispatch: Dispatch
  readonly gates = new Gates(this)
  readonly pause = new ClientPause(this)
  readonly boundary = new Boundary(this)
  readonly postponed: PostponedClients
  readonly acl: Acl
  readonly auth: Auth
  readonly transactions = new Transactions(this)
  readonly watches: Watches
  readonly blocking: Blocking
  readonly acknowledgements: Acknowledgements
  readonly input: InputBuffers
  readonly output: OutputBuffers
  readonly pubsub: PubSub
  readonly tracking: Tracking
  readonly observers: Observers
  readonly sinks: Sink[] = []
  /** Number of watched and tracked keys, and one for an LRM policy. 0: signalModifiedKey() need not be called. */
  modifiedKeyListeners = 0
  /** Set by other modules. */
  configuration: Configuration | undefined
  /** Undefined: cluster mode is off. */
  cluster: ClusterCommands | undefined
  notifyHook: ((cls: number, event: string, key: Slice, db: Database) => void) | undefined
  trackingHook: ((db: Database, key: Slice | null) => void) | undefined
  /** After each command that readied keys, and after each event: work that must not run inside a command. */
  readonly afterCommand: (() => void)[] = []
  /** Called when a client disconnects, before its state is dropped. */
  readonly onClientDisconnected: ((client: Client) => void)[] = []
  /** Called after each event of a client and at the end of a turn while client memory is limited (maxmemory-clients) */
  afterEvent: ((client?: Client) => void) | undefined
  /** Called by RESET: subscriptions, tracking and the like end. */
  readonly onClientReset: ((client: Client) => void)[] = []
  /** The server; set before the first command. */
  host!: Host
  /** DUMP and RESTORE. */
  payloads!: Payloads
  /** SAVE, BGSAVE, BGREWRITEAOF. */
  saving!: Saving
  /** MIGRATE. */
  migration!: Migration
  /** SYNC, PSYNC, REPLCONF. */
  replicas!: Replicas
  /** EVAL, FCALL and related commands. */
  scripting!: Scripting
  /** The client whose event is being handled. */
  current: Client | undefined
  private readonly scratchReply = new Reply(SMALL_REPLY_BYTES)

  constructor(
    machine: Machine,
    commands: readonly Command[],
    databases: number,
    types = builtInTypes,
    aclCategories: readonly string[] = [],
    bySlot = false,
  ) {
    this.machine = machine
    this.keyspace = new Keyspace({
      databases,
      bySlot,
      random: () => machine.random(),
      allocate: machine.allocate,
      arenaStartBytes: machine.arenaStartBytes,
      types: types.map(make => space => make(space, this.settings)),
    })
    this.keyspace.nowMs = machine.nowMs()
    this.settings.databases = databases
    this.table =
      aclCategories.length === 0 ? CommandTable.of(commands) : new CommandTable(commands, 'server', aclCategories)
    this.acl = new Acl(this)
    this.auth = new Auth(this)
    this.dispatch = new Dispatch(this)
    this.input = new InputBuffers(this)
    this.output = new OutputBuffers(this)
    this.ctx = new Context(this)
    this.watches = new Watches(this)
    this.blocking = new Blocking(this)
    this.acknowledgements = new Acknowledgements(this)
    this.postponed = new PostponedClients(this)
    this.gates.set('snapshot', largeValueGate(this))
    this.pubsub = new PubSub(this)
    this.tracking = new Tracking(this)
    this.observers = new Observers(this)
    this.reply.onFull = () => this.spillReply()
    this.keyspace.events = {
      expired: (db, key) => this.dispatch.keyExpired(db, key),
      created: (db, key, type, fresh) => {
        if (this.blocking.waiting !== 0) this.blocking.keyReady(db, key, type)
        if (fresh && this.settings.notifyKeyspaceEvents !== 0) this.notify(NOTIFY_NEW, 'new', key, db)
      },
      removed: (db, key) => {
        if (this.blocking.waiting !== 0) this.blocking.keyReady(db, key, -1)
      },
      ownExpiry: () => {},
      valueSaved: () => this.postponed.release('snapshot'),
    }
  }

  get hasSinks(): boolean {
    return this.sinks.length !== 0
  }

  // ---- clients ----

  /** An event of a client begins, and with finishEvent() it ends. */
  beginEvent(client: Client): void {
    this.connections.enter(client)
    this.current = client
    this.output.beginEvent(client)
  }

  /**
   * Closes a client's connection (connections.ts); with `afterReply` what is already written to it is sent first. A
   * client for which something runs keeps its state until that is over.
   */
  closeClient(client: Client, afterReply = false): void {
    if (afterReply) this.connections.closeAfterReply(client)
    else this.connections.close(client)
  }

  /** RESET: ends subscriptions, tracking, monitoring and the like. */
  resetClient(client: Client): void {
    this.watches.unwatchAll(client)
    for (const hook of this.onClientReset) hook(client)
  }

  /** CLIENT UNBLOCK. */
  unblockClient(client: Client, withError: boolean): void {
    if (withError) this.blocking.abort(client, 'UNBLOCKED client unblocked via CLIENT UNBLOCK')
    else this.blocking.timeOut(client)
  }

  random(): number {
    return this.machine.random()
  }

  // ---- time ----

  /** Caches the wall clock for the commands that follow. */
  tick(): void {
    this.keyspace.nowMs = this.machine.nowMs()
  }

  // ---- output ----

  /** After the commands of one event: sends replies, serves blocked clients, closes clients marked for it. */
  finishEvent(client: Client): void {
    this.current = undefined
    if (client.has(CLIENT_CLOSING) || client.has(CLIENT_MASTER)) this.output.discard()
    else this.output.queueForTurn(client)
    this.serveBlockedAndFlush()
    if (this.afterEvent !== undefined && !client.has(CLIENT_CLOSING)) this.afterEvent(client)
    if (client.connection.kind === 'memory' || this.reply.pos > FLUSH_BYTES) this.output.flushAll()
    if (client.has(CLIENT_CLOSE_AFTER_REPLY) && client.outBytes === 0 && !client.has(CLIENT_PENDING_REPLY))
      this.closeClient(client, true)
    this.connections.leave(client)
  }

  /** After commands and timers: serves blocked clients and sends queued replies. */
  serveBlockedAndFlush(): void {
    if (this.blocking.ready) this.blocking.serve()
    while (this.blocking.unblockedClients.length > 0) this.input.continueClient(this.blocking.unblockedClients.shift()!)
    for (const hook of this.afterCommand) hook()
  }

  /** Flushes the reply buffer in the middle of a command. */
  private spillReply(): void {
    if (this.current !== undefined) this.output.spill(this.current)
  }

  /**
   * Writes a message to a client that need not be the current one: `write` gets a Reply in the client's protocol.
   */
  replyTo(client: Client, write: (reply: Reply) => void): void {
    if ((client.flags & GETS_NOTHING_MORE) !== 0) return
    if (client.has(CLIENT_PENDING_REPLY)) this.output.sendQueuedForTurn()
    const reply = client === this.current && this.ctx.reply === this.reply ? this.reply : this.scratchReply
    const from = reply.pos
    const resp = reply.resp
    reply.resp = client.resp
    write(reply)
    reply.resp = resp
    if (reply === this.reply) return
    this.output.queue(client, reply, from)
    reply.pos = from
  }

  /** As replyTo(), for the reply to a command: nothing is sent to a client with CLIENT REPLY OFF or SKIP. */
  answer(client: Client, write: (reply: Reply) => void): void {
    if ((client.flags & REPLY_MUTED) === 0) return this.replyTo(client, write)
    this.replyTo(client, reply => {
      const from = reply.pos
      write(reply)
      reply.pos = Math.min(from, reply.pos)
    })
  }

  /** Sends the end of a broadcast, whole replies in the client's protocol; not to the current client. */
  sendTo(client: Client, batch: Broadcast, from: number): void {
    if ((client.flags & GETS_NOTHING_MORE) !== 0) return
    if (client.has(CLIENT_PENDING_REPLY)) this.output.sendQueuedForTurn()
    this.output.queueBroadcast(client, batch, from)
  }

  /** The socket is writable again. */
  drained(client: Client): void {
    this.output.flush(client)
    if (client.outBytes === 0 && client.has(CLIENT_CLOSE_AFTER_REPLY)) this.closeClient(client, true)
  }

  // ---- modified keys ----

  signalModifiedKey(db: Database, key: Slice): void {
    if (this.keyspace.lrm) db.stampModified(key)
    this.watches.touchWatchedKey(db.index, key)
    this.trackingHook?.(db, key)
  }

  notify(cls: number, event: string, key: Slice, db: Database): void {
    if ((this.settings.notifyKeyspaceEvents & cls) !== 0) this.notifyHook?.(cls, event, key, db)
  }

  notifyMiss(key: Slice, db: Database): void {
    this.notify(NOTIFY_KEY_MISS, 'keymiss', key, db)
  }

  log: ((level: LogLevel, text: string) => void) | undefined
}
