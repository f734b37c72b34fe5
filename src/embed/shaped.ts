// Replies as a program sees them: text or bytes, objects for maps, RedisError for errors within lists.
//
//   shapedReader() ─▶ Value, maps apart from lists ─▶ shaped()

import { RedisError } from '../protocol/redis-error.ts'
import { ReplyReader } from '../protocol/reply-reader.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import type { Reply } from './replies.ts'

export type AnyReply = Reply<string | Uint8Array>

const decoder = new TextDecoder()

/** What the reader makes of a map, for shaped() alone. */
class Fields {
  readonly flat: Value[]

  constructor(flat: Value[]) {
    this.flat = flat
  }
}

/** A reader whose values shaped() takes. */
export function shapedReader(): ReplyReader {
  return new ReplyReader({}, flat => new Fields(flat) as unknown as Value)
}

export function decoded(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** `asBytes`: strings are bytes, but for the names of fields. An error is a RedisError. */
export function shaped(value: Value, asBytes: boolean): AnyReply {
  if (value instanceof Uint8Array) return asBytes ? value : decoded(value)
  if (Array.isArray(value)) return value.map(item => shaped(item, asBytes))
  if (value instanceof Fields) return object(value.flat, asBytes)
  return value instanceof ReplyError ? (new RedisError(value.text) as never) : value
}

function object(flat: readonly Value[], asBytes: boolean): AnyReply {
  const pairs: [string, AnyReply][] = []
  for (let i = 0; i < flat.length; i += 2) {
    const field = flat[i]
    pairs.push([field instanceof Uint8Array ? decoded(field) : String(field), shaped(flat[i + 1], asBytes)])
  }
  return Object.fromEntries(pairs)
}
