// CommandRecord: one command that a client has sent, as a program sees it.

import type { Client } from '../engine/client.ts'
import type { Slice } from '../lib/slice.ts'
import { Push } from '../protocol/value.ts'
import type { Reply } from './replies.ts'
import { decoded, shaped, shapedReader } from './shaped.ts'

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
    this.name = decoded(words[0]).toLowerCase()
    this.bytes = words.slice(1)
    this.args = this.bytes.map(word => decoded(word))
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

function replyOf(wire: Uint8Array): RecordedReply | undefined {
  const reader = shapedReader()
  reader.feed(wire)
  const value = reader.next()
  return value === undefined || value instanceof Push ? undefined : (shaped(value, false) as RecordedReply)
}
