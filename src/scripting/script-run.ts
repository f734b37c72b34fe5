// ScriptRun: redis.call of the running script: checks and dispatch. One object serves all scripts.
//
//   redis.call ─▶ known ─▶ arity ─▶ [noscript, ACL, read-only, refusals, memory] ─▶ dispatch.call ─▶ own reply
//
// Always: commands run as `client`, a separate client in the caller's database, so that SELECT ends with the script;
// once the script has written, the state of the server refuses no command any more.

import { CMD_DENYOOM, CMD_MAY_REPLICATE, CMD_NOSCRIPT, CMD_WRITE } from '../engine/catalog/command.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import {
  CLIENT_CLOSING,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_NO_TOUCH,
  CLIENT_SCRIPT,
  CLIENT_TRACKING,
  type Client,
} from '../engine/client.ts'
import { PROPAGATE_ALL } from '../engine/effect.ts'
import type { Engine } from '../engine/engine.ts'
import { callingClient } from '../engine/nowhere.ts'
import { latin1Text } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'
import { Reply, SMALL_REPLY_BYTES } from '../protocol/reply.ts'
import type { LuaDebugger } from './debugger/debugger.ts'
import type { Script } from './script-engine.ts'

const OOM = "-OOM command not allowed when used memory > 'maxmemory'."
const READ_ONLY = 'Write commands are not allowed from read-only scripts.'

/** The time slice of a suspended script; between slices clients are served. */
const SLICE_US = 5000
/** A debugged script stops after so long without a stop, unless busy-reply-threshold says when. */
const DEBUGGED_MS_MAX = 5000

export class ScriptRun implements Script {
  readonly reply = new Reply(SMALL_REPLY_BYTES)
  resp = 2
  repl = PROPAGATE_ALL
  readonly client: Client
  caller: Client
  /** The script is debugged. */
  debugger: LuaDebugger | undefined
  /** The script has called a write command: it cannot be killed any more. */
  wrote = false
  /** Past busy-reply-threshold. */
  isSlow = false
  startUs = 0
  private wallUs = 0
  sliceEndUs = 0
  /** CMD_NOSCRIPT; 0 in tests that may call everything. */
  denied = CMD_NOSCRIPT
  private readonly engine: Engine
  /** Commands with any of these CMD_ bits need further checks. */
  private guarded = 0
  private readOnly = false
  private outOfMemory = false

  constructor(engine: Engine) {
    this.engine = engine
    this.client = callingClient(engine)
    this.caller = this.client
  }

  /** Starts a script. */
  begin(caller: Client, readOnly: boolean, outOfMemory: boolean): void {
    const { client } = this
    client.db = caller.db
    client.user = caller.user
    client.flags = CLIENT_SCRIPT | (caller.flags & CLIENT_NO_TOUCH)
    this.caller = caller
    this.resp = 2
    this.repl = PROPAGATE_ALL
    this.wrote = this.isSlow = false
    this.startUs = this.sliceEndUs = this.wallUs = 0
    this.readOnly = readOnly
    this.outOfMemory = outOfMemory
    this.guarded = this.denied | CMD_WRITE | (readOnly ? CMD_MAY_REPLICATE : 0) | (outOfMemory ? CMD_DENYOOM : 0)
  }

  command(args: Slice[], argc: number): string | undefined {
    const { filters } = this.engine.dispatch
    if (filters?.judgeCall === undefined) return this.runCommand(args, argc)
    const verdict = filters.judgeCall('script', this.caller, args, argc)
    if (verdict instanceof Uint8Array) return this.refused(latin1Text(verdict, 0, verdict.length - 2), undefined)
    return verdict === undefined ? this.runCommand(args, argc) : this.runCommand(verdict, verdict.length)
  }

  private runCommand(args: Slice[], argc: number): string | undefined {
    const { engine, reply, client } = this
    const entry = engine.table.resolve(args, argc)
    if (entry === undefined) return this.refused('Unknown Redis command called from script', undefined)
    if (!entry.takes(argc)) return this.refused('Wrong number of args calling Redis command from script', entry)
    if ((entry.flags & this.guarded) !== 0 || engine.gates.guardsScripts(this.caller)) {
      const reason = this.reasonAgainst(entry, args, argc)
      if (reason !== undefined) return this.refused(reason, entry)
    }
    const { ctx } = engine
    reply.pos = 0
    reply.resp = this.resp
    ctx.reply = reply
    if (this.repl !== PROPAGATE_ALL) ctx.limitPropagation(this.repl)
    engine.dispatch.call(client, entry, args, argc)
    if (reply.u8[0] === 0x2d) this.count(errorCode(reply))
    if (this.caller.has(CLIENT_TRACKING)) engine.tracking.remember(this.caller, entry, args, argc, true)
    return undefined
  }

  mayRun(args: Slice[], argc: number): boolean | undefined {
    const entry = this.engine.table.resolve(args, argc)
    if (entry === undefined) return undefined
    return this.engine.acl.permits(this.caller.user, entry, args, argc)
  }

  /** Past busy-reply-threshold a script runs in slices, if its client can be blocked. */
  tick(): boolean {
    const nowUs = this.engine.machine.monotonicUs()
    if (this.startUs === 0) this.startUs = nowUs
    if (this.debugger !== undefined) return this.tickDebugged(this.debugger, nowUs)
    if (this.isSlow) return nowUs >= this.sliceEndUs
    const thresholdMs = this.engine.settings.busyReplyThreshold
    if (thresholdMs <= 0 || nowUs - this.startUs < thresholdMs * 1000) return false
    return this.caller === this.engine.scripting.replaying || !this.caller.has(CLIENT_INTERNAL | CLIENT_MASTER)
  }

  /** A debugged script is suspended where it stops, and between slices. */
  private tickDebugged(by: LuaDebugger, nowUs: number): boolean {
    if (by.isStopped) return true
    const thresholdMs = this.engine.settings.busyReplyThreshold || DEBUGGED_MS_MAX
    if (nowUs - this.startUs >= thresholdMs * 1000) by.timeOut()
    return this.isSlow && nowUs >= this.sliceEndUs
  }

  /** What TIME tells: it stands still until the script is slow, then moves between its slices. */
  get nowUs(): number {
    if (this.wallUs === 0) this.wallUs = this.engine.host.nowUs()
    return this.wallUs
  }

  nextSlice(): void {
    this.wallUs = 0
    this.sliceEndUs = this.engine.machine.monotonicUs() + SLICE_US
  }

  get durationMs(): number {
    return Math.floor((this.engine.machine.monotonicUs() - this.startUs) / 1000)
  }

  private reasonAgainst(entry: TableEntry, args: Slice[], argc: number): string | undefined {
    const { flags } = entry
    if ((flags & this.denied) !== 0) return 'This Redis command is not allowed from script'
    if (this.readOnly && (flags & (CMD_WRITE | CMD_MAY_REPLICATE)) !== 0) return READ_ONLY
    const refusal = this.engine.gates.refusalInScript(this.caller, entry, args, argc, this.wrote)
    // Without its line break.
    if (refusal !== undefined) return latin1Text(refusal, 0, refusal.length - 2)
    if (this.outOfMemory && !this.wrote && (flags & CMD_DENYOOM) !== 0) return OOM
    if ((flags & CMD_WRITE) !== 0 && !this.wrote) {
      this.wrote = true
      // From here on only the command's own flags count.
      this.guarded = this.denied | (this.readOnly ? CMD_MAY_REPLICATE : 0)
    }
    return undefined
  }

  private refused(reason: string, entry: TableEntry | undefined): string {
    this.count(/^-([A-Z]+) /.exec(reason)?.[1] ?? 'ERR')
    if (entry !== undefined) entry.rejected++
    return reason
  }

  private count(code: string): void {
    const { stats } = this.engine
    stats.errorReplies++
    stats.countError(code)
  }

  get callerIsGone(): boolean {
    return this.caller.has(CLIENT_CLOSING)
  }
}

function errorCode(reply: Reply): string {
  let code = ''
  for (let at = 1; at < reply.pos && reply.u8[at] > 32 && code.length < 32; at++)
    code += String.fromCharCode(reply.u8[at])
  return code
}
