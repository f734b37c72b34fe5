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
  const { args, reply, server } = ctx
  // In a cluster the bus carries messages, to replicas too.
  if (server.cluster === undefined) ctx.forcePropagation(PROPAGATE_REPLICAS)
  else server.cluster.publish(args[1], args[2], false)
  reply.integer(server.pubsub.publish(args[1], args[2]))
}

function spublish(ctx: Context): void {
  const { args, reply, server } = ctx
  if (server.cluster === undefined) ctx.forcePropagation(PROPAGATE_REPLICAS)
  else server.cluster.publish(args[1], args[2], true)
  reply.integer(server.pubsub.publishShard(args[1], args[2]))
}
