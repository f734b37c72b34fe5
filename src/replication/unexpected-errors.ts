// UnexpectedErrors: an error in reply to a primary, a replica or the append-only file means that datasets differ: it is
// logged, and with propagation-error-behavior it ends the server.

import { Panic } from '../engine/boundary.ts'
import type { Client } from '../engine/client.ts'
import { clientClass } from '../engine/client-memory.ts'
import type { Engine } from '../engine/engine.ts'
import type { Reply } from '../protocol/reply.ts'
import type { Log } from '../system/system.ts'

const ERROR_BYTES_MAX = 4096

interface UnexpectedErrorsConfig {
  readonly propagationErrorBehavior: string
  readonly replicaReadOnly: boolean
}

/** Redis logs most errors without the code ERR, which is added to the reply; these have it from the beginning. */
const WHOLE = new Set([
  '-ERR syntax error',
  '-ERR no such key',
  '-ERR source and destination objects are the same',
  '-ERR index out of range',
])

function shownError(line: string): string {
  return line.startsWith('-ERR ') && !WHOLE.has(line) ? line.slice('-ERR '.length) : line
}

export function followUnexpectedErrors(engine: Engine, config: UnexpectedErrorsConfig, log: Log): void {
  engine.dispatch.onUnexpectedError = (client: Client, reply: Reply) => {
    const of = clientClass(client)
    const [from, to] =
      of === 'master'
        ? ['replica', 'master']
        : of === 'replica'
          ? ['master', 'replica']
          : ['server', 'AOF-loading-client']
    const end = reply.u8.indexOf(13, reply.lastErrorAt)
    const until = Math.min(end < 0 ? reply.pos : end, reply.lastErrorAt + ERROR_BYTES_MAX)
    const text = shownError(String.fromCharCode(...reply.u8.subarray(reply.lastErrorAt, until)))
    const command = client.lastCommand?.fullName ?? '<unknown>'
    log.warning(
      `== CRITICAL == This ${from} is sending an error to its ${to}: '${text}' after processing the command '${command}'`,
    )
    const { propagationErrorBehavior: behavior, replicaReadOnly } = config
    const ends = of === 'master' ? replicaReadOnly && behavior !== 'ignore' : of === 'normal' && behavior === 'panic'
    if (!ends) return
    const what = `This ${from} panicked sending an error to its ${to} after processing the command '${command}'`
    engine.host.fail(new Panic(what), what)
  }
}
