// Comparison of replies.

import { show } from '../harness/expect.ts'
import { type PlainValue, parseReply, plain, RespError, RespTyped, type RespValue } from '../harness/resp.ts'
import type { Comparison } from './grammar/grammar.ts'

const NEAR_MS = 3000

/** A command and how to compare its reply. */
export interface Asked {
  comparison: Comparison
  /** The commands of EXEC, or of a script. */
  queued?: readonly Asked[]
  /** The other server is older: it words errors and writes doubles differently; codes and values are compared. */
  lax?: boolean
}

/** Whether both replies are equivalent. */
export function sameReplies(ours: Uint8Array, theirs: Uint8Array, asked: Asked): boolean {
  if (asked.comparison === 'ignore' || Buffer.compare(ours, theirs) === 0) return true
  return sameValues(parseReply(ours, 0), parseReply(theirs, 0), asked)
}

function sameValues(a: RespValue, b: RespValue, asked: Asked): boolean {
  const { queued } = asked
  if (queued && Array.isArray(a) && Array.isArray(b) && a.length === queued.length && b.length === queued.length)
    return queued.every((one, i) => sameValues(a[i], b[i], one))
  if (!sameKind(a, b)) return false
  if (asked.lax && a instanceof RespError && b instanceof RespError) return codeOf(a) === codeOf(b)
  const x = plain(a)
  const y = plain(b)
  const same = asked.lax ? sameNumbers : sameText
  switch (asked.comparison) {
    case 'ignore':
      return true
    case 'exact':
      return same(x, y)
    case 'unordered':
      return same(inOrder(x), inOrder(y))
    case 'pairs':
      return same(inOrder(paired(x)), inOrder(paired(y)))
    case 'scan':
      return same(inOrder(behindCursor(x)), inOrder(behindCursor(y)))
    case 'scanPairs':
      return same(inOrder(paired(behindCursor(x))), inOrder(paired(behindCursor(y))))
    case 'near':
      return isInteger(x) && isInteger(y) ? areNear(Number(x), Number(y)) : same(x, y)
    case 'shape':
      return sameShape(x, y)
  }
}

function isInteger(value: PlainValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** At most a few seconds apart, or, for values of hundreds of thousands of years, equal as doubles. */
function areNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= NEAR_MS + Math.abs(a) * 1e-12
}

function codeOf(error: RespError): string {
  return error.message.split(' ')[0]
}

/** Both have the same RESP3 type. */
function sameKind(a: RespValue, b: RespValue): boolean {
  const kind = (value: RespValue) =>
    value instanceof RespTyped ? value.type : Array.isArray(value) ? 'array' : typeof value
  return kind(a) === kind(b)
}

function sameText(a: PlainValue, b: PlainValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => sameText(one, b[i]))
  if (a instanceof RespError && b instanceof RespError) return a.message === b.message
  return a === b
}

/** sameText(), except that doubles may be formatted differently. */
function sameNumbers(a: PlainValue, b: PlainValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => sameNumbers(one, b[i]))
  if (sameText(a, b)) return true
  return typeof a === 'string' && typeof b === 'string' && isDouble(a) && isDouble(b) && Number(a) === Number(b)
}

function isDouble(text: string): boolean {
  return /^-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?$/.test(text) && /[.e]|[0-9]{16}|^-?0$/.test(text)
}

function sameShape(a: PlainValue, b: PlainValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length
  if (a instanceof RespError || b instanceof RespError) return sameText(a, b)
  return (a === null) === (b === null) && Array.isArray(a) === Array.isArray(b)
}

function behindCursor(value: PlainValue): PlainValue {
  return Array.isArray(value) && value.length === 2 ? value[1] : value
}

function inOrder(value: PlainValue): PlainValue {
  return Array.isArray(value) ? [...value].sort((a, b) => (show(a) < show(b) ? -1 : 1)) : value
}

function paired(value: PlainValue): PlainValue {
  if (!Array.isArray(value) || value.length % 2 !== 0 || value.some(Array.isArray)) return value
  const pairs: PlainValue[] = []
  for (let i = 0; i < value.length; i += 2) pairs.push([value[i], value[i + 1]])
  return pairs
}
