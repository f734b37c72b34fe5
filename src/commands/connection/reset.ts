// RESET, QUIT.

import type { Command } from '../../engine/catalog/command.ts'
import {
  CLIENT_ASKING,
  CLIENT_DIRTY_CAS,
  CLIENT_DIRTY_EXEC,
  CLIENT_LUA_DEBUG,
  CLIENT_LUA_DEBUG_SYNC,
  CLIENT_MASTER,
  CLIENT_MONITOR,
  CLIENT_MULTI,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_PUBSUB,
  CLIENT_READONLY,
  CLIENT_REPLICA,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP_NEXT,
} from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { errorBytes } from '../../protocol/reply.ts'

export const resetCommands: readonly Command[] = [
  {
    name: 'reset',
    arity: 1,
    flags: 'noscript loading stale fast no_auth allow_busy',
    since: '6.2.0',
    group: 'connection',
    summary: 'Bring the connection back to the state it had when it was opened.',
    complexity: 'O(1)',
    run: reset,
  },
  {
    name: 'quit',
    arity: -1,
    flags: 'allow_busy noscript loading stale fast no_auth',
    since: '1.0.0',
    group: 'connection',
    summary: 'Answer OK and close the connection.',
    complexity: 'O(1)',
    deprecated: { since: '7.2.0', replacedBy: 'just closing the connection' },
    run: quit,
  },
]

const NOT_A_NORMAL_CLIENT = errorBytes('ERR can only reset normal client connections')

function quit(ctx: Context): void {
  ctx.reply.ok()
  ctx.server.closeClient(ctx.client, true)
}

/** Restores the state of a new connection. */
function reset(ctx: Context): void {
  const { client, server, reply } = ctx
  if (client.has(CLIENT_MASTER) || (client.has(CLIENT_REPLICA) && !client.has(CLIENT_MONITOR)))
    return reply.fixedError(NOT_A_NORMAL_CLIENT)
  client.db = ctx.keyspace.databases[0]
  client.resp = reply.resp = 2
  server.acl.reset(client)
  server.transactions.drop(client)
  server.resetClient(client)
  client.name = ''
  client.flags &= ~STATE_FLAGS
  reply.simple('RESET')
}

const STATE_FLAGS =
  CLIENT_MONITOR |
  CLIENT_REPLICA |
  CLIENT_MULTI |
  CLIENT_DIRTY_CAS |
  CLIENT_DIRTY_EXEC |
  CLIENT_ASKING |
  CLIENT_READONLY |
  CLIENT_PUBSUB |
  CLIENT_REPLY_OFF |
  CLIENT_REPLY_SKIP_NEXT |
  CLIENT_NO_TOUCH |
  CLIENT_LUA_DEBUG |
  CLIENT_LUA_DEBUG_SYNC |
  CLIENT_NO_EVICT
