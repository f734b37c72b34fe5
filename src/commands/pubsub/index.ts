// Pub/sub: channels, patterns, shard channels.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import type { SubscriptionKind } from '../../engine/pubsub.ts'
import { globMatch } from '../../lib/glob.ts'
import { Slice } from '../../lib/slice.ts'
import { replyHelp } from '../../protocol/help.ts'

export const pubsubCommands: readonly Command[] = [
  {
    name: 'psubscribe',
    arity: -2,
    flags: 'pubsub noscript loading stale sentinel',
    channels: 'psubscribe',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Listens for messages published to channels that match one or more patterns.',
    complexity: 'O(N) where N is the number of patterns to subscribe to.',
    args: 'pattern:pattern...',
    run: ctx => subscribe(ctx, 'pattern'),
  },
  {
    name: 'publish',
    arity: 3,
    flags: 'pubsub loading stale fast may_replicate sentinel',
    channels: 'publish',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Posts a message to a channel.',
    complexity:
      'O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of ' +
      'subscribed patterns (by any client).',
    args: 'channel message',
    run: publish,
  },
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
  {
    name: 'punsubscribe',
    arity: -1,
    flags: 'pubsub noscript loading stale sentinel',
    channels: 'punsubscribe',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Stops listening to messages published to channels that match one or more patterns.',
    complexity: 'O(N) where N is the number of patterns to unsubscribe.',
    args: '[pattern:pattern...]',
    run: ctx => unsubscribe(ctx, 'pattern'),
  },
  {
    name: 'spublish',
    arity: 3,
    flags: 'pubsub loading stale fast may_replicate',
    keys: 'NOT_KEY @1',
    channels: 'publish',
    since: '7.0.0',
    group: 'pubsub',
    summary: 'Post a message to a shard channel',
    complexity: 'O(N) where N is the number of clients subscribed to the receiving shard channel.',
    args: 'shardchannel message',
    run: spublish,
  },
  {
    name: 'ssubscribe',
    arity: -2,
    flags: 'pubsub noscript loading stale',
    keys: 'NOT_KEY @1..-1',
    channels: 'subscribe',
    since: '7.0.0',
    group: 'pubsub',
    summary: 'Listens for messages published to shard channels.',
    complexity: 'O(N) where N is the number of shard channels to subscribe to.',
    args: 'shardchannel...',
    run: ctx => subscribe(ctx, 'shard'),
  },
  {
    name: 'subscribe',
    arity: -2,
    flags: 'pubsub noscript loading stale sentinel',
    channels: 'subscribe',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Listens for messages published to channels.',
    complexity: 'O(N) where N is the number of channels to subscribe to.',
    args: 'channel...',
    run: ctx => subscribe(ctx, 'channel'),
  },
  {
    name: 'sunsubscribe',
    arity: -1,
    flags: 'pubsub noscript loading stale',
    keys: 'NOT_KEY @1..-1',
    channels: 'unsubscribe',
    since: '7.0.0',
    group: 'pubsub',
    summary: 'Stops listening to messages posted to shard channels.',
    complexity: 'O(N) where N is the number of shard channels to unsubscribe.',
    args: '[shardchannel...]',
    run: ctx => unsubscribe(ctx, 'shard'),
  },
  {
    name: 'unsubscribe',
    arity: -1,
    flags: 'pubsub noscript loading stale sentinel',
    channels: 'unsubscribe',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Stops listening to messages posted to channels.',
    complexity: 'O(N) where N is the number of channels to unsubscribe.',
    args: '[channel...]',
    run: ctx => unsubscribe(ctx, 'channel'),
  },
]

function subscribe(ctx: Context, kind: SubscriptionKind): void {
  for (let i = 1; i < ctx.argc; i++) ctx.engine.pubsub.subscribe(ctx.client, ctx.args[i], kind, ctx.reply)
}

function unsubscribe(ctx: Context, kind: SubscriptionKind): void {
  if (ctx.argc === 1) return ctx.engine.pubsub.unsubscribeAll(ctx.client, kind, ctx.reply)
  for (let i = 1; i < ctx.argc; i++) ctx.engine.pubsub.unsubscribe(ctx.client, ctx.args[i], kind, ctx.reply)
}

function publish(ctx: Context): void {
  ctx.forcePropagation()
  ctx.reply.integer(ctx.engine.pubsub.publish(ctx.args[1], ctx.args[2]))
}

function spublish(ctx: Context): void {
  ctx.forcePropagation()
  ctx.reply.integer(ctx.engine.pubsub.publishShard(ctx.args[1], ctx.args[2]))
}

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
