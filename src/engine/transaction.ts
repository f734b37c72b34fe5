// Transactions: a client's state between MULTI and EXEC.
//
//   IDLE → QUEUEING [begin] → IDLE [run, discard, abort]
//
// Always: outside QUEUEING nothing is queued and neither DIRTY flag is set, except DIRTY_CAS between WATCH and MULTI.

import type { Slice } from '../lib/slice.ts'
import { EXEC_ABORT } from '../protocol/errors.ts'
import { errorBytes } from '../protocol/reply.ts'
import { CMD_LOADING, CMD_STALE } from './catalog/command.ts'
import type { TableEntry } from './catalog/table.ts'
import {
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_DIRTY_CAS,
  CLIENT_DIRTY_EXEC,
  CLIENT_IN_EXEC,
  CLIENT_MASTER,
  CLIENT_MULTI,
  type Client,
} from './client.ts'
import { CommandQueue } from './command-queue.ts'
import { isSubscription } from './dispatch.ts'
import type { Engine } from './engine.ts'
import { POSTPONE } from './gates.ts'

const EXEC_ALONE = errorBytes('ERR EXEC without MULTI')
const SPARE_MAX = 16
const ALLOWING = CMD_LOADING | CMD_STALE

export class Transactions {
  private readonly engine: Engine
  /** Empty queues, reused. */
  private readonly spare: CommandQueue[] = []

  constructor(engine: Engine) {
    this.engine = engine
  }

  begin(client: Client): void {
    client.flags |= CLIENT_MULTI
    client.queued = this.spare.pop() ?? new CommandQueue()
    if (client.has(CLIENT_MASTER)) this.engine.input.primaryBeginsTransaction()
  }

  /** Queues a command. A transaction that EXEC will refuse queues nothing more. */
  queue(client: Client, entry: TableEntry, args: Slice[], argc: number): void {
    if ((client.flags & (CLIENT_DIRTY_EXEC | CLIENT_DIRTY_CAS)) === 0)
      client.queued!.push(entry, args, argc, gateFlags(this.engine, client, entry, args, argc))
  }

  /** Drops queued commands and watched keys. */
  discard(client: Client): void {
    client.flags &= ~(CLIENT_MULTI | CLIENT_DIRTY_CAS | CLIENT_DIRTY_EXEC)
    this.drop(client)
    this.engine.watches.unwatchAll(client)
  }

  /** Drops queued commands. */
  drop(client: Client): void {
    const { queued } = client
    if (queued === undefined) return
    client.queued = undefined
    queued.clear()
    if (this.spare.length < SPARE_MAX) this.spare.push(queued)
  }

  /** EXEC. */
  exec(client: Client): void {
    const { engine } = this
    const { reply } = engine.ctx
    const from = reply.pos
    const isOpen = client.has(CLIENT_MULTI)
    if (isOpen && !client.has(CLIENT_DIRTY_EXEC | CLIENT_DIRTY_CAS) && !engine.watches.anyExpired(client))
      return this.run(client)
    if (!isOpen) reply.fixedError(EXEC_ALONE)
    else {
      if (client.has(CLIENT_DIRTY_EXEC)) reply.fixedError(EXEC_ABORT)
      else reply.nullArray()
      this.discard(client)
    }
    engine.dispatch.muteReply(client, from)
  }

  /** Runs the queued commands; each writes its own reply, and their effects are propagated as one unit. */
  private run(client: Client): void {
    const { engine } = this
    engine.watches.unwatchAll(client)
    client.flags |= CLIENT_IN_EXEC
    engine.dispatch.beginPropagationUnit()
    const from = engine.ctx.reply.pos
    engine.ctx.reply.array(client.queued!.length)
    engine.dispatch.muteReply(client, from)
    this.resume(client)
  }

  /**
   * Runs the queued commands that are left; a suspended script ends the loop, which continues after the script.
   */
  private resume(client: Client): void {
    const { engine } = this
    const { dispatch } = engine
    const queued = client.queued!
    const { args } = queued
    while (queued.next()) {
      const { entry, argc } = queued
      const verdict = engine.gates.admitQueued(client, entry, args, argc)
      const { rewinds } = engine.output
      const from = engine.ctx.reply.pos
      const isEnded = client.has(CLIENT_CLOSE_AFTER_REPLY)
      if (isEnded || !isSubscription(entry)) dispatch.beginMuted(client)
      if (verdict !== undefined && verdict !== POSTPONE) {
        engine.ctx.reply.fixedError(verdict)
        entry.rejected++
      } else dispatch.call(client, entry, args, argc)
      const start = engine.output.rewinds === rewinds ? from : 0
      // CLIENT REPLY may be one of the commands: each reply is sent or not by itself. Behind what closes the client
      // (CLIENT KILL or ACL DELUSER of itself) the rest runs, and replies nothing.
      if (isEnded) engine.ctx.reply.pos = Math.min(start, engine.ctx.reply.pos)
      else if (!dispatch.isMessage(entry, from)) dispatch.muteReply(client, start)
      if (client.has(CLIENT_BLOCKED)) return engine.scripting.afterScript(() => this.resume(client))
    }
    dispatch.endPropagationUnit()
    client.flags &= ~CLIENT_IN_EXEC
    this.discard(client)
  }

  /** Replaces the last error by EXECABORT and discards the transaction. */
  abort(client: Client): void {
    const { reply } = this.engine
    const from = reply.lastErrorAt
    let reason = String.fromCharCode(...reply.u8.subarray(from + 1, reply.pos - 2))
    if (reason.startsWith('ERR ')) reason = reason.slice(4)
    reply.pos = from
    reply.errors--
    reply.error(`EXECABORT Transaction discarded because of: ${reason}`)
    this.discard(client)
  }
}

/**
 * The flags by which gates judge a command: for EXEC, those of all queued commands as well; for a script, those that
 * it declares.
 */
export function gateFlags(engine: Engine, client: Client, entry: TableEntry, args: Slice[], argc: number): number {
  if (entry.command.group === 'scripting') return engine.scripting.flagsOf(entry, args, argc)
  const queued = client.queued
  if (queued === undefined || entry.fullName !== 'exec') return entry.flags
  const any = entry.flags | queued.flagsOfAny
  const all = entry.flags & queued.flagsOfAll
  return (any & ~ALLOWING) | (all & ALLOWING)
}
