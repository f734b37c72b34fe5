// The grammar of one command: its arguments, and what of its reply is nondeterministic.

import type { Gen, Words } from '../gen.ts'

/**
 * How two replies are compared:
 *   exact      equal
 *   unordered  an array in any order
 *   pairs      a flat array (or map) of pairs, in any order of pairs
 *   scan       [cursor, elements in any order]; the cursor is ignored
 *   scanPairs  [cursor, pairs in any order]
 *   near       integers that depend on the time: at most 3000 apart
 *   shape      only types and lengths, for random results
 *   ignore     not at all
 */
export type Comparison = 'exact' | 'unordered' | 'pairs' | 'scan' | 'scanPairs' | 'near' | 'shape' | 'ignore'

export interface CommandGrammar {
  /** In upper case, with the subcommand: 'OBJECT ENCODING'. */
  name: string
  args: (g: Gen) => Words
  /** Relative frequency, default 1. */
  weight?: number
  /** Default 'exact'. */
  reply?: Comparison
  /** Skipped with an older redis-server. */
  since?: string
  /** Must not be malformed at random: it could block, or expire soon. */
  delicate?: true
  /** Commands to send right after it, where its effect is nondeterministic: [['DEL', key]]. */
  followUp?: (words: readonly string[]) => readonly (readonly string[])[]
}

export type Grammar = readonly CommandGrammar[]
