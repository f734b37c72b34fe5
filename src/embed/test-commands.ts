// REDSTART …: the clock, faults and snapshots of a server as commands, for tests in other languages. Only with
// --test-commands on the command line.
//
//   REDSTART CLOCK NOW | ADVANCE duration | SET ms | FREEZE | RESUME
//   REDSTART FAULT command|* ERROR text | DELAY ms | HANG | DROP BEFORE|AFTER | CUT bytes | SPLIT bytes
//                  [TIMES n] [SKIP n] [CLIENT name]
//   REDSTART FAULT CLEAR
//   REDSTART SNAPSHOT name | RESTORE name | RESET
//
// Always: they run between other commands, never within a transaction or a script.

import {
  CommandError,
  defineModule,
  type ModuleContext,
  type ModuleReply,
  type RedstartModule,
  reply,
} from '../modules/definition.ts'
import type { Server } from '../server/server.ts'
import type { ServerTime } from '../system/server-time.ts'
import { EmbeddedClock } from './clock.ts'
import type { Fault } from './faults.ts'
import { ServerState, type Snapshot } from './state.ts'
import { Trouble } from './trouble.ts'

const OK = reply.simple('OK')
const SYNTAX = 'ERR syntax error'

type Handler = (ctx: ModuleContext) => ModuleReply | Promise<ModuleReply>

export class TestCommands {
  readonly module: RedstartModule
  private readonly time: ServerTime
  private readonly snapshots = new Map<string, Snapshot>()
  private parts: { clock: EmbeddedClock; state: ServerState; trouble: Trouble } | undefined

  constructor(time: ServerTime) {
    this.time = time
    const common = { flags: 'admin noscript blocking', since: '7.2.0' }
    const subcommand = (name: string, arity: number, summary: string, run: Handler) => ({
      name,
      arity,
      summary,
      ...common,
      // Within the command nothing can be replaced: it goes on when the command is over.
      run: async (ctx: ModuleContext) => {
        await undefined
        return run(ctx)
      },
    })
    const redstart = {
      name: 'redstart',
      arity: -2,
      flags: '',
      since: '7.2.0',
      summary: 'Clock, faults and snapshots, for tests.',
      subcommands: [
        subcommand('clock', -3, 'Look at the clock of the server, and move it.', ctx => this.clock(ctx)),
        subcommand('fault', -3, 'Let commands fail.', ctx => this.fault(ctx)),
        subcommand('snapshot', 3, 'Keep the dataset under a name.', ctx => this.snapshot(ctx.text(2))),
        subcommand('restore', 3, 'Put a kept dataset back.', ctx => this.restore(ctx.text(2))),
        subcommand('reset', 2, 'Make the server as it was at its start, without data.', () => this.reset()),
      ],
    }
    this.module = defineModule({ name: 'redstart-test', version: 1, apiVersion: 1, commands: [redstart] })
  }

  /** The server that has the module; it is as it was made, but for loaded data. */
  attach(server: Server): void {
    const clock = new EmbeddedClock(server, this.time)
    this.parts = { clock, state: new ServerState(server), trouble: new Trouble(server) }
  }

  private get ready(): NonNullable<TestCommands['parts']> {
    if (this.parts === undefined) throw new CommandError('ERR the server is still starting')
    return this.parts
  }

  private async clock(ctx: ModuleContext): Promise<ModuleReply> {
    const { clock } = this.ready
    if (ctx.is(2, 'now') && ctx.argc === 3) return clock.now()
    if (ctx.is(2, 'freeze') && ctx.argc === 3) clock.freeze()
    else if (ctx.is(2, 'resume') && ctx.argc === 3) clock.resume()
    else if (ctx.is(2, 'set') && ctx.argc === 4) clock.set(ctx.integer(3))
    else if (ctx.is(2, 'advance') && ctx.argc === 4) await clock.advance(durationIn(ctx))
    else throw new CommandError(SYNTAX)
    return OK
  }

  private fault(ctx: ModuleContext): ModuleReply {
    const { faults } = this.ready.trouble
    if (ctx.is(2, 'clear') && ctx.argc === 3) {
      faults.clear()
      return OK
    }
    const fault: { -readonly [kind in keyof Fault]: Fault[kind] } = {}
    const scope: { times?: number; after?: number; client?: string } = {}
    for (let i = 3; i < ctx.argc; i++) {
      const isLast = i + 1 >= ctx.argc
      if (ctx.is(i, 'hang')) fault.hang = true
      else if (isLast) throw new CommandError(SYNTAX)
      else if (ctx.is(i, 'error')) fault.error = ctx.text(++i)
      else if (ctx.is(i, 'delay')) fault.delayMs = ctx.integer(++i)
      else if (ctx.is(i, 'drop')) fault.drop = ctx.text(++i).toLowerCase() as 'before'
      else if (ctx.is(i, 'cut')) fault.cutReplyAt = ctx.integer(++i)
      else if (ctx.is(i, 'split')) fault.splitReply = ctx.integer(++i)
      else if (ctx.is(i, 'times')) scope.times = ctx.integer(++i)
      else if (ctx.is(i, 'skip')) scope.after = ctx.integer(++i)
      else if (ctx.is(i, 'client')) scope.client = ctx.text(++i)
      else throw new CommandError(SYNTAX)
    }
    inWords(() => faults.on(ctx.text(2), fault, scope))
    return OK
  }

  private snapshot(name: string): ModuleReply {
    inWords(() => this.snapshots.set(name, this.ready.state.snapshot()))
    return OK
  }

  private restore(name: string): ModuleReply {
    const snapshot = this.snapshots.get(name)
    if (snapshot === undefined) throw new CommandError('ERR no such snapshot')
    inWords(() => this.ready.state.restore(snapshot))
    return OK
  }

  private reset(): ModuleReply {
    const { state, trouble } = this.ready
    trouble.reset()
    inWords(() => state.reset({}))
    return OK
  }
}

/** Milliseconds, or '1h30m'. */
function durationIn(ctx: ModuleContext): number | string {
  const text = ctx.text(3)
  return Number.isFinite(Number(text)) ? Number(text) : text
}

/** What the library throws is an error reply. */
function inWords(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    throw new CommandError(`ERR ${(error as Error).message}`)
  }
}
