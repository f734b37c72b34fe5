// Runs the handlers of modules' commands, and turns what they return, throw or promise into replies.
//
//   run ─▶ value   ─▶ reply
//      └─▶ promise ─▶ client blocked ─▶ value, error, time-out or CLIENT UNBLOCK ─▶ reply; none when it has gone
//
// Always: an exception of a handler is an error reply. What it has changed by then stays and is propagated, since every
// call() is a whole command. A blocked client gets one reply, whatever the promise does later.

import { CMD_BLOCKING } from '../engine/catalog/command.ts'
import { CLIENT_SCRIPT, type Client } from '../engine/client.ts'
import type { Context } from '../engine/context.ts'
import type { Engine } from '../engine/engine.ts'
import { reasonOf } from '../lib/reason.ts'
import type { Slice } from '../lib/slice.ts'
import { isUnwind } from '../lib/unwind.ts'
import type { Reply } from '../protocol/reply.ts'
import { BorrowedBytes } from './borrowed.ts'
import { utf8Text } from './bytes.ts'
import { CommandContext, type CommandParts, type ModuleParts } from './command-context.ts'
import { type ChannelUse, isCommandError, type KeyWait, type ModuleCommand, type ModuleReply } from './definition.ts'
import { harmless, logThrown } from './harmless.ts'
import { byteText, checkValue, writeNumber, writeValue } from './values.ts'

/** Of keys that are waited for: whatever happens to them. */
const ANY_TYPE = -1

export class ModuleRunner {
  private readonly engine: Engine
  private readonly parts: ModuleParts

  constructor(engine: Engine, parts: ModuleParts) {
    this.engine = engine
    this.parts = parts
  }

  /** What the literal of a command runs: one function for all that most runs need, which costs half of several. */
  handlerOf(command: ModuleCommand): (ctx: Context) => void {
    const flags = ` ${command.flags} `
    const isVerbatim = command.propagation === 'verbatim'
    const { keys, state } = this.parts
    const { dispatch } = this.engine
    const parts: CommandParts = {
      ...this.parts,
      command,
      ctx: this.engine.ctx,
      isReadOnly: flags.includes(' readonly '),
      isWriting: flags.includes(' write '),
      isVerbatim,
    }
    return ctx => {
      // Queued by MULTI before the module was unloaded.
      if (state.isGone) return ctx.reply.error(`ERR unknown command '${command.name}'`)
      if ((ctx.command.flags & CMD_BLOCKING) !== 0 && !ctx.canBlock) return ctx.reply.error(cannotBlock(ctx.client))
      const context = new CommandContext(parts, ctx)
      dispatch.beginPropagationUnit()
      if (isVerbatim) dispatch.quiet(1)
      keys.begun()
      let value: ModuleReply | Outcome
      try {
        const returned = command.run!(context)
        value = isPlain(returned) ? returned : objectOf(returned)
      } catch (thrown) {
        if (isUnwind(thrown)) throw thrown
        value = new Outcome(thrown ?? new Error('undefined was thrown'))
      }
      if (isVerbatim) dispatch.quiet(-1)
      dispatch.endPropagationUnit()
      // The commands that it called are propagated, not itself.
      if (!isVerbatim) ctx.preventPropagation()
      // Before the end: what the value has borrowed is still there.
      if (typeof value === 'number') writeNumber(ctx.reply, value)
      else if (value instanceof BorrowedBytes) {
        const bytes = value.find()
        if (bytes === undefined) return this.endOtherwise(ctx, context, parts, new Outcome(value.gone()))
        ctx.reply.bulk(bytes)
      } else if (value instanceof Outcome) return this.endOtherwise(ctx, context, parts, value)
      else this.write(ctx.reply, value, command)
      context.close(false)
      keys.ended()
    }
  }

  private endOtherwise(ctx: Context, context: CommandContext, parts: CommandParts, outcome: Outcome): void {
    const { error, promise, keyWait } = outcome
    context.close(promise !== undefined)
    parts.keys.ended()
    if (promise !== undefined) this.wait(ctx, parts.command, promise)
    else if (keyWait !== undefined) this.waitForKeys(ctx, keyWait, parts.command)
    else ctx.reply.error(this.errorText(error, parts.command))
  }

  /** Blocks the client, which keeps its place and its deadline when it has waited already. */
  private waitForKeys(ctx: Context, wait: KeyWait, command: ModuleCommand): void {
    const { first, last = first, timeoutMs = 0, timedOut } = wait
    const { engine } = this
    const { client } = ctx
    try {
      // The command has returned: it can borrow nothing.
      checkValue(timedOut)
    } catch (error) {
      return ctx.reply.error(this.errorText(error, command))
    }
    if (!ctx.canBlock) return ctx.reply.error(cannotBlock(client))
    const { blocked } = client
    ctx.block(first, last, timeoutMs, ANY_TYPE, 'null', true)
    if (client.blocked !== blocked && timedOut !== undefined)
      client.blocked!.onTimeout = of => engine.answer(of, reply => this.write(reply, timedOut, command))
  }

  /** Which words of a command are channels; all of them where that cannot be told. */
  channelsOf(
    name: string,
    channels: NonNullable<ModuleCommand['channels']>,
    args: readonly Slice[],
  ): { at: number; isPattern: boolean }[] {
    let uses: readonly ChannelUse[] = args.map((_, at) => ({ at, use: 'subscribe', isPattern: true }))
    harmless(this.engine, `Channels of the module command '${name}'`, () => {
      const told = channels(args.map(({ u8, off, len }) => utf8Text(u8, off, off + len)))
      if (!told.every(({ at }) => args[at] !== undefined)) throw new RangeError('it has no such word')
      uses = told
    })
    return uses
      .filter(({ use }) => use !== 'unsubscribe')
      .map(({ at, isPattern }) => ({ at, isPattern: isPattern === true }))
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
          engine.answer(client, reply => this.write(reply, value, command))
          engine.blocking.finish(client)
        }
        engine.serveBlockedAndFlush()
      })
    // Its own then() may be anything.
    new Promise<ModuleReply>(resolve => resolve(promise))
      .then(value => {
        checkValue(value)
        return value
      })
      .then(
        value => settle(value, undefined),
        (error: unknown) => settle(null, this.errorText(error, command)),
      )
  }

  /** A value that changes between the check and the writing, a proxy say, is an error, and nothing of it is sent. */
  private write(reply: Reply, value: ModuleReply, command: ModuleCommand): void {
    const { engine } = this
    const from = reply.pos
    const { errors } = reply
    const { rewinds } = engine.output
    try {
      writeValue(reply, value)
    } catch (error) {
      if (isUnwind(error)) throw error
      const wasSent = reply === engine.reply && engine.output.rewinds !== rewinds
      reply.rollBack(wasSent ? 0 : from, errors)
      reply.error(this.errorText(error, command))
      if (wasSent && engine.current !== undefined) engine.closeClient(engine.current)
    }
  }

  /** The error reply for what a handler threw; what is no CommandError is logged. */
  private errorText(error: unknown, command: ModuleCommand): string {
    const text = byteText(reasonOf(error))
    if (isCommandError(error)) return text
    logThrown(this.engine, `Module command '${command.name}'`, error)
    return `ERR module command failed: ${text}`
  }
}

/** What is no value yet, or none at all. */
class Outcome {
  readonly error: unknown
  readonly promise: Promise<ModuleReply> | undefined
  readonly keyWait: KeyWait | undefined

  constructor(error: unknown, promise?: Promise<ModuleReply>, keyWait?: KeyWait) {
    this.error = error
    this.promise = promise
    this.keyWait = keyWait
  }
}

/** Of what a handler returned: nothing has to be looked at before it is written. */
function isPlain(value: unknown): value is BorrowedBytes | string | number | bigint | boolean | undefined {
  if (typeof value === 'object') return value instanceof BorrowedBytes
  return typeof value !== 'function' && typeof value !== 'symbol'
}

/** A value that can be written, or another outcome. Throws a TypeError for what is neither. */
function objectOf(value: ModuleReply | KeyWait | Promise<ModuleReply>): ModuleReply | Outcome {
  if (isKeyWait(value)) return new Outcome(undefined, undefined, value)
  if (isPromise(value)) return new Outcome(undefined, value)
  checkValue(value)
  return value
}

function isPromise(value: unknown): value is Promise<ModuleReply> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
}

function isKeyWait(value: unknown): value is KeyWait {
  return typeof value === 'object' && value !== null && (value as KeyWait).isKeyWait === true
}

function cannotBlock(client: Client): string {
  return `ERR Blocking module command called from ${client.has(CLIENT_SCRIPT) ? 'Lua script' : 'transaction'}`
}
