// CONFIG.

import type { Command } from '../../engine/catalog/command.ts'
import type { Client } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { LOADING, SYNTAX } from '../../protocol/errors.ts'
import { replyHelp } from '../../protocol/help.ts'
import type { Reply } from '../../protocol/reply.ts'

/** A dataset that is being loaded depends on them. */
const FIXED_WHILE_LOADING: ReadonlySet<string> = new Set(['appendonly', 'repl-diskless-load'])

export const configCommands: readonly Command[] = [
  {
    name: 'config',
    arity: -2,
    flags: '',
    since: '2.0.0',
    group: 'server',
    summary: 'The configuration of the running server: read, change and save it.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'get',
        arity: -3,
        flags: 'admin noscript loading stale',
        since: '2.0.0',
        group: 'server',
        summary: 'Return the parameters whose names match, with their values.',
        complexity: 'O(N), N = patterns given.',
        args: 'parameter...',
        history: [['7.0.0', 'More than one pattern may be given.']],
        run: configGet,
      },
      {
        name: 'set',
        arity: -4,
        flags: 'admin noscript loading stale',
        since: '2.0.0',
        group: 'server',
        summary: 'Change parameters, all of them or none.',
        complexity: 'O(N), N = parameters given.',
        args: 'data:(parameter value)...',
        history: [['7.0.0', 'More than one parameter may be given.']],
        tips: 'request_policy:all_nodes response_policy:all_succeeded',
        run: configSet,
      },
      {
        name: 'rewrite',
        arity: 2,
        flags: 'admin noscript loading stale',
        since: '2.8.0',
        group: 'server',
        summary: 'Bring the configuration file up to date with the values in use.',
        complexity: 'O(1)',
        tips: 'request_policy:all_nodes response_policy:all_succeeded',
        run: configRewrite,
      },
      {
        name: 'resetstat',
        arity: 2,
        flags: 'admin noscript loading stale',
        since: '2.0.0',
        group: 'server',
        summary: 'Set the counters that INFO reports back to zero.',
        complexity: 'O(1)',
        tips: 'request_policy:all_nodes response_policy:all_succeeded',
        run: configResetStat,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '5.0.0',
        group: 'server',
        summary: 'Explain the subcommands of CONFIG.',
        complexity: 'O(1)',
        run: configHelp,
      },
    ],
  },
]

function configGet(ctx: Context): void {
  const patterns = ctx.args.slice(2, ctx.argc).map(arg => arg.latin1())
  const pairs = ctx.server.configuration?.get(patterns) ?? []
  ctx.reply.map(pairs.length)
  for (const [name, value] of pairs) {
    ctx.reply.bulkText(name)
    ctx.reply.bulkText(value)
  }
}

function configSet(ctx: Context): void {
  if (ctx.argc % 2 === 1) return ctx.reply.fixedError(SYNTAX)
  const pairs: [string, string][] = []
  for (let i = 2; i < ctx.argc; i += 2) pairs.push([ctx.args[i].latin1(), ctx.args[i + 1].latin1()])
  if (ctx.server.saving?.isLoadingAny === true && pairs.some(([name]) => FIXED_WHILE_LOADING.has(name.toLowerCase())))
    return ctx.reply.fixedError(LOADING)
  const outcome = ctx.server.configuration?.set(pairs, { local: isLocal(ctx.client) }) ?? null
  if (!(outcome instanceof Promise)) return answer(ctx.reply, outcome)
  // In a transaction or script the client cannot be blocked: a failure is only logged.
  if (!ctx.canBlock) return ctx.reply.ok()
  const pending = ctx.waitForAnswer(true)
  outcome.then(error => pending.write(reply => answer(reply, error)))
}

function configRewrite(ctx: Context): void {
  answer(ctx.reply, ctx.server.configuration?.rewrite(false) ?? null)
}

function configResetStat(ctx: Context): void {
  ctx.server.host.resetStats()
  ctx.reply.ok()
}

function configHelp(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], [
    'GET <pattern>',
    '    The parameters whose names match <pattern>, with their values.',
    'SET <directive> <value>',
    '    Give the parameter <directive> another value, until the server stops.',
    'RESETSTAT',
    '    Set the counters of INFO back to zero.',
    'REWRITE',
    '    Write the values in use into the configuration file.',
  ])
}

function answer(reply: Reply, error: string | null): void {
  if (error === null) reply.ok()
  else reply.error(error)
}

/** Whether a client is on this machine, for directives with the value `local`. */
export function isLocal(client: Client): boolean {
  const { kind, peer } = client.connection
  return kind === 'unix' || kind === 'memory' || /^(127\.0\.0\.1|\[?::1\]?):\d+$/.test(peer)
}
