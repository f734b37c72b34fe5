// Replies of modules: checks and writes what a handler returned.
//
// Always: what checkValue() accepts is written whole, so that no reply is left half written.

import { latin1Text } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import { isAscii } from '../lib/text.ts'
import type { Reply } from '../protocol/reply.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
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
      if (value === null || value instanceof Uint8Array || isTyped(value)) return
      if (Array.isArray(value) || value instanceof Set) for (const one of value) checkValue(one, depth + 1)
      else if (value instanceof Map) for (const pair of value) checkValue(pair, depth)
      else throw new TypeError('an object is no reply: use a Map')
      return
    default:
      throw new TypeError(`a ${typeof value} is no reply`)
  }
}

export function writeValue(reply: Reply, value: ModuleReply): void {
  if (value === undefined || value === null) reply.null()
  else if (typeof value === 'string' && value.length <= SHORT_MAX && isAscii(value)) reply.bulkText(value)
  else if (value instanceof Uint8Array && value.length <= SHORT_MAX) reply.bulkBytes(value)
  else if (typeof value === 'string' || value instanceof Uint8Array) reply.bulk(sliceOf(value))
  else if (typeof value === 'number') writeNumber(reply, value)
  else if (typeof value === 'bigint') reply.bigint(value)
  else if (typeof value === 'boolean') reply.boolean(value)
  else if (isTyped(value)) writeTyped(reply, value.kind, value.value)
  else if (value instanceof Map) {
    reply.map(value.size)
    for (const [key, one] of value) {
      writeValue(reply, key)
      writeValue(reply, one)
    }
  } else if (value instanceof Set) {
    reply.set(value.size)
    for (const one of value) writeValue(reply, one)
  } else {
    const list = value as readonly ModuleReply[]
    reply.array(list.length)
    for (const one of list) writeValue(reply, one)
  }
}

/** A value as modules get it: bulk strings as text, or bytes. */
export function plain(value: Value, asBytes: boolean): CallReply {
  if (value instanceof Uint8Array) return asBytes ? value : utf8Text(value, 0, value.length)
  if (Array.isArray(value)) return value.map(one => plain(one, asBytes))
  return value instanceof ReplyError ? value.text : value
}

/** A copy of bytes; short ones without slice(), which costs more than they do. */
export function copyOf({ u8, off, len }: Slice): Uint8Array {
  if (len > SHORT_MAX) return u8.slice(off, off + len)
  const copy = new Uint8Array(len)
  for (let i = 0; i < len; i++) copy[i] = u8[off + i]
  return copy
}

/** The bytes of a word. */
export function sliceOf(word: ModuleWord): Slice {
  const bytes = word instanceof Uint8Array ? word : UTF8.encode(String(word))
  return new Slice(bytes, 0, bytes.length)
}

function writeNumber(reply: Reply, value: number): void {
  if (Number.isSafeInteger(value)) reply.integer(value)
  else reply.double(value)
}

function writeTyped(reply: Reply, kind: string, value: string | number): void {
  if (kind === 'double') reply.double(Number(value))
  else if (kind === 'verbatim') reply.verbatim('txt', byteText(String(value)))
  else if (kind === 'error') reply.error(byteText(String(value)))
  else reply.simple(byteText(String(value)))
}

/** UTF-8 with one char a byte, as replies take texts. */
export function byteText(text: string): string {
  return latin1Text(UTF8.encode(text))
}

/** The text of UTF-8 bytes. */
export function utf8Text(u8: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_MAX) return DECODER.decode(u8.subarray(start, end))
  for (let at = start; at < end; at++) if (u8[at] > 0x7f) return DECODER.decode(u8.subarray(start, end))
  return latin1Text(u8, start, end)
}

/** The text of a word with one char a byte. */
export function textOf(bytes: string): string {
  return DECODER.decode(Uint8Array.from(bytes, char => char.charCodeAt(0)))
}
