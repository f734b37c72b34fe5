// The differences beside the replies that are known and explained: each has its reason in docs/differences.md.

import type { Row } from './observer.ts'

interface Explanation {
  /** What was observed. */
  parts: readonly string[]
  why: string
  /** The rows without what differs. */
  without: (rows: readonly Row[]) => readonly Row[]
}

const STREAMS = ['replica stream', 'append-only file']

const EXPLANATIONS: readonly Explanation[] = [
  {
    parts: STREAMS,
    why: 'a consumer that a read creates is propagated; Redis forgets it where nothing else is propagated',
    // A MULTI stands in the database of what is before it.
    without: rows =>
      rows
        .filter(([, name, verb]) => name !== 'XGROUP' || verb !== 'CREATECONSUMER')
        .map(row => (row[1] === 'MULTI' ? ['', ...row.slice(1)] : row)),
  },
  {
    parts: STREAMS,
    why: 'WAIT asks replicas for an acknowledgement at once, not at the end of the turn of the event loop',
    without: rows => rows.filter(([, name]) => name !== 'REPLCONF'),
  },
  {
    parts: ['keyspace events'],
    why: 'SORT reads the keys of BY in the order of the hash table of a set',
    without: inOrder,
  },
  {
    parts: ['slow log'],
    why: 'a command that CLIENT UNBLOCK ends is logged at once, not after what the other client sends behind it',
    // A WAIT whose client is killed runs to its end in Redis.
    without: rows =>
      rows.filter(([, , name]) => !/^wait$/i.test(name ?? '')).toSorted((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)),
  },
  {
    parts: ['figures'],
    why: 'CLIENT UNBLOCK … ERROR does not fail itself with the command that it ends',
    without: rows =>
      rows.map(([name, value]) => [name, name === 'cmdstat_client|unblock' ? withoutFailures(value) : value]),
  },
  {
    parts: ['figures'],
    why: 'a WAIT that CLIENT UNBLOCK or CLIENT KILL ends is one call or none',
    without: rows => rows.filter(([name]) => name !== 'cmdstat_wait' && name !== 'total_commands_processed'),
  },
  {
    parts: ['redirected invalidations'],
    why: 'broadcasts come at the end of a turn of the event loop, and how many commands that is, is not the same',
    without: rows =>
      [...new Set(rows.flatMap(row => row.slice(2).flatMap(keys => keys.split(' '))))].sort().map(key => [key]),
  },
]

function withoutFailures(value: string): string {
  return value.replace(/failed_calls=\d+/, '')
}

/** The rows with neighbouring misses in the order of their keys. */
function inOrder(rows: readonly Row[]): readonly Row[] {
  const isMiss = (row: Row | undefined) => row !== undefined && /keymiss/.test(row.join(' '))
  const result: Row[] = []
  for (let from = 0; from < rows.length; ) {
    let to = from + 1
    if (isMiss(rows[from])) while (isMiss(rows[to])) to++
    result.push(...rows.slice(from, to).sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)))
    from = to
  }
  return result
}

/** Rows of one part without what may differ. */
export function explained(part: string, rows: readonly Row[]): readonly Row[] {
  const left = EXPLANATIONS.reduce((some, one) => (one.parts.includes(part) ? one.without(some) : some), rows)
  return left === rows || !STREAMS.includes(part) ? left : withoutFrames(left)
}

/** The rows without MULTI and EXEC around fewer than two commands: removed rows may have been all that was between. */
function withoutFrames(rows: readonly Row[]): readonly Row[] {
  const left: Row[] = []
  let opened = -1
  for (const row of rows) {
    left.push(row)
    if (row[1] === 'MULTI') opened = left.length - 1
    if (row[1] !== 'EXEC' || opened < 0) continue
    if (left.length - opened <= 3) {
      left.pop()
      left.splice(opened, 1)
    }
    opened = -1
  }
  return left
}
