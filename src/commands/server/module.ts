// MODULE. Modules are native code for redis-server, so that there are none here and none can be loaded.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { isLocal } from './config.ts'

const GUARDED = 'no_async_loading admin noscript protected'

export const moduleCommands: readonly Command[] = [
  {
    name: 'module',
    arity: -2,
    flags: '',
    since: '4.0.0',
    group: 'server',
    summary: 'A container for module commands.',
    complexity: 'Depends on subcommand.',
    subcommands: [
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '5.0.0',
        group: 'server',
        summary: 'Returns helpful text about the different subcommands.',
        complexity: 'O(1)',
        run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
      },
      {
        name: 'list',
        arity: 2,
        flags: 'admin noscript',
        since: '4.0.0',
        group: 'server',
        summary: 'Returns all loaded modules.',
        complexity: 'O(N) where N is the number of loaded modules.',
        tips: 'nondeterministic_output_order',
        run: ctx => ctx.reply.emptyArray(),
      },
      {
        name: 'load',
        arity: -3,
        flags: GUARDED,
        since: '4.0.0',
        group: 'server',
        summary: 'Loads a module.',
        complexity: 'O(1)',
        args: 'path [arg...]',
        run: load,
      },
      {
        name: 'loadex',
        arity: -3,
        flags: GUARDED,
        since: '7.0.0',
        group: 'server',
        summary: 'Loads a module using extended parameters.',
        complexity: 'O(1)',
        args: 'path [CONFIG... configs:(name value)...] [ARGS args...]',
        run: load,
      },
      {
        name: 'unload',
        arity: 3,
        flags: GUARDED,
        since: '4.0.0',
        group: 'server',
        summary: 'Unloads a module.',
        complexity: 'O(1)',
        args: 'name',
        run: unload,
      },
    ],
  },
]

const HELP: readonly string[] = [
  'LIST',
  '    Return a list of loaded modules.',
  'LOAD <path> [<arg> ...]',
  '    Load a module library from <path>, passing to it any optional arguments.',
  'LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]',
  '    Load a module library from <path>, while passing it module configurations and optional arguments.',
  'UNLOAD <name>',
  '    Unload a module.',
]
const NOT_ALLOWED = errorBytes(
  'ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run it from a local ' +
    'connection, otherwise you need to set this option in the configuration file, and then restart the server.',
)
const NOT_LOADED = errorBytes('ERR Error loading the extension. Please check the server logs.')
const NO_SUCH_MODULE = errorBytes('ERR Error unloading module: no such module with that name')

function mayOrReply(ctx: Context): boolean {
  const allowed = ctx.settings.enableModuleCommand
  if (allowed === 'yes' || (allowed === 'local' && isLocal(ctx.client))) return true
  ctx.reply.fixedError(NOT_ALLOWED)
  return false
}

function load(ctx: Context): void {
  if (!mayOrReply(ctx)) return
  ctx.engine.log?.('warning', `Module ${ctx.args[2].latin1()} failed to load: Redstart cannot load modules`)
  ctx.reply.fixedError(NOT_LOADED)
}

function unload(ctx: Context): void {
  if (mayOrReply(ctx)) ctx.reply.fixedError(NO_SUCH_MODULE)
}
