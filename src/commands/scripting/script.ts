// SCRIPT: the cache of scripts, and the script that runs.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'

const BAD_FLUSH = errorBytes('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
const NO_DEBUGGER = errorBytes('ERR The Lua debugger is not supported by this server')
const BAD_DEBUG = errorBytes('ERR Use SCRIPT DEBUG YES/SYNC/NO')

const HELP = [
  'DEBUG (YES|SYNC|NO)',
  '    Set the debug mode for subsequent scripts executed.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Return information about the existence of the scripts in the script cache.',
  'FLUSH [ASYNC|SYNC]',
  '    Flush the Lua scripts cache. Very dangerous on replicas.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the scripts cache.',
  '    * SYNC: Synchronously flush the scripts cache.',
  'KILL',
  '    Kill the currently executing Lua script.',
  'LOAD <script>',
  '    Load a script into the scripts cache without executing it.',
]

export const scriptCommand: Command = {
  name: 'script',
  arity: -2,
  flags: '',
  since: '2.6.0',
  group: 'scripting',
  summary: 'A container for Lua scripts management commands.',
  complexity: 'Depends on subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'debug',
      arity: 3,
      flags: 'noscript',
      since: '3.2.0',
      group: 'scripting',
      summary: 'Sets the debug mode of server-side Lua scripts.',
      complexity: 'O(1)',
      args: 'mode:(YES|SYNC|NO)',
      run: debug,
    },
    {
      name: 'exists',
      arity: -3,
      flags: 'noscript',
      since: '2.6.0',
      group: 'scripting',
      summary: 'Determines whether server-side Lua scripts exist in the script cache.',
      complexity:
        'O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).',
      args: 'sha1...',
      tips: 'request_policy:all_shards response_policy:agg_logical_and',
      run: exists,
    },
    {
      name: 'flush',
      arity: -2,
      flags: 'noscript',
      since: '2.6.0',
      group: 'scripting',
      summary: 'Removes all server-side Lua scripts from the script cache.',
      complexity: 'O(N) with N being the number of scripts in cache',
      args: '[flush-type:(ASYNC|SYNC)@6.2.0]',
      history: [['6.2.0', 'Added the `ASYNC` and `SYNC` flushing mode modifiers.']],
      tips: 'request_policy:all_nodes response_policy:all_succeeded',
      run: flush,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '5.0.0',
      group: 'scripting',
      summary: 'Returns helpful text about the different subcommands.',
      complexity: 'O(1)',
      run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
    },
    {
      name: 'kill',
      arity: 2,
      flags: 'noscript allow_busy',
      since: '2.6.0',
      group: 'scripting',
      summary: 'Terminates a server-side Lua script during execution.',
      complexity: 'O(1)',
      tips: 'request_policy:all_shards response_policy:one_succeeded',
      run: ctx => ctx.engine.scripting.kill(ctx.reply, 'script'),
    },
    {
      name: 'load',
      arity: 3,
      flags: 'noscript stale',
      since: '2.6.0',
      group: 'scripting',
      summary: 'Loads a server-side Lua script to the script cache.',
      complexity: 'O(N) with N being the length in bytes of the script body.',
      args: 'script',
      tips: 'request_policy:all_nodes response_policy:all_succeeded',
      run: load,
    },
  ],
}

/** There is no debugger; only switching it off is granted. */
function debug(ctx: Context): void {
  if (ctx.is(2, 'no')) ctx.reply.ok()
  else if (ctx.is(2, 'yes') || ctx.is(2, 'sync')) ctx.reply.fixedError(NO_DEBUGGER)
  else ctx.reply.fixedError(BAD_DEBUG)
}

function exists({ args, argc, engine, reply }: Context): void {
  reply.array(argc - 2)
  for (let i = 2; i < argc; i++) reply.integer(engine.scripting.scripts.has(args[i]) ? 1 : 0)
}

function flush(ctx: Context): void {
  if (ctx.argc > 3 || (ctx.argc === 3 && !ctx.is(2, 'sync') && !ctx.is(2, 'async')))
    return ctx.reply.fixedError(BAD_FLUSH)
  ctx.engine.scripting.scripts.flush()
  ctx.reply.ok()
}

function load({ args, engine, reply }: Context): void {
  const { error, text } = { text: '', ...engine.scripting.scripts.load(args[2]) }
  if (error === undefined) reply.bulkText(text)
  else reply.error(`ERR ${error}`)
}
