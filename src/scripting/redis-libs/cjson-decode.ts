// JsonDecoder: JSON text to a Lua value with lua-cjson's rules: a NUL ends the text, and numbers are those of strtod.
// Errors name the token found and its position from 1.
//
// Always: `token` is the token before `at`, or at it for 'T_END' and 'T_ERROR'. Nested values are on an explicit stack,
// limited like Lua's, on which an open array takes one slot and an open object two.

import { isDigit, isHexDigit, numberEnd, numberValue } from '../../lib/strtod.ts'
import type { LuaState } from '../lua/state.ts'
import { LuaTable } from '../lua/table.ts'
import type { LuaError, LuaUserdata, LuaValue } from '../lua/value.ts'
import type { CjsonConfig } from './cjson-config.ts'

/** Slots of Lua's stack. */
const SLOTS_MAX = 8000
/** The next special character in a string. */
const STRING_END = /["\\\x00]/g
const PUNCTUATION: Record<string, Token> = {
  '{': 'T_OBJ_BEGIN',
  '}': 'T_OBJ_END',
  '[': 'T_ARR_BEGIN',
  ']': 'T_ARR_END',
  ':': 'T_COLON',
  ',': 'T_COMMA',
}
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
}
type Token =
  | 'T_OBJ_BEGIN'
  | 'T_OBJ_END'
  | 'T_ARR_BEGIN'
  | 'T_ARR_END'
  | 'T_STRING'
  | 'T_NUMBER'
  | 'T_BOOLEAN'
  | 'T_NULL'
  | 'T_COLON'
  | 'T_COMMA'
  | 'T_END'
  | 'T_ERROR'

/** A value being read. */
interface Level {
  table: LuaTable
  isArray: boolean
  /** Elements so far. */
  count: number
  /** The key of the value that comes next. */
  key: string
}

export class JsonDecoder {
  private readonly S: LuaState
  private readonly config: CjsonConfig
  private readonly nullValue: LuaUserdata
  private readonly text: string
  private readonly levels: Level[] = []
  /** The first is the argument's. */
  private slots = 1
  private at = 0
  private token: Token = 'T_END'
  private tokenIndex = 0
  /** The token's value; for an error, its name. */
  private value: LuaValue = undefined

  constructor(S: LuaState, config: CjsonConfig, nullValue: LuaUserdata, text: string) {
    this.S = S
    this.config = config
    this.nullValue = nullValue
    this.text = text
  }

  decode(): LuaValue {
    const { levels, text } = this
    if (text.length >= 2 && (text[0] === '\0' || text[1] === '\0'))
      throw this.S.error('JSON parser does not support UTF-16 or UTF-32')
    this.read()
    for (;;) {
      let value = this.begin()
      // A container was opened; the token begins its first value.
      if (value === undefined) continue
      while (levels.length > 0 && this.put(levels[levels.length - 1], value)) value = this.ascend()
      if (levels.length > 0) continue
      if (this.read() !== 'T_END') throw this.expected('the end')
      return value
    }
  }

  /** The token's value; undefined when it opens a non-empty container. */
  private begin(): LuaValue {
    switch (this.token) {
      case 'T_STRING':
      case 'T_NUMBER':
      case 'T_BOOLEAN':
      case 'T_NULL':
        return this.value
      case 'T_OBJ_BEGIN': {
        const level = this.descend(false)
        if (this.read() === 'T_OBJ_END') return this.ascend()
        this.readKey(level)
        return undefined
      }
      case 'T_ARR_BEGIN':
        this.descend(true)
        return this.read() === 'T_ARR_END' ? this.ascend() : undefined
      default:
        throw this.expected('value')
    }
  }

  /** Adds a value to its container; true when that ends with it. Otherwise the token begins the next value. */
  private put(level: Level, value: LuaValue): boolean {
    if (level.isArray) {
      level.table.set(++level.count, value)
      if (this.read() === 'T_ARR_END') return true
      if (this.token !== 'T_COMMA') throw this.expected('comma or array end')
      this.read()
      return false
    }
    level.table.set(level.key, value)
    if (this.read() === 'T_OBJ_END') return true
    if (this.token !== 'T_COMMA') throw this.expected('comma or object end')
    this.read()
    this.readKey(level)
    return false
  }

  /** The token is a key: stores it and reads the colon and the next token. */
  private readKey(level: Level): void {
    if (this.token !== 'T_STRING') throw this.expected('object key string')
    level.key = this.value as string
    if (this.read() !== 'T_COLON') throw this.expected('colon')
    this.read()
  }

  private descend(isArray: boolean): Level {
    const depth = this.levels.length + 1
    if (depth > this.config.decodeDepthMax || this.slots + (isArray ? 2 : 3) > SLOTS_MAX)
      throw this.S.error(`Found too many nested data structures (${depth}) at character ${this.at}`)
    const level = { table: new LuaTable(this.S), isArray, count: 0, key: '' }
    this.levels.push(level)
    this.slots += isArray ? 1 : 2
    return level
  }

  private ascend(): LuaTable {
    const level = this.levels.pop()!
    this.slots -= level.isArray ? 1 : 2
    return level.table
  }

  private expected(what: string): LuaError {
    const found = this.token === 'T_ERROR' ? this.value : this.token
    return this.S.error(`Expected ${what} but found ${found} at character ${this.tokenIndex + 1}`)
  }

  /** Reads the next token. */
  private read(): Token {
    const { text } = this
    while (isBlank(text.charCodeAt(this.at))) this.at++
    this.tokenIndex = this.at
    const c = this.at < text.length ? text[this.at] : '\0'
    if (c === '"') return (this.token = this.readString())
    const punctuation = PUNCTUATION[c]
    if (punctuation !== undefined) {
      this.at++
      return (this.token = punctuation)
    }
    if (c === '\0') return (this.token = 'T_END')
    return (this.token = this.readWord(c))
  }

  private readWord(c: string): Token {
    const { config } = this
    if (c === '-' || (c >= '0' && c <= '9')) {
      if (config.decodeInvalidNumbers === 0 && this.isForeignNumber()) return this.fail('invalid number')
      return this.readNumber()
    }
    if (this.take('true')) return this.found('T_BOOLEAN', true)
    if (this.take('false')) return this.found('T_BOOLEAN', false)
    if (this.take('null')) return this.found('T_NULL', this.nullValue)
    if (config.decodeInvalidNumbers === 1 && this.isForeignNumber()) return this.readNumber()
    return this.fail('invalid token')
  }

  private readNumber(): Token {
    const begin = this.at
    const end = numberEnd(this.text, begin)
    if (end === begin) return this.fail('invalid number')
    this.at = end
    return this.found('T_NUMBER', numberValue(this.text, begin, end))
  }

  private readString(): Token {
    const { text } = this
    let out = ''
    this.at++
    for (;;) {
      STRING_END.lastIndex = this.at
      const end = STRING_END.exec(text)?.index ?? text.length
      out += text.slice(this.at, end)
      this.at = end
      if (text[end] === '"') break
      if (text[end] !== '\\') return this.fail('unexpected end of string')
      const c = text[end + 1]
      if (c === 'u') {
        const bytes = this.readUnicode()
        if (bytes === undefined) return this.fail('invalid unicode escape code')
        out += bytes
        continue
      }
      const plain = c === undefined ? undefined : ESCAPES[c]
      if (plain === undefined) return this.fail('invalid escape code')
      out += plain
      this.at += 2
    }
    this.at++
    return this.found('T_STRING', out)
  }

  /** The bytes of the \u escape at this position, or of a surrogate pair. */
  private readUnicode(): string | undefined {
    const { text, at } = this
    const unit = hexAt(text, at + 2)
    if (unit === undefined) return undefined
    if ((unit & 0xf800) !== 0xd800) {
      this.at += 6
      return utf8(unit)
    }
    if ((unit & 0x400) !== 0 || text[at + 6] !== '\\' || text[at + 7] !== 'u') return undefined
    const low = hexAt(text, at + 8)
    if (low === undefined || (low & 0xfc00) !== 0xdc00) return undefined
    this.at += 12
    return utf8((((unit & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000)
  }

  /** A number that C accepts and JSON does not may begin here: +1, 0x1, 01, inf, nan. */
  private isForeignNumber(): boolean {
    const { text } = this
    if (text[this.at] === '+') return true
    const at = text[this.at] === '-' ? this.at + 1 : this.at
    if (text[at] === '0') return isDigit(text.charCodeAt(at + 1)) || (text.charCodeAt(at + 1) | 0x20) === 0x78
    const word = text.slice(at, at + 3).toLowerCase()
    return word === 'inf' || word === 'nan'
  }

  private take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  private found(token: Token, value: LuaValue): Token {
    this.value = value
    return token
  }

  private fail(name: string): Token {
    this.tokenIndex = this.at
    this.value = name
    return 'T_ERROR'
  }
}

function isBlank(c: number): boolean {
  return c === 32 || c === 10 || c === 13 || c === 9
}

function hexAt(text: string, at: number): number | undefined {
  for (let i = at; i < at + 4; i++) if (!isHexDigit(text.charCodeAt(i))) return undefined
  return Number.parseInt(text.slice(at, at + 4), 16)
}

/** A code point as UTF-8, one char per byte. */
function utf8(code: number): string {
  if (code < 0x80) return String.fromCharCode(code)
  if (code < 0x800) return String.fromCharCode((code >> 6) | 0xc0, (code & 0x3f) | 0x80)
  const last = String.fromCharCode(((code >> 6) & 0x3f) | 0x80, (code & 0x3f) | 0x80)
  if (code < 0x10000) return String.fromCharCode((code >> 12) | 0xe0) + last
  return String.fromCharCode((code >> 18) | 0xf0, ((code >> 12) & 0x3f) | 0x80) + last
}
