// Copying key by key from servers that refuse replication. Keys are found by SCAN and read by DUMP, in groups of one
// transaction each: a key is consistent, but keys of different groups are of different moments.

import type { Remote } from '../../client/remote.ts'
import { Slice } from '../../lib/slice.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import { ReplyError, textOf, type Value } from '../../protocol/value.ts'
import { ToolError } from '../command-line.ts'

const KEYS_PER_SCAN = 500

export interface CopiedKey {
  key: Uint8Array
  payload: Uint8Array
  /** Milliseconds since 1970, or -1. */
  expiryMs: number
}

/** The keys of a SCAN reply and its cursor, '0' at the end. */
export interface FoundKeys {
  cursor: string
  keys: Uint8Array[]
}

/** The databases that have keys, with their numbers of keys. */
export async function keysOf(remote: Remote): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  for (const [name, text] of Object.entries(await remote.info('keyspace'))) {
    const keys = /^keys=(\d+)/.exec(text)
    if (/^db\d+$/.test(name) && keys !== null) found.set(Number(name.slice(2)), Number(keys[1]))
  }
  return found
}

/** The code of every function library; none where functions are not supported. */
export async function librariesOf(remote: Remote): Promise<Uint8Array[]> {
  const reply = await remote.try('FUNCTION', 'LIST', 'WITHCODE')
  if (!Array.isArray(reply)) return []
  const codes: Uint8Array[] = []
  for (const fields of reply) {
    if (!Array.isArray(fields)) continue
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const code = fields[i + 1]
      if (textOf(fields[i]) === 'library_code' && code instanceof Uint8Array) codes.push(code)
    }
  }
  return codes
}

export class KeyCopier {
  private readonly remote: Remote
  private readonly out = new CommandWriter()
  /** The server has PEXPIRETIME; undefined: unknown yet. */
  exact: boolean | undefined

  constructor(remote: Remote) {
    this.remote = remote
  }

  async select(database: number): Promise<void> {
    await this.remote.call('SELECT', database)
  }

  async scan(cursor: string): Promise<FoundKeys> {
    const reply = (await this.remote.call('SCAN', cursor, 'COUNT', KEYS_PER_SCAN)) as [Value, Uint8Array[]]
    return { cursor: textOf(reply[0]), keys: reply[1] }
  }

  /** Reads keys of the selected database; those that no longer exist are left out. */
  async take(keys: readonly Uint8Array[], nowMs: () => number): Promise<CopiedKey[]> {
    if (keys.length === 0) return []
    this.exact ??= !((await this.remote.try('PEXPIRETIME', keys[0])) instanceof ReplyError)
    const { out } = this
    out.count(1)
    out.word('MULTI')
    for (const key of keys) {
      for (const word of ['DUMP', this.exact ? 'PEXPIRETIME' : 'PTTL']) {
        out.count(2)
        out.word(word)
        out.bytes(key)
      }
    }
    out.count(1)
    out.word('EXEC')
    const replies = await this.remote.batch(out, keys.length * 2 + 2)
    const all = replies[replies.length - 1]
    if (!Array.isArray(all))
      throw new ToolError(`${this.remote.url.text} does not give keys out: ${errorText(replies)}`)
    const copied: CopiedKey[] = []
    for (let i = 0; i < keys.length; i++) {
      const payload = all[2 * i]
      if (payload instanceof ReplyError)
        throw new ToolError(`${this.remote.url.text} does not give keys out: ${payload.text}`)
      if (!(payload instanceof Uint8Array)) continue
      const time = Number(all[2 * i + 1])
      copied.push({ key: keys[i], payload, expiryMs: time < 0 ? -1 : this.exact ? time : nowMs() + time })
    }
    return copied
  }
}

function errorText(replies: readonly Value[]): string {
  const error = replies.find(reply => reply instanceof ReplyError && !reply.text.startsWith('EXECABORT'))
  return error instanceof ReplyError ? error.text : 'no reason given'
}

/** A key as latin1 text, for sets and maps. */
export function keyText(key: Uint8Array): string {
  return new Slice(key, 0, key.length).latin1()
}
