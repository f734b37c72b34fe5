// CONFIG: reading and changing the configuration of the running server.

import type { Client } from '../../engine/client.ts'
import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { replyHelp } from '../../protocol/help.ts'
import type { Reply } from '../../protocol/reply.ts'

export const configCommands: readonly Command[] = [
  {
    name: 'config',
    arity: -2,
    flags: '',
    since: '2.0.0',
    group: 'server',
    summary: 'A container for server configuration commands.',
    complexity: 'Depends on subcommand.',
    subcommands: [
      {
        name: 'get',
        arity: -3,
        flags: 'admin noscript loading stale',
        since: '2.0.0',
        group: 'server',
        summary: 'Returns the effective values of configuration parameters.',
        complexity: 'O(N) when N is the number of configuration parameters provided',
        args: 'parameter...',
        history: [['7.0.0', 'Added the ability to pass multiple pattern parameters in one call']],
        run: configGet,
      },
      {
        name: 'set',
        arity: -4,
        flags: 'admin noscript loading stale',
        since: '2.0.0',
        group: 'server',
        summary: 'Sets configuration parameters in-flight.',
        complexity: 'O(N) when N is the number of configuration parameters provided',
        args: 'data:(parameter value)...',
        history: [['7.0.0', 'Added the ability to set multiple parameters in one call.']],
        tips: 'request_policy:all_nodes response_policy:all_succeeded',
        run: configSet,
      },
      {
        name: 'rewrite',
        arity: 2,
        flags: 'admin noscript loading stale',
        since: '2.8.0',
        group: 'server',
        summary: 'Persists the effective configuration to file.',
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
        summary: "Resets the server's statistics.",
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
        summary: 'Returns helpful text about the different subcommands.',
        complexity: 'O(1)',
        run: configHelp,
      },
    ],
  },
]

function configGet(ctx: Context): void {
  const patterns = ctx.args.slice(2, ctx.argc).map(arg => arg.latin1())
  const pairs = ctx.engine.configuration?.get(patterns) ?? []
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
  const outcome = ctx.engine.configuration?.set(pairs, { local: isLocal(ctx.client) }) ?? null
  if (!(outcome instanceof Promise)) return answer(ctx.reply, outcome)
  // In a transaction or a script nothing can wait: what goes wrong then is only in the log.
  if (!ctx.canBlock) return ctx.reply.ok()
  const { engine, client } = ctx
  engine.blocking.blockOther(client, 0, () => {}, ctx)
  outcome.then(error => {
    if (client.blocked === undefined) return
    engine.replyTo(client, reply => answer(reply, error))
    engine.blocking.unblock(client)
    engine.settle()
  })
}

function configRewrite(ctx: Context): void {
  answer(ctx.reply, ctx.engine.configuration?.rewrite(false) ?? null)
}

function configResetStat(ctx: Context): void {
  ctx.engine.stats.reset()
  ctx.engine.table.resetStats()
  ctx.reply.ok()
}

function configHelp(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], [
    'GET <pattern>',
    '    Return parameters matching the glob-like <pattern> and their values.',
    'SET <directive> <value>',
    '    Set the configuration <directive> to <value>.',
    'RESETSTAT',
    '    Reset statistics reported by the INFO command.',
    'REWRITE',
    '    Rewrite the configuration file.',
  ])
}

function answer(reply: Reply, error: string | null): void {
  if (error === null) reply.ok()
  else reply.error(error)
}

/** Whether a client is on this machine, so that what is open to `local` ones is open to it. */
export function isLocal(client: Client): boolean {
  const { kind, peer } = client.connection
  return kind === 'unix' || kind === 'memory' || /^(127\.0\.0\.1|\[?::1\]?):\d+$/.test(peer)
}
