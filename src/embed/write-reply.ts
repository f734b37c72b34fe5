// Writes a program's value as a reply: text, bytes, numbers, lists, maps, errors.

import { latin1Text } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import type { Reply } from '../protocol/reply.ts'

const UTF8 = new TextEncoder()
const DEPTH_MAX = 128

/** 'OK' is a simple string, as clients expect it; an Error an error reply, with ERR before a text without a code. */
export function writeReply(reply: Reply, value: unknown, depth = 0): void {
  if (depth > DEPTH_MAX) throw new TypeError('a reply is nested too deeply')
  if (value === undefined || value === null) return reply.null()
  switch (typeof value) {
    case 'string':
      if (value === 'OK') return reply.ok()
      return writeBytes(reply, UTF8.encode(value))
    case 'number':
      return Number.isSafeInteger(value) ? reply.integer(value) : reply.double(value)
    case 'bigint':
      return reply.bigint(value)
    case 'boolean':
      return reply.boolean(value)
    default:
  }
  if (value instanceof Uint8Array) return writeBytes(reply, value)
  if (value instanceof Error) return reply.error(errorLine(value.message))
  if (Array.isArray(value)) {
    reply.array(value.length)
    for (const one of value) writeReply(reply, one, depth + 1)
    return
  }
  const pairs = value instanceof Map ? [...value] : Object.entries(value as object)
  reply.map(pairs.length)
  for (const [field, one] of pairs) {
    writeReply(reply, field, depth + 1)
    writeReply(reply, one, depth + 1)
  }
}

function writeBytes(reply: Reply, bytes: Uint8Array): void {
  reply.bulk(new Slice(bytes, 0, bytes.length))
}

function errorLine(message: string): string {
  const text = latin1Text(UTF8.encode(message)).replaceAll('\r', ' ').replaceAll('\n', ' ')
  const end = text.indexOf(' ')
  const code = end < 0 ? text : text.slice(0, end)
  return code !== '' && code === code.toUpperCase() ? text : `ERR ${text}`
}
