// SHUTDOWN.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import type { ShutdownFlag } from '../../engine/ports/host.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'

/** Longer than any option. */
const OPTION_BYTES_MAX = 16

export const shutdownCommands: readonly Command[] = [
  {
    name: 'shutdown',
    arity: -1,
    flags: 'admin noscript loading stale no_multi sentinel allow_busy',
    since: '1.0.0',
    group: 'server',
    summary: 'Stop the server, after saving when it is configured to save.',
    complexity: 'O(N) with a save, N = keys in all databases; otherwise O(1).',
    args: '[save-selector:(NOSAVE|SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]',
    history: [['7.0.0', '`NOW`, `FORCE` and `ABORT` are accepted.']],
    run: shutdown,
  },
]

const NO_SHUTDOWN = errorBytes('ERR No shutdown in progress.')
const SHUTDOWN_FAILED = 'ERR Errors trying to SHUTDOWN. Check logs.'
const MAY_NOT_WAIT = errorBytes("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client")

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. The client is blocked; it gets a reply only if shutdown fails. */
function shutdown(ctx: Context): void {
  const { argc, server, reply } = ctx
  const flags = new Set<ShutdownFlag>()
  let abort = false
  for (let i = 1; i < argc; i++) {
    const word = ctx.args[i].latin1Prefix(OPTION_BYTES_MAX).toLowerCase()
    if (word === 'abort') abort = true
    else if (word === 'save' || word === 'nosave' || word === 'now' || word === 'force') flags.add(word)
    else return reply.fixedError(SYNTAX)
  }
  if ((abort && flags.size > 0) || (flags.has('save') && flags.has('nosave'))) return reply.fixedError(SYNTAX)
  if (abort) return server.host.abortShutdown() ? reply.ok() : reply.fixedError(NO_SHUTDOWN)
  if (!ctx.canBlock && !flags.has('now')) return reply.fixedError(MAY_NOT_WAIT)
  const pending = ctx.waitForAnswer()
  server.host.shutdown([...flags], () => pending.fail(SHUTDOWN_FAILED))
}
