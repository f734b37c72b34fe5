// MODULE. The modules of an embedding program are listed; native ones are code for redis-server and are not loaded.

import type { Command } from '../../engine/catalog/command.ts'
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
    summary: 'The modules of this server; native ones are not loaded.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '5.0.0',
        group: 'server',
        summary: 'Explain the subcommands of MODULE.',
        complexity: 'O(1)',
        run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
      },
      {
        name: 'list',
        arity: 2,
        flags: 'admin noscript',
        since: '4.0.0',
        group: 'server',
        summary: 'List the loaded modules.',
        complexity: 'O(N), N = modules loaded.',
        tips: 'nondeterministic_output_order',
        run: list,
      },
      {
        name: 'load',
        arity: -3,
        flags: GUARDED,
        since: '4.0.0',
        group: 'server',
        summary: 'Load a module from a file.',
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
        summary: 'Load a module from a file, with configuration and arguments.',
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
        summary: 'Remove a loaded module.',
        complexity: 'O(1)',
        args: 'name',
        run: unload,
      },
    ],
  },
]

const HELP: readonly string[] = [
  'LIST',
  '    The loaded modules.',
  'LOAD <path> [<arg> ...]',
  '    Load the module library at <path>. This server refuses.',
  'LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]',
  '    As LOAD, with configuration parameters and arguments.',
  'UNLOAD <name>',
  '    Remove a loaded module.',
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

function list(ctx: Context): void {
  const { reply } = ctx
  const { modules } = ctx.server.table
  reply.array(modules.length)
  for (const { name, version, path, args } of modules) {
    reply.map(4)
    reply.bulkText('name')
    reply.bulkText(name)
    reply.bulkText('ver')
    reply.integer(version)
    reply.bulkText('path')
    reply.bulkText(path)
    reply.bulkText('args')
    reply.array(args.length)
    for (const arg of args) reply.bulkText(arg)
  }
}

function load(ctx: Context): void {
  if (!mayOrReply(ctx)) return
  ctx.server.log?.('warning', `Module ${ctx.args[2].latin1()} failed to load: Redstart cannot load modules`)
  ctx.reply.fixedError(NOT_LOADED)
}

function unload(ctx: Context): void {
  if (mayOrReply(ctx)) ctx.reply.fixedError(NO_SUCH_MODULE)
}
