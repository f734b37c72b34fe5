import type { Comparison } from './grammar/grammar.ts'

/** One command of an epoch, on one of its connections. */
export interface Step {
  connection: number
  words: readonly string[]
  comparison: Comparison
  /** The reply consists of several replies, compared like these. */
  inside?: readonly Comparison[]
}
