// Runs the handlers of modules' commands, and turns what they return, throw or promise into replies.
//
//   run ─▶ value   ─▶ reply
//      └─▶ promise ─▶ client blocked ─▶ value, error, time-out or CLIENT UNBLOCK ─▶ reply; none when it has gone
//
// Always: an exception of a handler is an error reply. What it has changed by then stays and is propagated, since every
// call() is a whole command. A blocked client gets one reply, whatever the promise does later.

import { CMD_BLOCKING, CMD_READONLY } from '../engine/catalog/command.ts'
import { CLIENT_SCRIPT, type Client } from '../engine/client.ts'
import type { Context } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import { parseDouble, parseInt64 } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'
import { Unwind } from '../lib/unwind.ts'
import type { ModuleCaller } from './caller.ts'
import {
  type CallOptions,
  type CallReply,
  CommandError,
  isCommandError,
  type ModuleCommand,
  type ModuleContext,
  type ModuleReply,
  type ModuleServer,
  type ModuleWord,
} from './definition.ts'
import type { ModuleKeys } from './keys.ts'
import { byteText, checkValue, sliceOf, writeValue } from './values.ts'

const TEXT = new TextDecoder()

/** The state of a module, as far as its commands ask for it. */
interface ModuleState {
  readonly isGone: boolean
}

export class ModuleRunner {
  private readonly engine: Engine
  private readonly caller: ModuleCaller
  private readonly keys: ModuleKeys
  private readonly server: ModuleServer
  private readonly state: ModuleState

  constructor(engine: Engine, caller: ModuleCaller, keys: ModuleKeys, server: ModuleServer, state: ModuleState) {
    this.engine = engine
    this.caller = caller
    this.keys = keys
    this.server = server
    this.state = state
  }

  run(ctx: Context, command: ModuleCommand): void {
    const { engine } = this
    // Queued by MULTI before the module was unloaded.
    if (this.state.isGone) return ctx.reply.error(`ERR unknown command '${command.name}'`)
    if ((ctx.command.flags & CMD_BLOCKING) !== 0 && !ctx.canBlock) return ctx.reply.error(cannotBlock(ctx.client))
    let value: ModuleReply | Promise<ModuleReply>
    let error: unknown
    const isVerbatim = command.propagation === 'verbatim'
    const opened = { isOpen: true }
    const work = () => command.run!(this.contextOf(ctx, command, opened))
    engine.dispatch.beginPropagationUnit()
    try {
      value = isVerbatim ? engine.dispatch.withoutPropagation(work) : work()
      if (!isPromise(value)) checkValue(value)
    } catch (thrown) {
      if (thrown instanceof Unwind) throw thrown
      error = thrown ?? new Error('undefined was thrown')
    } finally {
      opened.isOpen = false
      engine.dispatch.endPropagationUnit()
    }
    // The commands that it called are propagated, not itself.
    if (!isVerbatim) ctx.preventPropagation()
    if (error !== undefined) ctx.reply.error(this.errorText(error, command))
    else if (isPromise(value)) this.wait(ctx, command, value)
    else writeValue(ctx.reply, value)
  }

  private wait(ctx: Context, command: ModuleCommand, promise: Promise<ModuleReply>): void {
    const { engine } = this
    const { client } = ctx
    if (!ctx.canBlock) {
      promise.then(undefined, () => {})
      return ctx.reply.error(cannotBlock(client))
    }
    const timedOut = (of: Client) => engine.answer(of, reply => reply.null())
    engine.blocking.blockOther(client, command.timeoutMs ?? 0, timedOut, ctx)
    const state = client.blocked!
    state.unblockable = true
    const settle = (value: ModuleReply, error: string | undefined) =>
      engine.boundary.guard(() => {
        if (client.blocked !== state) return
        if (error !== undefined) engine.blocking.abort(client, error)
        else {
          engine.answer(client, reply => writeValue(reply, value))
          engine.blocking.finish(client)
        }
        engine.serveBlockedAndFlush()
      })
    promise
      .then(value => {
        checkValue(value)
        return value
      })
      .then(
        value => settle(value, undefined),
        (error: unknown) => settle(null, this.errorText(error, command)),
      )
  }

  /** The error reply for what a handler threw; what is no CommandError is logged. */
  private errorText(error: unknown, command: ModuleCommand): string {
    const text = byteText(error instanceof Error ? error.message : String(error))
    if (isCommandError(error)) return text
    const stack = error instanceof Error ? (error.stack ?? text) : text
    this.engine.log?.('warning', `Module command '${command.name}' has thrown: ${stack}`)
    return `ERR module command failed: ${text}`
  }

  /** A handler that waits may go on after its client and its module have gone. */
  private mustBeLoaded(): void {
    if (this.state.isGone) throw new CommandError('ERR the module has been unloaded')
  }

  private contextOf(ctx: Context, command: ModuleCommand, opened: { readonly isOpen: boolean }): ModuleContext {
    const { caller, server, keys } = this
    const { client: judged } = ctx
    const args = ctx.args.slice(0, ctx.argc).map(one => one.copy().view())
    const client = caller.clientFor(judged)
    const isReadOnly = (ctx.command.flags & CMD_READONLY) !== 0
    const callWith = ({ as, bytes }: CallOptions, words: readonly ModuleWord[]): CallReply => {
      this.mustBeLoaded()
      return caller.call(words, client, as === 'server' ? undefined : client, bytes === true, isReadOnly)
    }
    return {
      ...server,
      args,
      argc: args.length,
      client: { id: judged.id, user: judged.user?.name ?? '', database: judged.db.index },
      call: (...words) => callWith({}, words),
      callWith: (options, ...words) => callWith(options, words),
      text: i => TEXT.decode(args[i]),
      is: (i, word) => i < args.length && TEXT.decode(args[i]).toLowerCase() === word.toLowerCase(),
      integer: (i, error) => numberIn(args, i, parseInt64, error ?? 'ERR value is not an integer or out of range'),
      read: (type, key) => {
        this.mustBeLoaded()
        return keys.read(client.db, type, key)
      },
      write: (type, key) => {
        if (!opened.isOpen) throw new TypeError('a key is written before its command returns or waits')
        if (isReadOnly || command.propagation !== 'verbatim')
          throw new TypeError(`write() needs the flag 'write' and propagation: 'verbatim'`)
        return keys.write(ctx, type, key, command.name, () => opened.isOpen)
      },
      double: (i, error) => numberIn(args, i, parseDouble, error ?? 'ERR value is not a valid float'),
    }
  }
}

function numberIn(args: readonly Uint8Array[], i: number, parse: (s: Slice) => number, error: string): number {
  const n = i < args.length ? parse(sliceOf(args[i])) : Number.NaN
  if (Number.isNaN(n) || (parse === parseInt64 && !Number.isSafeInteger(n))) throw new CommandError(error)
  return n
}

function isPromise(value: unknown): value is Promise<ModuleReply> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
}

function cannotBlock(client: Client): string {
  return `ERR Blocking module command called from ${client.has(CLIENT_SCRIPT) ? 'Lua script' : 'transaction'}`
}
