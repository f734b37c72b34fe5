// SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their counterparts.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_MULTI } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import type { SubscriptionKind } from '../../engine/messaging/pubsub.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NO_BLOCKING = {
  channel: errorBytes("ERR SUBSCRIBE isn't allowed for a DENY BLOCKING client"),
  pattern: errorBytes("ERR PSUBSCRIBE isn't allowed for a DENY BLOCKING client"),
  shard: errorBytes("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"),
}

export const subscribingCommands: readonly Command[] = [
  {
    name: 'psubscribe',
    arity: -2,
    flags: 'pubsub noscript loading stale sentinel',
    channels: 'psubscribe',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Receive the messages of channels whose names match patterns.',
    complexity: 'O(N), N = patterns named.',
    args: 'pattern:pattern...',
    run: ctx => subscribe(ctx, 'pattern'),
  },
  {
    name: 'punsubscribe',
    arity: -1,
    flags: 'pubsub noscript loading stale sentinel',
    channels: 'punsubscribe',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Stop receiving the messages of patterns, given or all.',
    complexity: 'O(N), N = patterns named.',
    args: '[pattern:pattern...]',
    run: ctx => unsubscribe(ctx, 'pattern'),
  },
  {
    name: 'ssubscribe',
    arity: -2,
    flags: 'pubsub noscript loading stale',
    keys: 'NOT_KEY @1..-1',
    channels: 'subscribe',
    since: '7.0.0',
    group: 'pubsub',
    summary: 'Receive the messages of shard channels.',
    complexity: 'O(N), N = channels named.',
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
    summary: 'Receive the messages of channels.',
    complexity: 'O(N), N = channels named.',
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
    summary: 'Stop receiving the messages of shard channels, given or all.',
    complexity: 'O(N), N = channels named.',
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
    summary: 'Stop receiving the messages of channels, given or all.',
    complexity: 'O(N), N = channels named.',
    args: '[channel...]',
    run: ctx => unsubscribe(ctx, 'channel'),
  },
]

function subscribe(ctx: Context, kind: SubscriptionKind): void {
  // Whatever cannot block needs one reply per command. MULTI around the others is allowed for backward compatibility.
  if (!ctx.canBlock && (kind === 'shard' || !ctx.client.has(CLIENT_MULTI)))
    return ctx.reply.fixedError(NO_BLOCKING[kind])
  for (let i = 1; i < ctx.argc; i++) ctx.server.pubsub.subscribe(ctx.client, ctx.args[i], kind, ctx.reply)
}

function unsubscribe(ctx: Context, kind: SubscriptionKind): void {
  if (ctx.argc === 1) return ctx.server.pubsub.unsubscribeAll(ctx.client, kind, ctx.reply)
  for (let i = 1; i < ctx.argc; i++) ctx.server.pubsub.unsubscribe(ctx.client, ctx.args[i], kind, ctx.reply)
}
