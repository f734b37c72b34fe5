// Dispatch: how one command is executed.
//
//   known ─▶ arity ─▶ gates (gates.ts) ─▶ queue (MULTI) ─▶ run ─▶ statistics ─▶ propagate
//
// Always: a refused command changes nothing and marks an open transaction as failed (EXECABORT).

import type { Database } from '../keyspace/database.ts'
import { Slice } from '../lib/slice.ts'
import type { Reply } from '../protocol/reply.ts'
import { changes, INTERNAL_ERROR } from './boundary.ts'
import { CMD_MAY_REPLICATE, CMD_TOUCHES_ARBITRARY_KEYS, CMD_WRITE } from './catalog/command.ts'
import type { TableEntry } from './catalog/table.ts'
import {
  type BlockState,
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSING,
  CLIENT_DIRTY_EXEC,
  CLIENT_IN_EXEC,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_MONITOR,
  CLIENT_MULTI,
  CLIENT_NO_TOUCH,
  CLIENT_REPLICA,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  CLIENT_REPLY_SKIP_NEXT,
  CLIENT_TRACKING,
  type Client,
  endOfSkip,
  REPLY_MUTED,
} from './client.ts'
import { clientClass } from './client-memory.ts'
import { clearEffectLog, type Effect, PROPAGATE_ALL } from './effect.ts'
import type { Engine } from './engine.ts'
import { POSTPONE } from './gates.ts'
import { NOTIFY_EXPIRED } from './messaging/events.ts'
import { errorCode } from './monitoring/stats.ts'
import type { CommandFilters } from './ports/command-filters.ts'
import { isHttp, unknownCommand, unknownSubcommand } from './unknown-command.ts'

export class Dispatch {
  private readonly engine: Engine
  /** Memory was above maxmemory, and nothing could be evicted, when the current command came. */
  outOfMemory = false
  /** MONITOR (observers.ts), before and after a command; undefined costs nothing. The others follow. */
  onCommand: ((client: Client, entry: TableEntry, args: Slice[], argc: number, isDone: boolean) => void) | undefined
  afterCall:
    | ((client: Client, entry: TableEntry, args: Slice[], argc: number, durationUs: number, times: number) => void)
    | undefined
  /** Set while modules have filters. */
  filters: CommandFilters | undefined
  /** Messages to the current command's own client, sent after its reply. */
  private readonly afterReplyCallbacks: (() => void)[] = []
  /** An error, the last in `reply`, is the reply to a primary, a replica or the append-only file. */
  onUnexpectedError: ((client: Client, reply: Reply) => void) | undefined
  /** Every command is timed, not only those that may be slow. */
  preciseTiming = false
  /** Time of all commands of clients that were timed, ever. */
  timedUs = 0
  /** The clock when the last command ended, if nothing but parsing came since; 0: read it again. */
  lastEndUs = 0
  private readonly effects: Effect[] = []
  /** The current command as its own effect; reused. */
  private readonly ownEffect: Effect = { db: 0, args: [], targets: PROPAGATE_ALL }
  /** Depth of EXEC and scripts: their effects are propagated as one unit. */
  private unitDepth = 0
  /** Above 0: what calls of commands change is not propagated, since their caller is. */
  private quietDepth = 0
  /** A command is running. */
  private inCall = false
  private errorsCounted = 0
  /** Wall clock when an HTTP request was last logged. */
  private httpLoggedMs = 0

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** Runs one parsed command of a client. */
  run(client: Client, args: Slice[], argc: number): void {
    const { engine } = this
    const { reply } = engine
    const from = reply.pos
    const { rewinds } = engine.output
    const before = changes(engine.keyspace)
    const errorsBefore = reply.errors
    try {
      if (this.filters === undefined || client.has(CLIENT_MASTER)) this.pass(client, args, argc)
      else this.passFiltered(client, args, argc, this.filters)
    } catch (error) {
      // Thrown by a gate, or by what follows a command.
      this.failed(error, client, undefined, args, argc, before)
      this.inCall = false
      this.unitDepth = 0
      engine.blocking.stopServing()
      const start = this.answerFailure(client, reply, from, errorsBefore, rewinds)
      if (client.has(CLIENT_MULTI)) client.flags |= CLIENT_DIRTY_EXEC
      this.countErrors(client)
      this.endRefusal(client, start)
    }
  }

  private passFiltered(client: Client, args: Slice[], argc: number, { judge, judgeReply }: CommandFilters): void {
    const { reply, output } = this.engine
    const [from, rewinds] = [reply.pos, output.rewinds]
    const verdict = judge(client, args, argc)
    if (verdict === undefined) this.pass(client, args, argc)
    else if (verdict instanceof Uint8Array) this.refuse(client, verdict)
    else this.pass(client, verdict, verdict.length)
    const { errors } = reply
    if (reply.pos > from && output.rewinds === rewinds) judgeReply?.(client, from)
    if (reply.errors !== errors) this.countErrors(client)
  }

  /** Arity and gates, then call() or the queue of MULTI. */
  private pass(client: Client, args: Slice[], argc: number): void {
    const engine = this.engine
    const reply = engine.reply
    const replyFrom = reply.pos
    const { rewinds } = engine.output
    const kind = client.flags
    const entry = engine.table.resolve(args, argc)
    client.lastCommand = entry
    if (entry === undefined) {
      if (engine.table.lookup(args[0]) !== undefined) return this.refuse(client, unknownSubcommand(args))
      if (isHttp(args[0])) return this.dropHttp(client)
      return this.refuse(client, unknownCommand(args, argc))
    }
    if (!entry.takes(argc)) {
      return this.reject(client, `ERR wrong number of arguments for '${entry.fullName}' command`, entry, args, argc)
    }
    const verdict = engine.gates.admit(client, entry, args, argc)
    if (verdict !== undefined) {
      if (verdict !== POSTPONE) this.reject(client, verdict, entry, args, argc)
      return
    }
    if ((kind & REPLY_MUTED) !== 0 && entry.fullName !== 'exec' && !isSubscription(entry)) this.beginMuted(client)
    if (this.isQueued(client, entry)) {
      engine.transactions.queue(client, entry, args, argc)
      reply.queued()
    } else this.call(client, entry, args, argc)
    if (((client.flags | kind) & REPLY_CHECKED) !== 0)
      this.checkReply(client, entry, engine.output.rewinds === rewinds ? replyFrom : 0, (kind & CLIENT_REPLICA) !== 0)
    if (this.afterReplyCallbacks.length !== 0) this.runAfterReply()
    if (engine.blocking.ready && !client.has(CLIENT_MULTI)) {
      engine.blocking.serve()
      this.lastEndUs = 0
    }
  }

  /** Runs `callback` once, after the current command with all that it runs and its reply. */
  afterReply(callback: () => void): void {
    this.afterReplyCallbacks.push(callback)
  }

  /** Runs the callbacks of afterReply(). */
  runAfterReply(): void {
    if (this.afterReplyCallbacks.length === 0) return
    this.lastEndUs = 0
    for (const tell of this.afterReplyCallbacks.splice(0)) tell()
  }

  /** Executes a command that has passed its gates, then counts and propagates it. */
  call(client: Client, entry: TableEntry, args: Slice[], argc: number): void {
    const engine = this.engine
    const keyspace = engine.keyspace
    const ctx = engine.ctx
    const reply = ctx.reply
    ctx.enter(client, entry, args, argc)
    keyspace.clientNoTouch = (client.flags & CLIENT_NO_TOUCH) !== 0
    const dirty = keyspace.dirty
    const errorsBefore = reply.errors
    if (this.onCommand !== undefined) this.onCommand(client, entry, args, argc, false)
    // A clock read costs as much as a table lookup: of O(1) commands every 16th is timed, and stands for all of them.
    const isShort = entry.constantTime && argc <= SAMPLED_ARGS_MAX
    const timed = !isShort || this.preciseTiming || (entry.calls & TIMING_SAMPLE_MASK) === 0
    const outer = this.inCall
    let begin = 0
    if (timed) begin = this.lastEndUs === 0 || outer ? engine.machine.monotonicUs() : this.lastEndUs
    this.inCall = true
    const from = reply.pos
    const { unitDepth: gathering } = this
    const { rewinds } = engine.output
    const before = keyspace.mutations + dirty
    try {
      entry.run(ctx)
    } catch (error) {
      const wasBlocked = engine.blocking.isReprocessing(client)
      this.failed(error, client, entry, args, argc, before)
      this.unitDepth = gathering
      if (!wasBlocked) engine.blocking.forget(client)
      this.answerFailure(client, reply, from, errorsBefore, rewinds)
    }
    this.inCall = outer
    // A blocked command counts when it is answered, with the time of all its executions.
    const end = timed ? engine.machine.monotonicUs() : 0
    const took = end - begin
    if (!outer) this.timedUs += took
    this.lastEndUs = end
    if ((client.flags & CLIENT_BLOCKED) === 0) this.count(client, entry, args, argc, took, timed)
    else if (engine.blocking.isReprocessing(client))
      this.count(client, entry, args, argc, took + client.blocked!.usedUs, timed)
    else if (client.blocked !== undefined) client.blocked.usedUs += took
    // EXEC does not fail with its commands: their errors are counted already.
    if (reply.errors !== errorsBefore && (reply !== engine.reply || reply.errors !== this.errorsCounted)) {
      entry.failed++
      if (reply === engine.reply) this.countErrors(client)
      else if (engine.blocking.isReprocessing(client)) this.addErrorStats(client, reply, reply.errors - errorsBefore)
    }
    // After the errors were counted: a monitor that is the client itself gets its line where a muted error was.
    if (this.onCommand !== undefined) this.onCommand(client, entry, args, argc, true)
    if ((client.flags & CLIENT_TRACKING) !== 0) engine.tracking.remember(client, entry, args, argc)
    if (engine.sinks.length !== 0) {
      this.propagate(client, entry, args, argc, keyspace.dirty !== dirty)
      this.lastEndUs = 0
    }
  }

  /** Handles an exception of a command. Returns if the server may continue. */
  private failed(
    error: unknown,
    client: Client,
    entry: TableEntry | undefined,
    args: Slice[],
    argc: number,
    before: number,
  ): void {
    const { engine } = this
    engine.boundary.judge(error, client, entry, args, argc, before)
    if (client.has(CLIENT_IN_EXEC) && entry?.fullName === 'exec') {
      client.flags &= ~CLIENT_IN_EXEC
      engine.transactions.discard(client)
    }
  }

  /** Replaces the reply of a command that threw by an error; returns where that starts. */
  private answerFailure(client: Client, reply: Reply, from: number, errorsBefore: number, rewinds: number): number {
    const { engine } = this
    let start = from
    engine.ctx.reply = reply
    if (reply === engine.reply && engine.output.rewinds !== rewinds) {
      // The buffer was flushed meanwhile: if it had a part of this reply, the client cannot parse what follows.
      if (engine.output.spilled === client) engine.closeClient(client)
      start = 0
    }
    reply.rollBack(start, errorsBefore)
    reply.fixedError(INTERNAL_ERROR)
    return start
  }

  /** Counts a blocked command that gets its reply without having run again. */
  countWaited(client: Client, { command, usedUs }: BlockState, failed: boolean): void {
    const { entry } = command
    const args = command.shown ?? command.args
    if (failed) entry.failed++
    this.count(client, entry, args, args.length, usedUs, true)
  }

  private count(client: Client, entry: TableEntry, args: Slice[], argc: number, tookUs: number, timed: boolean): void {
    client.commands++
    this.engine.stats.commandsProcessed++
    entry.calls++
    if (timed) this.recordTime(client, entry, args, argc, tookUs)
  }

  private recordTime(client: Client, entry: TableEntry, args: Slice[], argc: number, took: number): void {
    const times = entry.calls - entry.timedCalls
    entry.timedCalls = entry.calls
    entry.usec += took * times
    if (this.afterCall !== undefined) this.afterCall(client, entry, args, argc, took, times)
  }

  /** A command is running: what a call from outside of commands must do around it is done. */
  get isInCall(): boolean {
    return this.inCall
  }

  /** Begins a propagation unit of several commands; every call is paired with endPropagationUnit(). */
  beginPropagationUnit(): void {
    this.unitDepth++
  }

  endPropagationUnit(): void {
    if (--this.unitDepth > 0 || this.effects.length === 0) return
    for (const sink of this.engine.sinks) sink.changes(this.effects, this.effects.length > 1)
    this.effects.length = 0
  }

  /** The propagation unit that was begun is the only one: its effects go out when it ends. */
  get isOuterUnit(): boolean {
    return this.unitDepth === 1
  }

  /** Until this is called with -1, commands that are called are not propagated. Keys that expire meanwhile are. */
  quiet(more: 1 | -1): void {
    this.quietDepth += more
  }

  private propagate(client: Client, entry: TableEntry, args: Slice[], argc: number, changed: boolean): void {
    const engine = this.engine
    const effect = engine.ctx.effect
    const isNothing = !changed && effect.forced === 0 && effect.commands.length === 0 && this.effects.length === 0
    if (isNothing || this.quietDepth !== 0) return clearEffectLog(effect)
    const wanted = ((changed ? PROPAGATE_ALL : 0) | effect.forced) & effect.targets & this.openTargets()
    const own = !effect.prevented && !effect.replaced && (entry.flags & (CMD_WRITE | CMD_MAY_REPLICATE)) !== 0
    if (own && wanted !== 0) this.effects.push(this.commandEffect(client, args, argc, wanted))
    for (const extra of effect.commands) this.addEffect(extra)
    if (this.unitDepth === 0 && this.effects.length !== 0) {
      // Commands such as SCAN remove expired keys one by one, as active expiry does: no transaction around them.
      const together = this.effects.length > 1 && (entry.flags & CMD_TOUCHES_ARBITRARY_KEYS) === 0
      for (const sink of engine.sinks) sink.changes(this.effects, together)
      this.effects.length = 0
    }
    clearEffectLog(effect)
  }

  /** The PROPAGATE_ bits that a sink takes. */
  private openTargets(): number {
    const { sinks } = this.engine
    let targets = 0
    for (let i = 0; i < sinks.length; i++) targets |= sinks[i].target
    return targets
  }

  /** Effects that no sink takes do not count: with one left there is no transaction. */
  private addEffect(effect: Effect): void {
    if ((effect.targets & this.openTargets()) !== 0) this.effects.push(effect)
  }

  private commandEffect(client: Client, args: Slice[], argc: number, targets: number): Effect {
    // An effect of a unit outlives its query buffer, so it is copied.
    if (this.unitDepth > 0) return { db: client.db.index, args: args.slice(0, argc).map(a => a.copy()), targets }
    const { ownEffect: own } = this
    own.db = client.db.index
    own.targets = targets
    own.args.length = argc
    for (let i = 0; i < argc; i++) own.args[i] = args[i]
    return own
  }

  /** Drops the last command's arguments, which are large. `none` replaces them. */
  forgetArguments(none: Slice[]): void {
    this.ownEffect.args = []
    this.engine.ctx.args = none
  }

  /** Propagates a change without a command (expiry, eviction); within a command it is part of that one's effects. */
  propagateNow(db: Database, args: Slice[]): void {
    if (this.engine.sinks.length === 0) return
    this.effects.push({ db: db.index, args, targets: PROPAGATE_ALL })
    if (this.unitDepth > 0 || this.inCall) return
    for (const sink of this.engine.sinks) sink.changes(this.effects, false)
    this.effects.length = 0
  }

  /** The keyspace has removed an expired key. */
  keyExpired(db: Database, key: Slice): void {
    const engine = this.engine
    const name =
      engine.hasSinks || engine.modifiedKeyListeners !== 0 || engine.settings.notifyKeyspaceEvents !== 0
        ? key.copy()
        : key
    if (engine.hasSinks) this.propagateNow(db, [engine.settings.lazyfreeLazyExpire ? UNLINK : DEL, name])
    if (engine.modifiedKeyListeners !== 0) engine.trackingHook?.(db, name)
    if (engine.settings.notifyKeyspaceEvents !== 0) engine.notify(NOTIFY_EXPIRED, 'expired', name, db)
  }

  // ---- transactions ----

  /** True for a command that MULTI queues instead of running. */
  isQueued(client: Client, entry: TableEntry): boolean {
    if (!client.has(CLIENT_MULTI)) return false
    return !entry.runsInMulti
  }

  // ---- refusals ----

  /** Refuses a command that exists. MONITOR shows EXEC even then, since it ends the transaction. */
  private reject(client: Client, error: string | Uint8Array, entry: TableEntry, args: Slice[], argc: number): void {
    this.refuse(client, error, entry)
    if (this.onCommand !== undefined && entry.fullName === 'exec') this.onCommand(client, entry, args, argc, true)
  }

  refuse(client: Client, error: string | Uint8Array, entry?: TableEntry): void {
    const { reply } = this.engine
    const from = reply.pos
    if (typeof error === 'string') reply.error(error)
    else reply.fixedError(error)
    if (entry !== undefined) entry.rejected++
    if (entry?.fullName === 'exec') this.engine.transactions.abort(client)
    else if (client.has(CLIENT_MULTI)) client.flags |= CLIENT_DIRTY_EXEC
    if ((client.flags & CLIENT_TRACKING) !== 0) this.engine.tracking.refused(client, entry)
    this.countErrors(client)
    this.endRefusal(client, from)
  }

  /** Adds the errors written since the last call to INFO errorstats. */
  private countErrors(client: Client): void {
    const { reply } = this.engine
    this.addErrorStats(client, reply, reply.errors - this.errorsCounted)
    this.errorsCounted = reply.errors
  }

  /** Counts `count` errors of which the last is written in `reply`. */
  addErrorStats(client: Client, reply: Reply, count: number): void {
    const { stats } = this.engine
    stats.errorReplies += count
    const of = clientClass(client)
    if (of === 'replica' || of === 'master' || client.has(CLIENT_INTERNAL)) {
      stats.unexpectedErrorReplies += count
      if (count > 0) this.onUnexpectedError?.(client, reply)
    }
    stats.countError(errorCode(reply.u8, reply.lastErrorAt))
  }

  // ---- replies that are not sent ----

  /** After the reply of a command that was run or queued, which starts at `from`. */
  private checkReply(client: Client, entry: TableEntry, from: number, wasReplica: boolean): void {
    // EXEC has done it for each of its replies; confirmations of subscriptions are messages, sent all the same.
    if (entry.fullName !== 'exec' && !this.isMessage(entry, from)) this.muteReply(client, from)
    // SYNC replies to a client that it makes a replica.
    if (wasReplica) this.refuseReplyOfReplica(client, from)
    if (!client.has(CLIENT_BLOCKED)) endOfSkip(client)
  }

  /** Whether the reply at `from` is the confirmation of a subscription, which is sent as a message. */
  isMessage(entry: TableEntry, from: number): boolean {
    return isSubscription(entry) && isAggregate(this.engine.ctx.reply.u8[from])
  }

  /** After the error reply, starting at `from`, of a command that was refused or could not be read. */
  endRefusal(client: Client, from: number): void {
    if ((client.flags & REPLY_CHECKED) === 0) return
    this.muteReply(client, from)
    this.refuseReplyOfReplica(client, from)
    endOfSkip(client)
  }

  /** Before a command whose reply may be dropped: nothing of a long one is sent meanwhile. */
  beginMuted(client: Client): void {
    const { reply } = this.engine.ctx
    if ((client.flags & (REPLY_MUTED | CLIENT_CLOSE_AFTER_REPLY)) !== 0 && !reply.isCutOff) reply.cutOff(reply.pos)
  }

  /** CLIENT REPLY OFF and SKIP: removes what the current command has written since `from`. */
  muteReply(client: Client, from: number): void {
    const { reply } = this.engine.ctx
    if ((client.flags & REPLY_MUTED) !== 0) reply.pos = Math.min(from, reply.pos)
    if (reply.isCutOff && !client.has(CLIENT_CLOSING)) reply.limitTo()
  }

  /** The stream to a replica has no replies in it: the replica is closed. */
  private refuseReplyOfReplica(client: Client, from: number): void {
    const { engine } = this
    if (engine.reply.pos <= from || !client.has(CLIENT_REPLICA) || client.has(CLIENT_MONITOR)) return
    engine.reply.pos = from
    engine.log?.(
      'warning',
      `Replica generated a reply to command '${client.lastCommand?.fullName ?? '<unknown>'}', disconnecting it: id=${client.id} addr=${client.connection.peer}`,
    )
    engine.closeClient(client)
  }

  /** Closes clients that send HTTP: a browser was made to send it (cross protocol scripting). */
  private dropHttp(client: Client): void {
    const { engine } = this
    if (Math.abs(engine.keyspace.nowMs - this.httpLoggedMs) > HTTP_LOG_MS) {
      this.httpLoggedMs = engine.keyspace.nowMs
      engine.log?.(
        'warning',
        `Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. Connection from ${client.connection.peer} aborted.`,
      )
    }
    engine.closeClient(client)
  }
}

/** A message, unlike an error or QUEUED. */
function isAggregate(type: number): boolean {
  return type === ARRAY || type === PUSH
}

export function isSubscription(entry: TableEntry): boolean {
  return entry.command.channels !== undefined && entry.command.channels !== 'publish'
}

const TIMING_SAMPLE_MASK = 15
/** With more arguments an O(1) command is not short: it is timed. */
const SAMPLED_ARGS_MAX = 64
/** HTTP requests are logged at most this often. */
const HTTP_LOG_MS = 60 * 1000
const REPLY_CHECKED = CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT | CLIENT_REPLICA
const ARRAY = 0x2a
const PUSH = 0x3e
const DEL = Slice.of('DEL')
const UNLINK = Slice.of('UNLINK')
