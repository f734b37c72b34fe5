// find, match, gmatch and gsub.
//
// Always: each runs its Matcher in slices of steps that are charged to the budget. Within the budget it returns at
// once; beyond it continues as a generator.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { cText } from '../../../lib/text.ts'
import { formatNumber } from '../number.ts'
import { finishMetamethod, index, limited, PENDING, pause, startMetamethod } from '../operations.ts'
import { type LuaState, typeName } from '../state.ts'
import { LuaTable } from '../table.ts'
import { first, LuaFunction, type LuaResult, type LuaValue, type Running } from '../value.ts'
import { intArgument, integerArgument, stringArgument } from './arguments.ts'
import { Matcher, NO_MATCH, UNDECIDED } from './pattern.ts'
import { fromEnd } from './string.ts'

const STEPS_PER_SLICE = 1 << 14
/** Budget for one slice, in loop rounds. */
const SLICE_COST = 1 << 10
const SPECIALS = /[$^*+?.([%-]/

type Steps<T> = Generator<number, T, unknown>

export function searchFunctions(S: LuaState): Record<string, LuaFunction> {
  const search = (isFind: boolean) =>
    S.running(function (this: LuaFunction, s, p, init, plain): Running {
      const subject = stringArgument(S, s, 1, arguments.length)
      const pattern = stringArgument(S, p, 2, arguments.length)
      let from = init === undefined ? 0 : fromEnd(integerArgument(S, init, 3, arguments.length), subject.length) - 1
      if (from < 0) from = 0
      else if (from > subject.length) from = subject.length
      if (isFind && ((plain !== undefined && plain !== false) || !SPECIALS.test(cText(pattern)))) {
        const at = subject.indexOf(pattern, from)
        return S.ready(at < 0 ? undefined : [at + 1, at + pattern.length])
      }
      const cursor = new Cursor(S, subject, pattern, from)
      const answer = () => answerOf(cursor, isFind)
      return cursor.advance() ? S.ready(answer()) : finishLater(cursor, answer)
    })
  const gmatch = S.plain(function (this: LuaFunction, s, p) {
    const subject = stringArgument(S, s, 1, arguments.length)
    const pattern = stringArgument(S, p, 2, arguments.length)
    return gmatchIterator(S, subject, pattern)
  })
  return {
    find: search(true),
    match: search(false),
    gmatch,
    gfind: gmatch,
    gsub: S.running(function (this: LuaFunction, s, p, replacement, limit): Running {
      const subject = stringArgument(S, s, 1, arguments.length)
      const pattern = stringArgument(S, p, 2, arguments.length)
      const max = limit === undefined ? subject.length + 1 : intArgument(S, limit, 4, arguments.length)
      const isText = typeof replacement === 'string' || typeof replacement === 'number'
      if (!isText && !(replacement instanceof LuaFunction) && !(replacement instanceof LuaTable))
        throw S.argumentError(3, 'string/function/table expected')
      const gsub = new Substitution(S, this, subject, pattern, replacement, max)
      return isText && gsub.runText() ? S.ready(gsub.result()) : gsub.run()
    }),
  }
}

/** The search for the next match in a subject. */
class Cursor {
  readonly S: LuaState
  readonly matcher: Matcher
  /** Start of the match, or of the next attempt. */
  start: number
  end = NO_MATCH
  private readonly itemStart: number
  private readonly isAnchored: boolean
  private isUndecided = false

  constructor(S: LuaState, subject: string, pattern: string, from: number, canAnchor = true) {
    this.S = S
    this.matcher = new Matcher(S, subject, pattern)
    this.start = from
    this.isAnchored = canAnchor && pattern[0] === '^'
    this.itemStart = this.isAnchored ? 1 : 0
  }

  /** Searches from `start` on. False when the budget is used up; then call it again. */
  advance(): boolean {
    const { matcher } = this
    let steps = STEPS_PER_SLICE
    for (;;) {
      const end = this.isUndecided ? matcher.continue(steps) : matcher.match(this.start, this.itemStart, steps)
      this.isUndecided = end === UNDECIDED
      if (this.isUndecided) steps = 0
      else {
        this.end = end
        if (end >= 0 || this.isAnchored || this.start >= matcher.subject.length) return true
        this.start++
        steps -= 4
      }
      if (steps <= 0) {
        steps = STEPS_PER_SLICE
        this.S.budget -= SLICE_COST
        if (this.S.budget < 0) return false
      }
    }
  }
}

function answerOf(cursor: Cursor, isFind: boolean): LuaResult {
  const { matcher, start, end } = cursor
  if (end < 0) return undefined
  if (!isFind) return matcher.captureCount <= 1 ? matcher.capture(0, start, end) : matcher.captures(start, end)
  return [start + 1, end, ...matcher.captures(-1, -1)]
}

function* finishLater(cursor: Cursor, answer: () => LuaResult): Steps<LuaResult> {
  do yield* pause(cursor.S)
  while (!cursor.advance())
  return answer()
}

function gmatchIterator(S: LuaState, subject: string, pattern: string): LuaFunction {
  const cursor = new Cursor(S, subject, pattern, 0, false)
  const answer = () => {
    if (cursor.end < 0) {
      cursor.start = subject.length + 1
      return []
    }
    const captures = cursor.matcher.captures(cursor.start, cursor.end)
    cursor.start = cursor.end > cursor.start ? cursor.end : cursor.end + 1
    return captures
  }
  return S.running(() => {
    if (cursor.start > subject.length) return S.ready([])
    return cursor.advance() ? S.ready(answer()) : finishLater(cursor, answer)
  })
}

class Substitution {
  private readonly S: LuaState
  private readonly self: LuaFunction
  private readonly matcher: Matcher
  private readonly replacement: LuaValue
  private readonly max: number
  private readonly isAnchored: boolean
  private at = 0
  private count = 0
  private end = NO_MATCH
  private isUndecided = false
  private steps = STEPS_PER_SLICE
  private out = ''
  /** Start of the part of the subject that is not yet in `out`. */
  private copied = 0

  constructor(S: LuaState, self: LuaFunction, subject: string, pattern: string, replacement: LuaValue, max: number) {
    this.S = S
    this.self = self
    this.matcher = new Matcher(S, subject, pattern)
    this.replacement = typeof replacement === 'number' ? formatNumber(replacement) : replacement
    this.max = max
    this.isAnchored = pattern[0] === '^'
  }

  /** With a text as replacement; false when the budget is used up. */
  runText(): boolean {
    while (this.count < this.max) {
      if (!this.tryHere()) return false
      if (this.end >= 0) this.add(this.expanded(this.replacement as string))
      if (!this.moveOn()) break
    }
    return true
  }

  *run(): Steps<LuaValue[]> {
    const { S, replacement } = this
    while (this.count < this.max) {
      while (!this.tryHere()) yield* pause(S)
      if (this.end >= 0) {
        if (typeof replacement === 'string') this.add(this.expanded(replacement))
        else yield* this.addValue(replacement)
      }
      if (!this.moveOn()) break
    }
    return this.result()
  }

  result(): LuaValue[] {
    const { S, matcher } = this
    return [limited(S, this.out + matcher.subject.slice(this.copied)), this.count]
  }

  /** Matches at the current position; false when the budget is used up. */
  private tryHere(): boolean {
    const { S, matcher } = this
    for (;;) {
      if (this.steps <= 0) {
        this.steps = STEPS_PER_SLICE
        S.budget -= SLICE_COST
        if (S.budget < 0) return false
      }
      const end = this.isUndecided
        ? matcher.continue(this.steps)
        : matcher.match(this.at, this.isAnchored ? 1 : 0, this.steps)
      this.isUndecided = end === UNDECIDED
      this.steps = this.isUndecided ? 0 : this.steps - 8
      if (!this.isUndecided) {
        this.end = end
        return true
      }
    }
  }

  /** Appends the skipped text and the replacement of the current match. */
  private add(text: string): void {
    this.out = limited(this.S, this.out + this.matcher.subject.slice(this.copied, this.at) + text)
    this.copied = this.end
    this.count++
  }

  private moveOn(): boolean {
    if (this.end > this.at) this.at = this.end
    else if (this.at < this.matcher.subject.length) this.at++
    else return false
    return !this.isAnchored
  }

  /** The replacement text with %0 to %9 replaced by captures. */
  private expanded(text: string): string {
    let percent = text.indexOf('%')
    if (percent < 0) return text
    let out = ''
    let begin = 0
    while (percent >= 0) {
      out += text.slice(begin, percent)
      const c = text.charCodeAt(percent + 1)
      if (c === 48) out += this.matcher.subject.slice(this.at, this.end)
      else if (c >= 49 && c <= 57) out += textOf(this.matcher.capture(c - 49, this.at, this.end))
      // A % at the end reads C's final NUL.
      else out += c === c ? text[percent + 1] : '\0'
      begin = percent + 2
      percent = text.indexOf('%', begin)
    }
    return out + text.slice(begin)
  }

  private *addValue(replacement: LuaValue): Steps<void> {
    const { S, matcher } = this
    let value: LuaValue
    if (replacement instanceof LuaFunction) {
      const captures = matcher.captures(this.at, this.end)
      S.enter(this.self)
      const result = startMetamethod(S, replacement, captures)
      value = first(result === PENDING ? yield* finishMetamethod(S) : result)
      S.leave()
    } else {
      const key = matcher.capture(0, this.at, this.end)
      value = (replacement as LuaTable).get(key)
      if (value === undefined && (replacement as LuaTable).mt !== undefined) {
        S.enter(this.self)
        value = yield* index(S, replacement, key, S.site)
        S.leave()
      }
    }
    if (value === undefined || value === false) this.add(matcher.subject.slice(this.at, this.end))
    else if (typeof value === 'string') this.add(value)
    else if (typeof value === 'number') this.add(formatNumber(value))
    else throw S.error(`invalid replacement value (a ${typeName(value)})`)
  }
}

function textOf(capture: string | number): string {
  return typeof capture === 'string' ? capture : formatNumber(capture)
}
