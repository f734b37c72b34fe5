// Gates: the checks that a command passes before it runs. GATES is the list and the order; a rule is set by the part
// that owns it, and returns the error reply, or POSTPONE, instead of writing anything.
//
//   gate             owner                client  EXEC  script  write in script  retry
//   auth             engine/gates               1
//   transaction      engine/gates               2
//   acl              engine/acl                 3      1      2                         1
//   cluster          cluster                    4             3                         2
//   memory           server/maintenance         5                                       3
//   disk             persistence                6                        2              4
//   goodReplicas     replication                7                        3              5
//   readOnlyReplica  replication                8                        1              6
//   pubsub           engine/messaging           9
//   staleReplica     replication               10             1                         7
//   loading          persistence               11                                       8
//   busyScript       scripting                 12
//   replicaClient    engine/gates              13
//   pause            engine/waiting            14                                       9
//   movingKeys       server/migration          15                                      10
//   snapshot         engine/waiting            16                                      11
//   storage          storage                   17
//   largePayload     server                    18
//
// client: a command that came from a client. EXEC: each queued command, when EXEC runs it. script: each command
// of a script; its first write passes the write gates too. retry: a blocked command that runs again.
// Commands of a primary pass PRIMARY_GATES alone, those of the AOF loader none. Always: a refused command has changed
// nothing, and a gate without a rule costs nothing.
// Source of the orders: Redis 7.2's processCommand and script.c; the last four are ours.

import type { Slice } from '../lib/slice.ts'
import * as errors from '../protocol/errors.ts'
import { errorBytes } from '../protocol/reply.ts'
import { CMD_MAY_REPLICATE, CMD_NO_AUTH, CMD_NO_MULTI, CMD_READONLY, CMD_WRITE } from './catalog/command.ts'
import type { TableEntry } from './catalog/table.ts'
import {
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_PUBSUB,
  CLIENT_REPLICA,
  CLIENT_RESTRICTED,
  type Client,
  type QueuedCommand,
} from './client.ts'
import type { Engine } from './engine.ts'
import { gateFlags } from './transaction.ts'

export const GATES = [
  'auth',
  'transaction',
  'acl',
  'cluster',
  'memory',
  'disk',
  'goodReplicas',
  'readOnlyReplica',
  'pubsub',
  'staleReplica',
  'loading',
  'busyScript',
  'replicaClient',
  'pause',
  'movingKeys',
  'snapshot',
  'storage',
  'largePayload',
] as const

export type GateName = (typeof GATES)[number]

/**
 * A replica obeys its primary: these may only postpone, or end a replica whose disk fails. `cluster` refuses nothing
 * here; it only forgets the key of the command before.
 */
const PRIMARY_GATES: readonly GateName[] = [
  'cluster',
  'disk',
  'pause',
  'movingKeys',
  'snapshot',
  'storage',
  'largePayload',
]
/** The gates of each command that EXEC runs: the user's permissions may have changed since it was queued. */
export const EXEC_GATES: readonly GateName[] = ['acl']
/** The gates of each command of a script. */
export const SCRIPT_GATES: readonly GateName[] = ['staleReplica', 'acl', 'cluster']
/** The further gates of a script's first write; after it the server's state no longer stops the script. */
export const SCRIPT_WRITE_GATES: readonly GateName[] = ['readOnlyReplica', 'disk', 'goodReplicas']
/** The gates of a blocked command that runs again. */
export const RETRY_GATES: readonly GateName[] = [
  'acl',
  'cluster',
  'memory',
  'disk',
  'goodReplicas',
  'readOnlyReplica',
  'staleReplica',
  'loading',
  'pause',
  'movingKeys',
  'snapshot',
]

/** The client waits; the command is judged again when the gate's reason is released (waiting/postponed.ts). */
export const POSTPONE = 'postpone'

/** An error reply (including redirects), POSTPONE, or undefined: the command passes. */
export type Verdict = Uint8Array | typeof POSTPONE | undefined

/**
 * A rule. `flags`: the CMD_ bits by which the command is judged: for EXEC those of all queued commands as well, for
 * a script those that it declares.
 */
export type Gate = (
  client: Client,
  entry: TableEntry,
  args: Slice[],
  argc: number,
  flags: number,
  place: Place,
) => Verdict

/** Which list of gates the command is passing. */
export type Place = 'client' | 'exec' | 'script' | 'module' | 'retry'

/** Gates that `admit` skips when the client's flags, its user and the keyspace rule a refusal out. */
const SKIPPED: readonly GateName[] = ['auth', 'transaction', 'acl', 'pubsub', 'replicaClient', 'snapshot']
const LOOKED_AT = CLIENT_MULTI | CLIENT_PUBSUB | CLIENT_REPLICA | CLIENT_RESTRICTED
const TOUCHES_KEYSPACE = CMD_READONLY | CMD_WRITE | CMD_MAY_REPLICATE
const NOT_IN_TRANSACTION = errorBytes('ERR Command not allowed inside a transaction')
const REPLICA_CLIENT = errorBytes("ERR Replica can't interact with the keyspace")

export class Gates {
  private readonly engine: Engine
  private readonly rules = new Map<GateName, Gate>()
  private readonly chains = new Map<readonly GateName[], GateList>()
  private readonly client: GateList
  private readonly primary: GateList
  private readonly exec: GateList
  private readonly script: GateList
  private readonly scriptWrite: GateList
  private readonly retry: GateList
  /** The gates with a rule besides SKIPPED. */
  private readonly configured: GateList
  /** `configured` without 'cluster'. */
  private readonly others: GateList
  /** The rule of 'cluster', for most commands: false when that has to be asked. */
  passage: ((client: Client, entry: TableEntry, args: Slice[]) => boolean) | undefined
  /** Number of rules for commands of scripts, besides that of 'acl'. */
  private scriptRules = 0

  constructor(engine: Engine) {
    this.engine = engine
    this.client = this.listOf(GATES)
    const configured = GATES.filter(name => !SKIPPED.includes(name))
    this.configured = this.listOf(configured)
    this.others = this.listOf(configured.filter(name => name !== 'cluster'))
    this.primary = this.listOf(PRIMARY_GATES)
    this.exec = this.listOf(EXEC_GATES)
    this.script = this.listOf(SCRIPT_GATES)
    this.scriptWrite = this.listOf(SCRIPT_WRITE_GATES)
    this.retry = this.listOf(RETRY_GATES)
    this.set('auth', (client, entry) =>
      client.authenticated || engine.acl.isOpen || (entry.flags & CMD_NO_AUTH) !== 0 ? undefined : errors.NO_AUTH,
    )
    this.set('transaction', (client, entry) =>
      client.has(CLIENT_MULTI) && (entry.flags & CMD_NO_MULTI) !== 0 ? NOT_IN_TRANSACTION : undefined,
    )
    this.set('replicaClient', (client, _entry, _args, _argc, flags) =>
      client.has(CLIENT_REPLICA) && (flags & TOUCHES_KEYSPACE) !== 0 ? REPLICA_CLIENT : undefined,
    )
  }

  /** Sets or (undefined) removes the rule of a gate. */
  set(name: GateName, rule: Gate | undefined): void {
    if (rule === undefined) this.rules.delete(name)
    else this.rules.set(name, rule)
    for (const passage of this.chains.values()) passage.update(this.rules)
    const rules = new Set([...this.script.names, ...this.scriptWrite.names])
    rules.delete('acl')
    this.scriptRules = rules.size
  }

  /** The gates with a rule, in order. */
  get names(): readonly GateName[] {
    return GATES.filter(name => this.rules.has(name))
  }

  /** Whether a client's command may run now. Allocates nothing when it may. Short: it is compiled into its caller. */
  admit(client: Client, entry: TableEntry, args: Slice[], argc: number): Verdict {
    const { engine } = this
    const looked = client.flags & LOOKED_AT
    if (!client.authenticated || engine.keyspace.snapshotting) return this.judge(client, entry, args, argc, this.client)
    if (looked !== 0) return this.admitLooked(client, entry, args, argc, looked)
    if (this.configured.gates.length === 0) return undefined
    if (this.passage === undefined || !this.passage(client, entry, args))
      return this.judge(client, entry, args, argc, this.configured)
    return this.others.gates.length === 0 ? undefined : this.judge(client, entry, args, argc, this.others)
  }

  /** As admit(), of a client in a state that gates look at. */
  private admitLooked(client: Client, entry: TableEntry, args: Slice[], argc: number, looked: number): Verdict {
    if (this.configured.gates.length === 0) {
      // The other gates that are skipped have nothing against this client.
      if (looked === CLIENT_RESTRICTED) return this.engine.acl.judge(client, entry, args, argc, 0, 'client')
      if (looked === CLIENT_MULTI && (entry.flags & CMD_NO_MULTI) === 0) return undefined
    }
    return this.judge(client, entry, args, argc, this.client)
  }

  /** Asks the gates of a list, or if the client is the primary, its own. */
  private judge(client: Client, entry: TableEntry, args: Slice[], argc: number, list: GateList): Verdict {
    const { engine } = this
    const flags = gateFlags(engine, client, entry, args, argc)
    const { gates, names } = client.has(CLIENT_MASTER) ? this.primary : list
    for (let i = 0; i < gates.length; i++) {
      const verdict = gates[i](client, entry, args, argc, flags, 'client')
      if (verdict === undefined) continue
      if (verdict === POSTPONE) engine.postponed.postpone(client, names[i])
      return verdict
    }
    return undefined
  }

  /** Whether EXEC may run a queued command. */
  admitQueued(client: Client, entry: TableEntry, args: Slice[], argc: number): Verdict {
    if (client.has(CLIENT_MASTER)) return undefined
    return pass(this.exec, client, entry, args, argc, entry.flags, 'exec')
  }

  /** Whether a blocked command may run again; POSTPONE: not before the reason is released. */
  admitRetry(client: Client, { entry, args }: QueuedCommand): Verdict {
    const { gates, names } = this.retry
    for (let i = 0; i < gates.length; i++) {
      const verdict = gates[i](client, entry, args, args.length, entry.flags, 'retry')
      if (verdict === undefined) continue
      if (verdict === POSTPONE) this.engine.postponed.postponeRetry(names[i])
      return verdict
    }
    return undefined
  }

  /** True when commands of the caller's scripts have gates to pass. */
  guardsScripts(caller: Client): boolean {
    return this.scriptRules !== 0 || caller.has(CLIENT_RESTRICTED)
  }

  /** The refusal of one gate for a command judged by these flags. */
  refusalBy(
    name: GateName,
    client: Client,
    entry: TableEntry,
    args: Slice[],
    argc: number,
    flags: number,
    place: Place = 'client',
  ): Uint8Array | undefined {
    if (client.has(CLIENT_MASTER)) return undefined
    return asError(this.rules.get(name)?.(client, entry, args, argc, flags, place))
  }

  /** Why a script of `caller` may not run a command now: an error reply. */
  refusalInScript(
    caller: Client,
    entry: TableEntry,
    args: Slice[],
    argc: number,
    wrote: boolean,
  ): Uint8Array | undefined {
    if (caller.has(CLIENT_MASTER | CLIENT_INTERNAL)) return undefined
    const { flags } = entry
    const verdict = pass(this.script, caller, entry, args, argc, flags, 'script')
    if (verdict !== undefined || wrote || (flags & CMD_WRITE) === 0) return asError(verdict)
    return asError(pass(this.scriptWrite, caller, entry, args, argc, flags, 'script'))
  }

  private listOf(order: readonly GateName[]): GateList {
    const list = new GateList(order)
    this.chains.set(order, list)
    return list
  }
}

/** The gates of one list that have a rule, in its order. */
class GateList {
  gates: readonly Gate[] = []
  names: readonly GateName[] = []
  private readonly order: readonly GateName[]

  constructor(order: readonly GateName[]) {
    this.order = order
  }

  update(rules: ReadonlyMap<GateName, Gate>): void {
    this.names = this.order.filter(name => rules.has(name))
    this.gates = this.names.map(name => rules.get(name)!)
  }
}

function pass(
  { gates }: GateList,
  client: Client,
  entry: TableEntry,
  args: Slice[],
  argc: number,
  flags: number,
  place: Place,
): Verdict {
  for (let i = 0; i < gates.length; i++) {
    const verdict = gates[i](client, entry, args, argc, flags, place)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

/** A script is atomic: nothing in it can wait. */
function asError(verdict: Verdict): Uint8Array | undefined {
  return verdict === POSTPONE ? undefined : verdict
}

/**
 * Whether `test` holds for a command that would run now: for EXEC, for any queued command; for a command that MULTI
 * queues, never.
 */
export function wouldRun(
  client: Client,
  entry: TableEntry,
  args: Slice[],
  argc: number,
  test: (client: Client, entry: TableEntry, args: Slice[], argc: number) => boolean,
): boolean {
  if (!client.has(CLIENT_MULTI)) return test(client, entry, args, argc)
  if (entry.fullName !== 'exec') return false
  return client.queued!.some((one, itsArgs, itsArgc) => test(client, one, itsArgs, itsArgc))
}
