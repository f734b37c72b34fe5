// The commands of a sentinel: SENTINEL, its own INFO, ROLE and PUBLISH (replaced.ts), and the server's other commands
// that have the flag `sentinel`.

import type { Command } from '../engine/catalog/command.ts'
import type { Context } from '../engine/context.ts'
import { globMatch } from '../lib/glob.ts'
import { Slice } from '../lib/slice.ts'
import { NOT_AN_INTEGER } from '../protocol/errors.ts'
import { replyHelp } from '../protocol/help.ts'
import { errorBytes, type Reply } from '../protocol/reply.ts'
import { sameAddress } from './addresses.ts'
import { failure } from './configuration.ts'
import { configure, debug, setOptions } from './configure.ts'
import { vote } from './election.ts'
import { bestReplica, startFailover } from './failover.ts'
import { type AnyInstance, FAILOVER_IN_PROGRESS, FORCE_FAILOVER, type Primary, S_DOWN } from './instance.ts'
import { replacedCommands } from './replaced.ts'
import { replyInstance, replySaved } from './replies.ts'
import type { Sentinel } from './sentinel.ts'

const INVALID_QUORUM = errorBytes('ERR Invalid quorum')
const INVALID_PORT = errorBytes('ERR Invalid port')

type Run = (sentinel: Sentinel, ctx: Context) => void

/** What the server needs to know beside the literals' common facts. */
interface Subcommand {
  name: string
  arity: number
  since: string
  summary: string
  args?: string
  run: Run
  flags?: string
}

/** All of a sentinel's commands; `others` are the server's. */
export function sentinelCommands(sentinel: Sentinel, others: readonly Command[]): Command[] {
  const own = [sentinelCommand(sentinel), ...replacedCommands(sentinel)]
  const isReplaced = (name: string) => own.some(one => one.name === name)
  const kept = others.flatMap(command => {
    if (isReplaced(command.name)) return []
    if (command.subcommands === undefined) return hasFlag(command) ? [command] : []
    const subcommands = command.subcommands.filter(hasFlag)
    return subcommands.length > 0 || hasFlag(command) ? [{ ...command, subcommands }] : []
  })
  return [...kept, ...own]
}

function hasFlag(command: Command): boolean {
  return command.flags.split(' ').includes('sentinel')
}

function sentinelCommand(sentinel: Sentinel): Command {
  return {
    name: 'sentinel',
    arity: -2,
    flags: 'admin sentinel',
    since: '2.8.4',
    group: 'sentinel',
    summary: 'Monitored primaries and their failover.',
    complexity: 'Differs by subcommand.',
    subcommands: SUBCOMMANDS.map(({ run, flags = 'admin sentinel', ...facts }) => ({
      ...facts,
      flags,
      group: 'sentinel',
      complexity: 'O(N), N = instances that the reply or the change is about.',
      run: (ctx: Context) => run(sentinel, ctx),
    })),
  }
}

const SUBCOMMANDS: readonly Subcommand[] = [
  {
    name: 'ckquorum',
    arity: 3,
    since: '2.8.4',
    summary: 'Tell whether enough sentinels are up to notice a failure of the primary and to agree on a failover.',
    args: 'master-name',
    run: withPrimary(checkQuorum),
  },
  {
    name: 'config',
    arity: -4,
    since: '6.2.0',
    summary: 'Read or change settings of the whole sentinel.',
    args: 'action:(SET parameter value...|GET parameter...)',
    run: configure,
  },
  {
    name: 'debug',
    arity: -2,
    since: '7.0.0',
    summary: 'Show or change periods and time-outs.',
    args: '[parameter value...]',
    run: debug,
  },
  {
    name: 'failover',
    arity: 3,
    since: '2.8.4',
    summary: 'Fail a primary over without asking other sentinels.',
    args: 'master-name',
    run: withPrimary(failover),
  },
  {
    name: 'flushconfig',
    arity: 2,
    since: '2.8.4',
    summary: 'Write settings and state to the configuration file.',
    run: (sentinel, { reply }) => replySaved(sentinel, reply),
  },
  {
    name: 'get-master-addr-by-name',
    arity: 3,
    since: '2.8.4',
    summary: 'Tell the address of the primary.',
    args: 'master-name',
    run: primaryAddress,
  },
  {
    name: 'help',
    arity: 2,
    flags: 'loading stale sentinel',
    since: '6.2.0',
    summary: 'Explain the subcommands of SENTINEL.',
    run: (_, ctx) => replyHelp(ctx.reply, ctx.args[0], HELP),
  },
  {
    name: 'info-cache',
    arity: -3,
    since: '3.2.0',
    summary: 'Return the last INFO of primaries and their replicas.',
    args: 'nodename...',
    run: infoCache,
  },
  {
    name: 'is-master-down-by-addr',
    arity: 6,
    since: '2.8.4',
    summary: 'Tell another sentinel whether a primary is down, and vote for it when it asks.',
    args: 'ip port:integer current-epoch:integer runid',
    run: isPrimaryDown,
  },
  {
    name: 'master',
    arity: 3,
    since: '2.8.4',
    summary: 'Show a primary.',
    args: 'master-name',
    run: withPrimary((sentinel, ctx, primary) => replyInstance(ctx.reply, sentinel, primary)),
  },
  {
    name: 'masters',
    arity: 2,
    since: '2.8.4',
    summary: 'Show all primaries.',
    run: (sentinel, { reply }) => replyInstances(reply, sentinel, [...sentinel.primaries.values()]),
  },
  {
    name: 'monitor',
    arity: 6,
    since: '2.8.4',
    summary: 'Begin to monitor a primary.',
    args: 'name ip port:integer quorum:integer',
    run: monitor,
  },
  {
    name: 'myid',
    arity: 2,
    since: '6.2.0',
    summary: 'Return the id of this sentinel.',
    run: (sentinel, { reply }) => reply.bulkText(sentinel.id),
  },
  {
    name: 'pending-scripts',
    arity: 2,
    since: '2.8.4',
    summary: 'Show scripts that run or wait.',
    run: pendingScripts,
  },
  {
    name: 'remove',
    arity: 3,
    since: '2.8.4',
    summary: 'Stop monitoring a primary.',
    args: 'master-name',
    run: withPrimary((sentinel, { reply }, primary) => {
      sentinel.events.about(primary, 'warning', '-monitor')
      sentinel.removePrimary(primary)
      replySaved(sentinel, reply)
    }),
  },
  {
    name: 'replicas',
    arity: 3,
    since: '5.0.0',
    summary: 'Show the replicas of a primary.',
    args: 'master-name',
    run: withPrimary(replicas),
  },
  {
    name: 'reset',
    arity: 3,
    since: '2.8.4',
    summary: 'Forget what was found out about primaries.',
    args: 'pattern:pattern',
    run: reset,
  },
  {
    name: 'sentinels',
    arity: 3,
    since: '2.8.4',
    summary: 'Show the other sentinels of a primary.',
    args: 'master-name',
    run: withPrimary((sentinel, { reply }, primary) =>
      replyInstances(reply, sentinel, [...primary.sentinels.values()]),
    ),
  },
  {
    name: 'set',
    arity: -5,
    since: '2.8.4',
    summary: 'Change settings of a primary.',
    args: 'master-name data:(option value)...',
    run: withPrimary(setOptions),
  },
  {
    name: 'simulate-failure',
    arity: -3,
    since: '3.2.0',
    summary: 'Crash at a certain moment of a failover.',
    args: '[mode:(CRASH-AFTER-ELECTION|CRASH-AFTER-PROMOTION|HELP)...]',
    run: simulateFailure,
  },
  {
    name: 'slaves',
    arity: 3,
    since: '2.8.0',
    summary: 'Show the replicas of a primary.',
    args: 'master-name',
    run: withPrimary(replicas),
  },
]

/** A subcommand whose first argument is the name of a primary. */
function withPrimary(run: (sentinel: Sentinel, ctx: Context, primary: Primary) => void): Run {
  return (sentinel, ctx) => {
    const primary = sentinel.primaries.get(ctx.args[2].latin1())
    if (primary === undefined) ctx.reply.error('ERR No such master with that name')
    else run(sentinel, ctx, primary)
  }
}

function replyInstances(reply: Reply, sentinel: Sentinel, instances: readonly AnyInstance[]): void {
  reply.array(instances.length)
  for (const one of instances) replyInstance(reply, sentinel, one)
}

function replicas(sentinel: Sentinel, { reply }: Context, primary: Primary): void {
  replyInstances(
    reply,
    sentinel,
    [...primary.replicas.values()].filter(one => one.announced),
  )
}

// ---- questions ----

function primaryAddress(sentinel: Sentinel, ctx: Context): void {
  const primary = sentinel.primaries.get(ctx.args[2].latin1())
  if (primary === undefined) return ctx.reply.nullArray()
  const address = primary.currentAddress
  ctx.reply.array(2)
  ctx.reply.bulkText(sentinel.addresses.announced(address))
  ctx.reply.bulkInteger(address.port)
}

function checkQuorum(_: Sentinel, { reply }: Context, primary: Primary): void {
  let usable = 1
  for (const peer of primary.sentinels.values()) if (!peer.has(S_DOWN)) usable++
  const noQuorum = usable < primary.settings.quorum
  const noMajority = usable < primary.majority
  if (!noQuorum && !noMajority)
    return reply.simple(`OK ${usable} usable Sentinels. Quorum and failover authorization can be reached`)
  const reasons = [
    noQuorum ? 'Not enough available Sentinels to reach the specified quorum for this master' : '',
    noMajority ? 'Not enough available Sentinels to reach the majority and authorize a failover' : '',
  ]
  reply.error(`NOQUORUM ${usable} usable Sentinels. ${reasons.filter(one => one !== '').join('. ')}`)
}

/** IS-MASTER-DOWN-BY-ADDR ip port epoch runid|* */
function isPrimaryDown(sentinel: Sentinel, ctx: Context): void {
  const { args, reply } = ctx
  const port = ctx.longOrReply(3, NOT_AN_INTEGER)
  if (Number.isNaN(port)) return
  const epoch = ctx.longOrReply(4, NOT_AN_INTEGER)
  if (Number.isNaN(epoch)) return
  const candidate = args[5].latin1()
  const address = sentinel.addresses.create(args[2].latin1(), port, true)
  const primary =
    typeof address === 'string'
      ? undefined
      : [...sentinel.primaries.values()].find(one => sameAddress(one.address, address))
  const down = !sentinel.tilt && primary?.has(S_DOWN) === true
  if (primary !== undefined && candidate !== '*') vote(sentinel, primary, epoch, candidate)
  const voted = candidate !== '*' && primary?.leader !== undefined
  reply.array(3)
  reply.integer(down ? 1 : 0)
  reply.bulkText(voted ? primary.leader! : '*')
  reply.integer(candidate === '*' ? 0 : (primary?.leaderEpoch ?? 0))
}

function infoCache(sentinel: Sentinel, { args, argc, reply }: Context): void {
  const names = new Set(args.slice(2, argc).map(arg => arg.latin1()))
  const primaries = [...names].flatMap(name => sentinel.primaries.get(name) ?? [])
  reply.array(primaries.length * 2)
  for (const primary of primaries) {
    reply.bulkText(primary.name)
    reply.array(primary.replicas.size + 1)
    for (const { report } of [primary, ...primary.replicas.values()]) {
      reply.array(2)
      reply.integer(report.refreshedMs === 0 ? 0 : Math.round(sentinel.nowMs - report.refreshedMs))
      if (report.text === undefined) reply.null()
      else reply.bulk(Slice.of(report.text))
    }
  }
}

function pendingScripts({ scripts, nowMs }: Sentinel, { reply }: Context): void {
  reply.array(scripts.queue.length)
  for (const { words, child, startMs, runs } of scripts.queue) {
    reply.map(5)
    reply.bulkText('argv')
    reply.array(words.length)
    for (const word of words) reply.bulkText(word)
    const fields: [string, string | number][] = [
      ['flags', child === undefined ? 'scheduled' : 'running'],
      ['pid', child?.pid ?? 0],
      child === undefined
        ? ['run-delay', startMs === 0 ? 0 : Math.max(0, startMs - nowMs)]
        : ['run-time', nowMs - startMs],
      ['retry-num', runs],
    ]
    for (const [name, value] of fields) {
      reply.bulkText(name)
      reply.bulkText(String(typeof value === 'number' ? Math.round(value) : value))
    }
  }
}

// ---- changes ----

/** MONITOR name host port quorum: a name is resolved first, for which the client waits. */
function monitor(sentinel: Sentinel, ctx: Context): void {
  const { args, reply } = ctx
  const quorum = ctx.longOrReply(5, INVALID_QUORUM)
  if (Number.isNaN(quorum)) return
  const port = ctx.longOrReply(4, INVALID_PORT)
  if (Number.isNaN(port)) return
  if (quorum <= 0) return reply.error('ERR Quorum must be 1 or greater.')
  const name = args[2].latin1()
  const host = args[3].latin1()
  const add = (to: Reply) => addMonitored(sentinel, to, name, host, port, quorum)
  let isResolved = false
  let answer: { write(answer: (reply: Reply) => void): void } | undefined
  sentinel.addresses.resolved(host, () => {
    isResolved = true
    answer?.write(add)
  })
  if (isResolved || !ctx.canBlock) add(reply)
  else answer = ctx.waitForAnswer()
}

function addMonitored(
  sentinel: Sentinel,
  reply: Reply,
  name: string,
  host: string,
  port: number,
  quorum: number,
): void {
  if (sentinel.addresses.lookup(host) === undefined) return reply.error('ERR Invalid IP address or hostname specified')
  const primary = sentinel.addPrimary(name, host, port, quorum)
  if (typeof primary === 'string') return reply.error(`ERR ${failure(primary, 'master')}`)
  replySaved(sentinel, reply)
  sentinel.events.about(primary, 'warning', '+monitor', ` quorum ${quorum}`)
}

function failover(sentinel: Sentinel, { reply }: Context, primary: Primary): void {
  if (primary.has(FAILOVER_IN_PROGRESS)) return reply.error('INPROG Failover already in progress')
  if (bestReplica(sentinel, primary) === undefined) return reply.error('NOGOODSLAVE No suitable replica to promote')
  sentinel.host.log('notice', `Executing user requested FAILOVER of '${primary.name}'`)
  startFailover(sentinel, primary)
  primary.flags |= FORCE_FAILOVER
  reply.ok()
}

function reset(sentinel: Sentinel, { args, reply }: Context): void {
  let count = 0
  for (const primary of sentinel.primaries.values()) {
    if (!globMatch(args[2], Slice.of(primary.name))) continue
    sentinel.reset(primary, true)
    sentinel.events.about(primary, 'warning', '+reset-master')
    count++
  }
  reply.integer(count)
}

function simulateFailure(sentinel: Sentinel, ctx: Context): void {
  const { argc, reply } = ctx
  sentinel.crashAfterElection = sentinel.crashAfterPromotion = false
  for (let i = 2; i < argc; i++) {
    if (ctx.is(i, 'crash-after-election')) sentinel.crashAfterElection = true
    else if (ctx.is(i, 'crash-after-promotion')) sentinel.crashAfterPromotion = true
    else if (ctx.is(i, 'help')) {
      reply.array(2)
      reply.bulkText('crash-after-election')
      return reply.bulkText('crash-after-promotion')
    } else return reply.error('ERR Unknown failure simulation specified')
  }
  reply.ok()
}

const HELP = [
  'CKQUORUM <master-name>',
  '    Whether the sentinels that are up can notice a failure (quorum) and authorize a failover (majority).',
  'CONFIG SET <parameter> <value> [<parameter> <value> ...]',
  '    Changes settings of the whole sentinel.',
  'CONFIG GET <parameter> [<parameter> ...]',
  '    Shows them; patterns are allowed.',
  'DEBUG [<parameter> <value> ...]',
  '    Shows periods and time-outs in milliseconds, or changes some.',
  'FAILOVER <master-name>',
  '    Fails the primary over now, without asking the other sentinels.',
  'FLUSHCONFIG',
  '    Writes settings and state to the configuration file.',
  'GET-MASTER-ADDR-BY-NAME <master-name>',
  '    Host and port of the primary.',
  'INFO-CACHE <master-name> [<master-name> ...]',
  '    The last INFO of primaries and of their replicas, with its age.',
  'IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>',
  '    Asked by other sentinels: is this primary down, and who has the vote of this epoch?',
  'MASTER <master-name>',
  '    State of a primary.',
  'MASTERS',
  '    State of all primaries.',
  'MONITOR <name> <host> <port> <quorum>',
  '    Begins to monitor a primary.',
  'MYID',
  '    The id of this sentinel.',
  'PENDING-SCRIPTS',
  '    Scripts that run or wait.',
  'REMOVE <master-name>',
  '    Stops monitoring a primary.',
  'REPLICAS <master-name>',
  '    State of the replicas of a primary.',
  'RESET <pattern>',
  '    Forgets replicas, sentinels and failovers of the primaries whose names match.',
  'SENTINELS <master-name>',
  '    State of the other sentinels of a primary.',
  'SET <master-name> <option> <value> [<option> <value> ...]',
  '    Changes settings of a primary.',
  'SIMULATE-FAILURE [CRASH-AFTER-ELECTION] [CRASH-AFTER-PROMOTION] [HELP]',
  '    Ends this sentinel at that moment of the next failover.',
]
