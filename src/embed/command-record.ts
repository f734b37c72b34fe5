// CommandRecord: one command that a client has sent, as a program sees it.

import type { Client } from '../engine/client.ts'
import type { Slice } from '../lib/slice.ts'
import { RedisError } from '../protocol/redis-error.ts'
import { ReplyReader } from '../protocol/reply-reader.ts'
import { Push, ReplyError, type Value } from '../protocol/value.ts'
import type { Reply } from './replies.ts'

const decoder = new TextDecoder()

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** A reply as values: texts decoded, errors as RedisError, maps as objects. */
export type RecordedReply = Reply | Error

/** A command that a client has sent. */
export interface CommandRecord {
  /** In lower case; of a command with subcommands the first word. */
  readonly name: string
  /** What follows the name. */
  readonly args: readonly string[]
  /** The same as bytes. */
  readonly bytes: readonly Uint8Array[]
  /** The client's id, its name, and its database. */
  readonly client: number
  readonly clientName: string
  readonly db: number
  /** Milliseconds since 1970, on the server's clock. */
  readonly atMs: number
  /** Undefined: not yet, or the command has blocked. */
  readonly reply: RecordedReply | undefined
}

export class SentCommand implements CommandRecord {
  readonly name: string
  readonly args: readonly string[]
  readonly bytes: readonly Uint8Array[]
  readonly client: number
  readonly clientName: string
  readonly db: number
  readonly atMs: number
  /** The reply on the wire. */
  wire: Uint8Array | undefined

  constructor(client: Client, args: readonly Slice[], argc: number, atMs: number) {
    const words = args.slice(0, argc).map(arg => arg.copy().view())
    this.name = textOf(words[0]).toLowerCase()
    this.bytes = words.slice(1)
    this.args = this.bytes.map(word => textOf(word))
    this.client = client.id
    this.clientName = client.name
    this.db = client.db.index
    this.atMs = atMs
  }

  get reply(): RecordedReply | undefined {
    return this.wire === undefined || this.wire.length === 0 ? undefined : replyOf(this.wire)
  }

  /** Whether this is 'GET' or 'config get'. */
  is(words: string): boolean {
    const lower = words.toLowerCase()
    return lower === this.name || lower === `${this.name} ${(this.args[0] ?? '').toLowerCase()}`
  }
}

class Fields {
  readonly flat: Value[]

  constructor(flat: Value[]) {
    this.flat = flat
  }
}

function replyOf(wire: Uint8Array): RecordedReply | undefined {
  const reader = new ReplyReader({}, flat => new Fields(flat) as unknown as Value)
  reader.feed(wire)
  const value = reader.next()
  return value === undefined || value instanceof Push ? undefined : shaped(value)
}

function shaped(value: Value): RecordedReply {
  if (value instanceof Uint8Array) return textOf(value)
  if (value instanceof ReplyError) return new RedisError(value.text)
  if (Array.isArray(value)) return value.map(one => shaped(one)) as Reply
  if (!((value as unknown) instanceof Fields)) return value as Reply
  const { flat } = value as unknown as Fields
  const pairs: [string, RecordedReply][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([String(shaped(flat[i])), shaped(flat[i + 1])])
  return Object.fromEntries(pairs) as Reply
}
