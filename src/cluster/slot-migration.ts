// Atomic slot migration: whole slots move to another node while both answer, without ASK and TRYAGAIN.
//
//   source                                             target
//   connecting ── SYNCSLOTS ESTABLISH ───────────────▶ import is open: its client may write to these slots
//   snapshot   ── the slots' keys, as commands ──────▶ (all others are still redirected to the source)
//   streaming  ── what changes them meanwhile ───────▶
//   pausing    ── SYNCSLOTS PAUSED, writes wait ─────▶ its replicas are asked to acknowledge everything
//   finishing  ── SYNCSLOTS FINISH, again at 0 ──────▶ claims the slots in a new epoch, replies with it
//   success: its keys are deleted in slices            success
//
// The source waits with writes for `pauseMs` at most; the target refuses FINISH when more than half of that has passed
// since PAUSED, and the source does not send it when PAUSED took more than half. So the source never accepts a write to
// a slot that the target may still claim, whatever the clocks say.
//
// Always: until FINISH the slots are the source's, and whatever ends the migration before leaves nothing at the target:
// open imports are in its nodes file and known to its replicas, so a restarted target and a promoted replica delete
// their keys too. A source that does not know whether FINISH was done claims the slots anew when the pause ends.

import { eachRange } from './bitmap.ts'
import type { Node } from './node.ts'

export type MigrationState =
  | 'connecting'
  | 'waiting'
  | 'snapshotting'
  | 'streaming'
  | 'pausing'
  | 'finishing'
  | 'importing'
  | 'success'
  | 'failed'
  | 'canceled'

/** A migration, of either side. */
export class SlotMigration {
  readonly name: string
  readonly isExport: boolean
  readonly slots: Uint8Array
  readonly source: string
  readonly target: string
  readonly createdMs: number
  updatedMs: number
  endedMs = 0
  /** How long writes had to wait. */
  pausedMs = 0
  state: MigrationState
  message = ''

  constructor(
    isExport: boolean,
    what: { name: string; slots: Uint8Array; source: string; target: string },
    nowMs: number,
  ) {
    this.isExport = isExport
    this.name = what.name
    this.slots = what.slots
    this.source = what.source
    this.target = what.target
    this.createdMs = this.updatedMs = nowMs
    this.state = isExport ? 'connecting' : 'importing'
  }

  get isRunning(): boolean {
    return this.endedMs === 0
  }

  become(state: MigrationState, nowMs: number): void {
    this.state = state
    this.updatedMs = nowMs
  }

  end(state: 'success' | 'failed' | 'canceled', message: string, nowMs: number): void {
    this.become(state, nowMs)
    this.message = message
    this.endedMs = nowMs
  }
}

/** The source's side: implemented by the server, which has connections and snapshots. */
export interface SlotExports {
  begin(migration: SlotMigration, target: Node): void
  /** The outcome of a running export is decided here: it ends without a word to the target, which sees the close. */
  cancel(migration: SlotMigration): void
  abortAll(reason: string): void
  /** Asks another node to give its slots to this one; the error, or undefined, when it has answered. */
  ask(source: Node, words: readonly string[], done: (error: string | undefined) => void): void
}

/** As words of a command: first last first last … */
export function rangeWords(slots: Uint8Array): string[] {
  const words: string[] = []
  eachRange(slots, (first, last) => void words.push(String(first), String(last)))
  return words
}

export function overlap(a: Uint8Array, b: Uint8Array): boolean {
  return a.some((byte, i) => (byte & b[i]) !== 0)
}
