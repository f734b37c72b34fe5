// SCRIPT: the script cache, and SCRIPT KILL.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_LUA_DEBUG, CLIENT_LUA_DEBUG_SYNC } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'

const BAD_FLUSH = errorBytes('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
const BAD_DEBUG = errorBytes('ERR Use SCRIPT DEBUG YES/SYNC/NO')

const HELP = [
  'DEBUG (YES|SYNC|NO)',
  '    Switch the debugger for later scripts of this connection.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Which of these scripts are cached, as ones and zeros.',
  'FLUSH [ASYNC|SYNC]',
  '    Empty the cache. Without a mode, lazyfree-lazy-user-flush decides:',
  '    * ASYNC: memory is freed in the background.',
  '    * SYNC: memory is freed before the reply.',
  'KILL',
  '    Stop the running script, unless it has written.',
  'LOAD <script>',
  '    Cache <script> without running it, and return its SHA-1.',
]

export const scriptCommand: Command = {
  name: 'script',
  arity: -2,
  flags: '',
  since: '2.6.0',
  group: 'scripting',
  summary: 'The cache of Lua scripts, and the script that is running.',
  complexity: 'Differs by subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'debug',
      arity: 3,
      flags: 'noscript',
      since: '3.2.0',
      group: 'scripting',
      summary: 'Switch the Lua debugger on or off for this connection.',
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
      summary: 'Tell which of the given scripts are cached.',
      complexity: 'O(N), N = digests named.',
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
      summary: 'Empty the cache of scripts.',
      complexity: 'O(N), N = scripts in the cache.',
      args: '[flush-type:(ASYNC|SYNC)@6.2.0]',
      history: [['6.2.0', '`ASYNC` and `SYNC` are accepted.']],
      tips: 'request_policy:all_nodes response_policy:all_succeeded',
      run: flush,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '5.0.0',
      group: 'scripting',
      summary: 'Explain the subcommands of SCRIPT.',
      complexity: 'O(1)',
      run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
    },
    {
      name: 'kill',
      arity: 2,
      flags: 'noscript allow_busy',
      since: '2.6.0',
      group: 'scripting',
      summary: 'Stop the script that is running, unless it has written.',
      complexity: 'O(1)',
      tips: 'request_policy:all_shards response_policy:one_succeeded',
      run: ctx => ctx.server.scripting.kill(ctx.reply, 'script'),
    },
    {
      name: 'load',
      arity: 3,
      flags: 'noscript stale',
      since: '2.6.0',
      group: 'scripting',
      summary: 'Put a script into the cache and return its SHA-1.',
      complexity: 'O(N), N = bytes of the script.',
      args: 'script',
      tips: 'request_policy:all_nodes response_policy:all_succeeded',
      run: load,
    },
  ],
}

/** SCRIPT DEBUG YES | SYNC | NO: how this client's next EVAL runs. */
function debug(ctx: Context): void {
  const { client, reply } = ctx
  const isSync = ctx.is(2, 'sync')
  if (!isSync && !ctx.is(2, 'yes') && !ctx.is(2, 'no')) return reply.fixedError(BAD_DEBUG)
  client.flags &= ~(CLIENT_LUA_DEBUG | CLIENT_LUA_DEBUG_SYNC)
  if (!ctx.is(2, 'no')) client.flags |= CLIENT_LUA_DEBUG
  if (isSync) client.flags |= CLIENT_LUA_DEBUG_SYNC
  reply.ok()
}

function exists({ args, argc, server, reply }: Context): void {
  reply.array(argc - 2)
  for (let i = 2; i < argc; i++) reply.integer(server.scripting.scripts.has(args[i]) ? 1 : 0)
}

function flush(ctx: Context): void {
  if (ctx.argc > 3 || (ctx.argc === 3 && !ctx.is(2, 'sync') && !ctx.is(2, 'async')))
    return ctx.reply.fixedError(BAD_FLUSH)
  ctx.server.scripting.scripts.flush()
  ctx.reply.ok()
}

function load({ args, server, reply }: Context): void {
  const { error, text } = { text: '', ...server.scripting.scripts.load(args[2]) }
  if (error === undefined) reply.bulkText(text)
  else reply.error(`ERR ${error}`)
}
