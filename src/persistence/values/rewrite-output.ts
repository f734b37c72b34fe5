// RewriteOutput: the commands of an AOF rewrite: a command buffer, and the database last selected.
//
// Always: an argument longer than PIECE_BYTES is written in pieces, with a pause after each.

import type { Slice } from '../../lib/slice.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'

/** Elements per command at most (Redis's AOF_REWRITE_ITEMS_PER_CMD). */
export const ITEMS_MAX = 64
const PIECE_BYTES = 64 * 1024

export class RewriteOutput {
  readonly out = new CommandWriter()
  database = -1

  select(database: number): void {
    if (database === this.database) return
    this.database = database
    this.out.count(2)
    this.out.word('SELECT')
    this.out.integer(database)
  }

  /** Begins a command on a key; `words` more arguments follow. */
  begin(name: string, key: Slice, words: number): void {
    this.out.count(2 + words)
    this.out.word(name)
    this.out.argument(key)
  }

  /** Writes an argument; false, and nothing written, when it must go in pieces (writePieces). */
  wrote(s: Slice): boolean {
    if (s.len > PIECE_BYTES) return false
    this.out.argument(s)
    return true
  }

  *writePieces(s: Slice): Generator<void, void, void> {
    const { out } = this
    out.beginArgument(s.len)
    for (let at = 0; at < s.len; at += PIECE_BYTES) {
      out.part(s.u8, s.dv, s.off + at, Math.min(PIECE_BYTES, s.len - at))
      yield
    }
    out.endArgument()
  }
}
