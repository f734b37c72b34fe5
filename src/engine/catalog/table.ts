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
  ACL_CATEGORIES,
  type AclCategoryName,
  CMD_ADMIN,
  CMD_BLOCKING,
  CMD_FAST,
  CMD_MOVABLE_KEYS,
  CMD_NO_MANDATORY_KEYS,
  CMD_ONLY_SENTINEL,
  CMD_PUBSUB,
  CMD_READONLY,
  CMD_SENTINEL,
  CMD_SOLE_KEY,
  CMD_WRITE,
  COMMAND_FLAGS,
  type Command,
  type CommandFlagName,
  type CommandHandler,
  HIDDEN_FLAGS,
  type KeyFinderName,
} from './command.ts'
import {
  findKeys,
  flagsOfOnlyKey,
  getKeys,
  hasKeys,
  KEY_INCOMPLETE,
  KeyPositions,
  type KeySpec,
  keyFlagNames,
  parseKeySpecs,
} from './keyspecs.ts'
import type { LoadedModule } from './loaded-module.ts'
import { NameIndex } from './name-index.ts'
import { type Argument, parseArguments } from './syntax-line.ts'

const RUN_IN_MULTI: ReadonlySet<string> = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset'])

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

  constructor(command: Command, id: number, parent: TableEntry | undefined, facts: Facts) {
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
    this.run = command.run ?? notRunnable
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
  /** Every entry, subcommands included, by id. */
  readonly all: TableEntry[] = []
  private readonly keys = new KeyPositions()
  private original: readonly TableEntry[]
  /** Undefined: every entry has its own name, and nobody has asked. */
  private named: Map<string, TableEntry> | undefined
  private index: NameIndex<TableEntry>
  private originalIndex: NameIndex<TableEntry>

  /** ACL categories by name, in the order of ACL CAT. */
  categories: ReadonlyMap<string, number>

  /** `model`: a table of the same commands, from which all that is the same is taken. */
  constructor(
    commands: readonly Command[],
    mode: 'server' | 'sentinel' = 'server',
    moreCategories: readonly string[] = [],
    model?: CommandTable,
  ) {
    this.categories = model?.categories ?? new Map(Object.entries(withCategories(moreCategories)))
    this.original = model === undefined ? this.addAll(commands, mode, undefined) : this.addLike(model)
    if (model === undefined && this.byName.size !== this.original.length) throw new Error('two commands of one name')
    const index = model?.originalIndex.withValues([...this.original]) ?? indexOf(this.byName)
    this.index = this.originalIndex = index
  }

  /** A new table of the commands of a server; what these determine is derived once for each list. */
  static of(commands: readonly Command[]): CommandTable {
    let model = MODELS.get(commands)
    if (model === undefined) MODELS.set(commands, (model = new CommandTable(commands)))
    return new CommandTable(commands, 'server', [], model)
  }

  /** How many commands there are, subcommands not counted. */
  private get byName(): Map<string, TableEntry> {
    this.named ??= new Map(this.original.map(entry => [entry.fullName, entry]))
    return this.named
  }

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
    const { all, categories: before } = this
    const count = all.length
    for (const { name } of commands) {
      const bytes = Slice.of(name)
      if (this.lookup(bytes) !== undefined || this.lookupOriginal(bytes) !== undefined)
        return `there is a command '${name}' already`
    }
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
    const kept = this.all.filter(entry => !isGone(entry))
    this.all.length = 0
    for (const entry of kept) {
      entry.id = this.all.length
      this.all.push(entry)
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
    this.original = entries
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
    for (const entry of this.all) entry.resetStats()
  }

  private addAll(commands: readonly Command[], mode: string, parent: TableEntry | undefined): TableEntry[] {
    const entries: TableEntry[] = []
    const known = Object.fromEntries(this.categories)
    for (const command of commands) {
      const entry = new TableEntry(command, this.all.length, parent, factsOf(command, parent, known))
      const missing = mode === 'sentinel' ? (entry.flags & CMD_SENTINEL) === 0 : (entry.flags & CMD_ONLY_SENTINEL) !== 0
      if (missing) continue
      this.all.push(entry)
      entries.push(entry)
      if (command.subcommands === undefined) continue
      entry.subs = this.addAll(command.subcommands, mode, entry)
      if (entry.subs.length === 0) continue
      entry.subIndex = new NameIndex(entry.subs.map(sub => [Slice.of(sub.command.name), sub] as const))
    }
    return entries
  }

  private addLike(model: CommandTable): TableEntry[] {
    const { all } = this
    for (const one of model.all) {
      const parent = one.parent === undefined ? undefined : all[one.parent.id]
      const entry = new TableEntry(one.command, one.id, parent, one)
      all.push(entry)
    }
    for (const { id, subs, subIndex } of model.all) {
      if (subIndex === undefined) continue
      all[id].subs = subs.map(sub => all[sub.id])
      all[id].subIndex = subIndex.withValues([...all[id].subs])
    }
    return model.original.map(({ id }) => all[id])
  }
}

/** Tables that no server uses: the models of others. What is in them never changes. */
const MODELS = new WeakMap<readonly Command[], CommandTable>()

/** What a literal says about its command. */
interface Facts {
  readonly fullName: string
  readonly flags: number
  readonly categories: number
  readonly keySpecs: readonly KeySpec[]
  readonly range: LegacyRange
  readonly constantTime: boolean
  readonly runsInMulti: boolean
}

function factsOf(command: Command, parent: TableEntry | undefined, known: Categories): Facts {
  const fullName = parent === undefined ? command.name : `${parent.fullName}|${command.name}`
  const keySpecs = command.keys === undefined ? NO_SPECS : parseKeySpecs(command.keys)
  const range = legacyRange(keySpecs)
  const hasSoleKey = flagsOfOnlyKey({ keySpecs, keyFinder: command.keyFinder }) !== 0
  const flags = bitsOf(command.flags, COMMAND_FLAGS as Record<CommandFlagName, number>)
  return {
    fullName,
    keySpecs,
    range,
    flags: flags | (range.movable ? CMD_MOVABLE_KEYS : 0) | (hasSoleKey ? CMD_SOLE_KEY : 0),
    categories: categoriesOf(command, flags, known),
    runsInMulti: RUN_IN_MULTI.has(fullName),
    constantTime:
      (flags & (CMD_FAST | CMD_ADMIN)) === CMD_FAST ||
      (command.complexity?.startsWith('O(1)') === true && SAMPLED_GROUPS.has(command.group)),
  }
}

/** Groups whose O(1) commands are so for any value; those of the others iterate, wait, or free what they replace. */
const SAMPLED_GROUPS: ReadonlySet<string> = new Set(['string', 'bitmap', 'list', 'geo', 'hyperloglog'])

const NO_SPECS: readonly KeySpec[] = []

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

function bitsOf<Name extends string>(words: string, bits: Record<Name, number>): number {
  let sum = 0
  for (const word of words === '' ? [] : words.split(' ')) {
    const bit = bits[word as Name]
    if (bit === undefined) throw new Error(`no such flag or category: '${word}'`)
    sum |= bit
  }
  return sum
}

function namesOf(bits: Record<string, number>, set: number): string[] {
  return Object.keys(bits).filter(name => (set & bits[name]) !== 0)
}

/** Groups whose commands belong to a category implicitly. */
const GROUP_CATEGORY: Record<string, AclCategoryName | undefined> = {
  bitmap: 'bitmap',
  connection: 'connection',
  generic: 'keyspace',
  geo: 'geo',
  hash: 'hash',
  hyperloglog: 'hyperloglog',
  list: 'list',
  scripting: 'scripting',
  set: 'set',
  'sorted-set': 'sortedset',
  stream: 'stream',
  string: 'string',
  transactions: 'transaction',
}

type Categories = Readonly<Record<string, number>>

/** The categories that there are and those of extensions. */
function withCategories(more: readonly string[], known: ReadonlyMap<string, number> = BUILT_IN): Categories {
  const all: Record<string, number> = Object.fromEntries(known)
  for (const name of more) {
    const taken = Object.values(all).reduce((bits, bit) => bits | bit, 0)
    const free = 31 - Math.clz32(~taken & (taken + 1))
    if (free >= CATEGORIES_MAX) throw new Error(`no more than ${CATEGORIES_MAX} ACL categories`)
    all[name.toLowerCase()] ??= 1 << free
  }
  return all
}

const BUILT_IN: ReadonlyMap<string, number> = new Map(Object.entries(ACL_CATEGORIES))

const CATEGORIES_MAX = 31

function categoriesOf(command: Command, flags: number, known: Categories): number {
  const named = command.acl ?? GROUP_CATEGORY[command.group] ?? ''
  let bits = bitsOf(named, known)
  if ((flags & CMD_WRITE) !== 0) bits |= ACL_CATEGORIES.write
  // A script's reads are judged by its commands, not by EVAL_RO itself.
  if ((flags & CMD_READONLY) !== 0 && (bits & ACL_CATEGORIES.scripting) === 0) bits |= ACL_CATEGORIES.read
  if ((flags & CMD_ADMIN) !== 0) bits |= ACL_CATEGORIES.admin | ACL_CATEGORIES.dangerous
  if ((flags & CMD_PUBSUB) !== 0) bits |= ACL_CATEGORIES.pubsub
  if ((flags & CMD_BLOCKING) !== 0) bits |= ACL_CATEGORIES.blocking
  return bits | ((flags & CMD_FAST) !== 0 ? ACL_CATEGORIES.fast : ACL_CATEGORIES.slow)
}

/** Absolute positions; lastKey counts from the end when negative. All 0: no keys. */
interface LegacyRange {
  firstKey: number
  lastKey: number
  keyStep: number
  /** Some keys are outside the range: ask getKeys. */
  movable: boolean
}

/** One range for clients without key specs: consecutive ranges joined, everything else makes the keys movable. */
function legacyRange(specs: readonly KeySpec[]): LegacyRange {
  const range: LegacyRange = { firstKey: 0, lastKey: 0, keyStep: 0, movable: false }
  const single = specs.length === 1
  for (const spec of specs) {
    const plain = spec.begin === 'index' && spec.find === 'range'
    const joins = single || (spec.step === 1 && (range.lastKey === 0 || range.lastKey === spec.from - 1))
    if (!plain || !joins) {
      range.movable = true
      continue
    }
    if ((spec.flags & KEY_INCOMPLETE) !== 0) range.movable = true
    if (range.firstKey === 0) range.firstKey = spec.from
    const last = spec.lastKey < 0 ? spec.lastKey : spec.from + spec.lastKey
    // Unsigned: a last key counted from the end is beyond every other.
    if (last >>> 0 > range.lastKey >>> 0) range.lastKey = last
    range.keyStep = spec.step
  }
  return range
}
