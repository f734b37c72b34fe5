// FAILOVER.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import type { FailoverRequest } from '../../engine/ports/replicas.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

export const failoverCommands: readonly Command[] = [
  {
    name: 'failover',
    arity: -1,
    flags: 'admin noscript stale',
    since: '6.2.0',
    group: 'server',
    summary: 'Hand the role of the primary to a replica that has everything.',
    complexity: 'O(1)',
    args: '[TO target:(host port:integer [FORCE])] [ABORT] [TIMEOUT milliseconds:integer]',
    run: failover,
  },
]

const IN_CLUSTER = errorBytes('ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.')
const NONE_ACTIVE = errorBytes('ERR No failover in progress.')
const ACTIVE = errorBytes('ERR FAILOVER already in progress.')
const NO_TIME = errorBytes('ERR FAILOVER timeout must be greater than 0')
const ON_REPLICA = errorBytes('ERR FAILOVER is not valid when server is a replica.')
const NO_REPLICAS = errorBytes('ERR FAILOVER requires connected replicas.')
const FORCE_ALONE = errorBytes('ERR FAILOVER with force option requires both a timeout and target HOST and IP.')
const NO_TARGET = errorBytes('ERR FAILOVER target HOST and PORT is not a replica.')
const NOT_ONLINE = errorBytes('ERR FAILOVER target replica is not online.')

/** FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds] */
function failover(ctx: Context): void {
  const { server, reply } = ctx
  const { replicas } = server
  const isActive = replicas.failoverState !== 'no-failover'
  if (server.host.mode === 'cluster') return reply.fixedError(IN_CLUSTER)
  if (ctx.argc === 2 && ctx.is(1, 'abort')) {
    if (!isActive) return reply.fixedError(NONE_ACTIVE)
    replicas.abortFailover()
    return reply.ok()
  }
  const request = requestOrReply(ctx)
  if (request === undefined) return
  const { target, force, timeoutMs } = request
  if (isActive) return reply.fixedError(ACTIVE)
  if (replicas.following.primary !== undefined) return reply.fixedError(ON_REPLICA)
  const all = replicas.list()
  if (all.length === 0) return reply.fixedError(NO_REPLICAS)
  if (force && (timeoutMs === 0 || target === undefined)) return reply.fixedError(FORCE_ALONE)
  if (target !== undefined) {
    const host = target.host.toLowerCase()
    const found = all.find(one => one.address.toLowerCase() === host && one.port === target.port)
    if (found === undefined) return reply.fixedError(NO_TARGET)
    if (found.state !== 'online') return reply.fixedError(NOT_ONLINE)
  }
  replicas.beginFailover(request)
  reply.ok()
}

function requestOrReply(ctx: Context): FailoverRequest | undefined {
  const { args, argc, reply } = ctx
  const request: FailoverRequest = { target: undefined, force: false, timeoutMs: 0 }
  for (let i = 1; i < argc; i++) {
    if (ctx.is(i, 'timeout') && i + 1 < argc && request.timeoutMs === 0) {
      request.timeoutMs = ctx.longOrReply(++i)
      if (Number.isNaN(request.timeoutMs)) return undefined
      if (request.timeoutMs > 0) continue
      reply.fixedError(NO_TIME)
      return undefined
    }
    if (ctx.is(i, 'to') && i + 2 < argc && request.target === undefined) {
      const port = ctx.longOrReply(i + 2)
      if (Number.isNaN(port)) return undefined
      request.target = { host: args[i + 1].latin1(), port }
      i += 2
    } else if (ctx.is(i, 'force') && !request.force) request.force = true
    else {
      reply.fixedError(SYNTAX)
      return undefined
    }
  }
  return request
}
