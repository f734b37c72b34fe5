// Lexer: Lua 5.1 source, one character a byte, into tokens.
//
// Always: `kind` is the current token; names, strings and numbers have their content in `text` / `value`; `lastLine` is
// the line of the previous token, which Lua records for instructions emitted now.

import { cText } from '../../lib/text.ts'
import { parseNumber } from './number.ts'
import { LuaError } from './value.ts'

export const NAME = '<name>'
export const STRING = '<string>'
export const NUMBER = '<number>'
export const END_OF_SOURCE = '<eof>'

const RESERVED = new Set(
  'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
)
const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

const DOT = 46
const NEWLINE = 10
const RETURN = 13
const OPEN = 91
const CLOSE = 93
const EQUALS = 61

export class Lexer {
  /** A reserved word, operator, NAME, STRING, NUMBER or END_OF_SOURCE. */
  kind = END_OF_SOURCE
  /** A name, or a string's content. */
  text = ''
  value = 0
  line = 1
  lastLine = 1
  private readonly source: string
  private readonly chunkName: string
  private at = 0
  /** Offset of the token's raw text, for error messages; -1 when `raw` has it. */
  private start = 0
  private raw = ''
  private ahead: { kind: string; text: string; value: number; raw: string } | undefined = undefined

  /** `chunkName` in the form of error positions. */
  constructor(source: string, chunkName: string) {
    this.source = source
    this.chunkName = chunkName
  }

  /** Everything was read: what follows in a longer source could change the last token. */
  get isAtEnd(): boolean {
    return this.at >= this.source.length
  }

  next(): void {
    this.lastLine = this.line
    if (this.ahead !== undefined) {
      this.kind = this.ahead.kind
      this.text = this.ahead.text
      this.value = this.ahead.value
      this.raw = this.ahead.raw
      this.start = -1
      this.ahead = undefined
    } else {
      this.start = -1
      this.kind = this.scan()
    }
  }

  /** The kind of the token after the current one. */
  peek(): string {
    const { kind, text, value } = this
    const raw = this.rawText()
    const aheadKind = (this.kind = this.scan())
    this.ahead = { kind: aheadKind, text: this.text, value: this.value, raw: this.rawText() }
    this.kind = kind
    this.text = text
    this.value = value
    this.raw = raw
    this.start = -1
    return aheadKind
  }

  /** Throws `message near 'token'`. */
  fail(message: string): never {
    // In C the token NUL is an empty string.
    this.failNear(message, this.kind === '\0' ? undefined : this.tokenText(this.kind))
  }

  /** Throws `message`, near this token if given. */
  failNear(message: string, near?: string): never {
    const where = `${this.chunkName}:${this.line}: ${message}`
    // Lua prints the token as a C string.
    throw new LuaError(near === undefined ? where : `${where} near '${cText(near)}'`)
  }

  private tokenText(kind: string): string {
    if (kind === NAME || kind === STRING || kind === NUMBER) return this.rawText()
    const code = kind.charCodeAt(0)
    return kind.length === 1 && (code < 32 || code === 127) ? `char(${code})` : kind
  }

  private rawText(): string {
    return this.start < 0 ? this.raw : this.source.slice(this.start, this.at)
  }

  private scan(): string {
    const source = this.source
    for (;;) {
      const c = source.charCodeAt(this.at)
      if (c !== c) return END_OF_SOURCE
      if (c === NEWLINE || c === RETURN) this.newline()
      else if (c === 32 || (c >= 9 && c <= 13)) this.at++
      else if (c === 45) {
        if (source.charCodeAt(this.at + 1) !== 45) return this.operator(1)
        this.comment()
      } else if (isNameStart(c)) return this.name()
      else if (isDigit(c) || (c === DOT && isDigit(source.charCodeAt(this.at + 1)))) return this.number()
      else if (c === 34 || c === 39) return this.quoted(c)
      else if (c === OPEN) {
        const level = this.longBracket()
        if (level >= 0) {
          this.start = this.at
          this.text = this.long(level, false)
          return STRING
        }
        if (level === -1) return this.operator(1)
        this.failNear('invalid long string delimiter', source.slice(this.at, this.at - level))
      } else if (c === DOT) {
        const dots = source.startsWith('...', this.at) ? 3 : source.charCodeAt(this.at + 1) === DOT ? 2 : 1
        return this.operator(dots)
      } else {
        const comparison = c === EQUALS || c === 60 || c === 62 || c === 126
        return this.operator(comparison && source.charCodeAt(this.at + 1) === EQUALS ? 2 : 1)
      }
    }
  }

  private operator(length: number): string {
    this.at += length
    return this.source.slice(this.at - length, this.at)
  }

  private newline(): void {
    const c = this.source.charCodeAt(this.at++)
    const d = this.source.charCodeAt(this.at)
    if ((d === NEWLINE || d === RETURN) && d !== c) this.at++
    this.line++
  }

  private comment(): void {
    this.at += 2
    if (this.source.charCodeAt(this.at) === OPEN) {
      const level = this.longBracket()
      if (level >= 0) {
        this.long(level, true)
        return
      }
    }
    for (;;) {
      const c = this.source.charCodeAt(this.at)
      if (c !== c || c === NEWLINE || c === RETURN) return
      this.at++
    }
  }

  private name(): string {
    const begin = this.at
    while (isNamePart(this.source.charCodeAt(this.at))) this.at++
    const word = this.source.slice(begin, this.at)
    if (RESERVED.has(word)) return word
    this.text = this.raw = word
    return NAME
  }

  private number(): string {
    const source = this.source
    const begin = this.at
    while (isDigit(source.charCodeAt(this.at)) || source.charCodeAt(this.at) === DOT) this.at++
    // C's strchr finds a NUL in any set.
    const mark = source.charCodeAt(this.at)
    if ((mark | 32) === 101 || mark === 0) {
      this.at++
      const sign = source.charCodeAt(this.at)
      if (sign === 43 || sign === 45 || sign === 0) this.at++
    }
    while (isNamePart(source.charCodeAt(this.at))) this.at++
    const word = source.slice(begin, this.at)
    const value = parseNumber(word)
    if (value === undefined) this.failNear('malformed number', word)
    this.raw = word
    this.value = value
    return NUMBER
  }

  /** At '[' or ']': the level of a long bracket, or minus the length of an invalid one. */
  private longBracket(): number {
    let end = this.at + 1
    while (this.source.charCodeAt(end) === EQUALS) end++
    return this.source.charCodeAt(end) === this.source.charCodeAt(this.at) ? end - this.at - 1 : this.at - end
  }

  private long(level: number, isComment: boolean): string {
    const source = this.source
    this.at += level + 2
    const first = source.charCodeAt(this.at)
    if (first === NEWLINE || first === RETURN) this.newline()
    let content = ''
    let begin = this.at
    for (;;) {
      const c = source.charCodeAt(this.at)
      if (c !== c) this.failNear(isComment ? 'unfinished long comment' : 'unfinished long string', END_OF_SOURCE)
      if (c === NEWLINE || c === RETURN) {
        content += source.slice(begin, this.at) + '\n'
        this.newline()
        begin = this.at
      } else if (c === CLOSE && this.longBracket() === level) {
        content += source.slice(begin, this.at)
        this.at += level + 2
        return content
      } else if (c === OPEN && level === 0 && this.longBracket() === 0)
        this.failNear('nesting of [[...]] is deprecated', '[')
      else this.at++
    }
  }

  private quoted(quote: number): string {
    const source = this.source
    this.at++
    let content = ''
    let begin = this.at
    // The token in error messages has its escapes already replaced.
    const soFar = () => String.fromCharCode(quote) + content + source.slice(begin, this.at)
    for (;;) {
      const c = source.charCodeAt(this.at)
      if (c === quote) break
      if (c !== c) this.failNear('unfinished string', END_OF_SOURCE)
      if (c === NEWLINE || c === RETURN) this.failNear('unfinished string', soFar())
      if (c !== 92) {
        this.at++
        continue
      }
      content += source.slice(begin, this.at)
      begin = ++this.at
      const d = source.charCodeAt(this.at)
      const escape = ESCAPES[source[this.at]]
      if (d !== d) continue
      if (escape !== undefined) {
        content += escape
        begin = ++this.at
      } else if (d === NEWLINE || d === RETURN) {
        content += '\n'
        this.newline()
        begin = this.at
      } else if (isDigit(d)) {
        let code = 0
        for (let i = 0; i < 3 && isDigit(source.charCodeAt(this.at)); i++)
          code = code * 10 + source.charCodeAt(this.at++) - 48
        begin = this.at
        if (code > 255) this.failNear('escape sequence too large', soFar())
        content += String.fromCharCode(code)
      } else this.at++
    }
    this.text = content + source.slice(begin, this.at)
    this.raw = soFar() + String.fromCharCode(quote)
    this.at++
    return STRING
  }
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57
}

function isNameStart(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95
}

function isNamePart(c: number): boolean {
  return isNameStart(c) || isDigit(c)
}
