// Values: parsed replies as a client uses them.

import { latin1Text } from '../lib/bytes.ts'

/** An error reply of a server. */
export class ReplyError {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A push message: not the reply to a command. */
export class Push {
  readonly items: Value[]
  constructor(items: Value[]) {
    this.items = items
  }
}

export type Value = number | bigint | boolean | string | Uint8Array | null | ReplyError | Value[]

/** Bytes or simple text as text of one char a byte; '' for anything else. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? latin1Text(value) : ''
}

/** The first error among replies, those within lists included. */
export function firstError(replies: readonly Value[]): ReplyError | undefined {
  for (const reply of replies) {
    if (reply instanceof ReplyError) return reply
    if (!Array.isArray(reply)) continue
    const inner = firstError(reply)
    if (inner !== undefined) return inner
  }
  return undefined
}
