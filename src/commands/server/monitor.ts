// MONITOR: streams every command to a client.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_MONITOR, CLIENT_REPLICA } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { errorBytes } from '../../protocol/reply.ts'

export const monitorCommands: readonly Command[] = [
  {
    name: 'monitor',
    arity: 1,
    flags: 'admin noscript loading stale',
    since: '1.0.0',
    group: 'server',
    summary: 'Show this connection every command that the server runs, as it comes.',
    run: monitor,
  },
]

const NO_MONITOR = errorBytes("ERR MONITOR isn't allowed for DENY BLOCKING client")

/** Turns the client into a monitor. */
function monitor(ctx: Context): void {
  const { client, reply } = ctx
  if (!ctx.canBlock) return reply.fixedError(NO_MONITOR)
  if (client.has(CLIENT_REPLICA)) return
  client.flags |= CLIENT_REPLICA | CLIENT_MONITOR
  ctx.server.observers.monitor(client)
  reply.ok()
}
