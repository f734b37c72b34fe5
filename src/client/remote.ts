// Remote: a Connection with promises, for tools.
//
// Always: when the connection is lost, every awaited call is rejected with the same error.

import type { CommandWriter } from '../protocol/command-writer.ts'
import { ReplyError, textOf, type Value } from '../protocol/value.ts'
import { type ClientSystem, Connection, type ReplyHandler } from './connection.ts'
import { type CloseReason, errorOf, ServerRefused } from './errors.ts'
import type { ServerUrl } from './url.ts'

/** A word of a command: text is encoded as UTF-8. */
export type Word = string | number | Uint8Array

/** The replies to a batch of commands. */
class Batch implements ReplyHandler {
  readonly promise: Promise<Value[]>
  private readonly values: Value[] = []
  private readonly count: number
  private readonly server: string
  private resolve!: (values: Value[]) => void
  private reject!: (error: Error) => void

  constructor(count: number, server: string) {
    this.count = count
    this.server = server
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  reply(value: Value): void {
    this.values.push(value)
    if (this.values.length === this.count) this.resolve(this.values)
  }

  closed(reason: CloseReason): void {
    this.reject(errorOf(reason, this.server))
  }
}

const encoder = new TextEncoder()

export class Remote {
  readonly url: ServerUrl
  private readonly connection: Connection
  private reason: CloseReason = { kind: 'closed', text: '' }

  private constructor(url: ServerUrl, system: ClientSystem) {
    this.url = url
    const { address, user, password } = url
    this.connection = new Connection(
      system,
      { address, user, password },
      {
        closed: reason => {
          this.reason = reason
        },
      },
    )
  }

  /** Connects and logs in; the URL's database is not selected. Throws ClientErrors. */
  static async open(url: ServerUrl, system: ClientSystem): Promise<Remote> {
    const remote = new Remote(url, system)
    const reply = await remote.try('PING')
    if (!(reply instanceof ReplyError)) return remote
    remote.close()
    throw errorOf({ kind: 'refused', text: reply.text, command: 'PING' }, url.text)
  }

  /** The reply, error replies included. */
  async try(...words: Word[]): Promise<Value> {
    const { out } = this.connection
    out.count(words.length)
    for (const word of words) out.bytes(word instanceof Uint8Array ? word : encoder.encode(String(word)))
    return (await this.sent(1))[0]
  }

  /** The reply; an error reply is thrown. */
  async call(...words: Word[]): Promise<Value> {
    const reply = await this.try(...words)
    if (reply instanceof ReplyError)
      throw new ServerRefused(`${this.url.text} answers ${String(words[0])} with: ${reply.text}`)
    return reply
  }

  /** Sends the `count` commands in the writer, which is empty afterwards; returns their replies. */
  batch(commands: CommandWriter, count: number): Promise<Value[]> {
    this.connection.out.append(commands)
    commands.drop(commands.len)
    return this.sent(count)
  }

  private sent(count: number): Promise<Value[]> {
    if (count === 0) return Promise.resolve([])
    const batch = new Batch(count, this.url.text)
    if (this.connection.state === 'closed') batch.closed(this.reason)
    else {
      this.connection.expect(count, batch)
      this.connection.flush()
    }
    return batch.promise
  }

  /** The fields of a section of INFO; empty where the server denies it. */
  async info(section: string): Promise<{ [field: string]: string }> {
    const fields: { [field: string]: string } = Object.create(null)
    for (const line of textOf(await this.try('INFO', section)).split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1)
    }
    return fields
  }

  close(): void {
    this.connection.close()
  }
}
