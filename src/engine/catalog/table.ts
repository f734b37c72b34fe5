// CommandTable: the commands of one server. The literals it is built from are shared between servers; an entry adds
// what dispatch needs as bits, and the counters of this server.
//
//   literals ──▶ TableEntry (flags, categories, legacy key range, counters) ──▶ index by name ──▶ lookup
//                     └─ subcommands: entries of their own, in an index of the container
//
// Always: an entry's id is its place in `all`, containers before their subcommands; ids survive rename-command.
// When the commands of a module go, those behind them get new ids, and Acl.commandsChanged() follows.

import { Slice } from '../../lib/slice.ts'
import {
  CMD_NO_MANDATORY_KEYS,
  CMD_ONLY_SENTINEL,
  CMD_SENTINEL,
  COMMAND_FLAGS,
  type Command,
  type CommandHandler,
  HIDDEN_FLAGS,
  type KeyFinderName,
} from './command.ts'
import { type Facts, factsOf, type LegacyRange, namesOf, withCategories } from './facts.ts'
import { findKeys, getKeys, hasKeys, KeyPositions, type KeySpec, keyFlagNames } from './keyspecs.ts'
import type { LoadedModule } from './loaded-module.ts'
import { NameIndex } from './name-index.ts'
import { type Argument, parseArguments } from './syntax-line.ts'

const NO_SUBS: readonly TableEntry[] = []

export class TableEntry {
  readonly command: Command
  /** 'get', or 'config|get' for a subcommand: as COMMAND LIST prints it, whatever rename-command did. */
  readonly fullName: string
  readonly parent: TableEntry | undefined
  /** Dense over the table. */
  id: number
  readonly arity: number
  /** CMD_ bits. */
  readonly flags: number
  /** ACL_CATEGORIES bits, and those of the server's extensions. */
  readonly categories: number
  readonly keySpecs: readonly KeySpec[]
  readonly keyFinder: KeyFinderName | undefined
  /** The keys as COMMAND INFO prints them for clients that know no key specs. */
  readonly range: LegacyRange
  readonly run: CommandHandler
  /** O(1): dispatch times only a sample of its calls. */
  readonly constantTime: boolean
  /** MULTI does not queue it. */
  readonly runsInMulti: boolean
  /** In the order of the literals. Empty unless a container. */
  subs: readonly TableEntry[] = NO_SUBS
  subIndex: NameIndex<TableEntry> | undefined = undefined

  // INFO commandstats.
  calls = 0
  usec = 0
  /** `calls` when one was last timed: usec covers the calls up to there. */
  timedCalls = 0
  rejected = 0
  failed = 0

  /** `runs`: of a server's table, not of a model's, which leaves the handler where it is. */
  constructor(command: Command, id: number, parent: TableEntry | undefined, facts: Facts, runs: boolean) {
    this.command = command
    this.fullName = facts.fullName
    this.parent = parent
    this.id = id
    this.arity = command.arity
    this.keySpecs = facts.keySpecs
    this.keyFinder = command.keyFinder
    this.range = facts.range
    this.flags = facts.flags
    this.categories = facts.categories
    this.run = (runs ? command.run : undefined) ?? notRunnable
    this.runsInMulti = facts.runsInMulti
    this.constantTime = facts.constantTime
  }

  /** The words COMMAND INFO prints. */
  flagNames(): string[] {
    const shown = this.flags & ~HIDDEN_FLAGS
    return namesOf(COMMAND_FLAGS, shown)
  }

  /** The argument tree of COMMAND DOCS, read anew each time. */
  arguments(): Argument[] {
    return this.command.args === undefined ? [] : parseArguments(this.command.args)
  }

  /** True when argc, the name included, fits its arity; never for a container without a subcommand. */
  takes(argc: number): boolean {
    if (this.arity > 0) return argc === this.arity
    return argc >= -this.arity && (this.subs.length === 0 || this.command.run !== undefined)
  }

  /** A call without any key is valid, as in EVAL. */
  mayHaveNoKeys(): boolean {
    return (this.flags & CMD_NO_MANDATORY_KEYS) !== 0
  }

  hasKeys(): boolean {
    return hasKeys(this)
  }

  /** As getKeys of keyspecs.ts. */
  getKeys(args: Slice[], argc: number, out: KeyPositions, withNotKeys = false): number {
    return getKeys(this, args, argc, out, withNotKeys)
  }

  /** The keys that are tracked. */
  findKeys(args: Slice[], argc: number, out: KeyPositions): number {
    return findKeys(this, args, argc, out)
  }

  resetStats(): void {
    this.calls = 0
    this.usec = 0
    this.timedCalls = 0
    this.rejected = 0
    this.failed = 0
  }
}

export class CommandTable {
  /** Where commands came from that are not built in. */
  modules: readonly LoadedModule[] = []
  private readonly keys = new KeyPositions()
  /** Every entry, subcommands included, by id; undefined: not made yet, since nobody has asked for the command. */
  private readonly made: (TableEntry | undefined)[] = []
  /** What the entries that are not made are like; undefined: there is none. */
  private model: CommandTable | undefined
  /** Undefined: those of the model. */
  private ownOriginal: readonly TableEntry[] | undefined
  /** Undefined: every entry has its own name, and nobody has asked. */
  private named: Map<string, TableEntry> | undefined
  private index: NameIndex<TableEntry>
  private originalIndex: NameIndex<TableEntry>

  /** ACL categories by name, in the order of ACL CAT. */
  categories: ReadonlyMap<string, number>

  /** `model`: a table of the same commands, from which all that is the same is taken, entries when they are needed. */
  constructor(
    commands: readonly Command[],
    mode: 'server' | 'sentinel' | 'model' = 'server',
    moreCategories: readonly string[] = [],
    model?: CommandTable,
  ) {
    this.categories = model?.categories ?? new Map(Object.entries(withCategories(moreCategories)))
    this.model = model
    if (model === undefined) {
      this.ownOriginal = this.addAll(commands, mode, undefined)
      if (this.byName.size !== this.original.length) throw new Error('two commands of one name')
      this.index = this.originalIndex = indexOf(this.byName)
    } else {
      this.made.length = model.made.length
      this.made.fill(undefined)
      this.index = this.originalIndex = model.originalIndex.withValues(i => this.entryOf(model.original[i].id))
    }
  }

  /** A new table of the commands of a server; what these determine is derived once for each list. */
  static of(commands: readonly Command[]): CommandTable {
    let model = MODELS.get(commands)
    if (model === undefined) MODELS.set(commands, (model = new CommandTable(commands, 'model')))
    return new CommandTable(commands, 'server', [], model)
  }

  /** Every entry, subcommands included, by id. */
  get all(): readonly TableEntry[] {
    return this.everyEntry()
  }

  /** As `all`, for what is the same in every table: not for statistics. */
  get facts(): readonly TableEntry[] {
    return this.model?.all ?? this.all
  }

  /** Entries that somebody has asked for, by id: all others have no statistics. */
  get used(): readonly TableEntry[] {
    return this.made.filter(entry => entry !== undefined)
  }

  private everyEntry(): TableEntry[] {
    if (this.model !== undefined) {
      for (let id = 0; id < this.made.length; id++) this.entryOf(id)
      this.ownOriginal = this.model.original.map(({ id }) => this.entryOf(id))
      this.model = undefined
    }
    return this.made as TableEntry[]
  }

  private get original(): readonly TableEntry[] {
    this.everyEntry()
    return this.ownOriginal!
  }

  private entryOf(id: number): TableEntry {
    return this.made[id] ?? this.make(id)
  }

  /** Makes an entry, its container, and the subcommands of that. */
  private make(id: number): TableEntry {
    const { made } = this
    const { command, parent, subs, subIndex } = this.model!.all[id]
    if (parent !== undefined) this.entryOf(parent.id)
    const known = made[id]
    if (known !== undefined) return known
    const entry = new TableEntry(command, id, parent && made[parent.id], this.model!.all[id], true)
    made[id] = entry
    if (subIndex === undefined) return entry
    const own = subs.map(sub => this.entryOf(sub.id))
    entry.subs = own
    entry.subIndex = subIndex.withValues(i => own[i])
    return entry
  }

  private get byName(): Map<string, TableEntry> {
    this.named ??= new Map(this.original.map(entry => [entry.fullName, entry]))
    return this.named
  }

  /** How many commands there are, subcommands not counted. */
  get size(): number {
    return this.byName.size
  }

  /** The commands that can be called, subcommands not included. */
  entries(): IterableIterator<TableEntry> {
    return this.byName.values()
  }

  /** By name or rename, in any case. Allocates nothing. */
  lookup(name: Slice): TableEntry | undefined {
    return this.index.find(name)
  }

  /** By the literal's name, whatever rename-command did: for commands from a primary or an append-only file. */
  lookupOriginal(name: Slice): TableEntry | undefined {
    return this.originalIndex.find(name)
  }

  lookupSub(container: TableEntry, name: Slice): TableEntry | undefined {
    return container.subIndex?.find(name)
  }

  /** The entry that args name: for containers the subcommand args[1], the container itself when that is missing. */
  resolve(args: Slice[], argc: number): TableEntry | undefined {
    const entry = this.index.find(args[0])
    if (entry?.subIndex === undefined || argc === 1) return entry
    return entry.subIndex.find(args[1])
  }

  /** 'get' or 'config|get', as COMMAND INFO writes it. */
  lookupFullName(name: Slice): TableEntry | undefined {
    return fullNameIn(this.index, name)
  }

  /** As lookupFullName(), whatever rename-command did: for ACL rules. */
  lookupOriginalFullName(name: Slice): TableEntry | undefined {
    return fullNameIn(this.originalIndex, name)
  }

  /** The names of an entry's ACL categories. */
  categoryNamesOf(entry: TableEntry): string[] {
    return [...this.categories].filter(([, bit]) => (entry.categories & bit) !== 0).map(([name]) => name)
  }

  /** The bit of an ACL category, in any case; 0: none of this name. */
  categoryBit(name: string): number {
    return this.categories.get(name.toLowerCase()) ?? 0
  }

  /** rename-command: `to` empty removes the command. 'unknown': no such command; 'taken': `to` is one already. */
  rename(from: Slice, to: Slice): 'ok' | 'unknown' | 'taken' {
    const entry = this.lookup(from)
    if (entry === undefined) return 'unknown'
    const rest = [...this.byName].filter(([, other]) => other !== entry)
    const key = to.latin1().toLowerCase()
    if (key !== '' && rest.some(([name]) => name === key)) return 'taken'
    this.named = new Map(key === '' ? rest : [...rest, [key, entry]])
    this.index = indexOf(this.byName)
    return 'ok'
  }

  /** Adds a module's commands and ACL categories, all or none; why not, or undefined. */
  add(commands: readonly Command[], categories: readonly string[]): string | undefined {
    const { categories: before } = this
    const all = this.everyEntry()
    const count = all.length
    for (const { name } of commands) {
      const bytes = Slice.of(name)
      if (this.lookup(bytes) !== undefined || this.lookupOriginal(bytes) !== undefined)
        return `there is a command '${name}' already`
    }
    // One that is there would go with the commands that are added.
    const taken = categories.find(name => name.toLowerCase() === 'all' || before.has(name.toLowerCase()))
    if (taken !== undefined) return `there is an ACL category '${taken}' already`
    try {
      if (categories.length > 0) this.categories = new Map(Object.entries(withCategories(categories, before)))
      this.replace([...this.original, ...this.addAll(commands, 'server', undefined)])
      return undefined
    } catch (error) {
      all.length = count
      this.categories = before
      return (error as Error).message
    }
  }

  /** Takes back what add() added. */
  remove(commands: readonly Command[], categories: readonly string[]): void {
    const isGone = (entry: TableEntry) => commands.includes((entry.parent ?? entry).command)
    const all = this.everyEntry()
    const kept = all.filter(entry => !isGone(entry))
    all.length = 0
    for (const entry of kept) {
      entry.id = all.length
      all.push(entry)
    }
    const names = categories.map(name => name.toLowerCase())
    this.categories = new Map([...this.categories].filter(([name]) => !names.includes(name)))
    this.replace(this.original.filter(entry => !isGone(entry)))
  }

  /** These are the commands from now on; renamed ones keep their names. */
  private replace(entries: readonly TableEntry[]): void {
    const known = new Map([...this.byName].map(([name, entry]) => [entry, name]))
    const were = new Set(this.original)
    const shown = entries.filter(entry => known.has(entry) || !were.has(entry))
    const byName = new Map(shown.map(entry => [known.get(entry) ?? entry.fullName, entry]))
    if (byName.size !== shown.length) throw new Error('two commands of one name')
    this.ownOriginal = entries
    this.named = byName
    this.index = indexOf(byName)
    this.originalIndex = indexOf(new Map(entries.map(entry => [entry.fullName, entry])))
  }

  /** Finds the keys that args name; valid until the next call. */
  keysOf(entry: TableEntry, args: Slice[], argc: number): KeyPositions {
    entry.getKeys(args, argc, this.keys)
    return this.keys
  }

  keyFlagNames(flags: number): string[] {
    return keyFlagNames(flags)
  }

  resetStats(): void {
    for (const entry of this.used) entry.resetStats()
  }

  private addAll(commands: readonly Command[], mode: string, parent: TableEntry | undefined): TableEntry[] {
    const entries: TableEntry[] = []
    const known = Object.fromEntries(this.categories)
    for (const command of commands) {
      const entry = new TableEntry(command, this.made.length, parent, factsOf(command, parent, known), mode !== 'model')
      const missing = mode === 'sentinel' ? (entry.flags & CMD_SENTINEL) === 0 : (entry.flags & CMD_ONLY_SENTINEL) !== 0
      if (missing) continue
      this.made.push(entry)
      entries.push(entry)
      if (command.subcommands === undefined) continue
      entry.subs = this.addAll(command.subcommands, mode, entry)
      if (entry.subs.length === 0) continue
      entry.subIndex = new NameIndex(entry.subs.map(sub => [Slice.of(sub.command.name), sub] as const))
    }
    return entries
  }
}

/** Tables that no server uses: the models of others. What is in them never changes. */
const MODELS = new WeakMap<readonly Command[], CommandTable>()

function notRunnable(): void {
  throw new Error('a container runs nothing itself')
}

function fullNameIn(index: NameIndex<TableEntry>, name: Slice): TableEntry | undefined {
  const bar = name.view().indexOf(0x7c)
  if (bar < 0) return index.find(name)
  const container = index.find(new Slice(name.u8, name.off, bar, name.dv))
  return container?.subIndex?.find(new Slice(name.u8, name.off + bar + 1, name.len - bar - 1, name.dv))
}

function indexOf(byName: Map<string, TableEntry>): NameIndex<TableEntry> {
  return new NameIndex([...byName].map(([name, entry]) => [Slice.of(name), entry] as const))
}
