// COMMAND: what the server tells about its commands. How one command is described stands in replies.ts.

import type { Command } from '../../../engine/command.ts'
import type { Context } from '../../../engine/context.ts'
import type { TableEntry } from '../../../engine/table.ts'
import { equalsNoCase } from '../../../lib/bytes.ts'
import { globMatch } from '../../../lib/glob.ts'
import { Slice } from '../../../lib/slice.ts'
import { SYNTAX } from '../../../protocol/errors.ts'
import { replyHelp } from '../../../protocol/help.ts'
import { replyDocs, replyInfo, replyWords } from './replies.ts'

export const commandCommands: readonly Command[] = [
  {
    name: 'command',
    arity: -1,
    flags: 'loading stale sentinel',
    since: '2.8.13',
    group: 'server',
    summary: 'Returns detailed information about all commands.',
    complexity: 'O(N) where N is the total number of Redis commands',
    tips: 'nondeterministic_output_order',
    acl: 'connection',
    subcommands: [
      {
        name: 'count',
        arity: 2,
        flags: 'loading stale sentinel',
        since: '2.8.13',
        group: 'server',
        summary: 'Returns a count of commands.',
        complexity: 'O(1)',
        acl: 'connection',
        run: count,
      },
      {
        name: 'docs',
        arity: -2,
        flags: 'loading stale sentinel',
        since: '7.0.0',
        group: 'server',
        summary: 'Returns documentary information about one, multiple or all commands.',
        complexity: 'O(N) where N is the number of commands to look up',
        args: '[command-name...]',
        tips: 'nondeterministic_output_order',
        acl: 'connection',
        run: docs,
      },
      {
        name: 'getkeys',
        arity: -3,
        flags: 'loading stale sentinel',
        since: '2.8.13',
        group: 'server',
        summary: 'Extracts the key names from an arbitrary command.',
        complexity: 'O(N) where N is the number of arguments to the command',
        args: 'command [arg...]',
        acl: 'connection',
        run: getKeys,
      },
      {
        name: 'getkeysandflags',
        arity: -3,
        flags: 'loading stale sentinel',
        since: '7.0.0',
        group: 'server',
        summary: 'Extracts the key names and access flags for an arbitrary command.',
        complexity: 'O(N) where N is the number of arguments to the command',
        args: 'command [arg...]',
        acl: 'connection',
        run: getKeysAndFlags,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale sentinel',
        since: '5.0.0',
        group: 'server',
        summary: 'Returns helpful text about the different subcommands.',
        complexity: 'O(1)',
        acl: 'connection',
        run: help,
      },
      {
        name: 'info',
        arity: -2,
        flags: 'loading stale sentinel',
        since: '2.8.13',
        group: 'server',
        summary: 'Returns information about one, multiple or all commands.',
        complexity: 'O(N) where N is the number of commands to look up',
        args: '[command-name...]',
        history: [['7.0.0', 'Allowed to be called with no argument to get info on all commands.']],
        tips: 'nondeterministic_output_order',
        acl: 'connection',
        run: info,
      },
      {
        name: 'list',
        arity: -2,
        flags: 'loading stale sentinel',
        since: '7.0.0',
        group: 'server',
        summary: 'Returns a list of command names.',
        complexity: 'O(N) where N is the total number of Redis commands',
        args: '[FILTERBY filterby:(MODULE module-name|ACLCAT category|PATTERN pattern:pattern)]',
        tips: 'nondeterministic_output_order',
        acl: 'connection',
        run: list,
      },
    ],
    run: allInfo,
  },
]

function allInfo(ctx: Context): void {
  const table = ctx.engine.table
  ctx.reply.array(table.size)
  for (const entry of table.entries()) replyInfo(ctx.reply, entry, table)
}

function count(ctx: Context): void {
  ctx.reply.integer(ctx.engine.table.size)
}

function info(ctx: Context): void {
  if (ctx.argc === 2) return allInfo(ctx)
  const table = ctx.engine.table
  ctx.reply.array(ctx.argc - 2)
  for (let i = 2; i < ctx.argc; i++) {
    const entry = table.lookupFullName(ctx.args[i])
    if (entry === undefined) ctx.reply.null()
    else replyInfo(ctx.reply, entry, table)
  }
}

function docs(ctx: Context): void {
  const table = ctx.engine.table
  const wanted: TableEntry[] = []
  if (ctx.argc === 2) wanted.push(...table.entries())
  for (let i = 2; i < ctx.argc; i++) {
    const entry = table.lookupFullName(ctx.args[i])
    if (entry !== undefined) wanted.push(entry)
  }
  ctx.reply.map(wanted.length)
  for (const entry of wanted) {
    ctx.reply.bulkText(entry.fullName)
    replyDocs(ctx.reply, entry)
  }
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
function list(ctx: Context): void {
  const { args, argc, reply } = ctx
  let keep = (_entry: TableEntry): boolean => true
  if (argc !== 2) {
    if (argc !== 5 || !equalsNoCase(args[2], 'filterby')) return reply.fixedError(SYNTAX)
    const by = args[4].latin1().toLowerCase()
    if (equalsNoCase(args[3], 'module'))
      keep = () => false // there are no modules
    else if (equalsNoCase(args[3], 'aclcat')) keep = entry => entry.categoryNames().includes(by)
    else if (equalsNoCase(args[3], 'pattern')) keep = entry => globMatch(args[4], Slice.of(entry.fullName), true)
    else return reply.fixedError(SYNTAX)
  }
  const kept = [...ctx.engine.table.entries()].flatMap(entry => [entry, ...entry.subs]).filter(keep)
  reply.array(kept.length)
  for (const entry of kept) reply.bulkText(entry.fullName)
}

function getKeys(ctx: Context): void {
  replyKeys(ctx, false)
}

function getKeysAndFlags(ctx: Context): void {
  replyKeys(ctx, true)
}

function replyKeys(ctx: Context, withFlags: boolean): void {
  const { reply } = ctx
  const table = ctx.engine.table
  const args = ctx.args.slice(2, ctx.argc)
  const entry = table.resolve(args, args.length)
  if (entry === undefined) return reply.error('ERR Invalid command specified')
  if (!entry.hasKeys()) return reply.error('ERR The command has no key arguments')
  if (entry.arity > 0 ? args.length !== entry.arity : args.length < -entry.arity)
    return reply.error('ERR Invalid number of arguments specified for command')
  const keys = table.keysOf(entry, args, args.length)
  if (keys.count === 0 && !entry.mayHaveNoKeys()) return reply.error('ERR Invalid arguments specified for command')
  reply.array(keys.count)
  for (let i = 0; i < keys.count; i++) {
    if (withFlags) reply.array(2)
    reply.bulk(args[keys.positions[i]])
    if (withFlags) replyWords(reply, table.keyFlagNames(keys.flags[i]))
  }
}

function help(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], [
    '(no subcommand)',
    '    Return details about all Redis commands.',
    'COUNT',
    '    Return the total number of commands in this Redis server.',
    'LIST',
    '    Return a list of all commands in this Redis server.',
    'INFO [<command-name> ...]',
    '    Return details about multiple Redis commands.',
    '    If no command names are given, documentation details for all',
    '    commands are returned.',
    'DOCS [<command-name> ...]',
    '    Return documentation details about multiple Redis commands.',
    '    If no command names are given, documentation details for all',
    '    commands are returned.',
    'GETKEYS <full-command>',
    '    Return the keys from a full Redis command.',
    'GETKEYSANDFLAGS <full-command>',
    '    Return the keys and the access flags from a full Redis command.',
  ])
}
