// DEBUG CLUSTERLINK and DROP-CLUSTER-PACKET-FILTER: faults of the cluster bus, for tests.

import type { Context } from '../../../engine/context.ts'

const NO_CLUSTER = 'ERR Debug option only available for cluster mode enabled setup!'

/** CLUSTERLINK KILL to|from|all id */
export function killLinks(ctx: Context): void {
  const { args, reply, server } = ctx
  if (server.cluster === undefined) return reply.error(NO_CLUSTER)
  const which = (['to', 'from', 'all'] as const).find(one => ctx.is(3, one))
  const id = args[4].latin1()
  if (!ctx.is(2, 'kill') || which === undefined) return reply.error(`ERR Unknown direction ${args[3].latin1()}`)
  if (server.cluster.killLinks(which, id)) reply.ok()
  else reply.error(`ERR Unknown node ${id}`)
}

/** DROP-CLUSTER-PACKET-FILTER type */
export function dropPackets(ctx: Context): void {
  const type = ctx.longOrReply(2)
  if (Number.isNaN(type)) return
  ctx.server.cluster?.dropPackets(type)
  ctx.reply.ok()
}
