// WAIT, WAITAOF.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { NO_LOCAL_LOG as WITHOUT_LOG } from '../../engine/waiting/acknowledgements.ts'
import { NO_REPLICA } from '../../keyspace/keyspace.ts'
import { MUST_BE_POSITIVE, TIMEOUT_NEGATIVE, TIMEOUT_OUT_OF_RANGE } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NOT_ZERO_OR_ONE = errorBytes('ERR value is out of range, value must between 0 and 1')
const TIMEOUT_NOT_AN_INTEGER = errorBytes('ERR timeout is not an integer or out of range')
const NO_LOCAL_LOG = errorBytes(WITHOUT_LOG)
const WAIT_ON_REPLICA = errorBytes(
  'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured ' +
    'to be writable (which is not the default) writes to replicas are just local and are not propagated.',
)
const WAITAOF_ON_REPLICA = errorBytes(
  'ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and ' +
    'are not propagated.',
)

const wait: Command = {
  name: 'wait',
  arity: 3,
  flags: '',
  since: '3.0.0',
  group: 'generic',
  summary: "Wait until enough replicas have received this connection's writes.",
  complexity: 'O(1)',
  args: 'numreplicas:integer timeout:integer',
  tips: 'request_policy:all_shards response_policy:agg_min',
  acl: 'connection',
  run(ctx) {
    if (ctx.keyspace.replica !== NO_REPLICA) return ctx.reply.fixedError(WAIT_ON_REPLICA)
    const replicas = ctx.longOrReply(1)
    if (Number.isNaN(replicas)) return
    const timeoutMs = timeoutMsOrReply(ctx, 2)
    if (Number.isNaN(timeoutMs)) return
    ctx.server.acknowledgements.wait(ctx, { local: 0, replicas, onDisk: false }, timeoutMs)
  },
}

const waitAof: Command = {
  name: 'waitaof',
  arity: 4,
  flags: 'noscript',
  since: '7.2.0',
  group: 'generic',
  summary: "Wait until this connection's writes are fsynced to the append-only files here and on enough replicas.",
  complexity: 'O(1)',
  args: 'numlocal:integer numreplicas:integer timeout:integer',
  tips: 'request_policy:all_shards response_policy:agg_min',
  acl: 'connection',
  run(ctx) {
    const { server, keyspace, reply } = ctx
    const local = ctx.longOrReply(1)
    if (Number.isNaN(local)) return
    if (local < 0 || local > 1) return reply.fixedError(NOT_ZERO_OR_ONE)
    const replicas = ctx.longOrReply(2, MUST_BE_POSITIVE)
    if (Number.isNaN(replicas)) return
    if (replicas < 0) return reply.fixedError(MUST_BE_POSITIVE)
    const timeoutMs = timeoutMsOrReply(ctx, 3)
    if (Number.isNaN(timeoutMs)) return
    if (keyspace.replica !== NO_REPLICA) return reply.fixedError(WAITAOF_ON_REPLICA)
    if (local > 0 && server.acknowledgements.isOnDisk === undefined) return reply.fixedError(NO_LOCAL_LOG)
    server.acknowledgements.wait(ctx, { local, replicas, onDisk: true }, timeoutMs)
  },
}

function timeoutMsOrReply(ctx: Context, i: number): number {
  const ms = ctx.longOrReply(i, TIMEOUT_NOT_AN_INTEGER)
  if (ms < 0) ctx.reply.fixedError(TIMEOUT_NEGATIVE)
  else if (ms > 2 ** 63 - 1 - ctx.nowMs) ctx.reply.fixedError(TIMEOUT_OUT_OF_RANGE)
  else return ms
  return Number.NaN
}

export const waitingCommands: readonly Command[] = [wait, waitAof]
