// Effects: what is propagated of a command, script or transaction, and where to.
//
// Always: there are two targets, as in Redis. Published messages go to replicas only; redis.set_repl() chooses.

import type { Slice } from '../lib/slice.ts'

// Bits of `targets`.
export const PROPAGATE_AOF = 1
export const PROPAGATE_REPLICAS = 2
export const PROPAGATE_ALL = PROPAGATE_AOF | PROPAGATE_REPLICAS

export interface Effect {
  db: number
  args: Slice[]
  /** PROPAGATE_ bits: where it goes. */
  targets: number
}

/** How a command is propagated. */
export interface EffectLog {
  replaced: boolean
  prevented: boolean
  /** PROPAGATE_ bits: where the command goes although it changed nothing. */
  forced: number
  /** PROPAGATE_ bits: where it may go. */
  targets: number
  commands: Effect[]
}

export function newEffectLog(): EffectLog {
  return { replaced: false, prevented: false, forced: 0, targets: PROPAGATE_ALL, commands: [] }
}

export function clearEffectLog(log: EffectLog): void {
  log.replaced = log.prevented = false
  log.forced = 0
  log.targets = PROPAGATE_ALL
  if (log.commands.length !== 0) log.commands.length = 0
}

/** Receives every change to the dataset: the append-only file, replicas, in-process listeners. */
export interface Sink {
  /** Its PROPAGATE_ bit: it passes over effects without it. */
  readonly target: number
  /**
   * The effects of one command, script or transaction, in order. Slices are valid during the call.
   */
  changes(effects: readonly Effect[], asTransaction: boolean): void
}
