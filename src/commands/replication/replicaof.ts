// REPLICAOF, its alias SLAVEOF, and ROLE.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_REPLICA } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { clientLine } from '../../engine/monitoring/client-line.ts'
import { PORT_MAX } from '../../lib/limits.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NOT_IN_CLUSTER = errorBytes('ERR REPLICAOF not allowed in cluster mode.')
const FAILING_OVER = errorBytes('ERR REPLICAOF not allowed while failing over.')
const FROM_REPLICA = errorBytes('ERR Command is not valid when client is a replica.')
const INVALID_PORT = errorBytes('ERR Invalid master port')

export const roleCommands: readonly Command[] = [
  {
    name: 'replicaof',
    arity: 3,
    flags: 'no_async_loading admin noscript stale',
    since: '5.0.0',
    group: 'server',
    summary: 'Follow another server as its replica, or stop following one.',
    complexity: 'O(1)',
    args: 'args:(host-port:(host port:integer)|no-one:(NO ONE))',
    run: replicaOf,
  },
  {
    name: 'role',
    arity: 1,
    flags: 'noscript loading stale fast sentinel',
    since: '2.8.12',
    group: 'server',
    summary: 'Tell whether the server is a primary or a replica, with its offset and peers.',
    complexity: 'O(1)',
    acl: 'admin dangerous',
    run: role,
  },
  {
    name: 'slaveof',
    arity: 3,
    flags: 'no_async_loading admin noscript stale',
    since: '1.0.0',
    group: 'server',
    summary: 'Follow another server, or stop following one: the old name of REPLICAOF.',
    complexity: 'O(1)',
    args: 'args:(host-port:(host port:integer)|no-one:(NO ONE))',
    deprecated: { since: '5.0.0', replacedBy: '`REPLICAOF`' },
    run: replicaOf,
  },
]

function role(ctx: Context): void {
  const { reply, server } = ctx
  const { following, offset } = server.replicas
  if (following.primary !== undefined) return roleOfReplica(ctx, following.primary)
  const online = server.replicas.list().filter(one => one.state === 'online')
  reply.array(3)
  reply.bulkText('master')
  reply.integer(offset)
  reply.array(online.length)
  for (const { address, port, ackOffset } of online) {
    reply.array(3)
    reply.bulkText(address)
    reply.bulkText(String(port))
    reply.bulkText(String(ackOffset))
  }
}

function roleOfReplica({ reply, server }: Context, { host, port }: { host: string; port: number }): void {
  const { state } = server.replicas.following
  reply.array(5)
  reply.bulkText('slave')
  reply.bulkText(host)
  reply.integer(port)
  reply.bulkText(state)
  reply.integer(state === 'connected' ? server.replicas.offset : -1)
}

/** REPLICAOF host port | NO ONE */
function replicaOf(ctx: Context): void {
  const { args, client, reply, server } = ctx
  const { following } = server.replicas
  const log = (text: string) =>
    server.log?.('notice', `${text} (user request from '${clientLine(client, ctx.nowMs, undefined)}')`)
  if (server.host.mode === 'cluster') return reply.fixedError(NOT_IN_CLUSTER)
  if (server.replicas.failoverState !== 'no-failover') return reply.fixedError(FAILING_OVER)
  if (ctx.is(1, 'no') && ctx.is(2, 'one')) {
    if (following.primary !== undefined) {
      following.lead()
      log('MASTER MODE enabled')
    } else server.replicas.acceptEmpty()
    return reply.ok()
  }
  if (client.has(CLIENT_REPLICA)) return reply.fixedError(FROM_REPLICA)
  const port = ctx.longOrReply(2, INVALID_PORT)
  if (Number.isNaN(port)) return
  if (port < 0 || port > PORT_MAX) return reply.fixedError(INVALID_PORT)
  const host = args[1].latin1()
  const { primary } = following
  if (primary !== undefined && primary.host.toLowerCase() === host.toLowerCase() && primary.port === port) {
    server.log?.(
      'notice',
      'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
    )
    return reply.simple('OK Already connected to specified master')
  }
  following.follow(host, port)
  log(`REPLICAOF ${host}:${port} enabled`)
  reply.ok()
}
