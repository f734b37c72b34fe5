// FollowLog: what a replica logs of its link. Tools match these lines, so they are Redis's.

import type { CloseReason } from '../client/errors.ts'
import type { LinkState } from '../client/primary-link.ts'
import type { Log } from '../system/system.ts'

export class FollowLog {
  private readonly log: Log

  constructor(log: Log) {
    this.log = log
  }

  willTryPartial(): void {
    this.log.notice(
      'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize with the new master with just a partial transfer.',
    )
  }

  /** A step of the handshake. `position`: from where a partial synchronisation is asked; undefined: from nowhere. */
  reached(state: LinkState, position: string | undefined): void {
    const { log } = this
    if (state === 'ping') log.notice('Non blocking connect for SYNC fired the event.')
    else if (state === 'port') log.notice('Master replied to PING, replication can continue...')
    else if (state === 'psync' && position === undefined)
      log.notice('Partial resynchronization not possible (no cached master)')
    else if (state === 'psync') log.notice(`Trying a partial resynchronization (request ${position}).`)
  }

  refusedPsync(reply: string): void {
    this.log.notice(`Master does not support PSYNC or is in error state (reply: -${reply})`)
    this.log.notice('Retrying with SYNC...')
  }

  /** `bytes` -1: unknown. */
  receives(bytes: number, inMemory: boolean): void {
    const what = bytes < 0 ? 'streamed RDB from master with EOF' : `${bytes} bytes from master`
    this.log.notice(`MASTER <-> REPLICA sync: receiving ${what} to ${inMemory ? 'parser' : 'disk'}`)
  }

  /** The established link has ended. */
  lost({ kind }: CloseReason): void {
    const { log } = this
    if (kind === 'timeout') log.warning('MASTER timeout: no data nor PING received...')
    log.notice('Connection with master lost.')
    log.notice('Caching the disconnected master state.')
  }

  /** No link came about. */
  failed({ kind, text }: CloseReason, inTransfer: boolean): void {
    const { log } = this
    const isTemporary = text.startsWith('NOMASTERLINK') || text.startsWith('LOADING')
    if (kind === 'timeout' && inTransfer)
      log.warning(
        "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
      )
    else if (kind === 'timeout') log.warning('Timeout connecting to the MASTER...')
    else if (kind === 'unreachable') log.warning(`Error condition on socket for SYNC: ${text}`)
    else if (kind === 'noReplica' && isTemporary && !inTransfer)
      log.notice(`Master is currently unable to PSYNC but should be in the future: -${text}`)
    else if (kind === 'noReplica') log.warning(`MASTER aborted replication with an error: ${text}`)
    else if (kind === 'refused') log.warning(`Unable to AUTH to MASTER: -${text}`)
    else log.warning(`I/O error trying to sync with MASTER: ${text === '' ? 'connection lost' : text}`)
  }
}
