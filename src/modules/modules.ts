// Modules of one server: their commands as literals of the catalog, setup and teardown, timers.
//
//   RedstartModule ─▶ commands (before the engine is made) ─▶ attach(engine) ─▶ setUp() after loading ─▶ tearDown()
//
// Always: what a module throws outside of a command is logged and harms nothing else; only its setup may end a start.

import type { Command } from '../engine/catalog/command.ts'
import type { LoadedModule } from '../engine/catalog/loaded-module.ts'
import type { Engine } from '../engine/engine.ts'
import { Unwind } from '../lib/unwind.ts'
import type { System } from '../system/system.ts'
import { ModuleCaller } from './caller.ts'
import { defineModule, type ModuleCommand, type ModuleServer, type RedstartModule } from './definition.ts'
import { ModuleRunner } from './runner.ts'

/** A module and where it came from. */
export interface ModuleToLoad {
  readonly module: RedstartModule
  readonly path?: string
  readonly args?: readonly string[]
}

/** A module whose setup failed. */
export class ModuleFailure extends Error {}

export class Modules {
  readonly list: readonly LoadedModule[]
  readonly commands: readonly Command[]
  readonly aclCategories: readonly string[]
  private readonly all: readonly ModuleToLoad[]
  private readonly system: System
  private readonly cancels = new Set<() => void>()
  private runner!: ModuleRunner
  private server!: ModuleServer

  /** Throws a TypeError for what is no module. */
  constructor(all: readonly ModuleToLoad[], system: System) {
    this.all = all
    this.system = system
    const names = new Set<string>()
    for (const { module } of all) {
      if (module?.isRedstartModule !== true) throw new TypeError('a module is what defineModule() returns')
      const { isRedstartModule: _, ...definition } = module
      defineModule(definition)
      if (names.has(module.name)) throw new TypeError(`two modules are named '${module.name}'`)
      names.add(module.name)
    }
    this.list = all.map(({ module, path = '', args = [] }) => ({
      name: module.name,
      version: module.version,
      path,
      args,
      commands: (module.commands ?? []).map(one => one.name),
    }))
    this.commands = all.flatMap(({ module }) => (module.commands ?? []).map(one => this.literal(one)))
    this.aclCategories = all.flatMap(({ module }) => module.aclCategories ?? [])
  }

  private literal(command: ModuleCommand): Command {
    const { timeoutMs: _, subcommands, run, ...facts } = command
    return {
      since: '1.0.0',
      group: 'module',
      summary: '',
      ...facts,
      flags: `module ${facts.flags}`.trim(),
      subcommands: subcommands?.map(one => this.literal(one)),
      run: run === undefined ? undefined : ctx => this.runner.run(ctx, command),
    }
  }

  attach(engine: Engine): void {
    const caller = new ModuleCaller(engine)
    const { clock } = this.system
    this.server = {
      call: (...words) => caller.call(words, undefined, undefined, false),
      callWith: ({ bytes }, ...words) => caller.call(words, undefined, undefined, bytes === true),
      atomically: work => caller.atomically(work),
      nowMs: () => clock.nowMs(),
      random: () => engine.random(),
      log: (level, text) => engine.log?.(level, text),
      after: (ms, work) => this.timer('after', ms, work, engine),
      every: (ms, work) => this.timer('every', ms, work, engine),
    }
    this.runner = new ModuleRunner(engine, caller, this.server)
    engine.table.modules = this.list
  }

  /** After the dataset was loaded. Throws a ModuleFailure. */
  async setUp(): Promise<void> {
    for (const { module, args = [] } of this.all) {
      try {
        await module.setup?.(this.server, args)
      } catch (error) {
        throw new ModuleFailure(`module '${module.name}': its setup has failed: ${(error as Error)?.message ?? error}`)
      }
    }
  }

  tearDown(log: (text: string) => void): void {
    for (const cancel of this.cancels) cancel()
    for (const { module } of this.all) harmless(() => module.teardown?.(), log, `The teardown of module ${module.name}`)
  }

  private timer(kind: 'after' | 'every', ms: number, work: () => void, engine: Engine): () => void {
    const { timers } = this.system
    const timer = timers[kind](ms, () => {
      if (kind === 'after') this.cancels.delete(cancel)
      harmless(work, text => engine.log?.('warning', text), 'A timer of a module')
    })
    const cancel = () => {
      timers.cancel(timer)
      this.cancels.delete(cancel)
    }
    this.cancels.add(cancel)
    return cancel
  }
}

/** Runs a module's code; what it throws is logged. */
function harmless(work: () => void, log: (text: string) => void, what: string): void {
  try {
    work()
  } catch (error) {
    if (error instanceof Unwind) throw error
    log(`${what} has thrown: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
