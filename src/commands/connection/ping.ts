// PING, ECHO, and SELECT.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_PUBSUB } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { DB_INDEX_OUT_OF_RANGE } from '../../protocol/errors.ts'
import { int32OrReply } from '../shared/arguments.ts'

export const pingCommands: readonly Command[] = [
  {
    name: 'ping',
    arity: -1,
    flags: 'fast sentinel',
    since: '1.0.0',
    group: 'connection',
    summary: 'Answer PONG, or the argument.',
    complexity: 'O(1)',
    args: '[message]',
    tips: 'request_policy:all_shards response_policy:all_succeeded',
    run: ping,
  },
  {
    name: 'echo',
    arity: 2,
    flags: 'loading stale fast',
    since: '1.0.0',
    group: 'connection',
    summary: 'Send the argument back.',
    complexity: 'O(1)',
    args: 'message',
    run: echo,
  },
  {
    name: 'select',
    arity: 2,
    flags: 'loading stale fast',
    since: '1.0.0',
    group: 'connection',
    summary: 'Choose the database that later commands on this connection use.',
    complexity: 'O(1)',
    args: 'index:integer',
    run: select,
  },
]

function echo(ctx: Context): void {
  ctx.reply.bulk(ctx.args[1])
}

/** PING [message]; a RESP2 subscriber gets it in the form of a message. */
function ping(ctx: Context): void {
  const { argc, reply, client } = ctx
  if (argc > 2) return reply.error("ERR wrong number of arguments for 'ping' command")
  if (client.has(CLIENT_PUBSUB) && client.resp === 2) {
    reply.array(2)
    reply.bulkText('pong')
    if (argc === 1) reply.bulkText('')
    else reply.bulk(ctx.args[1])
  } else if (argc === 1) reply.pong()
  else reply.bulk(ctx.args[1])
}

function select(ctx: Context): void {
  const index = int32OrReply(ctx, 1)
  if (Number.isNaN(index)) return
  if (index !== 0 && ctx.server.cluster !== undefined)
    return ctx.reply.error('ERR SELECT is not allowed in cluster mode')
  const db = ctx.keyspace.databases[index]
  if (db === undefined) return ctx.reply.fixedError(DB_INDEX_OUT_OF_RANGE)
  ctx.client.db = db
  ctx.reply.ok()
}
