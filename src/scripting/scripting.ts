// ScriptManager: EVAL, FCALL and their subcommands of one server.
//
//   IDLE → RUNNING [run] → IDLE [end]
//            ↓ [suspend, past busy-reply-threshold]
//          SUSPENDED → running for a slice [resumeSuspended] → SUSPENDED … → IDLE [finishSuspended]
//
// Always: the effects of a script are one propagation unit, from run() to end(). While SUSPENDED the caller is blocked,
// clients blocked on keys are not served, the cron does nothing, and the script's time is frozen.

import {
  CMD_ALLOW_BUSY,
  CMD_DENYOOM,
  CMD_MAY_REPLICATE,
  CMD_NOSCRIPT,
  CMD_STALE,
  CMD_WRITE,
} from '../engine/catalog/command.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_LUA_DEBUG,
  CLIENT_LUA_DEBUG_SYNC,
  CLIENT_MASTER,
  type Client,
  type QueuedCommand,
  REPLY_MUTED,
} from '../engine/client.ts'
import type { Context } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import type { Gate } from '../engine/gates.ts'
import type { RunningScript, Scripting } from '../engine/ports/scripting.ts'
import { equalsNoCase } from '../lib/bytes.ts'
import { parseInt64 } from '../lib/number.ts'
import { sha1Hex } from '../lib/sha1.ts'
import type { Slice } from '../lib/slice.ts'
import { NOT_AN_INTEGER, TOO_MANY_KEYS } from '../protocol/errors.ts'
import { errorBytes, type Reply } from '../protocol/reply.ts'
import { DebugSession, linesOf } from './debugger/session.ts'
import { Functions } from './functions.ts'
import {
  type Runnable,
  SCRIPT_ALLOW_CROSS_SLOT,
  SCRIPT_ALLOW_OOM,
  SCRIPT_ALLOW_STALE,
  SCRIPT_NO_CLUSTER,
  SCRIPT_NO_WRITES,
  SCRIPT_UNDECLARED,
  type ScriptEngine,
} from './script-engine.ts'
import { ScriptRun } from './script-run.ts'
import { Scripts } from './scripts.ts'
import { readScriptHead } from './scripts-shebang.ts'

const NO_SCRIPT = errorBytes('NOSCRIPT No matching script. Please use EVAL.')
const NEGATIVE_KEYS = errorBytes("ERR Number of keys can't be negative")
const NO_FUNCTION = errorBytes('ERR Function not found')
const BAD_KEY_COUNT = errorBytes('ERR Bad number of keys provided')
const NOT_IN_CLUSTER = errorBytes("ERR Can not run script on cluster, 'no-cluster' flag is set.")
const WRITES_IN_RO = errorBytes('ERR Can not execute a script with write flag using *_ro command.')
const OOM_UNDECLARED = errorBytes(
  "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
)
const NO_DIGEST = errorBytes('ERR Please use EVAL instead of EVALSHA for debugging')
const NO_COPY = errorBytes('ERR there is no copy of the dataset to debug on: use SCRIPT DEBUG SYNC')
const NOT_IN_TRANSACTION = errorBytes('ERR a script in a transaction cannot be debugged')
const NOT_BUSY = errorBytes('NOTBUSY No scripts in execution right now.')
const FROM_PRIMARY = errorBytes(
  'UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed.',
)
const HAS_WRITTEN = errorBytes(
  'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
)
const BUSY_SCRIPT = errorBytes('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.')
const BUSY_FUNCTION = errorBytes(
  'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
)
const KILLED = 'Script killed by user with SCRIPT KILL...'
const FIRST_KEY = 3

export class ScriptManager implements Scripting {
  readonly scripts: Scripts
  readonly functions: Functions
  readonly run: ScriptRun
  private readonly engine: Engine
  private job: Runnable | undefined
  private suspended: Suspended | undefined
  private stopped = false
  private session: DebugSession | undefined
  replaying: Client | undefined
  /** Runs the EVAL of a blocked client in a debugger on a copy of the dataset; set by the server. */
  copier: ((client: Client) => void) | undefined
  private readonly resumeLater = () => this.resumeSuspended()
  private readonly debugLater = () => this.executeDebugCommands()

  /** `ofFunctions`: the engines of functions by lower-case name, Lua first. */
  constructor(engine: Engine, makeOfScripts: () => ScriptEngine, ofFunctions: ReadonlyMap<string, () => ScriptEngine>) {
    this.engine = engine
    this.scripts = new Scripts(makeOfScripts)
    this.functions = new Functions(ofFunctions)
    this.run = new ScriptRun(engine)
    engine.scripting = this
    engine.onClientDisconnected.push(client => this.leaveSession(client))
  }

  /** Shutdown: a suspended script is not resumed. */
  stop(): void {
    this.stopped = true
    this.functions.end()
  }

  allowEverything(on: boolean): void {
    this.run.denied = on ? 0 : CMD_NOSCRIPT
  }

  get mayCrossSlots(): boolean {
    return this.job === undefined || (this.job.flags & (SCRIPT_UNDECLARED | SCRIPT_ALLOW_CROSS_SLOT)) !== 0
  }

  get nowUs(): number {
    return this.run.nowUs
  }

  // ---- commands ----

  evaluate(ctx: Context, by: 'text' | 'digest', readOnly: boolean): void {
    const { args, reply } = ctx
    if (by === 'digest' && args[1].len !== 40) return reply.fixedError(NO_SCRIPT)
    if (ctx.client.has(CLIENT_LUA_DEBUG)) return this.debug(ctx, by, readOnly)
    const keyCount = keyCountOf(ctx)
    if (typeof keyCount !== 'number') return reply.fixedError(keyCount)
    const script = by === 'digest' ? this.scripts.find(args[1]) : this.scripts.loadBody(args[1])
    if (script === undefined) return reply.fixedError(NO_SCRIPT)
    if (typeof script === 'string') return reply.error(`ERR ${script}`)
    if (!this.mayRunOrReply(ctx, script.flags, readOnly)) return
    this.start(ctx, this.scripts.prepare(script), readOnly, keyCount)
  }

  /** EVAL of a client after SCRIPT DEBUG: the client talks to the debugger until the script ends, and is closed. */
  private debug(ctx: Context, by: 'text' | 'digest', readOnly: boolean): void {
    const { args, reply, client } = ctx
    if (by === 'digest') return reply.fixedError(NO_DIGEST)
    if (!ctx.canBlock) return reply.fixedError(NOT_IN_TRANSACTION)
    const keyCount = keyCountOf(ctx)
    if (typeof keyCount !== 'number') return refuse(ctx, keyCount)
    if (!client.has(CLIENT_LUA_DEBUG_SYNC)) return this.debugOnCopy(ctx)
    const text = args[1].latin1()
    const head = readScriptHead(text)
    if (typeof head === 'string') return refuse(ctx, head)
    const language = this.scripts.interpreter
    const made = language.compileDebugged(text.slice(head.codeFrom), linesOf(text))
    if (typeof made === 'string') return refuse(ctx, `Error compiling script (new function): ${made}`)
    if (!this.mayRunOrReply(ctx, head.flags, readOnly)) return
    this.engine.log?.('notice', 'Redis synchronous debugging eval session started')
    this.session = new DebugSession(made.debugger, client)
    this.run.debugger = made.debugger
    const { program } = made
    const name = sha1Hex(args[1])
    this.start(ctx, { name, isFunction: false, engine: language, program, flags: head.flags }, readOnly, keyCount)
    if (this.suspended === undefined) ctx.server.closeClient(client, true)
  }

  /** The session runs on a copy of the dataset, on a server of its own. */
  private debugOnCopy(ctx: Context): void {
    const { client, reply, server } = ctx
    if (this.copier === undefined) return reply.fixedError(NO_COPY)
    this.engine.blocking.blockOther(client, 0, () => {}, ctx)
    client.blocked!.unblockable = false
    server.log?.('notice', 'Lua debugging session started on a copy of the dataset')
    this.copier(client)
  }

  callFunction(ctx: Context, readOnly: boolean): void {
    const { args, reply } = ctx
    const found = this.functions.find(args[1])
    if (found === undefined) return reply.fixedError(NO_FUNCTION)
    const keyCount = keyCountOf(ctx, BAD_KEY_COUNT)
    if (typeof keyCount !== 'number') return reply.fixedError(keyCount)
    if (!this.mayRunOrReply(ctx, found.flags, readOnly)) return
    this.start(ctx, found, readOnly, keyCount)
  }

  /** Checks gates once for a script with a shebang, or a function. */
  private mayRunOrReply(ctx: Context, flags: number, readOnly: boolean): boolean {
    const { reply, client, command, args, argc } = ctx
    const { engine } = this
    if ((flags & SCRIPT_ALLOW_STALE) === 0) {
      const refusal = engine.gates.refusalBy('staleReplica', client, command, args, argc, 0)
      if (refusal !== undefined) {
        reply.fixedError(refusal)
        return false
      }
    }
    if ((flags & SCRIPT_UNDECLARED) !== 0) return true
    if ((flags & SCRIPT_NO_CLUSTER) !== 0 && engine.host.mode === 'cluster') reply.fixedError(NOT_IN_CLUSTER)
    else if ((flags & SCRIPT_NO_WRITES) === 0 && readOnly) reply.fixedError(WRITES_IN_RO)
    else if ((flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)) === 0 && this.isOutOfMemory())
      reply.fixedError(OOM_UNDECLARED)
    else return true
    return false
  }

  private isOutOfMemory(): boolean {
    return this.engine.settings.maxmemory !== 0 && this.engine.dispatch.outOfMemory
  }

  flagsOf(entry: TableEntry, args: Slice[], argc: number): number {
    const name = entry.fullName
    let flags = SCRIPT_UNDECLARED
    if (argc < 2) return entry.flags
    if (name === 'fcall' || name === 'fcall_ro') flags = this.functions.find(args[1])?.flags ?? flags
    else if (name === 'evalsha' || name === 'evalsha_ro') flags = this.scripts.find(args[1])?.flags ?? flags
    else if (name === 'eval' || name === 'eval_ro') {
      const head = this.scripts.findBody(args[1]) ?? readScriptHead(args[1].latin1())
      if (typeof head === 'object') flags = head.flags
    }
    if ((flags & SCRIPT_UNDECLARED) !== 0) return entry.flags
    let bits = entry.flags & ~(CMD_STALE | CMD_DENYOOM | CMD_WRITE | CMD_MAY_REPLICATE)
    if ((flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)) === 0) bits |= CMD_DENYOOM
    if ((flags & SCRIPT_NO_WRITES) === 0) bits |= CMD_WRITE
    if ((flags & SCRIPT_ALLOW_STALE) !== 0) bits |= CMD_STALE
    return bits
  }

  // ---- running ----

  private start(ctx: Context, job: Runnable, readOnly: boolean, keyCount: number): void {
    const { engine, run } = this
    const { client, reply, args, argc, command } = ctx
    const declared = job.flags & ~SCRIPT_UNDECLARED
    const mayExceed = (declared & SCRIPT_ALLOW_OOM) !== 0
    run.begin(client, readOnly || (declared & SCRIPT_NO_WRITES) !== 0, !mayExceed && this.isOutOfMemory())
    this.job = job
    engine.dispatch.beginPropagationUnit()
    let done: boolean
    try {
      done = job.engine.start(job.program, run, args, FIRST_KEY, FIRST_KEY + keyCount, argc)
    } catch (error) {
      this.job = this.session = run.debugger = undefined
      job.engine.abandon()
      throw error
    }
    ctx.reply = reply
    ctx.enter(client, command, args, argc)
    if (done) this.end(reply)
    else this.suspend(ctx)
  }

  /** End of the script: propagates its effects and writes its result to `reply`. */
  private end(reply: Reply): void {
    const { engine, run } = this
    const job = this.job!
    this.job = undefined
    this.endSession(reply)
    engine.dispatch.endPropagationUnit()
    run.reply.pos = 0
    run.reply.trim()
    engine.ctx.command.failed += job.engine.writeResult(reply, job.name)
    // Its commands are propagated instead of the call.
    engine.ctx.preventPropagation()
  }

  private endSession(reply: Reply): void {
    if (this.session === undefined) return
    this.session.writeEnd(reply)
    this.session = this.run.debugger = undefined
    this.engine.log?.('notice', 'Redis synchronous debugging eval session ended')
  }

  // ---- slow scripts, and debugged ones ----

  private suspend(ctx: Context): void {
    const { engine, run } = this
    const { name, isFunction } = this.job!
    const kill = isFunction ? 'FUNCTION KILL' : 'SCRIPT KILL'
    const { session } = this
    if (session === undefined)
      engine.log?.(
        'warning',
        `Slow script detected: still in execution after ${run.durationMs} milliseconds. You can try killing the script using the ${kill} command. Script name is: ${name}.`,
      )
    run.isSlow = true
    const { client } = ctx
    engine.blocking.blockOther(client, 0, () => {}, ctx)
    client.blocked!.unblockable = false
    this.suspended = new Suspended(run, name, isFunction, client, engine.keyspace.nowMs)
    engine.gates.set('busyScript', this.busyGate)
    engine.blocking.servingSuspended = true
    engine.host.pauseCron(true)
    ctx.preventPropagation()
    if (session === undefined) engine.machine.soon(this.resumeLater)
    else {
      client.blocked!.onInput = () => engine.machine.soon(this.debugLater)
      this.waitForCommand(session, client, ctx.reply)
    }
  }

  /** The debugger has stopped: tells its client, and takes the commands that have come already. */
  private waitForCommand(session: DebugSession, client: Client, reply: Reply): void {
    session.writeLogs(reply)
    if (client.queryBytes > 0) this.engine.machine.soon(this.debugLater)
  }

  /** Executes the commands of a debugging client, and goes on with its script when one says so. */
  private executeDebugCommands(): void {
    const { engine, session, suspended, run } = this
    if (session === undefined || suspended === undefined || !session.isStopped || this.stopped) return
    const { ctx, keyspace } = engine
    const { caller } = suspended
    const { nowMs } = keyspace
    keyspace.nowMs = suspended.nowMs
    while (session.isStopped) {
      const words = session.nextCommand()
      if (words === undefined) break
      const before = ctx.save()
      session.debugger.execute(words)
      ctx.restore(before)
      if (session.isStopped) engine.answer(caller, reply => session.writeLogs(reply))
    }
    keyspace.nowMs = nowMs
    run.startUs = engine.machine.monotonicUs()
    if (!session.isStopped) this.resumeSuspended()
    else engine.output.flushPending()
  }

  /** The debugging client has gone: the script runs to its end. */
  private leaveSession(client: Client): void {
    const { session, suspended } = this
    if (session === undefined || suspended?.caller !== client) return
    const { isStopped } = session
    session.debugger.detach()
    if (isStopped) this.engine.machine.soon(this.resumeLater)
  }

  /** Ends a session that waits for its client; the server ends. */
  stopDebugging(): void {
    const { session, suspended } = this
    if (session?.isStopped !== true || suspended === undefined) return
    suspended.killed = true
    this.engine.machine.soon(this.resumeLater)
  }

  afterScript(resumed: () => void): void {
    this.suspended!.after = resumed
  }

  get running(): RunningScript | undefined {
    return this.suspended
  }

  private resumeSuspended(): void {
    const { engine, run, suspended } = this
    if (suspended === undefined || this.stopped) return
    const { keyspace, ctx } = engine
    const nowMs = keyspace.nowMs
    const { reply, client } = ctx
    const language = this.job!.engine
    keyspace.nowMs = suspended.nowMs
    run.nextSlice()
    let done = true
    if (suspended.killed) {
      engine.log?.('notice', 'Lua script killed by user with SCRIPT KILL.')
      language.kill(KILLED)
    } else done = language.resume()
    ctx.reply = reply
    ctx.client = client
    if (done) this.finishSuspended(suspended)
    keyspace.nowMs = nowMs
    if (done) {
      engine.tick()
      engine.serveBlockedAndFlush()
    } else {
      const { session } = this
      if (session?.isStopped === true)
        engine.answer(suspended.caller, to => this.waitForCommand(session, suspended.caller, to))
      else engine.machine.soon(this.resumeLater)
      engine.output.flushPending()
    }
  }

  private finishSuspended(suspended: Suspended): void {
    const { engine, run } = this
    const { ctx } = engine
    const { caller, command, after } = suspended
    this.suspended = undefined
    engine.gates.set('busyScript', undefined)
    engine.blocking.servingSuspended = false
    engine.host.pauseCron(false)
    const isMuted = (caller.flags & REPLY_MUTED) !== 0
    engine.blocking.unblock(caller)
    const { entry } = command
    entry.calls++
    caller.commands++
    engine.stats.commandsProcessed++
    const durationUs = engine.machine.monotonicUs() - run.startUs
    entry.usec += durationUs
    engine.dispatch.afterCall?.(caller, entry, command.args, command.args.length, durationUs, 1)
    const write = (reply: Reply) => {
      const before = ctx.reply
      ctx.reply = reply
      ctx.command = entry
      const from = reply.pos
      this.end(reply)
      ctx.effect.prevented = false
      if (isMuted) reply.pos = from
      after?.()
      ctx.reply = before
    }
    const wasDebugged = this.session !== undefined
    if (run.callerIsGone || caller === this.replaying || caller.has(CLIENT_CLOSE_AFTER_REPLY)) write(run.reply)
    else engine.replyTo(caller, write)
    if (wasDebugged) engine.closeClient(caller, true)
  }

  kill(reply: Reply, kind: 'script' | 'function'): void {
    const { suspended } = this
    if (suspended === undefined) reply.fixedError(NOT_BUSY)
    else if (isFromPrimary(suspended.caller)) reply.fixedError(FROM_PRIMARY)
    else if (this.run.wrote) reply.fixedError(HAS_WRITTEN)
    else if (kind === 'script' && suspended.isFunction) reply.fixedError(BUSY_FUNCTION)
    else if (kind === 'function' && !suspended.isFunction) reply.fixedError(BUSY_SCRIPT)
    else {
      suspended.killed = true
      if (this.session?.isStopped === true) this.engine.machine.soon(this.resumeLater)
      reply.ok()
    }
  }

  /** Set while a script is suspended. */
  private readonly busyGate: Gate = (_client, entry, args, argc) => {
    if ((entry.flags & CMD_ALLOW_BUSY) !== 0) {
      if (entry.fullName !== 'shutdown') return undefined
      for (let i = 1; i < argc; i++) if (equalsNoCase(args[i], 'nosave')) return undefined
    }
    return this.suspended!.isFunction ? BUSY_FUNCTION : BUSY_SCRIPT
  }
}

/** The number of keys in args[2], or the error reply. */
function keyCountOf({ args, argc }: Context, notAnInteger = NOT_AN_INTEGER): number | Uint8Array {
  const count = parseInt64(args[2])
  if (Number.isNaN(count)) return notAnInteger
  if (count > argc - FIRST_KEY) return TOO_MANY_KEYS
  return count < 0 ? NEGATIVE_KEYS : count
}

/** Ends a debugging session before its script has begun. */
function refuse({ reply, client, server }: Context, error: string | Uint8Array): void {
  reply.array(1)
  reply.simple('<endsession>')
  if (typeof error === 'string') reply.error(`ERR ${error}`)
  else reply.fixedError(error)
  server.closeClient(client, true)
}

class Suspended implements RunningScript {
  readonly name: string
  readonly isFunction: boolean
  readonly caller: Client
  readonly nowMs: number
  killed = false
  after: (() => void) | undefined
  private readonly run: ScriptRun

  constructor(run: ScriptRun, name: string, isFunction: boolean, caller: Client, nowMs: number) {
    this.run = run
    this.name = name
    this.isFunction = isFunction
    this.caller = caller
    this.command = caller.blocked!.command
    this.nowMs = nowMs
  }

  readonly command: QueuedCommand

  get durationMs(): number {
    return this.run.durationMs
  }
}

function isFromPrimary(client: Client): boolean {
  return client.has(CLIENT_MASTER)
}
