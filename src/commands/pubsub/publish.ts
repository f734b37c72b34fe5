// PUBLISH, SPUBLISH.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { PROPAGATE_REPLICAS } from '../../engine/effect.ts'

export const publishingCommands: readonly Command[] = [
  {
    name: 'publish',
    arity: 3,
    flags: 'pubsub loading stale fast may_replicate sentinel',
    channels: 'publish',
    since: '2.0.0',
    group: 'pubsub',
    summary: 'Send a message to the subscribers of a channel.',
    complexity: 'O(N+M), N = subscribers of the channel, M = patterns that anybody subscribed to.',
    args: 'channel message',
    run: publish,
  },
  {
    name: 'spublish',
    arity: 3,
    flags: 'pubsub loading stale fast may_replicate',
    keys: 'NOT_KEY @1',
    channels: 'publish',
    since: '7.0.0',
    group: 'pubsub',
    summary: 'Send a message to the subscribers of a shard channel.',
    complexity: 'O(N), N = subscribers of the channel.',
    args: 'shardchannel message',
    run: spublish,
  },
]

function publish(ctx: Context): void {
  passOn(ctx, false)
  ctx.reply.integer(ctx.server.pubsub.publish(ctx.args[1], ctx.args[2]))
}

function spublish(ctx: Context): void {
  passOn(ctx, true)
  ctx.reply.integer(ctx.server.pubsub.publishShard(ctx.args[1], ctx.args[2]))
}

/** To replicas; in a cluster the bus carries messages, to replicas too. */
function passOn(ctx: Context, toShard: boolean): void {
  const { cluster } = ctx.server
  if (cluster === undefined) ctx.forcePropagation(PROPAGATE_REPLICAS)
  else cluster.publish(ctx.args[1], ctx.args[2], toShard)
}
