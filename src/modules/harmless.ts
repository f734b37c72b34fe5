// What a module's code throws outside of commands, or its promises reject with, is logged and harms nothing else.

import { stackOf } from '../engine/boundary.ts'
import type { Engine } from '../engine/engine.ts'
import { isUnwind } from '../lib/unwind.ts'

/** Runs a module's code. `what`: which, for the log. */
export function harmless(engine: Engine, what: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (isUnwind(error)) throw error
    logThrown(engine, what, error)
  }
}

export function logThrown(engine: Engine, what: string, error: unknown): void {
  engine.log?.('warning', `${what} has thrown: ${stackOf(error)}`)
}
