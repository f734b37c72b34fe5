// Replies of modules: checks and writes what a handler returned.
//
// Always: what checkValue() accepts is written whole, so that no reply is left half written.

import { latin1Text } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { isAscii, oneLine } from '../lib/text.ts'
import type { Reply } from '../protocol/reply.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import { BorrowedBytes } from './borrowed.ts'
import { utf8Text } from './bytes.ts'
import { type CallReply, isTyped, type ModuleReply, type ModuleWord } from './definition.ts'

const DEPTH_MAX = 128
const CHANGED = 'a reply has changed while it was written'
const UTF8 = new TextEncoder()
const DECODER = new TextDecoder()
/** Of texts that are looked at char by char. */
const SHORT_MAX = 64

/** Throws a TypeError for what is no reply: functions, other objects, and lists within themselves. */
export function checkValue(value: unknown, depth = 0): void {
  if (depth > DEPTH_MAX) throw new TypeError('a reply is nested too deeply')
  switch (typeof value) {
    case 'undefined':
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return
    case 'object':
      if (value === null || value instanceof Uint8Array) return
      if (value instanceof BorrowedBytes) return void value.slice()
      if (isTyped(value)) return
      if (Array.isArray(value) || value instanceof Set) for (const one of value) checkValue(one, depth + 1)
      else if (value instanceof Map) for (const pair of value) checkValue(pair, depth)
      else throw new TypeError('an object is no reply: use a Map')
      return
    default:
      throw new TypeError(`a ${typeof value} is no reply`)
  }
}

export function writeValue(reply: Reply, value: ModuleReply): void {
  if (value instanceof BorrowedBytes) return reply.bulk(value.slice())
  switch (typeof value) {
    case 'number':
      return writeNumber(reply, value)
    case 'string':
      return value.length <= SHORT_MAX && isAscii(value) ? reply.bulkText(value) : reply.bulk(sliceOf(value))
    case 'bigint':
      return reply.bigint(value)
    case 'boolean':
      return reply.boolean(value)
    case 'undefined':
      return reply.null()
    default:
      writeObject(reply, value)
  }
}

export function writeNumber(reply: Reply, value: number): void {
  if (Number.isSafeInteger(value)) reply.integer(value)
  else reply.double(value)
}

function writeObject(reply: Reply, value: object | null): void {
  if (value === null) reply.null()
  else if (value instanceof Uint8Array) {
    if (value.length <= SHORT_MAX && value.length === value.byteLength) reply.bulkBytes(value)
    else reply.bulk(sliceOf(value))
  } else if (isTyped(value)) writeTyped(reply, value.kind, value.value)
  else if (value instanceof Map) {
    const left = value.size
    reply.map(left)
    writeAll(reply, value, left)
  } else if (value instanceof Set) {
    const left = value.size
    reply.set(left)
    writeAll(reply, value, left)
  } else if (Array.isArray(value)) {
    const left = value.length
    reply.array(left)
    writeAll(reply, value, left)
  } else throw new TypeError(CHANGED)
}

/** Items of a list, or pairs of a map; `left`: so many must come. */
function writeAll(reply: Reply, items: Iterable<ModuleReply | [ModuleReply, ModuleReply]>, left: number): void {
  const arePairs = items instanceof Map
  for (const one of items) {
    if (left-- === 0) break
    if (!arePairs) writeValue(reply, one as ModuleReply)
    else for (const part of one as [ModuleReply, ModuleReply]) writeValue(reply, part)
  }
  if (left !== 0) throw new TypeError(CHANGED)
}

/** A value as modules get it: bulk strings as text, or bytes. */
export function plain(value: Value, asBytes: boolean): CallReply {
  if (value instanceof Uint8Array) return asBytes ? value : utf8Text(value, 0, value.length)
  if (Array.isArray(value)) return value.map(one => plain(one, asBytes))
  return value instanceof ReplyError ? value.text : value
}

/** The bytes of a word. */
export function sliceOf(word: ModuleWord): Slice {
  if (word instanceof BorrowedBytes) return word.stable()
  const bytes = word instanceof Uint8Array ? word : UTF8.encode(wordText(word))
  return new Slice(bytes, 0, bytes.byteLength)
}

/** Nothing but text and numbers has one: the toString() of an object would run where it must not. */
export function wordText(word: unknown): string {
  if (typeof word === 'string') return word
  if (typeof word === 'number' || typeof word === 'bigint') return `${word}`
  throw new TypeError(`a word of a command is a text, a number or bytes, not ${word === null ? 'null' : typeof word}`)
}

function writeTyped(reply: Reply, kind: string, value: string | number): void {
  if (kind === 'double') return reply.double(Number(value))
  if (value === 'OK' && kind === 'simple') return reply.ok()
  const text = String(value)
  const line = text.length <= SHORT_MAX && isAscii(text) ? text : byteText(text)
  if (kind === 'verbatim') reply.verbatim('txt', line)
  else if (kind === 'error') reply.error(line)
  else reply.simple(oneLine(line))
}

/** UTF-8 with one char a byte, as replies take texts. */
export function byteText(text: string): string {
  return latin1Text(UTF8.encode(text))
}

/** The text of a word with one char a byte. */
export function textOf(bytes: string): string {
  return DECODER.decode(Uint8Array.from(bytes, char => char.charCodeAt(0)))
}
