// MULTI, EXEC, DISCARD; implemented in engine/transaction.ts.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_MULTI } from '../../engine/client.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NESTED = errorBytes('ERR MULTI calls can not be nested')
const DISCARD_ALONE = errorBytes('ERR DISCARD without MULTI')

const multi: Command = {
  name: 'multi',
  arity: 1,
  flags: 'noscript loading stale fast allow_busy',
  since: '1.2.0',
  group: 'transactions',
  summary: 'Begin a transaction: commands are queued until EXEC.',
  complexity: 'O(1)',
  run({ client, server, reply }) {
    if (client.has(CLIENT_MULTI)) return reply.fixedError(NESTED)
    server.transactions.begin(client)
    reply.ok()
  },
}

const exec: Command = {
  name: 'exec',
  arity: 1,
  flags: 'noscript loading stale skip_slowlog',
  since: '1.2.0',
  group: 'transactions',
  summary: 'Run the commands queued since MULTI as one unit.',
  complexity: 'Whatever the queued commands take together.',
  run: ({ client, server }) => server.transactions.exec(client),
}

const discard: Command = {
  name: 'discard',
  arity: 1,
  flags: 'noscript loading stale fast allow_busy',
  since: '2.0.0',
  group: 'transactions',
  summary: 'Drop the commands queued since MULTI and end the transaction.',
  complexity: 'O(N), N = commands in the queue.',
  run({ client, server, reply }) {
    if (!client.has(CLIENT_MULTI)) return reply.fixedError(DISCARD_ALONE)
    server.transactions.discard(client)
    reply.ok()
  },
}

export const multiCommands: readonly Command[] = [multi, exec, discard]
