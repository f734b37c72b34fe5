// The module API, version 1: what a module is made of and what it gets. It names nothing of the server's inside, so
// that a module written for a version runs with every server that has it.
//
//   defineModule({ name, apiVersion, commands, ... }) ─▶ RedstartModule ─▶ createServer({ modules }), loadmodule
//
// Always: what crosses between a module and the server is plain data or an interface of this file; markers are
// registered symbols, since the module and the server may have a copy of this file each.

import type { BuiltInKeys, WritableKeys } from './key-definition.ts'
import { checkShape } from './shape.ts'
import type { ModuleType, TypedKey } from './type-definition.ts'

export const MODULE_API_VERSION = 1

/** What a handler returns. undefined and null: null; a whole number: an integer; another number: a double. */
export type ModuleReply =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Uint8Array
  | Borrowed
  | TypedReply
  | readonly ModuleReply[]
  | ReadonlyMap<string, ModuleReply>
  | ReadonlySet<string | number>

/** A reply whose type its value does not show: made by `reply`. */
export interface TypedReply {
  readonly kind: 'simple' | 'error' | 'double' | 'verbatim'
  readonly value: string | number
}

/** A word of a command as clients send it. Text is UTF-8. */
export type PlainWord = string | number | bigint | Uint8Array

/** A word of a command that a module calls. */
export type ModuleWord = PlainWord | Borrowed

/**
 * Bytes of the server that were not copied: a word of the command, or the string of a key. It stands for them in calls,
 * keys, values and replies, while the command runs; a key's string until something in the dataset changes. Later it
 * throws a TypeError.
 */
export interface Borrowed {
  readonly isBorrowed: true
  readonly length: number
  /** A copy. */
  bytes(): Uint8Array
  text(): string
}

/** The reply to a command that was called; bulk strings as text, maps as flat arrays. */
export type CallReply = string | number | bigint | boolean | null | Uint8Array | CallReply[]

/** Whose permissions count: the caller's (the default), nobody's, or those of another user. */
export interface CallOptions {
  readonly as?: 'caller' | 'server' | { readonly user: string }
  /** Bulk strings as Uint8Array. */
  readonly bytes?: boolean
}

/** A change of a key, as keyspace events name it ('set', 'hset', 'del', 'expired', 'evicted', 'keymiss' ...). */
export interface KeyEvent {
  readonly event: string
  readonly key: Uint8Array
  readonly database: number
  /** As TYPE has it; null: the key does not exist. This and the expiry are those of the moment they are asked for. */
  readonly type: string | null
  readonly expiresAtMs: number | null
  /** The expiry that the key had before the command; null: none. */
  readonly oldExpiresAtMs: number | null
}

/** What listeners can hear of. */
export interface ServerEvents {
  'key-changed': KeyEvent
  'key-expired': KeyEvent
  'key-evicted': KeyEvent
  /** A command has looked for a key that does not exist. */
  'key-missed': KeyEvent
  /** FLUSHALL or FLUSHDB. */
  flushed: object
  'client-connected': { readonly id: number; readonly address: string }
  'client-disconnected': { readonly id: number; readonly address: string }
  /** A login, a refusal of ACL rules, an administrative command that has run. */
  audit: {
    readonly event: 'login' | 'login-refused' | 'login-failed' | 'denied' | 'admin'
    readonly user: string
    readonly clientId: number
    readonly address: string
    readonly command?: string
    readonly args?: readonly string[]
    readonly reason?: 'command' | 'key' | 'channel'
    readonly object?: string
  }
  role: { readonly role: 'primary' | 'replica' }
  /** As a replica: the link to the primary. Told at the next tick, as of replicas. */
  'primary-link': { readonly state: 'up' | 'down' }
  /** A replica of this server has everything, or has gone. */
  replica: { readonly id: number; readonly address: string; readonly state: 'online' | 'gone' }
  /** Of a cluster, as CLUSTER INFO has it. Told at the next tick. */
  cluster: { readonly state: 'ok' | 'fail' }
  /** An RDB file is saved, or the append-only file rewritten. */
  save: { readonly kind: 'rdb' | 'aof'; readonly state: 'started' | 'ended' | 'failed' }
  /** A dataset is loaded while the server runs: from its primary, or by DEBUG. */
  load: { readonly state: 'started' | 'ended' }
  /** SWAPDB. */
  'databases-swapped': { readonly first: number; readonly second: number }
  /** MODULE LOAD and UNLOAD. */
  module: { readonly name: string; readonly event: 'loaded' | 'unloaded' }
  /** CONFIG SET has changed these. */
  'config-changed': { readonly names: readonly string[] }
  /** The dataset was loaded at the start. */
  loaded: object
  /** Each tick, `hz` a second. */
  cron: object
  /** The server ends: its dataset is saved already. */
  shutdown: object
}

export type ServerEventName = keyof ServerEvents

/** The client that sent a command. */
export interface ModuleClient {
  readonly id: number
  readonly user: string
  readonly database: number
  /** Of RESP: what replies it understands. */
  readonly protocol: 2 | 3
}

/** A command before it is looked up: its words, and who sent it, or the script or the module that calls it. */
export interface FilteredCommand {
  readonly args: readonly Uint8Array[]
  readonly client: ModuleClient
  readonly origin: 'client' | 'script' | 'module'
}

export interface FilterOptions {
  /** What scripts and modules call is filtered too. */
  readonly calls?: boolean
}

/** A command of a client that has run, with its reply. */
export interface RepliedCommand {
  readonly args: readonly Uint8Array[]
  readonly client: ModuleClient
  /** As call() returns it; of an error its text. */
  readonly reply: CallReply
  /** `reply` with bulk strings as Uint8Array. */
  readonly bytes: CallReply
  /** The text of an error reply. */
  readonly error: string | undefined
}

/** undefined: the reply stays; a value: the client gets this one. A CommandError that it throws is the reply. */
export type ReplyFilter = (command: RepliedCommand) => ModuleReply

/** undefined: the command passes; words: these are run instead. A CommandError that it throws is the reply. */
export type CommandFilter = (command: FilteredCommand) => readonly ModuleWord[] | undefined

/** What a module may do at any time. */
export interface ModuleServer {
  /** Runs a command. Throws a CommandError for an error reply. Commands that block reply as in a transaction. */
  call(...words: ModuleWord[]): CallReply
  /** As call(), with options. */
  callWith(options: CallOptions, ...words: ModuleWord[]): CallReply
  /** Why callWith() would refuse a command, as its error has it; undefined: it would run. */
  refusal(options: CallOptions, ...words: ModuleWord[]): string | undefined
  /** What `work` calls is propagated as one unit, and nothing runs in between. `work` is synchronous. */
  atomically<Result>(work: () => Result): Result
  /** Milliseconds since 1970, by the server's clock. */
  nowMs(): number
  /** An unsigned 32-bit integer. */
  random(): number
  /**
   * Calls `listener` for each event, after the commands of the client's event and their replies, until the function
   * that is returned is called or the module is gone. It may call commands.
   */
  on<Name extends ServerEventName>(name: Name, listener: (event: ServerEvents[Name]) => unknown): () => void
  /**
   * Judges the commands of clients, before anything else does, until the function that is returned is called. Not those
   * that scripts and modules call, unless `calls` is set, and not a primary's. A filter that throws something else than
   * a CommandError is logged, and the command passes.
   */
  filter(filter: CommandFilter, options?: FilterOptions): () => void
  /**
   * Sees the replies to the commands of clients, and may replace them: not of commands that have waited, not messages,
   * and not what is too long for the buffer of replies (1 MiB). The command has run. Otherwise as filter().
   */
  filterReplies(filter: ReplyFilter): () => void
  /** The value of a parameter of the module: a boolean, a number or a text, as its kind is. */
  config(name: string): ParameterValue
  /** Closes the connection of a client, after what runs for it. False: there is no such client. */
  closeClient(id: number): boolean
  log(level: 'debug' | 'verbose' | 'notice' | 'warning', text: string): void
  /** Calls `work` once, or every `ms`, until the function that is returned is called, or the module is gone. */
  after(ms: number, work: () => void): () => void
  every(ms: number, work: () => void): () => void
}

/** What a command's handler gets. */
export interface ModuleContext extends ModuleServer {
  /** The words of the command, its name (and subcommand) included. */
  readonly args: readonly Uint8Array[]
  readonly argc: number
  readonly client: ModuleClient
  /** A copy of args[i] alone: cheaper than `args` for a command that reads some of its words. */
  bytes(i: number): Uint8Array
  /** args[i] without a copy, to be passed on while the command runs. Empty: there is no such word. */
  borrow(i: number): Borrowed
  /** args[i] as text. */
  text(i: number): string
  /** The integer args[i] spells; throws a CommandError. */
  integer(i: number, error?: string): number
  /** The number args[i] spells; throws a CommandError. */
  double(i: number, error?: string): number
  /** Whether args[i], letters in any case, is `word`. */
  is(i: number, word: string): boolean
  /** Reads keys of built-in types, without a command. ACL rules judge the keys of the module's command alone. */
  readonly keys: BuiltInKeys
  /** Writes keys of built-in types, in a command with the flag write, before it returns or first waits. */
  readonly writableKeys: WritableKeys
  /** The value of a key of a module's type, to be read only; undefined: no such key. */
  read<Value>(type: ModuleType<Value>, key: ModuleWord): Value | undefined
  /** Opens a key of a module's type for writing, in a command with `propagation: 'verbatim'`, before it first waits. */
  write<Value>(type: ModuleType<Value>, key: ModuleWord): TypedKey<Value>
  /**
   * To be returned: the client waits until something happens to one of the keys args[first] to args[last], then the
   * handler runs again. Whoever waits longest is served first.
   */
  waitForKeys(first: number, options?: WaitOptions): KeyWait
  /** The handler runs again, after waitForKeys(). */
  readonly hasWaited: boolean
  /** Serves clients that wait for a key; done already when it is created, removed, or one of a module changes. */
  keyReady(key: ModuleWord): void
}

export interface WaitOptions {
  /** Absent: `first`, one key. */
  readonly last?: number
  /** Absent or 0: no limit. */
  readonly timeoutMs?: number
  /** The reply when the time is over. Absent: null. */
  readonly timedOut?: ModuleReply
}

/** What waitForKeys() returns. */
export interface KeyWait extends WaitOptions {
  readonly first: number
  readonly isKeyWait: true
}

/** A word that names a channel, and what the command does with the channel. Unsubscribing needs no permission. */
export interface ChannelUse {
  readonly at: number
  readonly use: 'publish' | 'subscribe' | 'unsubscribe'
  /** The word is a pattern, which a rule must have to the letter. */
  readonly isPattern?: boolean
}

export interface ModuleCommand {
  /** Lower case: 'cl.throttle'; for a subcommand the word after the container's. */
  readonly name: string
  /** Number of words, the name included; negative: at least that many. */
  readonly arity: number
  /** Words: write readonly denyoom fast blocking admin noscript loading stale ... */
  readonly flags: string
  /** Key specs: 'RW UPDATE @1', 'RO ACCESS @2..-1'. Absent: no keys. */
  readonly keys?: string
  readonly since?: string
  readonly summary?: string
  /** 'O(1)': its time is measured once in 16 runs, as that of the core's, and 'fast' ones. */
  readonly complexity?: string
  /** The syntax line: 'key#0 value [EX seconds:integer]'. */
  readonly args?: string
  readonly history?: readonly (readonly [since: string, change: string])[]
  readonly tips?: string
  /** ACL categories beyond those that flags imply. */
  readonly acl?: string
  readonly subcommands?: readonly ModuleCommand[]
  /** Which of its words name channels: ACL rules judge them. */
  readonly channels?: (args: readonly string[]) => readonly ChannelUse[]
  /**
   * What replicas and append-only files get of its changes. effects (the default): the commands that it has called;
   * verbatim: the command itself, which must do the same there; what it calls is not propagated.
   */
  readonly propagation?: 'effects' | 'verbatim'
  /** A handler that returns a promise blocks its client, for so long at most (absent or 0: no limit); then null. */
  readonly timeoutMs?: number
  /**
   * Returns the reply. A promise blocks the client until it is settled: such a command has the flag 'blocking', and is
   * refused in transactions and scripts. What it throws is its error reply. Changes are made by call(), and
   * propagated as the commands that made them.
   */
  readonly run?: (ctx: ModuleContext) => ModuleReply | KeyWait | Promise<ModuleReply>
}

/** A configuration parameter: CONFIG GET and SET know it as 'module.name'. */
export type ModuleParameter = (
  | { readonly kind: 'yes-no'; readonly initial: boolean }
  | { readonly kind: 'integer' | 'memory'; readonly initial: number; readonly min?: number; readonly max?: number }
  | { readonly kind: 'text'; readonly initial: string }
  | { readonly kind: 'enum'; readonly initial: string; readonly values: readonly string[] }
) & {
  /** Only at start and by MODULE LOADEX. */
  readonly immutable?: true
  /** Patterns of CONFIG GET do not match it. */
  readonly hidden?: true
  /** A secret: logs do not show it. */
  readonly sensitive?: true
  /** CONFIG SET has changed it. A text is the reason why that is refused: it then has its old value again. */
  readonly changed?: (value: ParameterValue, server: ModuleServer) => string | undefined
}

export type ParameterValue = boolean | number | string

export interface ModuleDefinition {
  readonly name: string
  /** A positive integer, as MODULE LIST shows it. */
  readonly version: number
  readonly apiVersion: number
  readonly commands?: readonly ModuleCommand[]
  /** Types of values, made by defineType(). A module that has some is not unloaded. */
  readonly types?: readonly ModuleType<unknown>[]
  /** ACL categories that it adds; its commands name them in `acl`. */
  readonly aclCategories?: readonly string[]
  /** Configuration parameters by name. They have their values when `setup` is called. */
  readonly config?: { readonly [name: string]: ModuleParameter }
  /** Sections of INFO, 'module_section' to clients; '' is the section 'module'. */
  readonly info?: {
    readonly [section: string]: (server: ModuleServer) => { readonly [field: string]: string | number }
  }
  /**
   * Decides logins, before the passwords of users; a promise postpones the client for 5 s at most. The user must exist
   * and be on. What it throws refuses the login.
   */
  readonly auth?: (login: ModuleLogin, server: ModuleServer) => LoginAnswer | Promise<LoginAnswer>
  /** After the dataset was loaded, before the server is ready; a throw ends the start. `args`: those of loadmodule. */
  readonly setup?: (server: ModuleServer, args: readonly string[]) => void | Promise<void>
  /** When the server ends. */
  readonly teardown?: () => void
}

export interface RedstartModule extends ModuleDefinition {
  readonly isRedstartModule: true
}

/** A login with AUTH or HELLO. */
export interface ModuleLogin {
  readonly user: string
  readonly password: string
  readonly client: { readonly id: number; readonly address: string }
}

/** true: as the user that was named; { user }: as that one; false: refused; undefined: others decide. */
export type LoginAnswer = boolean | { readonly user: string } | undefined

const BLANKS_AND_QUOTES = ' \t\r\n"\''
const PARTS = [
  'name',
  'version',
  'apiVersion',
  'commands',
  'types',
  'aclCategories',
  'config',
  'info',
  'auth',
  'setup',
  'teardown',
]

/** Checks a definition, whose literals stay in its type (Commands<typeof module>). Throws a TypeError. */
export function defineModule<const Definition extends ModuleDefinition>(
  definition: Definition,
): RedstartModule & Definition {
  const { name, version, apiVersion } = definition
  if (typeof name !== 'string' || name === '' || [...BLANKS_AND_QUOTES].some(one => name.includes(one)))
    throw new TypeError(`a module's name is a word, not '${String(name)}'`)
  if (apiVersion !== MODULE_API_VERSION)
    throw new TypeError(`module '${name}': apiVersion is ${MODULE_API_VERSION}, not ${String(apiVersion)}`)
  if (!Number.isInteger(version) || version < 1) throw new TypeError(`module '${name}': version is a positive integer`)
  for (const part of Object.keys(definition))
    if (!PARTS.includes(part)) throw new TypeError(`module '${name}': '${part}' is no part of a module`)
  try {
    checkShape(definition)
  } catch (error) {
    throw new TypeError(`module '${name}': ${(error as Error).message}`)
  }
  for (const type of definition.types ?? [])
    if (type?.isRedstartType !== true) throw new TypeError(`module '${name}': a type is what defineType() returns`)
  return { ...definition, isRedstartModule: true }
}

/** An error reply: thrown by a handler, or by call(). `message` begins with the code: 'ERR …'. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** By name: a module may have its own copy of the class. */
export function isCommandError(error: unknown): error is Error {
  try {
    return error instanceof Error && error.name === 'CommandError' && typeof error.message === 'string'
  } catch {
    return false
  }
}

/** Makes replies whose type a value does not show. */
export const reply: {
  simple(text: string): TypedReply
  error(text: string): TypedReply
  double(value: number): TypedReply
  verbatim(text: string): TypedReply
} = {
  simple: value => typed('simple', value),
  error: value => typed('error', value),
  double: value => typed('double', value),
  verbatim: value => typed('verbatim', value),
}

const TYPED = Symbol.for('redstart.typed-reply')

function typed(kind: TypedReply['kind'], value: string | number): TypedReply {
  return { kind, value, [TYPED]: true } as TypedReply
}

export function isTyped(value: object): value is TypedReply {
  return TYPED in value
}
