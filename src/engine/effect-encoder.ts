// EffectEncoder: encodes effects as the bytes of the append-only file and of the replication stream.
//
//   [MULTI] [SELECT n] command [SELECT m] command … [EXEC]
//
// A transaction is one for every sink, even where none of its commands go there.
// Always: `database` is the one that the reader of these bytes has selected; -1: unknown, so SELECT comes first.

import type { CommandWriter } from '../protocol/command-writer.ts'
import type { Effect } from './effect.ts'

const MULTI = '*1\r\n$5\r\nMULTI\r\n'
const EXEC = '*1\r\n$4\r\nEXEC\r\n'

export class EffectEncoder {
  database = -1
  private readonly out: CommandWriter
  private readonly target: number

  /** `target`: the PROPAGATE_ bit of the effects that are written. */
  constructor(out: CommandWriter, target: number) {
    this.out = out
    this.target = target
  }

  /** A reader begins here: the next command is preceded by SELECT. */
  reset(): void {
    this.database = -1
  }

  write(effects: readonly Effect[], asTransaction: boolean): void {
    const { out } = this
    if (asTransaction) out.plain(MULTI)
    for (let i = 0; i < effects.length; i++) {
      const { db, args, targets } = effects[i]
      if ((targets & this.target) === 0) continue
      if (db !== this.database) this.select(db)
      out.command(args)
    }
    if (asTransaction) out.plain(EXEC)
  }

  private select(db: number): void {
    this.database = db
    this.out.count(2)
    this.out.word('SELECT')
    this.out.integer(db)
  }
}
