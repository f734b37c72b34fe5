// REDSTART …: the clock, faults and snapshots of a server as commands, for tests in other languages. Only with
// --test-commands on the command line.
//
//   REDSTART CLOCK NOW | ADVANCE duration | SET ms | FREEZE | RESUME
//   REDSTART FAULT command|* ERROR text | DELAY ms | HANG | DROP BEFORE|AFTER | CUT bytes | SPLIT bytes
//                  [TIMES n] [SKIP n] [CLIENT name]
//   REDSTART FAULT CLEAR
//   REDSTART SNAPSHOT name | RESTORE name | RESET
//   REDSTART FORK                                    the port of another server with a copy of the dataset
//
// Always: they run between other commands, never within a transaction or a script.

import { Config } from '../config/config.ts'
import {
  encodingDirectives,
  memoryDirectives,
  observationDirectives,
  securityDirectives,
} from '../config/directives-data.ts'
import type { AnyDirective } from '../config/kinds.ts'
import {
  CommandError,
  defineModule,
  type ModuleContext,
  type ModuleReply,
  type RedstartModule,
  reply,
} from '../modules/definition.ts'
import { addressesOf } from '../server/addresses.ts'
import { Logger } from '../server/log.ts'
import { Server } from '../server/server.ts'
import { ServerTime } from '../system/server-time.ts'
import { VirtualDisk } from '../system/virtual-disk.ts'
import { EmbeddedClock } from './clock.ts'
import type { Fault } from './faults.ts'
import { ServerState, type Snapshot, setUsers } from './state.ts'
import { Trouble } from './trouble.ts'

/** Directives that a fork has as its original: about data, clients' rights and what is observed. */
const SHARED: ReadonlySet<AnyDirective> = new Set(
  Object.entries({ ...memoryDirectives, ...encodingDirectives, ...securityDirectives, ...observationDirectives })
    .filter(([name]) => name !== 'aclfile' && !name.startsWith('storage'))
    .map(([, kind]) => kind),
)

const OK = reply.simple('OK')
const SYNTAX = 'ERR syntax error'

type Handler = (ctx: ModuleContext) => ModuleReply | Promise<ModuleReply>

export class TestCommands {
  readonly module: RedstartModule
  private readonly snapshots = new Map<string, Snapshot>()
  private parts:
    | { server: Server; time: ServerTime; clock: EmbeddedClock; state: ServerState; trouble: Trouble }
    | undefined

  constructor() {
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
        subcommand('fork', 2, 'Start another server with a copy of the dataset; its port.', () => this.fork()),
        subcommand('reset', 2, 'Make the server as it was at its start, without data.', () => this.reset()),
      ],
    }
    this.module = defineModule({ name: 'redstart-test', version: 1, apiVersion: 1, commands: [redstart] })
  }

  /** The server that has the module; it is as it was made, but for loaded data. */
  attach(server: Server, time: ServerTime): void {
    const clock = new EmbeddedClock(server, time)
    this.parts = { server, time, clock, state: new ServerState(server), trouble: new Trouble(server) }
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

  private fork(): Promise<number> {
    const { server, time, state } = this.ready
    return startFork(server, time, state.snapshot())
  }

  private reset(): ModuleReply {
    const { state, trouble } = this.ready
    trouble.reset()
    inWords(() => state.reset({}))
    return OK
  }
}

/** A server in this process on a free port, with this dataset and the other's settings, users and clock. */
async function startFork(of: Server, time: ServerTime, data: Snapshot): Promise<number> {
  const clock = new ServerTime(time.isStill ? time.nowMs() : undefined)
  clock.follow(time)
  const disk = new VirtualDisk(clock.timers, () => clock.nowMs(), '/')
  const system = { ...of.system, clock: clock.clock, timers: clock.timers, disk }
  const config = new Config(disk, { embedded: true })
  config.put('databases', BigInt(of.config.databases))
  config.put('port', 0n)
  config.put('save', [])
  const commands = new TestCommands()
  const { engine } = of
  const server = new Server(config, system, new Logger(system, config), {
    failed: error => of.log.warning(`A fork has failed: ${error.message}`),
    mayRest: true,
    modules: [{ module: commands.module }],
  })
  const image = new Map(config.image())
  for (const [kind, value] of of.config.image()) if (SHARED.has(kind)) image.set(kind, value)
  await config.restore(image)
  setUsers(
    server.engine.acl,
    engine.acl.all.map(({ line }) => line),
  )
  server.maintenance.start()
  await server.load()
  commands.attach(server, clock)
  new ServerState(server).restore(data)
  const [{ host }] = addressesOf(of.config.bind)
  return server.listenOn(host, 0)
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
