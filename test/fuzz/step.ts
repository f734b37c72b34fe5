import type { Comparison } from './grammar/grammar.ts'

/** One command of an epoch, on one of its connections. */
export interface Step {
  connection: number
  words: readonly string[]
  comparison: Comparison
  /** The reply consists of several replies, compared like these. */
  inside?: readonly Comparison[]
}

/** Stands for the id of a client. */
export const idOf = (client: number) => `<client ${client}>`

/** Stands for the id of the client that invalidations are redirected to. */
export const REDIRECTED = '<redirected>'

/** A command in redis-cli's syntax. */
export function quoted(words: readonly string[]): string {
  return words.map(word => (/^[\w!#-&(-/:-@[\]^{-}~]+$/.test(word) ? word : `"${escaped(word)}"`)).join(' ')
}

function escaped(word: string): string {
  return word.replace(/["\\]|[^ -~]/g, c =>
    c === '"' || c === '\\' ? `\\${c}` : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

const POOL_KEY = /^[slhezxbpgyw][1-9]$/

/** The keys of the pools that occur in the commands. */
export function keysIn(steps: readonly Step[]): string[] {
  const keys = new Set<string>()
  for (const { words } of steps) for (const word of words) if (POOL_KEY.test(word)) keys.add(word)
  return [...keys]
}
