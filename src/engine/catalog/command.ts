// Command: everything the server knows about one command, as one literal beside its handler.
//
// A literal is plain, shared by every server of the process and never changed. What a running server needs
// on top (bits, ids, counters, its name after rename-command) is a TableEntry of that server's CommandTable.
// The compact strings below are read by syntax-line.ts and keyspecs.ts, where their grammars are given in full:
//
//   flags   'write denyoom fast'                               words of CommandFlagName
//   keys    'OW UPDATE @1; RO ACCESS @2..-1'                   flags, where to begin, how far to go
//   args    'key#0 value [condition:(NX|XX)@2.6.12] [EX seconds:integer]'   the syntax line, with names and types
//
// Always: names are lower case; a subcommand is a Command too, named 'get' inside 'config'.

import type { Slice } from '../../lib/slice.ts'
import type { Context } from '../context.ts'

export type CommandHandler = (ctx: Context) => void

export interface Command {
  /** Lower case: 'set'; for a subcommand the word after the container's: 'get'. */
  name: string
  /** Number of words, the name included; negative: at least that many. */
  arity: number
  /** Words of CommandFlagName, in any order. */
  flags: string
  /** Key specs (keyspecs.ts); absent: no keys. */
  keys?: string
  /** A procedure of keyspecs.ts for keys that `keys` cannot describe. */
  keyFinder?: KeyFinderName
  /** Version that brought the command. */
  since: string
  /** As COMMAND DOCS prints it: 'string', 'sorted-set', 'pubsub' ... */
  group: string
  summary: string
  complexity?: string
  /** The argument tree in COMMAND DOCS, as a syntax line (syntax-line.ts). */
  args?: string
  /** Pairs of version and what it changed. */
  history?: readonly (readonly [since: string, change: string])[]
  /** Words, in the order COMMAND INFO prints them: 'nondeterministic_output request_policy:all_shards'. */
  tips?: string
  deprecated?: { since: string; replacedBy: string }
  /** An internal command, so marked in COMMAND DOCS. */
  syscmd?: true
  /** ACL categories beyond those that flags imply; absent: the group's own ('string' for string commands). */
  acl?: string
  /** The command names channels: what it does with them; PUBLISH one, the others all their arguments. */
  channels?: 'publish' | 'subscribe' | 'unsubscribe' | 'psubscribe' | 'punsubscribe'
  /** Instead, for a command of a module: the channels that it publishes or subscribes to. */
  channelUses?: (args: readonly Slice[]) => readonly { readonly at: number; readonly isPattern: boolean }[]
  /** The module whose command it is. */
  module?: string
  /** Makes this a container: 'config' with 'get', 'set' ... */
  subcommands?: readonly Command[]
  /** Runs with arity and gates already checked. Absent: a container that only has subcommands. */
  run?: CommandHandler
}

export type KeyFinderName =
  | 'bitfield'
  | 'georadius'
  | 'migrate'
  | 'numkeys1'
  | 'numkeys2'
  | 'set'
  | 'sort'
  | 'sort-ro'
  | 'store-numkeys'
  | 'xread'

// The bits of TableEntry.flags. MOVABLE_KEYS is computed from the key specs, never written in a literal.
export const CMD_WRITE = 1 << 0
export const CMD_READONLY = 1 << 1
export const CMD_DENYOOM = 1 << 2
const CMD_MODULE = 1 << 3
export const CMD_ADMIN = 1 << 4
export const CMD_PUBSUB = 1 << 5
export const CMD_NOSCRIPT = 1 << 6
export const CMD_BLOCKING = 1 << 8
export const CMD_LOADING = 1 << 9
export const CMD_STALE = 1 << 10
/** MONITOR shows it before what it runs. */
export const CMD_SKIP_MONITOR = 1 << 11
export const CMD_SKIP_SLOWLOG = 1 << 12
const CMD_ASKING = 1 << 13
export const CMD_FAST = 1 << 14
export const CMD_NO_AUTH = 1 << 15
export const CMD_MAY_REPLICATE = 1 << 16
export const CMD_SENTINEL = 1 << 17
export const CMD_ONLY_SENTINEL = 1 << 18
export const CMD_NO_MANDATORY_KEYS = 1 << 19
const CMD_PROTECTED = 1 << 20
export const CMD_NO_ASYNC_LOADING = 1 << 23
export const CMD_NO_MULTI = 1 << 24
export const CMD_MOVABLE_KEYS = 1 << 25
export const CMD_ALLOW_BUSY = 1 << 26
export const CMD_TOUCHES_ARBITRARY_KEYS = 1 << 28
/** Derived from its key specs: its only key is its first argument. */
export const CMD_SOLE_KEY = 1 << 29

/** Flag words in the order COMMAND INFO prints them. */
export const COMMAND_FLAGS = {
  write: CMD_WRITE,
  readonly: CMD_READONLY,
  denyoom: CMD_DENYOOM,
  module: CMD_MODULE,
  admin: CMD_ADMIN,
  pubsub: CMD_PUBSUB,
  noscript: CMD_NOSCRIPT,
  blocking: CMD_BLOCKING,
  loading: CMD_LOADING,
  stale: CMD_STALE,
  skip_monitor: CMD_SKIP_MONITOR,
  skip_slowlog: CMD_SKIP_SLOWLOG,
  asking: CMD_ASKING,
  fast: CMD_FAST,
  no_auth: CMD_NO_AUTH,
  may_replicate: CMD_MAY_REPLICATE,
  sentinel: CMD_SENTINEL,
  only_sentinel: CMD_ONLY_SENTINEL,
  no_mandatory_keys: CMD_NO_MANDATORY_KEYS,
  protected: CMD_PROTECTED,
  no_async_loading: CMD_NO_ASYNC_LOADING,
  no_multi: CMD_NO_MULTI,
  movablekeys: CMD_MOVABLE_KEYS,
  allow_busy: CMD_ALLOW_BUSY,
  touches_arbitrary_keys: CMD_TOUCHES_ARBITRARY_KEYS,
} as const

export type CommandFlagName = keyof typeof COMMAND_FLAGS

/** Flags that COMMAND INFO does not print. */
export const HIDDEN_FLAGS =
  CMD_MAY_REPLICATE | CMD_SENTINEL | CMD_ONLY_SENTINEL | CMD_PROTECTED | CMD_TOUCHES_ARBITRARY_KEYS

/** ACL categories in the order ACL CAT and COMMAND INFO print them; the bit is TableEntry.categories'. */
export const ACL_CATEGORIES = {
  keyspace: 1 << 0,
  read: 1 << 1,
  write: 1 << 2,
  set: 1 << 3,
  sortedset: 1 << 4,
  list: 1 << 5,
  hash: 1 << 6,
  string: 1 << 7,
  bitmap: 1 << 8,
  hyperloglog: 1 << 9,
  geo: 1 << 10,
  stream: 1 << 11,
  pubsub: 1 << 12,
  admin: 1 << 13,
  fast: 1 << 14,
  slow: 1 << 15,
  blocking: 1 << 16,
  dangerous: 1 << 17,
  connection: 1 << 18,
  transaction: 1 << 19,
  scripting: 1 << 20,
} as const

export type AclCategoryName = keyof typeof ACL_CATEGORIES
