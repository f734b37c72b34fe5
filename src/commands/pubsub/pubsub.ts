// PUBSUB: which channels have subscribers.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { replyHelp } from '../../protocol/help.ts'

export const channelCommands: readonly Command[] = [
  {
    name: 'pubsub',
    arity: -2,
    flags: '',
    since: '2.8.0',
    group: 'pubsub',
    summary: 'A container for Pub/Sub commands.',
    complexity: 'Depends on subcommand.',
    subcommands: [
      {
        name: 'channels',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '2.8.0',
        group: 'pubsub',
        summary: 'Returns the active channels.',
        complexity:
          'O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively ' +
          'short channels and patterns)',
        args: '[pattern:pattern]',
        run: ctx => replyChannels(ctx, ctx.engine.pubsub.channels.keys()),
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '6.2.0',
        group: 'pubsub',
        summary: 'Returns helpful text about the different subcommands.',
        complexity: 'O(1)',
        run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
      },
      {
        name: 'numpat',
        arity: 2,
        flags: 'pubsub loading stale',
        since: '2.8.0',
        group: 'pubsub',
        summary: 'Returns a count of unique pattern subscriptions.',
        complexity: 'O(1)',
        run: ctx => ctx.reply.integer(ctx.engine.pubsub.patterns.size),
      },
      {
        name: 'numsub',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '2.8.0',
        group: 'pubsub',
        summary: 'Returns a count of subscribers to channels.',
        complexity: 'O(N) for the NUMSUB subcommand, where N is the number of requested channels',
        args: '[channel...]',
        run: ctx => replyCounts(ctx, 'channel'),
      },
      {
        name: 'shardchannels',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '7.0.0',
        group: 'pubsub',
        summary: 'Returns the active shard channels.',
        complexity:
          'O(N) where N is the number of active shard channels, and assuming constant time pattern matching ' +
          '(relatively short shard channels).',
        args: '[pattern:pattern]',
        run: ctx => replyChannels(ctx, ctx.engine.pubsub.shardChannels.keys()),
      },
      {
        name: 'shardnumsub',
        arity: -2,
        flags: 'pubsub loading stale',
        since: '7.0.0',
        group: 'pubsub',
        summary: 'Returns the count of subscribers of shard channels.',
        complexity: 'O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels',
        args: '[shardchannel...]',
        run: ctx => replyCounts(ctx, 'shard'),
      },
    ],
  },
]

/** PUBSUB CHANNELS and SHARDCHANNELS: the names, those that match the pattern if there is one. */
function replyChannels(ctx: Context, names: Iterable<string>): void {
  const mark = ctx.reply.defer()
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
    ctx.reply.integer(ctx.engine.pubsub.numberOf(ctx.args[i], kind))
  }
}

const HELP = [
  'CHANNELS [<pattern>]',
  "    Return the currently active channels matching a <pattern> (default: '*').",
  'NUMPAT',
  '    Return number of subscriptions to patterns.',
  'NUMSUB [<channel> ...]',
  '    Return the number of subscribers for the specified channels, excluding',
  '    pattern subscriptions(default: no channels).',
  'SHARDCHANNELS [<pattern>]',
  "    Return the currently active shard level channels matching a <pattern> (default: '*').",
  'SHARDNUMSUB [<shardchannel> ...]',
  '    Return the number of subscribers for the specified shard level channel(s)',
]
