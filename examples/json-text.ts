// The text of JSON documents, read and written: RFC 8259, with the limits and the digits of RedisJSON.

import { DEPTH_MAX, type Json } from './json-document.ts'

const BLANKS = /[ \t\n\r]*/y
const STRING = /"[^"\\\p{Cc}]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\p{Cc}]*)*"/uy
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const INTEGER_MIN = -(2n ** 63n)
const INTEGER_MAX = 2n ** 64n - 1n

/** Throws an Error for what is no JSON. */
export function parsed(text: string): Json {
  const reader = new JsonReader(text)
  const value = reader.value(0)
  return reader.isAtEnd() ? value : reader.fail('trailing characters')
}

/** Reads the JSON value at the beginning of a text: itself, and the offset behind it. */
export function parsedAt(text: string, at: number): [value: Json, end: number] {
  const reader = new JsonReader(text, at)
  return [reader.value(0), reader.at]
}

class JsonReader {
  at: number
  private readonly text: string

  constructor(text: string, at = 0) {
    this.text = text
    this.at = at
  }

  isAtEnd(): boolean {
    this.match(BLANKS)
    return this.at === this.text.length
  }

  fail(what: string): never {
    const before = this.text.slice(0, this.at).split('\n')
    throw new Error(`ERR ${what} at line ${before.length} column ${before.at(-1)!.length + 1}`)
  }

  value(depth: number): Json {
    this.match(BLANKS)
    const c = this.text[this.at]
    if (c === '{') return this.object(depth + 1)
    if (c === '[') return this.array(depth + 1)
    if (c === '"') return this.string()
    if (this.take('true')) return true
    if (this.take('false')) return false
    if (this.take('null')) return null
    return this.number()
  }

  private take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  private match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at
    const found = expression.exec(this.text)
    if (found !== null) this.at += found[0].length
    return found
  }

  private string(): string {
    const found = this.match(STRING)
    return found === null ? this.fail('expected a string') : JSON.parse(found[0])
  }

  private number(): number | bigint {
    const found = this.match(NUMBER)
    if (found === null) return this.fail('expected value')
    const [digits, fraction, exponent] = found
    if (fraction === undefined && exponent === undefined && digits !== '-0') {
      const integer = BigInt(digits)
      if (integer >= INTEGER_MIN && integer <= INTEGER_MAX) return integer
    }
    const number = Number(digits)
    return Number.isFinite(number) ? number : this.fail('number out of range')
  }

  /** Reads `[` or `{`, items and what closes them. */
  private items(depth: number, close: string, item: () => void): void {
    if (depth > DEPTH_MAX) this.fail('recursion limit exceeded')
    this.at++
    this.match(BLANKS)
    if (this.take(close)) return
    for (;;) {
      item()
      this.match(BLANKS)
      if (this.take(close)) return
      if (!this.take(',')) this.fail(`expected \`,\` or \`${close}\``)
    }
  }

  private array(depth: number): Json[] {
    const array: Json[] = []
    this.items(depth, ']', () => array.push(this.value(depth)))
    return array
  }

  private object(depth: number): Map<string, Json> {
    const object = new Map<string, Json>()
    this.items(depth, '}', () => {
      this.match(BLANKS)
      const name = this.string()
      this.match(BLANKS)
      if (!this.take(':')) this.fail('expected `:`')
      object.set(name, this.value(depth))
    })
    return object
  }
}

export interface Format {
  indent: string
  newline: string
  space: string
}

export function textOf(value: Json, format: Format = { indent: '', newline: '', space: '' }, depth = 1): string {
  if (typeof value === 'number') return doubleText(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const { indent, newline, space } = format
  const items = Array.isArray(value)
    ? value.map(one => textOf(one, format, depth + 1))
    : [...value].map(([key, one]) => `${JSON.stringify(key)}:${space}${textOf(one, format, depth + 1)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (items.length === 0) return open + close
  const before = newline + indent.repeat(depth)
  return `${open}${before}${items.join(`,${before}`)}${newline}${indent.repeat(depth - 1)}${close}`
}

/** The shortest digits, with an exponent from 1e16 and below 1e-5, and never without a fraction else. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e16 || size < 1e-5)) return value.toExponential().replace('+', '')
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
