// SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_IN_EXEC } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { SYNTAX } from '../../protocol/errors.ts'

export const savingCommands: readonly Command[] = [
  {
    name: 'bgrewriteaof',
    arity: 1,
    flags: 'no_async_loading admin noscript',
    since: '1.0.0',
    group: 'server',
    summary: 'Start compacting the append-only file in the background.',
    complexity: 'O(1)',
    run(ctx) {
      answer(ctx, ctx.server.saving.rewriteAof(ctx.client.has(CLIENT_IN_EXEC)))
    },
  },
  {
    name: 'bgsave',
    arity: -1,
    flags: 'no_async_loading admin noscript',
    since: '1.0.0',
    group: 'server',
    summary: 'Start writing a snapshot to disk in the background.',
    complexity: 'O(1)',
    args: '[SCHEDULE@3.2.2]',
    history: [['3.2.2', '`SCHEDULE` is accepted.']],
    run(ctx) {
      const schedule = ctx.argc > 1
      if (schedule && !(ctx.argc === 2 && ctx.is(1, 'schedule'))) return ctx.reply.fixedError(SYNTAX)
      answer(ctx, ctx.server.saving.backgroundSave(schedule, ctx.client.has(CLIENT_IN_EXEC)))
    },
  },
  {
    name: 'lastsave',
    arity: 1,
    flags: 'loading stale fast',
    since: '1.0.0',
    group: 'server',
    summary: 'Return when the dataset was last saved, in seconds since 1970.',
    complexity: 'O(1)',
    tips: 'nondeterministic_output',
    acl: 'admin dangerous',
    run(ctx) {
      ctx.reply.integer(ctx.server.saving.lastSaveSeconds)
    },
  },
  {
    name: 'save',
    arity: 1,
    flags: 'no_async_loading admin noscript no_multi',
    since: '1.0.0',
    group: 'server',
    summary: 'Write a snapshot to disk before anything else happens.',
    complexity: 'O(N), N = keys in all databases.',
    run(ctx) {
      const error = ctx.server.saving.save()
      if (error === undefined) ctx.reply.ok()
      else ctx.reply.error(error)
    },
  },
]

function answer(ctx: Context, outcome: { status: string } | { error: string }): void {
  if ('status' in outcome) ctx.reply.simple(outcome.status)
  else ctx.reply.error(outcome.error)
}
