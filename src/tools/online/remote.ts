// Remote: one connection to a server, as the client: commands go out one behind the other, replies come back in order.
//
//   open ─▶ AUTH ─▶ ready: call, batch … ─▶ takeOver (a replica's stream follows) ─▶ closed
//
// Always: when the connection breaks, every call that waits is rejected with the same LinkLost.

import type { ServerUrl } from '../../client/url.ts'
import { Slice } from '../../lib/slice.ts'
import type { Dial, Outgoing } from '../../net/dial.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import { ToolError } from '../command-line.ts'
import { latin1, ReplyError, ReplyReader, type Value } from './replies.ts'

const CONNECT_MS = 10_000

/** The connection to a server broke. It may come back. */
export class LinkLost extends ToolError {}

/** A word of a command: text stands for its UTF-8 bytes. */
export type Word = string | number | Uint8Array

interface Waiting {
  values: Value[]
  left: number
  resolve: (values: Value[]) => void
  reject: (error: Error) => void
}

export class Remote {
  readonly url: ServerUrl
  private readonly connection: Outgoing
  private readonly reader = new ReplyReader()
  private readonly waiting: Waiting[] = []
  private readonly out = new CommandWriter()
  private lost: LinkLost | undefined
  private onBytes: ((bytes: Uint8Array) => void) | undefined
  /** Called when the connection is gone, after takeOver(). */
  onLost: (error: LinkLost) => void = () => {}

  private constructor(url: ServerUrl, connection: Outgoing) {
    this.url = url
    this.connection = connection
    connection.onData = bytes => this.received(bytes)
    connection.onClose = reason => this.broken(reason)
  }

  /** Connects and logs in. Throws LinkLost when there is no connection, ToolError when the server refuses. */
  static async open(url: ServerUrl, dial: Dial): Promise<Remote> {
    let connection: Outgoing
    try {
      connection = await dial(url.address, CONNECT_MS)
    } catch (error) {
      throw new LinkLost(`cannot connect to ${url.text}: ${(error as Error).message}`)
    }
    const remote = new Remote(url, connection)
    try {
      await remote.logIn()
    } catch (error) {
      remote.close()
      throw error
    }
    return remote
  }

  private async logIn(): Promise<void> {
    const { user, password, text } = this.url
    if (password !== '') {
      const reply = await this.try('AUTH', ...(user === '' ? [] : [user]), password)
      if (reply instanceof ReplyError) throw new ToolError(`${text} refuses the password: ${reply.text}`)
    }
    for (;;) {
      const reply = await this.try('PING')
      if (!(reply instanceof ReplyError)) return
      if (reply.text.startsWith('NOAUTH'))
        throw new ToolError(`${text} wants a password: redis://[user]:password@host:port`)
      throw new ToolError(`${text} answers: ${reply.text}`)
    }
  }

  private received(bytes: Uint8Array): void {
    if (this.onBytes !== undefined) return this.onBytes(bytes)
    this.reader.feed(bytes)
    try {
      for (;;) {
        if (this.onBytes !== undefined) return this.onBytes(this.reader.rest())
        const value = this.reader.next()
        if (value === undefined) return
        const first = this.waiting[0]
        if (first === undefined) throw new Error('a reply that nobody asked for')
        first.values.push(value)
        if (--first.left > 0) continue
        this.waiting.shift()
        first.resolve(first.values)
        // Who waited may take the connection over before the next value is looked at.
        if (this.waiting.length === 0 && this.takeNext !== undefined) this.onBytes = this.takeNext
      }
    } catch (error) {
      this.broken((error as Error).message)
      this.close()
    }
  }

  private takeNext: ((bytes: Uint8Array) => void) | undefined

  private broken(reason: string | undefined): void {
    if (this.lost !== undefined) return
    this.lost = new LinkLost(`the connection to ${this.url.text} broke${reason === undefined ? '' : `: ${reason}`}`)
    for (const one of this.waiting.splice(0)) one.reject(this.lost)
    this.onLost(this.lost)
  }

  /** The reply, whatever it is. */
  async try(...words: Word[]): Promise<Value> {
    this.out.count(words.length)
    for (const word of words) this.out.argument(sliceOf(word))
    return (await this.batch(this.out, 1))[0]
  }

  /** The reply; an error reply is thrown. */
  async call(...words: Word[]): Promise<Value> {
    const reply = await this.try(...words)
    if (reply instanceof ReplyError)
      throw new ToolError(`${this.url.text} answers ${String(words[0])} with: ${reply.text}`)
    return reply
  }

  /** Sends what is in the buffer, which holds `count` commands and is empty afterwards; their replies. */
  batch(commands: CommandWriter, count: number): Promise<Value[]> {
    const bytes = commands.take()
    if (count === 0) return Promise.resolve([])
    if (this.lost !== undefined) return Promise.reject(this.lost)
    return new Promise((resolve, reject) => {
      this.waiting.push({ values: [], left: count, resolve, reject })
      this.connection.write(bytes)
    })
  }

  /** From the end of the replies that are awaited now, every byte goes to `onBytes`. */
  takeOver(onBytes: (bytes: Uint8Array) => void): void {
    this.takeNext = onBytes
    if (this.waiting.length === 0) this.onBytes = onBytes
  }

  /** Sends without a reply to come. */
  send(...words: Word[]): void {
    this.out.count(words.length)
    for (const word of words) this.out.argument(sliceOf(word))
    this.sendRaw(this.out.take())
  }

  sendRaw(bytes: Uint8Array): void {
    if (this.lost === undefined) this.connection.write(bytes)
  }

  close(): void {
    this.connection.close()
  }

  /** The fields of INFO's section; '' where the server does not tell. */
  async info(section: string): Promise<{ [field: string]: string }> {
    const fields: { [field: string]: string } = {}
    for (const line of latin1(await this.try('INFO', section)).split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1)
    }
    return fields
  }
}

export function sliceOf(word: Word): Slice {
  if (word instanceof Uint8Array) return new Slice(word, 0, word.length)
  return Slice.utf8(String(word))
}
