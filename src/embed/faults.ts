// Faults: what goes wrong with which command of which client.
//
//   on('SET', { drop: 'after' }, { times: 1 })  ─▶ rule ─▶ [a command comes] match ─▶ Interception does it
//
// Always: the first rule that matches counts, in the order in which they were made; one that is used up is gone.

import type { CommandRecord, SentCommand } from './command-record.ts'

/** What goes wrong; several may be given, and a delay comes first. */
export interface Fault {
  /** The error reply: its text, or a code that Redis has a text for ('LOADING', 'READONLY', 'MOVED 1 host:port'). */
  readonly error?: string
  /** The command runs so much later, on the server's clock. */
  readonly delayMs?: number
  /** The command is not run and its client not served, until the faults are cleared. */
  readonly hang?: boolean
  /** The connection ends: 'before' the command runs, or 'after', with its reply lost. */
  readonly drop?: 'before' | 'after'
  /** The connection ends after so many bytes of the reply. */
  readonly cutReplyAt?: number
  /** The reply comes in pieces of so many bytes. */
  readonly splitReply?: number
}

/** 'GET' or 'CONFIG GET' in any case, an expression for the name, or a function; '*' is every command. */
export type CommandMatch = string | RegExp | ((command: CommandRecord) => boolean)

export interface FaultScope {
  /** How often it happens; default: until it is taken back. */
  readonly times?: number
  /** So many commands that match pass before. */
  readonly after?: number
  /** Only for the client of this name or id. */
  readonly client?: string | number
}

interface Rule {
  readonly match: CommandMatch
  readonly fault: Fault
  readonly client: string | number | undefined
  timesLeft: number
  passLeft: number
}

export class FaultRules {
  private readonly rules: Rule[] = []

  get isEmpty(): boolean {
    return this.rules.length === 0
  }

  add(match: CommandMatch, fault: Fault, scope: FaultScope = {}): () => void {
    checkFault(fault)
    const { times = Number.POSITIVE_INFINITY, after = 0, client } = scope
    const rule = { match, fault, client, timesLeft: times, passLeft: after }
    this.rules.push(rule)
    return () => this.remove(rule)
  }

  /** The fault of this command. */
  take(command: SentCommand): Fault | undefined {
    for (const rule of this.rules) {
      if (!matches(rule.match, command) || !isOf(rule.client, command)) continue
      if (rule.passLeft > 0) {
        rule.passLeft--
        continue
      }
      if (--rule.timesLeft <= 0) this.remove(rule)
      return rule.fault
    }
    return undefined
  }

  clear(): void {
    this.rules.length = 0
  }

  private remove(rule: Rule): void {
    const at = this.rules.indexOf(rule)
    if (at >= 0) this.rules.splice(at, 1)
  }
}

export function matches(match: CommandMatch, command: SentCommand): boolean {
  if (typeof match === 'string') return match === '*' ? command.name !== 'redstart' : command.is(match)
  return match instanceof RegExp ? match.test(command.name) : match(command)
}

function isOf(client: string | number | undefined, command: CommandRecord): boolean {
  return client === undefined || client === command.client || client === command.clientName
}

const KINDS = ['error', 'delayMs', 'hang', 'drop', 'cutReplyAt', 'splitReply']

/** Throws a TypeError or RangeError. */
export function checkFault(fault: Fault): void {
  const names = Object.keys(fault)
  const unknown = names.find(name => !KINDS.includes(name))
  if (unknown !== undefined || names.length === 0)
    throw new TypeError(`a fault is one of ${KINDS.join(', ')}, not ${unknown ?? 'nothing'}`)
  if (fault.drop !== undefined && fault.drop !== 'before' && fault.drop !== 'after')
    throw new TypeError(`a connection drops 'before' or 'after' a command, not ${String(fault.drop)}`)
  for (const name of ['delayMs', 'cutReplyAt', 'splitReply'] as const) {
    const n = fault[name]
    if (n !== undefined && !(n >= (name === 'splitReply' ? 1 : 0))) throw new RangeError(`${name}: ${String(n)}`)
  }
}

/** The texts of Redis 7.2 for errors of which the program gives only the code. */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ['BUSY', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
  ['BUSYGROUP', 'BUSYGROUP Consumer Group name already exists'],
  ['BUSYKEY', 'BUSYKEY Target key name already exists.'],
  ['CLUSTERDOWN', 'CLUSTERDOWN The cluster is down'],
  ['CROSSSLOT', "CROSSSLOT Keys in request don't hash to the same slot"],
  ['EXECABORT', 'EXECABORT Transaction discarded because of previous errors.'],
  ['LOADING', 'LOADING Redis is loading the dataset in memory'],
  ['MASTERDOWN', "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  [
    'MISCONF',
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
  ],
  ['NOAUTH', 'NOAUTH Authentication required.'],
  ['NOREPLICAS', 'NOREPLICAS Not enough good replicas to write.'],
  ['NOSCRIPT', 'NOSCRIPT No matching script. Please use EVAL.'],
  ['OOM', "OOM command not allowed when used memory > 'maxmemory'."],
  ['READONLY', "READONLY You can't write against a read only replica."],
  ['TRYAGAIN', 'TRYAGAIN Multiple keys request during rehashing of slot'],
  ['UNBLOCKED', 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'],
  [
    'UNKILLABLE',
    'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
  ],
  ['WRONGPASS', 'WRONGPASS invalid username-password pair or user is disabled.'],
  ['WRONGTYPE', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
])

export function errorText(error: string): string {
  return TEXTS.get(error) ?? (error.includes(' ') ? error : `${error} an error on demand`)
}
