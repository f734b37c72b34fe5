// MSET, MSETNX.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { setOne } from './set.ts'

const mSet: Command = {
  name: 'mset',
  arity: -3,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1..-1/2',
  since: '1.0.1',
  group: 'string',
  summary: 'Set several strings as one unit.',
  complexity: 'O(N), N = keys named.',
  args: 'data:(key#0 value)...',
  tips: 'request_policy:multi_shard response_policy:all_succeeded',
  run(ctx) {
    if (!pairsOrReply(ctx)) return
    setPairs(ctx)
    ctx.reply.ok()
  },
}

const mSetNx: Command = {
  name: 'msetnx',
  arity: -3,
  flags: 'write denyoom',
  keys: 'OW INSERT @1..-1/2',
  since: '1.0.1',
  group: 'string',
  summary: 'Set several strings as one unit, but only if none of the keys exists.',
  complexity: 'O(N), N = keys named.',
  args: 'data:(key#0 value)...',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    if (!pairsOrReply(ctx)) return
    for (let i = 1; i < argc; i += 2) if (db.exists(args[i])) return reply.integer(0)
    setPairs(ctx)
    reply.integer(1)
  },
}

function pairsOrReply(ctx: Context): boolean {
  if (ctx.argc % 2 === 1) return true
  ctx.reply.error(`ERR wrong number of arguments for '${ctx.command.fullName}' command`)
  return false
}

function setPairs(ctx: Context): void {
  const { args, argc } = ctx
  for (let i = 1; i < argc; i += 2) setOne(ctx, args[i], args[i + 1])
}

export const multiCommands: readonly Command[] = [mSet, mSetNx]
