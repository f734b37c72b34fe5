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
      return Number.isSafeInteger(value) ? reply.integer(value) : reply.double(value)
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

function writeObject(reply: Reply, value: object | null): void {
  if (value === null) reply.null()
  else if (value instanceof Uint8Array) {
    if (value.length <= SHORT_MAX) reply.bulkBytes(value)
    else reply.bulk(sliceOf(value))
  } else if (isTyped(value)) writeTyped(reply, value.kind, value.value)
  else if (value instanceof Map) {
    reply.map(value.size)
    for (const [key, one] of value) {
      writeValue(reply, key)
      writeValue(reply, one)
    }
  } else {
    const isSet = value instanceof Set
    const list = value as ReadonlySet<ModuleReply> | readonly ModuleReply[]
    if (isSet) reply.set(value.size)
    else reply.array((value as readonly ModuleReply[]).length)
    for (const one of list) writeValue(reply, one)
  }
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
  const bytes = word instanceof Uint8Array ? word : UTF8.encode(String(word))
  return new Slice(bytes, 0, bytes.length)
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
