// Blocking: clients blocked on keys (BLPOP and the like), and who is served when a key gets data.
//
//   block(): client ─▶ waits under each of its keys, in order of arrival
//   keyReady(): key ─▶ ready list                       (from the keyspace, in the middle of a command)
//   serve(): for each ready key, its clients run their command again, first come first served
//
// Always: `waiting` is the number of waiting (key, client) pairs; with 0 a new key costs one comparison.

import { type Database, LOOKUP_NO_EXPIRE } from '../../keyspace/database.ts'
import { Slice } from '../../lib/slice.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { CLIENT_BLOCKED, CLIENT_CLOSING, type Client, endOfSkip } from '../client.ts'
import type { Context } from '../context.ts'
import { copyCommand } from '../copied-command.ts'
import type { Engine } from '../engine.ts'
import { POSTPONE } from '../gates.ts'

interface ReadyKey {
  database: Database
  key: string
}

export class Blocking {
  waiting = 0
  /** A suspended script is running: no client is served. */
  servingSuspended = false
  /** blocked_clients of INFO. */
  clients = new Set<Client>()
  /** Called when a client blocks with a deadline (milliseconds of the monotonic clock). */
  onDeadline: ((deadlineMs: number) => void) | undefined
  private readonly engine: Engine
  private readonly byKey: Map<string, Set<Client>>[] = []
  private readyKeys: ReadyKey[] = []
  private readonly readySet = new Set<string>()
  private serving = false
  /** The client whose command is being run again: block() leaves its place and its deadline. */
  private retrying: Client | undefined

  constructor(engine: Engine) {
    this.engine = engine
  }

  get ready(): boolean {
    return this.readyKeys.length !== 0 && !this.serving && !this.servingSuspended
  }

  block(
    ctx: Context,
    first: number,
    last: number,
    step: number,
    timeoutMs: number,
    type: number,
    timeoutReply: 'null' | 'nullArray',
    wakeOnRemoval: boolean,
  ): void {
    const client = ctx.client
    if (this.retrying === client) {
      this.retrying = undefined
      return
    }
    const keys: string[] = []
    for (let i = first; i <= last; i += step) {
      const key = ctx.args[i].latin1()
      const byKey = (this.byKey[ctx.db.index] ??= new Map())
      const clients = byKey.get(key)
      if (clients === undefined) byKey.set(key, new Set([client]))
      else if (clients.has(client)) continue
      else clients.add(client)
      keys.push(key)
      this.waiting++
    }
    client.flags |= CLIENT_BLOCKED
    client.blocked = {
      deadlineMs: timeoutMs === 0 ? 0 : this.engine.machine.monotonicUs() / 1000 + timeoutMs,
      kind: 'keys',
      keys,
      database: ctx.db,
      type,
      unblockOnNokey: wakeOnRemoval,
      command: copyCommand(ctx.command, ctx.args, ctx.argc),
      usedUs: 0,
      timeoutReply,
    }
    this.clients.add(client)
    if (timeoutMs !== 0) this.onDeadline?.(client.blocked.deadlineMs)
  }

  /** Blocks a client on something other than a key; the caller unblocks it later. */
  blockOther(client: Client, timeoutMs: number, onTimeout: (client: Client) => void, ctx: Context): void {
    client.flags |= CLIENT_BLOCKED
    client.blocked = {
      deadlineMs: timeoutMs === 0 ? 0 : this.engine.machine.monotonicUs() / 1000 + timeoutMs,
      kind: 'other',
      keys: [],
      database: ctx.db,
      type: -1,
      unblockOnNokey: false,
      command: copyCommand(ctx.command, ctx.args, ctx.argc),
      usedUs: 0,
      timeoutReply: 'null',
      onTimeout,
    }
    this.clients.add(client)
    if (timeoutMs !== 0) this.onDeadline?.(client.blocked.deadlineMs)
  }

  /** True while this client's command is run again. */
  isReprocessing(client: Client): boolean {
    return this.retrying === client
  }

  /** Number of keys with blocked clients; `onRemoval`: only those whose removal unblocks (unblockOnNokey). */
  keyCount(onRemoval: boolean): number {
    let count = 0
    for (const keys of this.byKey) {
      for (const clients of keys?.values() ?? [])
        if (!onRemoval || isAny(clients, client => client.blocked!.unblockOnNokey)) count++
    }
    return count
  }

  /** A key has got data for a blocked client. `type` -1: the key was removed. */
  keyReady(database: Database, key: Slice, type: number): void {
    const clients = this.byKey[database.index]
    if (clients === undefined || clients.size === 0) return
    const name = key.latin1()
    const waiting = clients.get(name)
    if (waiting === undefined) return
    if (!isAny(waiting, c => c.blocked!.type === type || c.blocked!.type < 0 || c.blocked!.unblockOnNokey)) return
    const id = `${database.index} ${name}`
    if (this.readySet.has(id)) return
    this.readySet.add(id)
    this.readyKeys.push({ database, key: name })
  }

  /** All keys with blocked clients in this database may have changed (SWAPDB, FLUSHALL). */
  databaseReady(database: Database): void {
    for (const key of this.byKey[database.index]?.keys() ?? []) {
      const id = `${database.index} ${key}`
      if (this.readySet.has(id)) continue
      this.readySet.add(id)
      this.readyKeys.push({ database, key })
    }
  }

  /** Serves the clients of ready keys. Serving one may ready further keys. */
  serve(): void {
    if (this.serving || this.servingSuspended || this.readyKeys.length === 0) return
    this.serving = true
    // What readied the keys may have taken long: they may have expired by now.
    this.engine.tick()
    while (this.readyKeys.length > 0) {
      const keys = this.readyKeys
      this.readyKeys = []
      this.readySet.clear()
      for (const { database, key } of keys) this.serveKey(database, key)
    }
    this.serving = false
  }

  private serveKey(database: Database, key: string): void {
    const probe = Slice.of(key)
    const waiting = this.byKey[database.index]?.get(key)
    if (waiting === undefined) return
    for (const client of [...waiting]) {
      const state = client.blocked
      if (state === undefined || !waiting.has(client) || state.database !== database) continue
      if (client.has(CLIENT_CLOSING)) continue
      const type = this.typeWithoutExpiring(database, probe)
      if (state.type >= 0 && type !== state.type && !state.unblockOnNokey) continue
      const verdict = this.engine.gates.admitRetry(client, state.command)
      if (verdict === undefined) this.reprocess(client)
      else if (verdict !== POSTPONE) this.refuse(client, verdict)
    }
  }

  /**
   * The type of a key that could serve a client, -1 for none. Does not remove an expired key: commands do.
   */
  private typeWithoutExpiring(database: Database, key: Slice): number {
    const entry = database.find(key, LOOKUP_NO_EXPIRE)
    return entry === 0 ? -1 : database.entries.typeOf(entry)
  }

  /** An exception has ended serve(). */
  stopServing(): void {
    this.serving = false
    this.retrying = undefined
  }

  /** Runs a blocked client's command again; it either replies, and the client is unblocked, or blocks as before. */
  private reprocess(client: Client): void {
    const { connections } = this.engine
    connections.enter(client)
    try {
      this.retry(client)
    } finally {
      connections.leave(client)
    }
  }

  private retry(client: Client): void {
    const { engine } = this
    const state = client.blocked!
    const saved = engine.current
    const ctx = engine.ctx
    const before = ctx.save()
    this.retrying = client
    engine.current = undefined
    engine.answer(client, reply => {
      ctx.reply = reply
      const db = client.db
      client.db = state.database
      engine.dispatch.call(client, state.command.entry, state.command.args, state.command.args.length)
      if (client.db === state.database) client.db = db
    })
    ctx.restore(before)
    engine.current = saved
    engine.dispatch.runAfterReply()
    if (this.retrying === client) {
      this.retrying = undefined
      this.unblock(client)
    }
  }

  /** Unblocks a client; its further commands are run soon. The caller counts its command. */
  unblock(client: Client): void {
    this.forget(client)
    endOfSkip(client)
    if (client.queryBytes > 0) this.unblockedClients.push(client)
  }

  /** Unblocks a client whose reply was not written by its own command, which counts now. */
  finish(client: Client, failed = false): void {
    const state = client.blocked
    if (state === undefined) return
    this.unblock(client)
    this.engine.dispatch.countWaited(client, state, failed)
  }

  /** Unblocked clients whose query buffers are to be processed. */
  readonly unblockedClients: Client[] = []

  /** Replies as at the timeout, and unblocks. */
  timeOut(client: Client): void {
    const state = client.blocked
    if (state === undefined) return
    if (state.onTimeout !== undefined) state.onTimeout(client)
    else this.engine.answer(client, reply => (state.timeoutReply === 'null' ? reply.null() : reply.nullArray()))
    this.finish(client)
  }

  /** Unblocks a client with an error. */
  abort(client: Client, error: string): void {
    if (client.blocked === undefined) return
    this.answerError(client, errorBytes(error))
    this.finish(client, true)
  }

  /** Unblocks a client whose command may not run again. */
  refuse(client: Client, error: Uint8Array): void {
    client.blocked!.command.entry.rejected++
    this.answerError(client, error)
    this.unblock(client)
  }

  private answerError(client: Client, error: Uint8Array): void {
    this.engine.answer(client, reply => {
      reply.fixedError(error)
      this.engine.dispatch.addErrorStats(client, reply, 1)
    })
  }

  /** Handles clients whose timeout is over; called by the cron and by the timer for the next deadline. */
  checkTimeouts(): void {
    if (this.clients.size === 0) return
    const nowMs = this.engine.machine.monotonicUs() / 1000
    for (const client of [...this.clients]) {
      const deadline = client.blocked?.deadlineMs ?? 0
      if (deadline !== 0 && deadline <= nowMs) this.timeOut(client)
    }
  }

  /** Milliseconds until the next deadline, or -1. */
  nextDeadlineMs(): number {
    let next = -1
    const nowMs = this.engine.machine.monotonicUs() / 1000
    for (const client of this.clients) {
      const deadline = client.blocked?.deadlineMs ?? 0
      if (deadline === 0) continue
      const left = Math.max(0, deadline - nowMs)
      if (next < 0 || left < next) next = left
    }
    return next
  }

  /** Removes a client from every list. */
  forget(client: Client): void {
    const state = client.blocked
    if (state === undefined) return
    for (const key of state.keys) {
      const byKey = this.byKey[state.database.index]
      const clients = byKey?.get(key)
      if (clients?.delete(client) !== true) continue
      this.waiting--
      if (clients.size === 0) byKey.delete(key)
    }
    client.blocked = undefined
    client.flags &= ~CLIENT_BLOCKED
    this.engine.tracking.unblocked(client)
    this.clients.delete(client)
  }
}

function isAny(clients: Set<Client>, test: (client: Client) => boolean): boolean {
  for (const client of clients) if (test(client)) return true
  return false
}
