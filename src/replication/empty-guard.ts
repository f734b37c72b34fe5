// EmptyPrimaryGuard (primary-empty-guard): a primary that came up without data does not give its emptiness to replicas
// that have some. They are told to try again later, and keep what they have, until somebody decides:
//
//   REPLICAOF NO ONE on the primary, or CONFIG SET primary-empty-guard no    the emptiness is right: they are emptied
//   REPLICAOF host port on the primary, FAILOVER of a sentinel               a replica leads, the primary follows it
//
// Always: only at the start; a server that was emptied by commands was emptied on purpose. Keys that are written
// afterwards do not lift it: they would be all that is left.

import { errorBytes } from '../protocol/reply.ts'
import type { Log } from '../system/system.ts'

/** Redis and Redstart take this word as "later", and keep their dataset. */
export const EMPTY_PRIMARY = errorBytes('NOMASTERLINK This primary has started without data: see primary-empty-guard')

interface EmptyGuardParts {
  readonly config: { readonly primaryEmptyGuard: boolean }
  readonly log: Log
}

export class EmptyPrimaryGuard {
  private readonly parts: EmptyGuardParts
  private startedEmpty = false
  /** Synchronisations that were refused. */
  refused = 0

  constructor(parts: EmptyGuardParts) {
    this.parts = parts
  }

  /** The server has started as a primary, with so many keys. */
  started(keys: number): void {
    this.startedEmpty = keys === 0
  }

  /** Whether a replica would be refused. */
  get isUp(): boolean {
    return this.startedEmpty && this.parts.config.primaryEmptyGuard
  }

  /**
   * A replica asks for the dataset that has a stream up to `offset`; undefined: SYNC does not say. A server that never
   * was in a stream asks for byte 1 of its own, or for none.
   */
  refuses(offset: number | undefined, name: string): boolean {
    if (!this.isUp || (offset !== undefined && offset <= 1)) return false
    if (this.refused++ === 0)
      this.parts.log.warning(
        `This primary has started without data, and replica ${name} has some: it is not synchronized (primary-empty-guard). REPLICAOF NO ONE here empties the replicas; a failover to one of them keeps the data.`,
      )
    return true
  }

  /** primary-empty-guard has changed. */
  configure(): undefined {
    if (!this.parts.config.primaryEmptyGuard) this.lift('primary-empty-guard was turned off')
  }

  /** Somebody has decided. */
  lift(why: string): void {
    if (this.refused > 0)
      this.parts.log.notice(`Replicas are synchronized again, though this primary started empty: ${why}`)
    this.startedEmpty = false
    this.refused = 0
  }
}
