// SLOWLOG.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { replySubcommandError } from '../shared/arguments.ts'

export const slowlogCommands: readonly Command[] = [
  {
    name: 'slowlog',
    arity: -2,
    flags: '',
    since: '2.2.12',
    group: 'server',
    summary: 'The log of commands that took long.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'get',
        arity: -2,
        flags: 'admin loading stale',
        since: '2.2.12',
        group: 'server',
        summary: 'Return the latest entries of the slow log.',
        complexity: 'O(N), N = entries returned.',
        args: '[count:integer]',
        history: [['4.0.0', 'Entries have the address and the name of the client.']],
        tips: 'request_policy:all_nodes nondeterministic_output',
        run: get,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '6.2.0',
        group: 'server',
        summary: 'Explain the subcommands of SLOWLOG.',
        complexity: 'O(1)',
        run: help,
      },
      {
        name: 'len',
        arity: 2,
        flags: 'admin loading stale',
        since: '2.2.12',
        group: 'server',
        summary: 'Count the entries of the slow log.',
        complexity: 'O(1)',
        tips: 'request_policy:all_nodes response_policy:agg_sum nondeterministic_output',
        run: length,
      },
      {
        name: 'reset',
        arity: 2,
        flags: 'admin loading stale',
        since: '2.2.12',
        group: 'server',
        summary: 'Empty the slow log.',
        complexity: 'O(N), N = entries in it.',
        tips: 'request_policy:all_nodes response_policy:all_succeeded',
        run: reset,
      },
    ],
  },
]

const COUNT_DEFAULT = 10
const COUNT_TOO_SMALL = errorBytes('ERR count should be greater than or equal to -1')

/** SLOWLOG GET [count] */
function get(ctx: Context): void {
  const { argc, reply } = ctx
  const { slowlog } = ctx.server.observers
  if (argc > 3) return replySubcommandError(ctx)
  let count = COUNT_DEFAULT
  if (argc === 3) {
    count = ctx.longOrReply(2, COUNT_TOO_SMALL)
    if (Number.isNaN(count)) return
    if (count < -1) return reply.fixedError(COUNT_TOO_SMALL)
    if (count === -1) count = slowlog.length
  }
  const entries = slowlog.newest(count)
  reply.array(entries.length)
  for (const entry of entries) {
    reply.array(6)
    reply.integer(entry.id)
    reply.integer(entry.unixSeconds)
    reply.integer(entry.durationUs)
    reply.array(entry.args.length)
    for (const arg of entry.args) reply.bulk(arg)
    reply.bulkText(entry.peer)
    reply.bulkText(entry.name)
  }
}

function length(ctx: Context): void {
  ctx.reply.integer(ctx.server.observers.slowlog.length)
}

function reset(ctx: Context): void {
  ctx.server.observers.slowlog.reset()
  ctx.reply.ok()
}

function help(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], HELP)
}

const HELP = [
  'GET [<count>]',
  '    The latest <count> entries (10 unless given, -1 for all). An entry is:',
  "    id, seconds since 1970, duration in microseconds, the command's words,",
  '    address and name of the client',
  'LEN',
  '    How many entries there are.',
  'RESET',
  '    Forget them.',
]
