// Transactions: MULTI, EXEC, DISCARD, and WATCH, which makes EXEC conditional. What they do to a client stands in
// engine/transaction.ts.

import { CLIENT_DIRTY_CAS, CLIENT_DIRTY_EXEC, CLIENT_MULTI } from '../../engine/client.ts'
import type { Command } from '../../engine/command.ts'
import { beginTransaction, discardTransaction, runTransaction } from '../../engine/transaction.ts'
import { EXEC_ABORT } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

const NESTED = errorBytes('ERR MULTI calls can not be nested')
const WATCH_IN_MULTI = errorBytes('ERR WATCH inside MULTI is not allowed')
const EXEC_ALONE = errorBytes('ERR EXEC without MULTI')
const DISCARD_ALONE = errorBytes('ERR DISCARD without MULTI')

const multi: Command = {
  name: 'multi',
  arity: 1,
  flags: 'noscript loading stale fast allow_busy',
  since: '1.2.0',
  group: 'transactions',
  summary: 'Starts a transaction.',
  complexity: 'O(1)',
  run({ client, reply }) {
    if (client.has(CLIENT_MULTI)) return reply.fixedError(NESTED)
    beginTransaction(client)
    reply.ok()
  },
}

const exec: Command = {
  name: 'exec',
  arity: 1,
  flags: 'noscript loading stale skip_slowlog',
  since: '1.2.0',
  group: 'transactions',
  summary: 'Executes all commands in a transaction.',
  complexity: 'Depends on commands in the transaction',
  run({ client, engine, reply }) {
    if (!client.has(CLIENT_MULTI)) return reply.fixedError(EXEC_ALONE)
    if (client.has(CLIENT_DIRTY_EXEC)) {
      reply.fixedError(EXEC_ABORT)
      return discardTransaction(engine, client)
    }
    if (client.has(CLIENT_DIRTY_CAS) || engine.watches.anyExpired(client)) {
      reply.nullArray()
      return discardTransaction(engine, client)
    }
    runTransaction(engine, client)
  },
}

const discard: Command = {
  name: 'discard',
  arity: 1,
  flags: 'noscript loading stale fast allow_busy',
  since: '2.0.0',
  group: 'transactions',
  summary: 'Discards a transaction.',
  complexity: 'O(N), when N is the number of queued commands',
  run({ client, engine, reply }) {
    if (!client.has(CLIENT_MULTI)) return reply.fixedError(DISCARD_ALONE)
    discardTransaction(engine, client)
    reply.ok()
  },
}

const watch: Command = {
  name: 'watch',
  arity: -2,
  flags: 'noscript loading stale fast allow_busy',
  keys: 'RO @1..-1',
  since: '2.2.0',
  group: 'transactions',
  summary: 'Monitors changes to keys to determine the execution of a transaction.',
  complexity: 'O(1) for every key.',
  args: 'key#0...',
  run({ args, argc, client, engine, reply }) {
    if (client.has(CLIENT_MULTI)) return reply.fixedError(WATCH_IN_MULTI)
    // A client that cannot EXEC any more need not watch further keys.
    if (!client.has(CLIENT_DIRTY_CAS)) for (let i = 1; i < argc; i++) engine.watches.watch(client, args[i])
    reply.ok()
  },
}

const unwatch: Command = {
  name: 'unwatch',
  arity: 1,
  flags: 'noscript loading stale fast allow_busy',
  since: '2.2.0',
  group: 'transactions',
  summary: 'Forgets about watched keys of a transaction.',
  complexity: 'O(1)',
  run({ client, engine, reply }) {
    engine.watches.unwatchAll(client)
    client.flags &= ~CLIENT_DIRTY_CAS
    reply.ok()
  },
}

export const transactionCommands: readonly Command[] = [multi, exec, discard, watch, unwatch]
