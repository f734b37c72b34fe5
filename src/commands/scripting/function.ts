// FUNCTION: management of function libraries.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_INTERNAL, CLIENT_MASTER } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import type { FunctionInfo, LibraryInfo, Outcome } from '../../engine/ports/scripting.ts'
import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { replySubcommandError } from '../shared/arguments.ts'

const BAD_FLUSH = errorBytes('ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
const NO_LIBRARY = errorBytes('ERR Library not found')
const NO_NAME = errorBytes('ERR library name argument was not given')
const BAD_POLICY = errorBytes('ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.')
const BUSY = errorBytes('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.')

const HELP = [
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Add a library; its name is in the first line of the code.',
  'DELETE <LIBRARY NAME>',
  '    Remove a library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Describe all libraries, or those whose names match PATTERN:',
  '    * name',
  '    * engine',
  '    * functions, with their descriptions and flags',
  '    * code, with WITHCODE',
  'STATS',
  '    Describe the running function (null when there is none):',
  '    * name',
  '    * the command that called it',
  '    * milliseconds so far',
  '    and count libraries and functions of each engine.',
  'KILL',
  '    Stop the running function, unless it has written.',
  'FLUSH [ASYNC|SYNC]',
  '    Remove all libraries. Without a mode, lazyfree-lazy-user-flush decides:',
  '    * ASYNC: memory is freed in the background.',
  '    * SYNC: memory is freed before the reply.',
  'DUMP',
  '    All libraries as one payload for RESTORE.',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Load the libraries of a payload. What is done with those that are there:',
  '    * FLUSH: they are removed first.',
  '    * APPEND (unless given): they stay; a name that both have is an error.',
  '    * REPLACE: they stay unless the payload has one of that name.',
  '    A function name in two libraries is an error in any case.',
]

export const functionCommand: Command = {
  name: 'function',
  arity: -2,
  flags: '',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Libraries of functions: load, list, save and remove them.',
  complexity: 'Differs by subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'delete',
      arity: 3,
      flags: 'noscript write',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Remove a library with all its functions.',
      complexity: 'O(1)',
      args: 'library-name',
      tips: 'request_policy:all_shards response_policy:all_succeeded',
      run: remove,
    },
    {
      name: 'dump',
      arity: 2,
      flags: 'noscript',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Serialize all libraries for FUNCTION RESTORE.',
      complexity: 'O(N), N = functions.',
      run: ctx => ctx.reply.bulk(ctx.server.scripting.functions.dump()),
    },
    {
      name: 'flush',
      arity: -2,
      flags: 'noscript write',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Remove all libraries.',
      complexity: 'O(N), N = functions removed.',
      args: '[flush-type:(ASYNC|SYNC)]',
      tips: 'request_policy:all_shards response_policy:all_succeeded',
      run: flush,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Explain the subcommands of FUNCTION.',
      complexity: 'O(1)',
      run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
    },
    {
      name: 'kill',
      arity: 2,
      flags: 'noscript allow_busy',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Stop the function that is running, unless it has written.',
      complexity: 'O(1)',
      tips: 'request_policy:all_shards response_policy:one_succeeded',
      run: ctx => ctx.server.scripting.kill(ctx.reply, 'function'),
    },
    {
      name: 'list',
      arity: -2,
      flags: 'noscript',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Describe the libraries and their functions.',
      complexity: 'O(N), N = functions.',
      args: '[LIBRARYNAME library-name-pattern] [WITHCODE]',
      tips: 'nondeterministic_output_order',
      run: list,
    },
    {
      name: 'load',
      arity: -3,
      flags: 'noscript write denyoom',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Add a library, or replace the one of the same name.',
      complexity: 'O(1), compilation left aside.',
      args: '[REPLACE] function-code',
      tips: 'request_policy:all_shards response_policy:all_succeeded',
      run: load,
    },
    {
      name: 'restore',
      arity: -3,
      flags: 'noscript write denyoom',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Load libraries from a payload of FUNCTION DUMP.',
      complexity: 'O(N), N = functions in the payload.',
      args: 'serialized-value [policy:(FLUSH|APPEND|REPLACE)]',
      tips: 'request_policy:all_shards response_policy:all_succeeded',
      run: restore,
    },
    {
      name: 'stats',
      arity: 2,
      flags: 'noscript allow_busy',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Show the function that is running, and how many are loaded.',
      complexity: 'O(1)',
      tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
      run: stats,
    },
  ],
}

function remove(ctx: Context): void {
  if (!ctx.server.scripting.functions.delete(ctx.args[2])) return ctx.reply.fixedError(NO_LIBRARY)
  ctx.keyspace.dirty++
  ctx.reply.ok()
}

function flush(ctx: Context): void {
  if (ctx.argc > 3) return replySubcommandError(ctx)
  if (ctx.argc === 3 && !ctx.is(2, 'sync') && !ctx.is(2, 'async')) return ctx.reply.fixedError(BAD_FLUSH)
  ctx.server.scripting.functions.flush()
  ctx.keyspace.dirty++
  ctx.reply.ok()
}

function load(ctx: Context): void {
  const { args, argc, client, server, reply } = ctx
  for (let i = 2; i < argc - 1; i++)
    if (!ctx.is(i, 'replace')) return reply.error(`ERR Unknown option given: ${args[i].latin1()}`)
  const timeLimited = !client.has(CLIENT_MASTER | CLIENT_INTERNAL)
  const name = textOrReply(ctx, server.scripting.functions.load(args[argc - 1], argc > 3, timeLimited))
  if (name === undefined) return
  ctx.keyspace.dirty++
  reply.bulkText(name)
}

function restore(ctx: Context): void {
  const { argc, server, reply } = ctx
  if (argc > 4) return replySubcommandError(ctx)
  const policy = (['append', 'replace', 'flush'] as const).find((word, i) => (argc === 3 ? i === 0 : ctx.is(3, word)))
  if (policy === undefined) return reply.fixedError(BAD_POLICY)
  if (textOrReply(ctx, server.scripting.functions.restore(ctx.args[2], policy)) === undefined) return
  ctx.keyspace.dirty++
  reply.ok()
}

function textOrReply(ctx: Context, outcome: Outcome): string | undefined {
  if (outcome.error === undefined) return outcome.text
  ctx.reply.error(`ERR ${outcome.error}`)
  return undefined
}

function list(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  let withCode = false
  let pattern: Slice | undefined
  for (let i = 2; i < argc; i++) {
    if (!withCode && ctx.is(i, 'withcode')) withCode = true
    else if (pattern === undefined && ctx.is(i, 'libraryname')) {
      if (i + 1 >= argc) return reply.fixedError(NO_NAME)
      pattern = args[++i]
    } else return reply.error(`ERR Unknown argument ${args[i].latin1()}`)
  }
  const shown = [...server.scripting.functions.libraries()].filter(
    library => pattern === undefined || globMatch(pattern, Slice.of(library.name), true),
  )
  reply.array(shown.length)
  for (const library of shown) replyLibrary(ctx, library, withCode)
}

function replyLibrary({ reply }: Context, library: LibraryInfo, withCode: boolean): void {
  reply.map(withCode ? 4 : 3)
  reply.bulkText('library_name')
  reply.bulkText(library.name)
  reply.bulkText('engine')
  reply.bulkText(library.engineName)
  reply.bulkText('functions')
  reply.array(library.functions.length)
  for (const one of library.functions) replyFunction(reply, one)
  if (!withCode) return
  reply.bulkText('library_code')
  reply.bulkText(library.code)
}

function replyFunction(reply: Context['reply'], one: FunctionInfo): void {
  reply.map(3)
  reply.bulkText('name')
  reply.bulkText(one.name)
  reply.bulkText('description')
  if (one.description === undefined) reply.null()
  else reply.bulkText(one.description)
  reply.bulkText('flags')
  reply.set(one.flagNames.length)
  for (const flag of one.flagNames) reply.simple(flag)
}

function stats({ server, reply }: Context): void {
  const { running, functions } = server.scripting
  if (running !== undefined && !running.isFunction) return reply.fixedError(BUSY)
  reply.map(2)
  reply.bulkText('running_script')
  if (running === undefined) reply.null()
  else {
    reply.map(3)
    reply.bulkText('name')
    reply.bulkText(running.name)
    reply.bulkText('command')
    reply.array(running.command.args.length)
    for (const arg of running.command.args) reply.bulk(arg)
    reply.bulkText('duration_ms')
    reply.integer(running.durationMs)
  }
  reply.bulkText('engines')
  reply.map(functions.engineNames.length)
  for (const name of functions.engineNames) {
    reply.bulkText(name)
    reply.map(2)
    reply.bulkText('libraries_count')
    reply.integer(functions.libraryCountOf(name))
    reply.bulkText('functions_count')
    reply.integer(functions.functionCountOf(name))
  }
}
