// WATCH, UNWATCH.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_DIRTY_CAS, CLIENT_MULTI } from '../../engine/client.ts'
import { errorBytes } from '../../protocol/reply.ts'

const WATCH_IN_MULTI = errorBytes('ERR WATCH inside MULTI is not allowed')

const watch: Command = {
  name: 'watch',
  arity: -2,
  flags: 'noscript loading stale fast allow_busy',
  keys: 'RO @1..-1',
  since: '2.2.0',
  group: 'transactions',
  summary: 'Let the next EXEC run only if none of these keys has changed by then.',
  complexity: 'O(1) for each key.',
  args: 'key#0...',
  run({ args, argc, client, server, reply }) {
    if (client.has(CLIENT_MULTI)) return reply.fixedError(WATCH_IN_MULTI)
    // After a watched key was modified, EXEC fails anyway: no further keys are watched.
    if (!client.has(CLIENT_DIRTY_CAS)) for (let i = 1; i < argc; i++) server.watches.watch(client, args[i])
    reply.ok()
  },
}

const unwatch: Command = {
  name: 'unwatch',
  arity: 1,
  flags: 'noscript loading stale fast allow_busy',
  since: '2.2.0',
  group: 'transactions',
  summary: 'Stop watching all keys.',
  complexity: 'O(1)',
  run({ client, server, reply }) {
    server.watches.unwatchAll(client)
    client.flags &= ~CLIENT_DIRTY_CAS
    reply.ok()
  },
}

export const watchingCommands: readonly Command[] = [watch, unwatch]
