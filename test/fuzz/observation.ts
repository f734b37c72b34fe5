// Comparison of what two servers said beside their replies.

import { explained } from './explained.ts'
import type { Observation, Row } from './observer.ts'

const NEAR_MS = 3000
const SHOWN_ROWS = 3

/** The first difference that is not explained: what was observed, and both sides. */
export function observedDifference(
  ours: Observation,
  theirs: Observation,
): { part: string; message: string } | undefined {
  for (const [part, rows] of ours) {
    const a = explained(part, rows)
    const b = explained(part, theirs.get(part) ?? [])
    const at = firstDifference(a, b)
    if (at >= 0) return { part, message: `${part}\n  ours:   ${shown(a, at)}\n  theirs: ${shown(b, at)}` }
  }
  return undefined
}

/** Where the rows differ, or -1. */
function firstDifference(a: readonly Row[], b: readonly Row[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++)
    if (a[i] === undefined || b[i] === undefined || !sameRow(a[i], b[i])) return i
  return -1
}

function sameRow(a: Row, b: Row): boolean {
  if (isRemoval(a) && isRemoval(b)) return a.length === b.length && a[0] === b[0] && a[2] === b[2]
  return a.length === b.length && a.every((word, i) => word === b[i] || isNear(word, b[i]))
}

/** Of SPOP, whose members are random: the replies and the data tell how many go, and which. */
function isRemoval([, name]: Row): boolean {
  return name === 'SREM'
}

/** Both are times in milliseconds, and close. */
function isNear(a: string, b: string): boolean {
  return /^[1-9]\d{12,18}$/.test(a) && /^[1-9]\d{12,18}$/.test(b) && Math.abs(Number(a) - Number(b)) <= NEAR_MS
}

function shown(rows: readonly Row[], at: number): string {
  const from = Math.max(0, at - 1)
  const some = rows.slice(from, at + SHOWN_ROWS).map(row => cut(JSON.stringify(row)))
  return `row ${from} of ${rows.length}: ${some.join(' ')}`
}

function cut(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 300)} ... ${text.slice(-80)}`
}
