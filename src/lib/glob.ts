// Glob patterns of KEYS, SCAN MATCH, PSUBSCRIBE and ACL selectors: * ? [set] [^set] [a-z] \x
//
// Always: every pattern item except '*' consumes one byte, so backtracking to the last star is enough: matching takes
// at most pattern x text steps and never recurses. Equal to Redis byte for byte, including its quirks: bytes above 127
// are negative in ranges, an unterminated set ends with the pattern, and an empty text matches only an empty pattern.

import { BACKSLASH, MINUS, STAR } from './ascii.ts'
import type { Slice } from './slice.ts'

const QUESTION = 0x3f
const OPEN = 0x5b
const CLOSE = 0x5d
const CARET = 0x5e

/** True when the whole of `text` matches `pattern`. */
export function globMatch(pattern: Slice, text: Slice, nocase = false): boolean {
  return globMatchBytes(
    pattern.u8,
    pattern.off,
    pattern.off + pattern.len,
    text.u8,
    text.off,
    text.off + text.len,
    nocase,
  )
}

/** globMatch over p[pAt..pEnd) and t[tAt..tEnd). */
function globMatchBytes(
  p: Uint8Array,
  pAt: number,
  pEnd: number,
  t: Uint8Array,
  tAt: number,
  tEnd: number,
  nocase: boolean,
): boolean {
  if (tAt === tEnd) return pAt === pEnd
  let afterStar = -1 // pattern offset after the last star, or -1
  let retryAt = 0 // text offset at which the last star ends on the next try
  while (tAt < tEnd) {
    if (pAt < pEnd && p[pAt] === STAR) {
      while (pAt < pEnd && p[pAt] === STAR) pAt++
      if (pAt === pEnd) return true
      afterStar = pAt
      retryAt = tAt + 1
      continue
    }
    const next = pAt < pEnd ? matchOne(p, pAt, pEnd, t[tAt], nocase) : -1
    if (next >= 0) {
      pAt = next
      tAt++
    } else if (afterStar >= 0) {
      pAt = afterStar
      tAt = retryAt++
    } else return false
  }
  while (pAt < pEnd && p[pAt] === STAR) pAt++
  return pAt === pEnd
}

/** The pattern offset after the item at `at` when it matches byte `c`, else -1. */
function matchOne(p: Uint8Array, at: number, end: number, c: number, nocase: boolean): number {
  const item = p[at]
  if (item === QUESTION) return at + 1
  if (item === OPEN) return matchSet(p, at + 1, end, c, nocase)
  if (item === BACKSLASH && at + 1 < end) at++
  return sameByte(p[at], c, nocase) ? at + 1 : -1
}

function matchSet(p: Uint8Array, at: number, end: number, c: number, nocase: boolean): number {
  const negated = at < end && p[at] === CARET
  if (negated) at++
  let found = false
  while (at < end && p[at] !== CLOSE) {
    if (p[at] === BACKSLASH && at + 1 < end) {
      if (p[at + 1] === c) found = true
      at += 2
    } else if (at + 2 < end && p[at + 1] === MINUS) {
      if (inRange(p[at], p[at + 2], c, nocase)) found = true
      at += 3
    } else {
      if (sameByte(p[at], c, nocase)) found = true
      at++
    }
  }
  if (found === negated) return -1
  return at < end ? at + 1 : end
}

function inRange(a: number, b: number, c: number, nocase: boolean): boolean {
  let from = (a << 24) >> 24
  let to = (b << 24) >> 24
  c = (c << 24) >> 24
  if (from > to) {
    const swap = from
    from = to
    to = swap
  }
  if (nocase) {
    from = lower(from)
    to = lower(to)
    c = lower(c)
  }
  return c >= from && c <= to
}

function sameByte(a: number, b: number, nocase: boolean): boolean {
  return a === b || (nocase && lower(a) === lower(b))
}

// C's tolower on signed chars: it also makes the bytes 0x80..0xfe positive, which affects ranges.
function lower(c: number): number {
  if (c < -1) return c + 256
  return c >= 0x41 && c <= 0x5a ? c + 32 : c
}
