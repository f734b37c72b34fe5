// PUBSUB: introspection of subscriptions.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { replyHelp } from '../../protocol/help.ts'
import { replySubcommandError } from '../shared/arguments.ts'

export const channelCommands: readonly Command[] = [
  {
    name: 'pubsub',
    arity: -2,
    flags: '',
    since: '2.8.0',
    group: 'pubsub',
    summary: 'Which channels have subscribers, and how many.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'channels',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '2.8.0',
        group: 'pubsub',
        summary: 'List the channels that have subscribers, all or those that match a pattern.',
        complexity: 'O(N), N = such channels, for names and patterns of bounded length.',
        args: '[pattern:pattern]',
        run: ctx => replyChannels(ctx, ctx.server.pubsub.channels.keys()),
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '6.2.0',
        group: 'pubsub',
        summary: 'Explain the subcommands of PUBSUB.',
        complexity: 'O(1)',
        run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
      },
      {
        name: 'numpat',
        arity: 2,
        flags: 'pubsub loading stale',
        since: '2.8.0',
        group: 'pubsub',
        summary: 'Count the different patterns that clients subscribed to.',
        complexity: 'O(1)',
        run: ctx => ctx.reply.integer(ctx.server.pubsub.patterns.size),
      },
      {
        name: 'numsub',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '2.8.0',
        group: 'pubsub',
        summary: 'Count the subscribers of each given channel.',
        complexity: 'O(N), N = channels named.',
        args: '[channel...]',
        run: ctx => replyCounts(ctx, 'channel'),
      },
      {
        name: 'shardchannels',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '7.0.0',
        group: 'pubsub',
        summary: 'List the shard channels that have subscribers, all or those that match a pattern.',
        complexity: 'O(N), N = such channels, for names and patterns of bounded length.',
        args: '[pattern:pattern]',
        run: ctx => replyChannels(ctx, ctx.server.pubsub.shardChannels.keys()),
      },
      {
        name: 'shardnumsub',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '7.0.0',
        group: 'pubsub',
        summary: 'Count the subscribers of each given shard channel.',
        complexity: 'O(N), N = channels named.',
        args: '[shardchannel...]',
        run: ctx => replyCounts(ctx, 'shard'),
      },
    ],
  },
]

/** PUBSUB CHANNELS and SHARDCHANNELS: the names, filtered by the pattern if there is one. */
function replyChannels(ctx: Context, names: Iterable<string>): void {
  if (ctx.argc > 3) return replySubcommandError(ctx)
  const mark = ctx.reply.beginDeferredArray()
  let count = 0
  for (const name of names) {
    if (ctx.argc > 2 && !globMatch(ctx.args[2], Slice.of(name))) continue
    ctx.reply.bulkText(name)
    count++
  }
  ctx.reply.endArray(mark, count)
}

function replyCounts(ctx: Context, kind: 'channel' | 'shard'): void {
  ctx.reply.array((ctx.argc - 2) * 2)
  for (let i = 2; i < ctx.argc; i++) {
    ctx.reply.bulk(ctx.args[i])
    ctx.reply.integer(ctx.server.pubsub.numberOf(ctx.args[i], kind))
  }
}

const HELP = [
  'CHANNELS [<pattern>]',
  '    Channels that have subscribers and match <pattern> (all unless given).',
  'NUMPAT',
  '    How many different patterns clients subscribed to.',
  'NUMSUB [<channel> ...]',
  '    How many clients subscribed to each channel by its name,',
  '    not by a pattern.',
  'SHARDCHANNELS [<pattern>]',
  '    Shard channels that have subscribers and match <pattern> (all unless given).',
  'SHARDNUMSUB [<shardchannel> ...]',
  '    How many clients subscribed to each shard channel.',
]
