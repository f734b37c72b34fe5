// SYNC, PSYNC and REPLCONF, sent by replicas and by tools that act as one.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { parseInt64 } from '../../lib/number.ts'
import { splitWords } from '../../lib/words.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorText } from '../shared/arguments.ts'

const ADDRESS_BYTES_MAX = 256
const SYNC_FLAGS = 'no_async_loading admin no_multi noscript'

export const psyncCommands: readonly Command[] = [
  {
    name: 'psync',
    arity: -3,
    flags: SYNC_FLAGS,
    since: '2.8.0',
    group: 'server',
    summary: 'Ask for the replication stream from an offset, or for a full copy: sent by replicas.',
    args: 'replicationid offset:integer',
    run(ctx) {
      const { client, args, argc } = ctx
      ctx.server.replicas.psync(client, args[1].latin1(), parseInt64(args[2]), argc > 3 && ctx.is(3, 'failover'))
    },
  },
  {
    name: 'replconf',
    arity: -1,
    flags: 'admin noscript loading stale allow_busy',
    since: '3.0.0',
    group: 'server',
    summary: 'Exchange facts about a replica with its primary: sent by replicas.',
    complexity: 'O(1)',
    syscmd: true,
    run: replConf,
  },
  {
    name: 'sync',
    arity: 1,
    flags: SYNC_FLAGS,
    since: '1.0.0',
    group: 'server',
    summary: 'Ask for a full copy and the stream after it: sent by old replicas and by tools.',
    run(ctx) {
      ctx.server.replicas.sync(ctx.client)
    },
  },
]

function replConf(ctx: Context): void {
  const { args, argc, client, reply } = ctx
  const { replicas } = ctx.server
  if (argc % 2 === 0) return reply.fixedError(SYNTAX)
  for (let i = 1; i < argc; i += 2) {
    // REPLCONF ACK and GETACK have no reply.
    if (ctx.is(i, 'ack')) {
      const offset = Number(args[i + 1].latin1())
      const onDisk = argc > i + 3 && ctx.is(i + 2, 'fack') ? Number(args[i + 3].latin1()) : undefined
      return Number.isSafeInteger(offset) ? replicas.acknowledged(client, offset, onDisk) : undefined
    }
    if (ctx.is(i, 'getack')) return replicas.following.ackWanted(client)
    if (ctx.is(i, 'listening-port')) {
      const port = ctx.longOrReply(i + 1)
      if (Number.isNaN(port)) return
      replicas.setPort(client, port)
    } else if (ctx.is(i, 'ip-address')) {
      const address = args[i + 1]
      if (address.len > ADDRESS_BYTES_MAX)
        return reply.error(`ERR REPLCONF ip-address provided by replica instance is too long: ${address.len} bytes`)
      replicas.setAddress(client, address.latin1())
    } else if (ctx.is(i, 'rdb-only')) {
      const only = ctx.longOrReply(i + 1)
      if (Number.isNaN(only)) return
      replicas.setRdbOnly(client, only === 1)
    } else if (ctx.is(i, 'capa')) {
      if (ctx.is(i + 1, 'eof')) replicas.setCapaEof(client)
    } else if (ctx.is(i, 'rdb-filter-only')) {
      const filters = splitWords(args[i + 1].latin1())
      if (filters === undefined) return reply.error('ERR Missing rdb-filter-only values')
      const unknown = filters.find(filter => filter.toLowerCase() !== 'functions')
      // Redis has applied the filters in front of an unknown one.
      replicas.setRdbFilter(client, filters.length > 0 && filters[0] !== unknown ? 'functions' : 'nothing')
      if (unknown !== undefined) return reply.error(`ERR Unsupported rdb-filter-only option: ${unknown}`)
    } else return reply.error(`ERR Unrecognized REPLCONF option: ${errorText(args[i])}`)
  }
  reply.ok()
}
