// FUNCTION: libraries of functions that live beside the data.

import { CLIENT_INTERNAL, CLIENT_MASTER } from '../../engine/client.ts'
import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import type { FunctionInfo, LibraryInfo, Outcome } from '../../engine/scripting.ts'
import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'

const BAD_FLUSH = errorBytes('ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
const NO_LIBRARY = errorBytes('ERR Library not found')
const NO_NAME = errorBytes('ERR library name argument was not given')
const BAD_POLICY = errorBytes('ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.')
const BUSY = errorBytes('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.')

const HELP = [
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Create a new library with the given library name and code.',
  'DELETE <LIBRARY NAME>',
  '    Delete the given library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Return general information on all the libraries:',
  '    * Library name',
  '    * The engine used to run the Library',
  '    * Library description',
  '    * Functions list',
  '    * Library code (if WITHCODE is given)',
  '    It also possible to get only function that matches a pattern using LIBRARYNAME argument.',
  'STATS',
  '    Return information about the current function running:',
  '    * Function name',
  '    * Command used to run the function',
  '    * Duration in MS that the function is running',
  '    If no function is running, return nil',
  '    In addition, returns a list of available engines.',
  'KILL',
  '    Kill the current running function.',
  'FLUSH [ASYNC|SYNC]',
  '    Delete all the libraries.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the libraries.',
  '    * SYNC: Synchronously flush the libraries.',
  'DUMP',
  '    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Restore the libraries represented by the given payload, it is possible to give a restore policy to',
  '    control how to handle existing libraries (default APPEND):',
  '    * FLUSH: delete all existing libraries.',
  '    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.',
  '    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old',
  '      libraries with the new libraries (notice that even on this option there is a chance of failure',
  '      in case of functions name collision with another library).',
]

export const functionCommand: Command = {
  name: 'function',
  arity: -2,
  flags: '',
  since: '7.0.0',
  group: 'scripting',
  summary: 'A container for function commands.',
  complexity: 'Depends on subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'delete',
      arity: 3,
      flags: 'noscript write',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Deletes a library and its functions.',
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
      summary: 'Dumps all libraries into a serialized binary payload.',
      complexity: 'O(N) where N is the number of functions',
      run: ctx => ctx.reply.bulk(ctx.engine.scripting.functions.dump()),
    },
    {
      name: 'flush',
      arity: -2,
      flags: 'noscript write',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Deletes all libraries and functions.',
      complexity: 'O(N) where N is the number of functions deleted',
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
      summary: 'Returns helpful text about the different subcommands.',
      complexity: 'O(1)',
      run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
    },
    {
      name: 'kill',
      arity: 2,
      flags: 'noscript allow_busy',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Terminates a function during execution.',
      complexity: 'O(1)',
      tips: 'request_policy:all_shards response_policy:one_succeeded',
      run: ctx => ctx.engine.scripting.kill(ctx.reply, 'function'),
    },
    {
      name: 'list',
      arity: -2,
      flags: 'noscript',
      since: '7.0.0',
      group: 'scripting',
      summary: 'Returns information about all libraries.',
      complexity: 'O(N) where N is the number of functions',
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
      summary: 'Creates a library.',
      complexity: 'O(1) (considering compilation time is redundant)',
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
      summary: 'Restores all libraries from a payload.',
      complexity: 'O(N) where N is the number of functions on the payload',
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
      summary: 'Returns information about a function during execution.',
      complexity: 'O(1)',
      tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
      run: stats,
    },
  ],
}

function remove(ctx: Context): void {
  if (!ctx.engine.scripting.functions.delete(ctx.args[2])) return ctx.reply.fixedError(NO_LIBRARY)
  ctx.keyspace.dirty++
  ctx.reply.ok()
}

function flush(ctx: Context): void {
  if (ctx.argc > 3) return subcommandSyntaxError(ctx)
  if (ctx.argc === 3 && !ctx.is(2, 'sync') && !ctx.is(2, 'async')) return ctx.reply.fixedError(BAD_FLUSH)
  ctx.engine.scripting.functions.flush()
  ctx.keyspace.dirty++
  ctx.reply.ok()
}

function load(ctx: Context): void {
  const { args, argc, client, engine, reply } = ctx
  for (let i = 2; i < argc - 1; i++)
    if (!ctx.is(i, 'replace')) return reply.error(`ERR Unknown option given: ${args[i].latin1()}`)
  const timeLimited = !client.has(CLIENT_MASTER | CLIENT_INTERNAL)
  const name = textOrReply(ctx, engine.scripting.functions.load(args[argc - 1], argc > 3, timeLimited))
  if (name === undefined) return
  ctx.keyspace.dirty++
  reply.bulkText(name)
}

function restore(ctx: Context): void {
  const { argc, engine, reply } = ctx
  if (argc > 4) return subcommandSyntaxError(ctx)
  const policy = (['append', 'replace', 'flush'] as const).find((word, i) => (argc === 3 ? i === 0 : ctx.is(3, word)))
  if (policy === undefined) return reply.fixedError(BAD_POLICY)
  if (textOrReply(ctx, engine.scripting.functions.restore(ctx.args[2], policy)) === undefined) return
  ctx.keyspace.dirty++
  reply.ok()
}

function textOrReply(ctx: Context, outcome: Outcome): string | undefined {
  if (outcome.error === undefined) return outcome.text
  ctx.reply.error(`ERR ${outcome.error}`)
  return undefined
}

function subcommandSyntaxError({ args, reply }: Context): void {
  const container = args[0].latin1().toUpperCase()
  reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${args[1].latin1().slice(0, 128)}'. Try ${container} HELP.`,
  )
}

function list(ctx: Context): void {
  const { args, argc, engine, reply } = ctx
  let withCode = false
  let pattern: Slice | undefined
  for (let i = 2; i < argc; i++) {
    if (!withCode && ctx.is(i, 'withcode')) withCode = true
    else if (pattern === undefined && ctx.is(i, 'libraryname')) {
      if (i + 1 >= argc) return reply.fixedError(NO_NAME)
      pattern = args[++i]
    } else return reply.error(`ERR Unknown argument ${args[i].latin1()}`)
  }
  const shown = [...engine.scripting.functions.libraries()].filter(
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

function stats({ engine, reply }: Context): void {
  const { running, functions } = engine.scripting
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
    reply.integer(functions.libraryCount)
    reply.bulkText('functions_count')
    reply.integer(functions.functionCount)
  }
}
