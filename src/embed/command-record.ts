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

/** What a command is made of, as it crosses between threads. */
export type CommandFields = Omit<CommandRecord, 'reply'> & { wire: Uint8Array | undefined }

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

  constructor(fields: CommandFields) {
    this.name = fields.name
    this.args = fields.args
    this.bytes = fields.bytes
    this.client = fields.client
    this.clientName = fields.clientName
    this.db = fields.db
    this.atMs = fields.atMs
    this.wire = fields.wire
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

/** The command that a client has just sent. */
export function sentCommand(client: Client, args: readonly Slice[], argc: number, atMs: number): SentCommand {
  const words = args.slice(0, argc).map(arg => arg.copy().view())
  const bytes = words.slice(1)
  return new SentCommand({
    name: decoded(words[0]).toLowerCase(),
    args: bytes.map(word => decoded(word)),
    bytes,
    client: client.id,
    clientName: client.name,
    db: client.db.index,
    atMs,
    wire: undefined,
  })
}

function replyOf(wire: Uint8Array): RecordedReply | undefined {
  const reader = shapedReader()
  reader.feed(wire)
  const value = reader.next()
  return value === undefined || value instanceof Push ? undefined : (shaped(value, false) as RecordedReply)
}
