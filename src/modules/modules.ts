// Modules of one server: each with its commands as literals of the catalog, setup and teardown, timers.
//
//   file ─▶ RedstartModule ─▶ add(): commands, ACL ─▶ setUp(), after the dataset ─▶ unload() or the server's end
//
// Always: what a module throws outside of a command is logged and harms nothing else; only its setup may end a start.
// A module that is unloaded leaves nothing: commands, categories and timers go with it, or it stays.

import { stackOf } from '../engine/boundary.ts'
import type { Command } from '../engine/catalog/command.ts'
import type { LoadedModule } from '../engine/catalog/loaded-module.ts'
import { parseArguments } from '../engine/catalog/syntax-line.ts'
import type { Engine } from '../engine/engine.ts'
import { safeName } from '../engine/monitoring/info.ts'
import type { LoginRequest } from '../engine/ports/authenticator.ts'
import type { ModuleLoader } from '../engine/ports/modules.ts'
import { reasonOf } from '../lib/reason.ts'
import { oneLine } from '../lib/text.ts'
import { isUnwind } from '../lib/unwind.ts'
import type { ProcessView, System } from '../system/system.ts'
import { CallLock } from './call-lock.ts'
import { ModuleCaller } from './caller.ts'
import {
  CommandError,
  defineModule,
  type LoginAnswer,
  type ModuleCommand,
  type ModuleDefinition,
  type ModuleParameter,
  type ModuleServer,
  type ParameterValue,
  type RedstartModule,
} from './definition.ts'
import { type EventSources, ModuleEvents } from './events.ts'
import { ModuleFilters } from './filters.ts'
import { harmless } from './harmless.ts'
import { ModuleKeys } from './keys.ts'
import { ModuleRunner } from './runner.ts'
import { ModuleTypes } from './types.ts'
import { byteText, textOf } from './values.ts'

/** A module and where it came from. */
export interface ModuleToLoad {
  readonly module: RedstartModule
  readonly path?: string
  readonly args?: readonly string[]
}

/** Configuration parameters of modules; implemented by server/assembly/modules.ts. Names are 'module.name'. */
export interface ModuleParameters {
  /** False: there is a parameter of that name. */
  add(name: string, parameter: ModuleParameter, changed: () => string | undefined): boolean
  remove(name: string): void
  value(name: string): ParameterValue
  /** Sets the value of a parameter that was added; why not, or undefined. */
  set(name: string, text: string): string | undefined
}

/** A module that cannot be loaded, or whose setup failed. */
export class ModuleFailure extends Error {}

/** What a module decides about a login; names are byte strings. */
type DecideLogin = (request: LoginRequest) => LoginAnswer | Promise<LoginAnswer>

type ReadInfo = NonNullable<ModuleDefinition['info']>[string]

interface Loaded {
  readonly module: RedstartModule
  readonly shown: LoadedModule
  readonly server: ModuleServer
  readonly commands: readonly Command[]
  readonly cancels: Set<() => void>
  /** Take types and parameters back. */
  readonly added: (() => void)[]
  readonly state: { isGone: boolean }
  /** Rejects when the module is removed. */
  readonly gone: Gone
}

interface Gone {
  readonly promise: Promise<never>
  reject(): void
}

export class Modules implements ModuleLoader {
  private readonly engine: Engine
  private readonly system: System
  private readonly caller: ModuleCaller
  private readonly lock = new CallLock()
  private readonly parameters: ModuleParameters
  readonly events: ModuleEvents
  private readonly filters: ModuleFilters
  /** Of the modules that decide logins, in the order they were loaded. */
  readonly logins = new Set<DecideLogin>()
  /** Called when `logins` has changed. */
  loginsChanged: () => void = () => {}
  readonly types: ModuleTypes
  private readonly keys: ModuleKeys
  private all: readonly Loaded[] = []

  /** `keepsUnknown`: values of types that no module has are kept. */
  constructor(
    engine: Engine,
    system: System,
    parameters: ModuleParameters,
    sources: EventSources,
    keepsUnknown: () => boolean,
  ) {
    this.engine = engine
    this.system = system
    this.parameters = parameters
    this.caller = new ModuleCaller(engine, this.lock)
    this.events = new ModuleEvents(engine, sources)
    this.filters = new ModuleFilters(engine, this.lock)
    this.types = new ModuleTypes(engine, keepsUnknown, this.lock)
    this.keys = new ModuleKeys(engine, this.types, this.lock)
  }

  /** Adds the commands of a module. Throws a TypeError for what is none, a ModuleFailure for names that are taken. */
  add({ module, path = '', args = [] }: ModuleToLoad): Loaded {
    if (module?.isRedstartModule !== true) throw new TypeError('a module is what defineModule() returns')
    checked(module)
    const { name, version, aclCategories = [] } = module
    if (this.all.some(one => one.module.name === name)) throw new TypeError(`two modules are named '${name}'`)
    const { engine } = this
    const cancels = new Set<() => void>()
    const state = { isGone: false }
    const server = this.serverFor(name, cancels, state)
    const literals: Command[] = []
    const names = (module.commands ?? []).map(one => one.name)
    const loaded: Loaded = {
      module,
      shown: { name, version, path: byteText(path), args: args.map(byteText), commands: names },
      server,
      commands: literals,
      cancels,
      added: [],
      state,
      gone: goneOf(name),
    }
    const runner = new ModuleRunner(engine, { caller: this.caller, keys: this.keys, server, state })
    for (const command of module.commands ?? []) literals.push(literalOf(command, runner, byteText(name)))
    const refusal = engine.table.add(literals, aclCategories)
    if (refusal !== undefined) throw new ModuleFailure(`module '${name}': ${refusal}`)
    try {
      this.addTypes(loaded)
      this.become([...this.all, loaded])
      this.addParameters(loaded)
    } catch (error) {
      this.remove(loaded)
      throw error
    }
    if (module.auth !== undefined) this.addLogins(module.auth, loaded)
    return loaded
  }

  private addLogins(auth: NonNullable<ModuleDefinition['auth']>, { server, cancels, state }: Loaded): void {
    // The answer of a module that has gone meanwhile decides nothing.
    const named = (answer: LoginAnswer) => (state.isGone ? undefined : userOf(answer))
    const userOf = (answer: LoginAnswer) =>
      typeof answer === 'object' && typeof answer.user === 'string' ? { user: byteText(answer.user) } : answer
    const decide: DecideLogin = ({ user, password, client: { id, address } }) => {
      const answer = auth({ user: textOf(user), password: textOf(password), client: { id, address } }, server)
      return answer instanceof Promise ? answer.then(named) : named(answer)
    }
    this.logins.add(decide)
    this.loginsChanged()
    cancels.add(() => {
      this.logins.delete(decide)
      this.loginsChanged()
    })
  }

  /** Throws a ModuleFailure for a name that is taken, as addParameters() does; what was added by then is in `added`. */
  private addTypes({ module, added }: Loaded): void {
    for (const type of module.types ?? []) {
      if (!this.types.add(type))
        throw new ModuleFailure(`module '${module.name}': there is a type '${type.name}' already`)
      added.push(() => this.types.remove(type))
    }
  }

  private addParameters({ module, server, added }: Loaded): void {
    const { parameters, engine } = this
    for (const [short, parameter] of Object.entries(module.config ?? {})) {
      const name = `${module.name}.${short}`
      const changed = () => {
        let refusal: string | undefined = 'the module refused it'
        harmless(engine, `The listener of ${name}`, () => {
          refusal = parameter.changed?.(parameters.value(name), server)
        })
        return refusal === undefined ? undefined : byteText(refusal)
      }
      if (!parameters.add(name, parameter, changed))
        throw new ModuleFailure(`module '${module.name}': there is a parameter '${name}' already`)
      added.push(() => parameters.remove(name))
    }
  }

  get list(): readonly RedstartModule[] {
    return this.all.map(one => one.module)
  }

  private become(all: readonly Loaded[]): void {
    this.all = all
    this.engine.table.modules = all.map(one => one.shown)
    this.engine.acl.commandsChanged()
  }

  /** After the dataset was loaded. Throws a ModuleFailure. */
  async setUp(): Promise<void> {
    for (const one of this.all) await setUpOne(one)
    this.events.tellNow('loaded', {})
  }

  // ---- MODULE ----

  async load(path: string, args: readonly string[], parameters: ReadonlyMap<string, string>): Promise<boolean> {
    const { engine, system } = this
    const file = textOf(path)
    let added: Loaded | undefined
    try {
      added = this.add(await moduleOfFile(file, args.map(textOf), system.process))
      this.configure(added, parameters)
      // A setup that does not end can be unloaded all the same.
      await Promise.race([setUpOne(added), added.gone.promise])
      engine.log?.('notice', `Module '${added.module.name}' loaded from ${file}`)
      this.events.tell('module', { name: added.module.name, event: 'loaded' })
      return true
    } catch (error) {
      if (isUnwind(error)) throw error
      engine.log?.('warning', `Module ${file} failed to load: ${reasonOf(error)}`)
      if (added !== undefined && !added.state.isGone) this.remove(added)
      return false
    }
  }

  /** CONFIG of MODULE LOADEX. Throws a ModuleFailure. */
  private configure({ module }: Loaded, values: ReadonlyMap<string, string>): void {
    for (const [name, value] of values) {
      const short = Object.keys(module.config ?? {}).find(one => `${module.name}.${one}` === name)
      const refusal = short === undefined ? 'it has no such parameter' : this.parameters.set(name, value)
      if (refusal !== undefined) throw new ModuleFailure(`module '${module.name}': ${name}: ${refusal}`)
    }
  }

  unload(name: string): string | undefined {
    const found = this.all.find(one => byteText(one.module.name) === name)
    if (found === undefined) return 'no such module with that name'
    if ((found.module.types ?? []).length > 0)
      return "the module exports one or more module-side data types, can't unload"
    if (this.hasWaiting(found))
      return 'the module has blocked clients. Please wait for them to be unblocked and try again'
    const { engine } = this
    try {
      found.module.teardown?.()
    } catch (error) {
      if (isUnwind(error)) throw error
      engine.log?.('warning', `Module ${name}: its teardown has failed, it stays: ${stackOf(error)}`)
      return 'operation not possible.'
    }
    this.remove(found)
    engine.log?.('notice', `Module ${name} unloaded`)
    this.events.tell('module', { name: found.module.name, event: 'unloaded' })
    return undefined
  }

  private hasWaiting({ commands }: Loaded): boolean {
    const all = new Set(commands.flatMap(one => [one, ...(one.subcommands ?? [])]))
    for (const { blocked } of this.engine.blocking.clients) if (all.has(blocked!.command.entry.command)) return true
    return false
  }

  private remove(loaded: Loaded): void {
    loaded.state.isGone = true
    loaded.gone.reject()
    for (const cancel of loaded.cancels) cancel()
    for (const takeBack of loaded.added) takeBack()
    this.engine.table.remove(loaded.commands, loaded.module.aclCategories ?? [])
    this.become(this.all.filter(one => one !== loaded))
  }

  tearDown(): void {
    this.events.tellNow('shutdown', {})
    for (const { cancels } of this.all) for (const cancel of cancels) cancel()
    for (const { module } of this.all)
      harmless(this.engine, `The teardown of module ${module.name}`, () => module.teardown?.())
    // What a teardown has begun: a timer would keep the program alive.
    for (const { cancels } of this.all) for (const cancel of cancels) cancel()
  }

  // ---- INFO ----

  /** The modules' sections; a module is asked for the fields of those that are wanted. */
  *sections(): Generator<{ module: string; name: string; fields(): [string, string | number][] }> {
    for (const { module, server } of this.all)
      for (const [short, read] of Object.entries(module.info ?? {})) {
        const fields = () => this.fieldsOf(module.name, read, server)
        yield { module: module.name, name: short === '' ? module.name : `${module.name}_${short}`, fields }
      }
  }

  /** What throws is logged and has no fields. */
  private fieldsOf(module: string, read: ReadInfo, server: ModuleServer): [string, string | number][] {
    const fields: [string, string | number][] = []
    harmless(this.engine, `INFO of module ${module}`, () => {
      for (const [name, value] of Object.entries(read(server)))
        fields.push([`${module}_${safeName(name)}`, typeof value === 'number' ? value : lineOf(value)])
    })
    return fields
  }

  // ---- what a module gets ----

  private serverFor(name: string, cancels: Set<() => void>, state: { readonly isGone: boolean }): ModuleServer {
    const { engine, caller } = this
    const { clock } = this.system
    const mustBeLoaded = () => {
      if (state.isGone) throw new CommandError('ERR the module has been unloaded')
    }
    /** The same, refused when the module has gone. */
    const whileLoaded = <Args extends unknown[], Result>(work: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        mustBeLoaded()
        return work(...args)
      }
    }
    return {
      call: whileLoaded((...words) => caller.call(words, undefined, undefined, false)),
      callWith: ({ as, bytes }, ...words) => {
        mustBeLoaded()
        const call = () => caller.call(words, undefined, undefined, bytes === true)
        return typeof as === 'object' ? caller.asUser(as.user, undefined, call) : call()
      },
      refusal: ({ as }, ...words) => {
        mustBeLoaded()
        const judge = () => caller.refusal(words, undefined)
        return typeof as === 'object' ? caller.asUser(as.user, undefined, judge) : judge()
      },
      atomically: work => {
        mustBeLoaded()
        return caller.atomically(work)
      },
      nowMs: () => clock.nowMs(),
      random: () => engine.random(),
      on: (event, listener) => {
        mustBeLoaded()
        return cancelled(cancels, this.events.on(event, listener))
      },
      filter: whileLoaded((filter, options) => cancelled(cancels, this.filters.add(filter, options))),
      filterReplies: whileLoaded(filter => cancelled(cancels, this.filters.addOfReplies(filter))),
      config: parameter => {
        mustBeLoaded()
        const value = this.parameters.value(`${name}.${parameter}`)
        if (value === undefined) throw new TypeError(`module '${name}' has no parameter '${parameter}'`)
        return value
      },
      closeClient: id => {
        mustBeLoaded()
        const client = engine.clients.get(id)
        if (client !== undefined) engine.closeClient(client)
        return client !== undefined
      },
      log: (level, text) => engine.log?.(level, text),
      after: whileLoaded((ms, work) => this.timer('after', ms, work, cancels)),
      every: whileLoaded((ms, work) => this.timer('every', ms, work, cancels)),
    }
  }

  private timer(kind: 'after' | 'every', ms: number, work: () => void, cancels: Set<() => void>): () => void {
    const { timers } = this.system
    const timer = timers[kind](ms, () => {
      if (kind === 'after') cancels.delete(cancel)
      harmless(this.engine, 'A timer of a module', work)
    })
    const cancel = () => {
      timers.cancel(timer)
      cancels.delete(cancel)
    }
    cancels.add(cancel)
    return cancel
  }
}

/** `end` is called by the function that is returned, or with the module's end. */
function cancelled(cancels: Set<() => void>, end: () => void): () => void {
  const cancel = () => {
    cancels.delete(cancel)
    end()
  }
  cancels.add(cancel)
  return cancel
}

/** Reads a module from a file. Rejects when there is none in it. */
export async function moduleOfFile(path: string, args: readonly string[], process: ProcessView): Promise<ModuleToLoad> {
  const definition = await process.importFile(path)
  if (typeof definition !== 'object' || definition === null)
    throw new ModuleFailure('its default export is no module: use defineModule()')
  return { module: checked(definition as ModuleDefinition), path, args }
}

function checked(definition: ModuleDefinition): RedstartModule {
  const { isRedstartModule: _, ...parts } = definition as RedstartModule
  return defineModule(parts)
}

function literalOf(command: ModuleCommand, runner: ModuleRunner, module: string): Command {
  mustBeReadable(command)
  const { timeoutMs: _, propagation: __, subcommands, channels, run, ...facts } = command
  return {
    ...facts,
    since: facts.since ?? '1.0.0',
    group: 'module',
    module,
    summary: facts.summary ?? '',
    flags: `module ${facts.flags}`.trim(),
    subcommands: subcommands?.map(one => literalOf(one, runner, module)),
    channelUses: channels === undefined ? undefined : args => runner.channelsOf(command.name, channels, args),
    run: run === undefined ? undefined : runner.handlerOf(command),
  }
}

/** COMMAND DOCS would find out too late. Throws a ModuleFailure. */
function mustBeReadable({ name, args }: ModuleCommand): void {
  if (args === undefined) return
  try {
    parseArguments(args)
  } catch (error) {
    throw new ModuleFailure(`command '${name}': ${(error as Error).message}`)
  }
}

function goneOf(name: string): Gone {
  let reject = () => {}
  const promise = new Promise<never>((_, rejected) => {
    reject = () => rejected(new ModuleFailure(`module '${name}' was unloaded before its setup had ended`))
  })
  // Nobody may be waiting.
  promise.catch(() => {})
  return { promise, reject }
}

async function setUpOne({ module, server, shown }: Loaded): Promise<void> {
  try {
    await module.setup?.(server, shown.args.map(textOf))
  } catch (error) {
    throw new ModuleFailure(`module '${module.name}': its setup has failed: ${reasonOf(error)}`)
  }
}

function lineOf(value: string): string {
  return oneLine(byteText(String(value)))
}
