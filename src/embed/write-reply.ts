// Writes a program's value as a reply: text, bytes, numbers, lists, maps, errors.

import { byteText, sliceOf } from '../modules/values.ts'
import type { Reply } from '../protocol/reply.ts'

const DEPTH_MAX = 128

/** 'OK' is a simple string, as clients expect it; an Error an error reply, with ERR before a text without a code. */
export function writeReply(reply: Reply, value: unknown, depth = 0): void {
  if (depth > DEPTH_MAX) throw new TypeError('a reply is nested too deeply')
  if (value === undefined || value === null) return reply.null()
  switch (typeof value) {
    case 'string':
      if (value === 'OK') return reply.ok()
      return reply.bulk(sliceOf(value))
    case 'number':
      return Number.isSafeInteger(value) ? reply.integer(value) : reply.double(value)
    case 'bigint':
      return reply.bigint(value)
    case 'boolean':
      return reply.boolean(value)
    default:
  }
  if (value instanceof Uint8Array) return reply.bulk(sliceOf(value))
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

function errorLine(message: string): string {
  const text = byteText(message).replaceAll('\r', ' ').replaceAll('\n', ' ')
  const end = text.indexOf(' ')
  const code = end < 0 ? text : text.slice(0, end)
  return code !== code.toLowerCase() && code === code.toUpperCase() ? text : `ERR ${text}`
}
