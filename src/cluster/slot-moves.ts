// SlotMoves: atomic migrations of slots that this node gives or takes, and what they leave behind.

import type { Cluster } from './cluster.ts'
import { SlotCleaner } from './slot-cleaner.ts'
import { SlotImports } from './slot-imports.ts'
import type { SlotExports, SlotMigration } from './slot-migration.ts'

const KEPT = 64

export class SlotMoves {
  readonly cleaner: SlotCleaner
  readonly imports: SlotImports
  /** Set by the server. */
  exports: SlotExports | undefined
  /** Those that run or have ended, the newest last. */
  readonly all: SlotMigration[] = []

  constructor(cluster: Cluster) {
    this.cleaner = new SlotCleaner(cluster)
    this.imports = new SlotImports(cluster)
  }

  /** A migration begins. */
  record(migration: SlotMigration): void {
    const { all } = this
    all.push(migration)
    const old = all.findIndex(one => !one.isRunning)
    if (all.length > KEPT && old >= 0) all.splice(old, 1)
  }

  /** This node gives up its slots or its role. */
  abortAll(reason: string): void {
    this.cleaner.stop()
    this.imports.abortAll(reason)
    this.exports?.abortAll(reason)
  }
}
