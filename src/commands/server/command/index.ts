// COMMAND: introspection of the command table. replies.ts formats one command.

import type { Command } from '../../../engine/catalog/command.ts'
import type { TableEntry } from '../../../engine/catalog/table.ts'
import type { Context } from '../../../engine/context.ts'
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
    summary: 'Describe commands: arity, flags, keys and documentation.',
    complexity: 'O(N), N = commands of the server.',
    tips: 'nondeterministic_output_order',
    acl: 'connection',
    subcommands: [
      {
        name: 'count',
        arity: 2,
        flags: 'loading stale sentinel',
        since: '2.8.13',
        group: 'server',
        summary: 'Count the commands that this server has.',
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
        summary: 'Return the documentation of commands: what they do, arguments, history.',
        complexity: 'O(N), N = commands asked for.',
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
        summary: 'Tell which arguments of a full command line are keys.',
        complexity: 'O(N), N = arguments of the line.',
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
        summary: 'Tell which arguments of a full command line are keys, and what is done to each.',
        complexity: 'O(N), N = arguments of the line.',
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
        summary: 'Explain the subcommands of COMMAND.',
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
        summary: 'Return arity, flags, key positions and categories of commands.',
        complexity: 'O(N), N = commands asked for.',
        args: '[command-name...]',
        history: [['7.0.0', 'Without arguments all commands are described.']],
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
        summary: 'List the names of commands, all or by module, category or pattern.',
        complexity: 'O(N), N = commands of the server.',
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
  const table = ctx.server.table
  ctx.reply.array(table.size)
  for (const entry of table.entries()) replyInfo(ctx.reply, entry, table)
}

function count(ctx: Context): void {
  ctx.reply.integer(ctx.server.table.size)
}

function info(ctx: Context): void {
  if (ctx.argc === 2) return allInfo(ctx)
  const table = ctx.server.table
  ctx.reply.array(ctx.argc - 2)
  for (let i = 2; i < ctx.argc; i++) {
    const entry = table.lookupFullName(ctx.args[i])
    if (entry === undefined) ctx.reply.null()
    else replyInfo(ctx.reply, entry, table)
  }
}

function docs(ctx: Context): void {
  const table = ctx.server.table
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
    if (equalsNoCase(args[3], 'module')) keep = namesOfModule(ctx, by)
    else if (equalsNoCase(args[3], 'aclcat')) keep = entry => ctx.server.table.categoryNamesOf(entry).includes(by)
    else if (equalsNoCase(args[3], 'pattern')) keep = entry => globMatch(args[4], Slice.of(entry.fullName), true)
    else return reply.fixedError(SYNTAX)
  }
  const kept = [...ctx.server.table.entries()].flatMap(entry => [entry, ...entry.subs]).filter(keep)
  reply.array(kept.length)
  for (const entry of kept) reply.bulkText(entry.fullName)
}

function namesOfModule(ctx: Context, name: string): (entry: TableEntry) => boolean {
  const module = ctx.server.table.modules.find(one => one.name.toLowerCase() === name)
  return entry => module?.commands.includes((entry.parent ?? entry).command.name) === true
}

function getKeys(ctx: Context): void {
  replyKeys(ctx, false)
}

function getKeysAndFlags(ctx: Context): void {
  replyKeys(ctx, true)
}

function replyKeys(ctx: Context, withFlags: boolean): void {
  const { reply } = ctx
  const table = ctx.server.table
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
    '    What COMMAND INFO tells, of every command.',
    'COUNT',
    '    How many commands this server has.',
    'LIST',
    '    Their names.',
    'INFO [<command-name> ...]',
    '    Arity, flags, keys and categories of the named commands,',
    '    or of all when none is named.',
    'DOCS [<command-name> ...]',
    '    What the named commands do, their arguments and history,',
    '    or those of all when none is named.',
    'GETKEYS <full-command>',
    '    Which words of the command line are keys.',
    'GETKEYSANDFLAGS <full-command>',
    '    As GETKEYS, with what is done to each key.',
  ])
}
