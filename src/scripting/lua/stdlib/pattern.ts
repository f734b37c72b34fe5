// Matcher: Lua 5.1 patterns. A backtracking matcher with an explicit stack of choices, so that it can be suspended and
// resumed anywhere: a slow pattern is suspended like any loop.
//
// A choice is four numbers on the stack: [ kind | a | b | c ]
//
//   MORE      a: start of the repeated item's run   b: pattern position after it   c: repetitions left to give back
//   LESS      a: subject position   b: pattern position after the item   c: of the item itself
//   OPTIONAL  a: subject position   b: pattern position after the item
//   OPENED    (undo: the capture opened last)
//   CLOSED    a: index of the capture closed
//
// Always: the stack holds at most one choice for each item of the pattern.

import { cText } from '../../../lib/text.ts'
import type { LuaState } from '../state.ts'
import { isInClass } from './classes.ts'

const CAPTURES_MAX = 32
const UNFINISHED = -1
const POSITION = -2

const MORE = 0
const LESS = 1
const OPTIONAL = 2
const OPENED = 3
const CLOSED = 4

const PERCENT = 37
const OPEN_SET = 91
const CLOSE_SET = 93
const CARET = 94
const DASH = 45

export const NO_MATCH = -1
/** Out of steps; resume with `continue`. */
export const UNDECIDED = -2

export class Matcher {
  readonly subject: string
  readonly pattern: string
  captureCount = 0
  readonly captureStart: number[] = []
  /** Length, UNFINISHED or POSITION. */
  readonly captureLength: number[] = []
  private readonly S: LuaState
  private readonly choices: number[] = []
  private at = 0
  private item = 0
  private steps = 0

  /** As in C, the pattern ends at its first NUL. */
  constructor(S: LuaState, subject: string, pattern: string) {
    this.S = S
    this.subject = subject
    this.pattern = cText(pattern)
  }

  /** Matches from `at` with the pattern from `item` on: the end of the match, NO_MATCH or UNDECIDED. */
  match(at: number, item: number, steps: number): number {
    this.captureCount = 0
    this.choices.length = 0
    this.at = at
    this.item = item
    return this.continue(steps)
  }

  continue(steps: number): number {
    this.steps = steps
    for (;;) {
      const end = this.advance()
      if (end >= 0) return end
      if (this.steps <= 0) return this.retry() ? UNDECIDED : NO_MATCH
      if (!this.retry()) return NO_MATCH
    }
  }

  /** Matches forward until the end of the pattern (the subject position) or a failure (NO_MATCH). */
  private advance(): number {
    const { pattern, subject } = this
    for (;;) {
      this.steps--
      if (this.item >= pattern.length) return this.at
      const p = this.item
      const c = pattern.charCodeAt(p)
      if (c === 40) this.openCapture()
      else if (c === 41) this.closeCapture()
      else if (c === 36 && p + 1 === pattern.length) return this.at === subject.length ? this.at : NO_MATCH
      else if (c === PERCENT && this.isSpecial(pattern.charCodeAt(p + 1))) {
        if (!this.special(pattern.charCodeAt(p + 1))) return NO_MATCH
      } else if (!this.single(p)) return NO_MATCH
    }
  }

  private isSpecial(c: number): boolean {
    return c === 98 || c === 102 || (c >= 48 && c <= 57)
  }

  /** A single-character item with its suffix. */
  private single(p: number): boolean {
    const end = this.itemEnd(p)
    const suffix = this.pattern.charCodeAt(end)
    const matches = this.matchesAt(this.at, p, end)
    switch (suffix) {
      case 63: // ?
        this.item = end + 1
        if (matches) this.choices.push(OPTIONAL, this.at++, end + 1, 0)
        return true
      case 43: // +
        if (!matches) return false
        this.expand(this.at + 1, p, end)
        return true
      case 42: // *
        this.expand(this.at, p, end)
        return true
      case DASH:
        this.choices.push(LESS, this.at, end + 1, p)
        this.item = end + 1
        return true
      default:
        if (!matches) return false
        this.at++
        this.item = end
        return true
    }
  }

  private expand(from: number, p: number, end: number): void {
    let to = from
    while (this.matchesAt(to, p, end)) to++
    this.steps -= (to - from) >> 2
    this.choices.push(MORE, from, end + 1, to - from)
    this.at = to
    this.item = end + 1
  }

  /** Backtracks to the latest choice; false when there is none left. */
  private retry(): boolean {
    const { choices } = this
    while (choices.length > 0) {
      const top = choices.length - 4
      const a = choices[top + 1]
      switch (choices[top]) {
        case MORE:
          if (choices[top + 3] > 0) {
            this.at = a + --choices[top + 3]
            this.item = choices[top + 2]
            return true
          }
          break
        case LESS: {
          const p = choices[top + 3]
          if (this.matchesAt(a, p, this.itemEnd(p))) {
            this.at = ++choices[top + 1]
            this.item = choices[top + 2]
            return true
          }
          break
        }
        case OPTIONAL:
          this.at = a
          this.item = choices[top + 2]
          choices.length = top
          return true
        case OPENED:
          this.captureCount--
          break
        case CLOSED:
          this.captureLength[a] = UNFINISHED
          break
      }
      choices.length = top
    }
    return false
  }

  private openCapture(): void {
    const isPosition = this.pattern.charCodeAt(this.item + 1) === 41
    if (this.captureCount >= CAPTURES_MAX) throw this.S.error('too many captures')
    this.captureStart[this.captureCount] = this.at
    this.captureLength[this.captureCount++] = isPosition ? POSITION : UNFINISHED
    this.choices.push(OPENED, 0, 0, 0)
    this.item += isPosition ? 2 : 1
  }

  private closeCapture(): void {
    let index = this.captureCount - 1
    while (index >= 0 && this.captureLength[index] !== UNFINISHED) index--
    if (index < 0) throw this.S.error('invalid pattern capture')
    this.captureLength[index] = this.at - this.captureStart[index]
    this.choices.push(CLOSED, index, 0, 0)
    this.item++
  }

  /** %b, %f and %1, which have no choices. */
  private special(letter: number): boolean {
    if (letter === 98) return this.balance()
    if (letter === 102) return this.frontier()
    const index = letter - 49
    if (index < 0 || index >= this.captureCount || this.captureLength[index] === UNFINISHED)
      throw this.S.error('invalid capture index')
    const length = this.captureLength[index]
    const start = this.captureStart[index]
    if (length < 0 || !this.subject.startsWith(this.subject.slice(start, start + length), this.at)) return false
    this.steps -= length >> 3
    this.at += length
    this.item += 2
    return true
  }

  private balance(): boolean {
    const { pattern, subject } = this
    if (this.item + 3 >= pattern.length) throw this.S.error('unbalanced pattern')
    const open = pattern.charCodeAt(this.item + 2)
    const close = pattern.charCodeAt(this.item + 3)
    if (subject.charCodeAt(this.at) !== open) return false
    let depth = 1
    for (let i = this.at + 1; i < subject.length; i++) {
      const c = subject.charCodeAt(i)
      if (c === close) {
        if (--depth === 0) {
          this.steps -= (i - this.at) >> 2
          this.at = i + 1
          this.item += 4
          return true
        }
      } else if (c === open) depth++
    }
    this.steps -= (subject.length - this.at) >> 2
    return false
  }

  private frontier(): boolean {
    const p = this.item + 2
    if (this.pattern.charCodeAt(p) !== OPEN_SET) throw this.S.error("missing '[' after '%f' in pattern")
    const end = this.itemEnd(p)
    const before = this.at === 0 ? 0 : this.subject.charCodeAt(this.at - 1)
    const here = this.at < this.subject.length ? this.subject.charCodeAt(this.at) : 0
    if (this.isInSet(before, p, end - 1) || !this.isInSet(here, p, end - 1)) return false
    this.item = end
    return true
  }

  /** The end of the item at `p`, without its suffix. */
  private itemEnd(p: number): number {
    const { pattern } = this
    const c = pattern.charCodeAt(p++)
    if (c === PERCENT) {
      if (p >= pattern.length) throw this.S.error("malformed pattern (ends with '%')")
      return p + 1
    }
    if (c !== OPEN_SET) return p
    if (pattern.charCodeAt(p) === CARET) p++
    do {
      if (p >= pattern.length) throw this.S.error("malformed pattern (missing ']')")
      if (pattern.charCodeAt(p++) === PERCENT && p < pattern.length) p++
    } while (pattern.charCodeAt(p) !== CLOSE_SET)
    return p + 1
  }

  private matchesAt(at: number, p: number, end: number): boolean {
    if (at >= this.subject.length) return false
    const c = this.subject.charCodeAt(at)
    const item = this.pattern.charCodeAt(p)
    if (item === 46) return true
    if (item === PERCENT) return isInClass(c, this.pattern.charCodeAt(p + 1))
    return item === OPEN_SET ? this.isInSet(c, p, end - 1) : item === c
  }

  /** `last` is the position of the closing bracket. */
  private isInSet(c: number, p: number, last: number): boolean {
    const { pattern } = this
    const isNegated = pattern.charCodeAt(p + 1) === CARET
    if (isNegated) p++
    while (++p < last) {
      const item = pattern.charCodeAt(p)
      if (item === PERCENT) {
        if (isInClass(c, pattern.charCodeAt(++p))) return !isNegated
      } else if (pattern.charCodeAt(p + 1) === DASH && p + 2 < last) {
        p += 2
        if (item <= c && c <= pattern.charCodeAt(p)) return !isNegated
      } else if (item === c) return !isNegated
    }
    return isNegated
  }

  /** Capture `index` of a match over start..end; the whole match when there are no captures. */
  capture(index: number, start: number, end: number): string | number {
    if (index >= this.captureCount) {
      if (index === 0) return this.subject.slice(start, end)
      throw this.S.error('invalid capture index')
    }
    const length = this.captureLength[index]
    if (length === UNFINISHED) throw this.S.error('unfinished capture')
    if (length === POSITION) return this.captureStart[index] + 1
    return this.subject.slice(this.captureStart[index], this.captureStart[index] + length)
  }

  /** All captures; the whole match instead of none when `start` is given. */
  captures(start: number, end: number): (string | number)[] {
    const count = this.captureCount === 0 && start >= 0 ? 1 : this.captureCount
    const list: (string | number)[] = []
    for (let i = 0; i < count; i++) list.push(this.capture(i, start, end))
    return list
  }
}
