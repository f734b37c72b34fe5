// Config: the values of all directives of one server.
//
//   new Config(disk)   every directive at its default
//   config.maxmemory   a field per directive, camel-cased, for reading anywhere (see ConfigFields)
//   config.get / config.set / config.rewrite     CONFIG GET, SET and REWRITE
//   config.onChange(['port', 'bind'], applyPort)  called after CONFIG SET changed one of them; may refuse
//   config.mirrorInto(settings, names)   keeps those fields of the core's settings equal
//   config.put('replicaof', { host, port })       the server itself changes a value: no checks, no callbacks
//
// Always: a field is computed from the stored value, and only this class writes either. A value that was never set is
// stored nowhere: its field is the prototype's.
// Strings are byte strings (words.ts), except fields that are paths, which are ordinary text.

import { globMatch } from '../lib/glob.ts'
import { Slice } from '../lib/slice.ts'
import { cText } from '../lib/text.ts'
import type { FileSystem } from '../system/system.ts'
import {
  type ConfigFields,
  DIRECTIVES,
  type DirectiveName,
  directiveNamed,
  type NamedDirective,
  type StoredOf,
} from './directives.ts'
import { type AnyDirective, type Reading, Refusal } from './kinds.ts'
import { type NamedLines, rewriteText } from './rewrite.ts'
import { refuseWithoutEffect } from './support.ts'

/**
 * Applies a changed value. A text is the reason why that is impossible: all values are then restored. A promise for
 * work that takes time (sockets): CONFIG SET is replied to when it is fulfilled.
 */
type Apply = (config: Config) => string | undefined | Promise<string | undefined>

/** null, or the error line of Redis without the leading dash. */
type SetAnswer = string | null | Promise<string | null>

/** The client that runs CONFIG SET. */
interface Caller {
  /** The dataset is being loaded. */
  loading?: boolean
  /** The client is on this machine. */
  local?: boolean
}

/** A statement of the file that is no directive's value; applied by config-statements.ts. */
interface FileStatement {
  words: readonly string[]
  line: number
  text: string
}

interface ConfigOptions {
  warn?: (text: string) => void
  /** Takes values that would have no effect (support.ts) as well: to test how words are read. */
  takesEverything?: boolean
  /** The process belongs to another program: directives about it are refused. */
  embedded?: boolean
}

export interface Config extends ConfigFields {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: every field is the prototype's, below
export class Config {
  /** Absolute path of the configuration file, '' without one. */
  configFile = ''
  /** Sentinel mode: `sentinel` lines are statements of the file. */
  sentinel = false
  /** Lines of rename-command, user, loadmodule, sentinel and settings of modules, in order, not applied yet. */
  readonly statements: FileStatement[] = []
  readonly disk: FileSystem
  /** Logs a warning. */
  readonly warn: (text: string) => void
  readonly #options: ConfigOptions
  /** Values that were set. */
  readonly #stored = new Map<AnyDirective, unknown>()
  readonly #mirrors: { target: { [field: string]: unknown }; names: ReadonlySet<string> }[] = []
  /** Those of modules, by name. */
  readonly #added = new Map<string, NamedDirective>()
  readonly #applies = new Map<AnyDirective, Apply[]>()

  constructor(disk: FileSystem, options: ConfigOptions = {}) {
    this.disk = disk
    this.warn = options.warn ?? (() => {})
    this.#options = options
    this.put('dir', disk.cwd())
  }

  /** Names and values as CONFIG GET prints them: names match patterns; hidden directives need their exact name. */
  get(patterns: readonly string[]): [name: string, value: string][] {
    const found = new Map<string, [string, string]>()
    const add = (name: string, directive: NamedDirective) => {
      const key = name.toLowerCase()
      if (!found.has(key)) found.set(key, [name, this.#print(directive)])
    }
    for (const pattern of patterns) {
      if (!isPattern(pattern)) {
        const directive = this.#named(pattern)
        if (directive) add(pattern, directive)
        continue
      }
      const glob = Slice.of(pattern)
      for (const { name, bytes, directive } of LISTED)
        if (!found.has(name) && globMatch(glob, bytes, true)) add(name, directive)
      for (const [name, directive] of this.#added)
        if (directive.kind.hidden !== true && globMatch(glob, Slice.of(name), true)) add(directive.name, directive)
    }
    return [...found.values()]
  }

  /** What CONFIG GET prints for one directive; undefined when there is no such directive. */
  print(name: string): string | undefined {
    const directive = this.#named(name)
    return directive ? this.#print(directive) : undefined
  }

  /** Sets all the pairs, or none. A promise only when an Apply returned one. */
  set(pairs: readonly (readonly [name: string, value: string])[], caller: Caller = {}): SetAnswer {
    const directives: NamedDirective[] = []
    const names: string[] = []
    for (const [name] of pairs) {
      const directive = this.#named(name)
      if (!directive) return `ERR Unknown option or number of arguments for CONFIG SET - '${cText(name)}'`
      const refusal = this.#refusal(directive, caller)
      if (refusal === LOADING) return refusal
      if (refusal) return failed(name, refusal)
      if (names.includes(name.toLowerCase())) return failed(name, 'duplicate parameter')
      directives.push(directive)
      names.push(name.toLowerCase())
    }
    const before = directives.map(directive => this.#print(directive))
    const applies = new Map<Apply, string>()
    for (const [i, directive] of directives.entries()) {
      try {
        const changed = this.#setWords(directive, runtimeWords(directive, pairs[i][1]), null)
        if (!changed) continue
        for (const apply of this.#applies.get(directive.kind) ?? [])
          if (!applies.has(apply)) applies.set(apply, names[i])
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        this.#restore(directives.slice(0, i + 1), before)
        return failed(names[i], error.message)
      }
    }
    return this.#apply([...applies], 0, () => this.#restore(directives, before))
  }

  /**
   * Calls `apply` after a CONFIG SET has changed one of these directives; once, when it has changed several. Each may
   * have several listeners, called in the order of registration.
   */
  onChange(names: DirectiveName | readonly DirectiveName[], apply: Apply): void {
    for (const name of typeof names === 'string' ? [names] : names) {
      const { kind } = directiveNamed(name)!
      const known = this.#applies.get(kind)
      if (known === undefined) this.#applies.set(kind, [apply])
      else known.push(apply)
    }
  }

  /** Sets a value from the words of a configuration file; throws Refusal. */
  setFromFile(directive: NamedDirective, words: readonly string[], seenInFile: Set<string>): void {
    this.#setWords(directive, words, seenInFile)
    seenInFile.add(directive.name)
  }

  // ---- directives of modules ----

  /** Adds a directive, at its default; `apply` is as in onChange(). False: the name is taken. */
  addDirective(name: string, kind: AnyDirective, apply: Apply): boolean {
    if (this.#named(name) !== null) return false
    this.#added.set(name.toLowerCase(), { name, field: name, kind })
    this.#applies.set(kind, [apply])
    return true
  }

  removeDirective(name: string): void {
    const kind = this.#added.get(name.toLowerCase())?.kind
    if (kind === undefined) return
    this.#added.delete(name.toLowerCase())
    this.#stored.delete(kind)
    this.#applies.delete(kind)
  }

  /** A directive that was added. */
  added(name: string): NamedDirective | undefined {
    return this.#added.get(name.toLowerCase())
  }

  /** The value of one that was added, as the server reads it. */
  addedValue(name: string): unknown {
    const directive = this.added(name)
    return directive?.kind.field(this.#valueOf(directive.kind))
  }

  #named(name: string): NamedDirective | null {
    return directiveNamed(name) ?? this.added(name) ?? null
  }

  /** Changes a value without checks and callbacks: for the server itself. */
  put<Name extends DirectiveName>(name: Name, stored: StoredOf<Name>): void {
    this.#store(directiveNamed(name)!, stored)
  }

  /** The values now that were set, for restore(). */
  image(): ReadonlyMap<AnyDirective, unknown> {
    return new Map(this.#stored)
  }

  /** Every value becomes as it was, as by CONFIG SET; an error line when that is refused. */
  restore(image: ReadonlyMap<AnyDirective, unknown>): SetAnswer {
    const applies = new Map<Apply, string>()
    for (const directive of DIRECTIVES) {
      const { kind, name } = directive
      const value = image.has(kind) ? image.get(kind) : kind.initial
      if (value === this.#valueOf(kind)) continue
      this.#store(directive, value)
      for (const apply of this.#applies.get(kind) ?? []) applies.set(apply, name)
    }
    return this.#apply([...applies], 0, () => {})
  }

  /** Keeps these fields of `target` equal to ours, from now on. */
  mirrorInto<Name extends keyof ConfigFields>(
    target: { [name in Name]: ConfigFields[name] },
    names: readonly Name[],
  ): void {
    const mirror = { target: target as { [field: string]: unknown }, names: new Set<string>(names) }
    this.#mirrors.push(mirror)
    for (const name of names) mirror.target[name] = this[name]
  }

  /** Whether values of this directive are secrets, which logs must not show. */
  isSensitive(name: string): boolean {
    return this.#named(name)?.kind.sensitive === true
  }

  /** Whether a guarded action is allowed for this client: enable-debug-command and the like. */
  allows(setting: 'no' | 'yes' | 'local', local: boolean): boolean {
    return setting === 'yes' || (setting === 'local' && local)
  }

  /**
   * CONFIG REWRITE: the configuration file with the current values; comments, order and unknown statements stay.
   * `users` are the 'user ...' lines to write (none when there is an ACL file). With `everything`, defaults are
   * written too, a sentinel's save points never. `more` are the lines of statements that the configuration itself
   * does not know.
   */
  rewrite(
    oldText: string,
    users: readonly string[] = [],
    everything = false,
    more: readonly NamedLines[] = [],
  ): string {
    const saved = this.sentinel ? DIRECTIVES.filter(({ name }) => name !== 'save') : DIRECTIVES
    const lines = [...saved, ...this.#added.values()].map(one => ({
      name: one.name,
      // The primary of a cluster's node is the cluster's choice, and not allowed in its file.
      lines: this.clusterEnabled && one.name === 'replicaof' ? [] : one.kind.lines(one.name, this.#valueOf(one.kind)),
    }))
    const statements = [{ name: 'user', lines: needed(users) }, ...more]
    return rewriteText(oldText, [...lines, ...statements], { everything })
  }

  #print(directive: NamedDirective): string {
    return directive.kind.print(this.#valueOf(directive.kind))
  }

  #valueOf(kind: AnyDirective): unknown {
    return this.#stored.has(kind) ? this.#stored.get(kind) : kind.initial
  }

  #store({ kind, field }: NamedDirective, value: unknown): void {
    this.#stored.set(kind, value)
    if (this.#added.size > 0 && this.added(field)?.kind === kind) return
    const plain = kind.field(value)
    ;(this as unknown as { [field: string]: unknown })[field] = plain
    for (const { target, names } of this.#mirrors) if (names.has(field)) target[field] = plain
  }

  /** True when the value has changed. */
  #setWords(directive: NamedDirective, words: readonly string[], seenInFile: Set<string> | null): boolean {
    const reading: Reading = { disk: this.disk, seenInFile, warn: this.warn }
    const before = this.#print(directive)
    const { name, kind } = directive
    const value = kind.parse(words, this.#valueOf(kind), reading)
    const { takesEverything, embedded } = this.#options
    if (!takesEverything) refuseWithoutEffect(name, kind.print(value), kind.print(kind.initial), embedded === true)
    this.#store(directive, value)
    return kind.volatile === true || this.#print(directive) !== before
  }

  #refusal({ kind }: NamedDirective, caller: Caller): string | null {
    if (kind.immutable) return "can't set immutable config"
    if (kind.protected && !this.allows(this.enableProtectedConfigs, caller.local === true))
      return "can't set protected config"
    return caller.loading && kind.notWhileLoading ? LOADING : null
  }

  /** Runs applies[from ..]; after a refusal restores all values and runs them all again for the old values. */
  #apply(applies: readonly [Apply, string][], from: number, restore: () => void): SetAnswer {
    for (let i = from; i < applies.length; i++) {
      const outcome = applies[i][0](this)
      if (outcome instanceof Promise)
        return outcome.then(refusal =>
          refusal ? this.#undo(applies, applies[i][1], refusal, restore) : this.#apply(applies, i + 1, restore),
        )
      if (outcome) return this.#undo(applies, applies[i][1], outcome, restore)
    }
    return null
  }

  #undo(applies: readonly [Apply, string][], name: string, refusal: string, restore: () => void): SetAnswer {
    this.warn(
      `Failed applying new configuration. Possibly related to new ${name} setting. Restoring previous settings.`,
    )
    restore()
    const outcomes = applies.map(([apply]) => apply(this))
    const report = (second: string | undefined) => {
      if (second) this.warn(`Failed applying restored failed CONFIG SET command: ${second}`)
    }
    const answer = failed(name, refusal)
    if (outcomes.some(outcome => outcome instanceof Promise))
      return Promise.all(outcomes).then(seconds => {
        for (const second of seconds) report(second)
        return answer
      })
    for (const second of outcomes) report(second as string | undefined)
    return answer
  }

  #restore(directives: readonly NamedDirective[], before: readonly string[]): void {
    for (const [i, directive] of directives.entries()) {
      try {
        this.#setWords(directive, runtimeWords(directive, before[i]), null)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        this.warn(
          `Failed restoring failed CONFIG SET command. Error setting ${directive.name} to '${before[i]}': ${error.message}`,
        )
      }
    }
  }
}

const initial = Config.prototype as unknown as { [field: string]: unknown }
for (const { field, kind } of DIRECTIVES) initial[field] = kind.field(kind.initial)

const LOADING = 'LOADING Redis is loading the dataset in memory'

/** Every name that patterns match. */
const LISTED = DIRECTIVES.filter(({ kind }) => !kind.hidden).flatMap(directive => {
  const { alias } = directive.kind
  const names = alias === undefined ? [directive.name] : [directive.name, alias]
  return names.map(name => ({ name, bytes: Slice.of(name), directive }))
})

function isPattern(name: string): boolean {
  return name.includes('*') || name.includes('?') || name.includes('[')
}

function failed(name: string, why: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`
}

/** The value of CONFIG SET as words: split at single spaces, so that two spaces make an empty word. */
export function runtimeWords(directive: NamedDirective, value: string): string[] {
  if (!directive.kind.manyWords) return [value]
  return value === '' ? [] : value.split(' ')
}

function needed(lines: readonly string[]) {
  return lines.map(text => ({ text, needed: true }))
}
