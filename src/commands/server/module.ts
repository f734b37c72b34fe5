// MODULE. A module is a file in TypeScript or JavaScript; native ones are code for redis-server and are not loaded.

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
    summary: 'The modules of this server: list, load and unload them.',
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
        run: ctx => load(ctx, false),
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
        run: ctx => load(ctx, true),
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
  '    Load the module at <path>, a TypeScript or JavaScript file.',
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

function load(ctx: Context, extended: boolean): void {
  if (!mayOrReply(ctx)) return
  const words = ctx.args.slice(2, ctx.argc).map(arg => arg.latin1())
  const parameters = new Map<string, string>()
  const args = extended ? loadexArguments(words, parameters) : words.slice(1)
  if (typeof args === 'string') {
    ctx.server.log?.('notice', args)
    return ctx.reply.fixedError(NOT_LOADED)
  }
  // Reading a file takes time.
  if (!ctx.canBlock) return ctx.reply.error('ERR Modules cannot be loaded in a transaction')
  const pending = ctx.waitForAnswer()
  void ctx.server.host.modules.load(words[0], args, parameters).then(loaded =>
    pending.write(reply => {
      if (loaded) reply.ok()
      else reply.fixedError(NOT_LOADED)
    }),
  )
}

/** Those after ARGS; a text when the words are wrong. */
function loadexArguments(words: readonly string[], parameters: Map<string, string>): readonly string[] | string {
  for (let i = 1; i < words.length; i++) {
    const word = words[i].toLowerCase()
    if (word === 'args') return words.slice(i + 1)
    if (word !== 'config') return `Syntax Error from arguments to loadex around ${words[i]}.`
    if (i + 2 >= words.length) return 'CONFIG specified without name value pair'
    parameters.set(words[i + 1], words[i + 2])
    i += 2
  }
  return []
}

function unload(ctx: Context): void {
  if (!mayOrReply(ctx)) return
  const name = ctx.args[2].latin1()
  const refusal = ctx.server.host.modules.unload(name)
  if (refusal === undefined) return ctx.reply.ok()
  ctx.server.log?.('warning', `Error unloading module ${name}: ${refusal}`)
  ctx.reply.error(`ERR Error unloading module: ${refusal}`)
}
