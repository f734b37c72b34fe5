// What a grammar says of one command: how its arguments are made, and what of its reply is not determined.

import type { Gen, Words } from '../gen.ts'

/**
 * How two replies are compared:
 *   exact      the same
 *   unordered  an array in any order
 *   pairs      a flat array (or map) of pairs, in any order of pairs
 *   scan       [cursor, elements in any order]; the cursor is left out
 *   scanPairs  [cursor, pairs in any order]
 *   near       integers that depend on the moment: at most 3000 apart
 *   shape      only the kinds and lengths: what is drawn at random
 *   ignore     not at all
 */
export type Comparison = 'exact' | 'unordered' | 'pairs' | 'scan' | 'scanPairs' | 'near' | 'shape' | 'ignore'

export interface CommandGrammar {
  /** In upper case, with the subcommand: 'OBJECT ENCODING'. */
  name: string
  args: (g: Gen) => Words
  /** How often, 1 if not given. */
  weight?: number
  /** 'exact' if not given. */
  reply?: Comparison
  /** Left out with a redis-server older than this. */
  since?: string
  /** Its words must not be broken at random: it would wait, or expire soon. */
  delicate?: true
  /** Commands to send right after it, where what it did is not determined: [['DEL', key]]. */
  followUp?: (words: readonly string[]) => readonly (readonly string[])[]
}

export type Grammar = readonly CommandGrammar[]
