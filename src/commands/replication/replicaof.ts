// REPLICAOF, its alias SLAVEOF, and ROLE.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'

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
  const online = server.replicas.list().filter(one => one.state === 'online')
  reply.array(3)
  reply.bulkText('master')
  reply.integer(server.replicas.offset)
  reply.array(online.length)
  for (const { client, port, ackOffset } of online) {
    reply.array(3)
    reply.bulkText(client.connection.peer.replace(/:\d+$/, ''))
    reply.bulkText(String(port))
    reply.bulkText(String(ackOffset))
  }
}

/** REPLICAOF NO ONE. Replication from another server is not supported yet. */
function replicaOf(ctx: Context): void {
  if (ctx.is(1, 'no') && ctx.is(2, 'one')) ctx.reply.ok()
  else ctx.reply.error('ERR Redstart cannot be a replica yet')
}
