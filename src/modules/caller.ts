// ModuleCaller: runs commands for modules, as a client of its own.
//
//   call ─▶ known ─▶ arity ─▶ [noscript, ACL, refusals] ─▶ dispatch.call ─▶ own reply ─▶ value
//
// Always: within a command the context is afterwards as before; outside of one, clients that were unblocked are served.
// Calls may nest: a module's command that is called calls others. Each leaves the reply buffer as it was.

import { CMD_NOSCRIPT, CMD_WRITE } from '../engine/catalog/command.ts'
import type { TableEntry } from '../engine/catalog/table.ts'
import {
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_NO_TOUCH,
  CLIENT_SCRIPT,
  CLIENT_TRACKING,
  type Client,
} from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { callingClient } from '../engine/nowhere.ts'
import { OwnReply } from '../engine/own-reply.ts'
import { latin1Text } from '../lib/bytes.ts'
import type { Slice } from '../lib/slice.ts'
import { ReplyError } from '../protocol/value.ts'
import type { CallLock } from './call-lock.ts'
import { CallWords } from './call-words.ts'
import { type CallReply, CommandError, isCommandError, type ModuleWord } from './definition.ts'
import { byteText, plain, textOf } from './values.ts'

const IDLE_MAX = 8
const DEPTH_MAX = 64
/** The primary, and the append-only file while it is replayed: what they have run is not refused. */
const OBEYED = CLIENT_MASTER | CLIENT_INTERNAL

export class ModuleCaller {
  private readonly engine: Engine
  private readonly reply: OwnReply
  private readonly words = new CallWords()
  private readonly server: Client
  private readonly lock: CallLock
  private depth = 0
  private readonly idle: Client[] = []

  constructor(engine: Engine, lock: CallLock) {
    this.engine = engine
    this.lock = lock
    this.reply = new OwnReply(engine.ctx)
    this.server = callingClient(engine)
  }

  /** A client for the calls of one that has called a module's command: its user and database. */
  clientFor(caller: Client): Client {
    const client = this.idle.pop() ?? callingClient(this.engine)
    client.db = caller.db
    client.user = caller.user
    client.flags = CLIENT_SCRIPT | (caller.flags & (OBEYED | CLIENT_NO_TOUCH))
    return client
  }

  /** A client of clientFor() that nobody uses any more. */
  release(client: Client): void {
    if (this.idle.length < IDLE_MAX) this.idle.push(client)
  }

  /** Runs `work` as one propagation unit. */
  atomically<Result>(work: () => Result): Result {
    const { engine } = this
    this.lock.mustBeOpen()
    // A command that calls itself must not end in the stack's overflow, which may be anywhere.
    if (this.depth === DEPTH_MAX) throw new CommandError('ERR calls of modules are nested too deeply')
    const outside = this.depth === 0 && !engine.dispatch.isInCall
    if (outside) engine.tick()
    this.depth++
    engine.dispatch.beginPropagationUnit()
    try {
      return work()
    } finally {
      engine.dispatch.endPropagationUnit()
      this.depth--
      if (outside) engine.serveBlockedAndFlush()
    }
  }

  /**
   * `judged`: the client whose permissions count; undefined: nobody's. `isReadOnly`: for a command that has said that
   * it changes nothing. `origin`: the client that has sent the module's command: what is read is tracked for it.
   */
  call(
    words: readonly ModuleWord[],
    client: Client | undefined,
    judged: Client | undefined,
    asBytes: boolean,
    isReadOnly = false,
    origin?: Client,
  ): CallReply {
    const mark = this.words.begin()
    try {
      const by = judged ?? this.server
      let args = this.words.put(words)
      let argc = words.length
      const filtered = this.engine.dispatch.filters?.judgeCall?.('module', origin ?? by, args, argc)
      if (filtered instanceof Uint8Array) throw new CommandError(latin1Text(filtered, 1, filtered.length - 2))
      if (filtered !== undefined) {
        args = filtered
        argc = filtered.length
      }
      const entry = this.known(args, argc, isReadOnly)
      this.mustBeAdmitted(entry, args, argc, by)
      const run = () => this.engine.dispatch.call(client ?? this.server, entry, args, argc)
      const value = this.atomically(() => this.reply.of(run))
      if (origin?.has(CLIENT_TRACKING) === true) this.engine.tracking.remember(origin, entry, args, argc, true)
      if (value instanceof ReplyError) throw new CommandError(value.text)
      return plain(value, asBytes)
    } finally {
      this.words.end(mark, words.length)
    }
  }

  /** Runs a command of the core for a handle of a key: nobody's permissions count, and no filter judges it. */
  change(words: readonly ModuleWord[], client: Client): CallReply {
    const mark = this.words.begin()
    try {
      const args = this.words.put(words)
      const entry = this.engine.table.lookupOriginal(args[0])!
      const run = () => this.engine.dispatch.call(client, entry, args, words.length)
      const value = this.atomically(() => this.reply.of(run))
      if (value instanceof ReplyError) throw new CommandError(value.text)
      return plain(value, true)
    } finally {
      this.words.end(mark, words.length)
    }
  }

  /** Runs `work` while `client`, or the server's own, acts as the user of that name. */
  asUser<Result>(name: string, client: Client | undefined, work: () => Result): Result {
    const one = client ?? this.server
    const user = this.engine.acl.user(byteText(name))
    if (user === undefined) throw new CommandError(`ERR there is no user '${name}'`)
    const was = one.user
    one.user = user
    try {
      return work()
    } finally {
      one.user = was
    }
  }

  /** Why a call would be refused; undefined: it would run. `by` as `judged` of call(). */
  refusal(words: readonly ModuleWord[], by: Client | undefined, isReadOnly = false): string | undefined {
    const mark = this.words.begin()
    try {
      const one = by ?? this.server
      const args = this.words.put(words)
      const entry = this.known(args, words.length, isReadOnly)
      const denied =
        one.user === undefined ? undefined : this.engine.acl.dryRun(one.user, entry, args.slice(0, words.length))
      if (denied !== undefined) return `NOPERM ${textOf(denied)}`
      this.mustBeAdmitted(entry, args, words.length, one)
      return undefined
    } catch (error) {
      if (!isCommandError(error)) throw error
      return error.message
    } finally {
      this.words.end(mark, words.length)
    }
  }

  /** The command that is called. Throws a CommandError when no user may call it. */
  private known(args: Slice[], argc: number, isReadOnly: boolean): TableEntry {
    const entry = argc === 0 ? undefined : this.engine.table.resolve(args, argc)
    if (entry === undefined)
      throw new CommandError(`ERR unknown command '${argc === 0 ? '' : textOf(args[0].latin1())}'`)
    if (!entry.takes(argc)) throw new CommandError(`ERR wrong number of arguments for '${entry.fullName}' command`)
    if ((entry.flags & CMD_NOSCRIPT) !== 0)
      throw new CommandError('ERR This Redis command is not allowed from a module')
    if (isReadOnly && (entry.flags & CMD_WRITE) !== 0)
      throw new CommandError('ERR Write commands are not allowed from read-only module commands')
    return entry
  }

  /** Throws a CommandError when `by` may not call a command now. */
  private mustBeAdmitted(entry: TableEntry, args: Slice[], argc: number, by: Client): void {
    if (by.has(OBEYED)) return
    const { gates } = this.engine
    // ACL rules first, so that the error does not speak of a script.
    const refusal =
      gates.refusalBy('acl', by, entry, args, argc, entry.flags, 'module') ??
      gates.refusalInScript(by, entry, args, argc, false)
    if (refusal !== undefined) throw new CommandError(latin1Text(refusal, 1, refusal.length - 2))
  }
}
