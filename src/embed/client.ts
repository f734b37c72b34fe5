// The client of a server in a program: a method for each command, over a connection in this process or to a worker.
//
//   client.get('k') ─▶ words ─▶ Wire ─▶ server          HELLO 3 and SELECT go out first, on every new connection
//
// Always: a request is written at once, so that many without an await are a pipeline; after the connection was lost the
// next request opens a new one.

import { allCommands } from '../commands/index.ts'
import type { Pipe } from '../net/server-socket.ts'
import { RedisError } from '../protocol/redis-error.ts'
import type { Word, Words } from './arguments.ts'
import type { Client, ClientOptions, Feed, Message, ScanOptions } from './client-types.ts'
import { PushFeed } from './feed.ts'
import { type AnyReply, decoded } from './shaped.ts'
import { type Settle, Wire } from './wire.ts'

type Subscribing = 'SUBSCRIBE' | 'PSUBSCRIBE' | 'SSUBSCRIBE'

/** Opens connections; `password` is the server's own, '' for none. */
interface ClientSource {
  open(): Pipe
  readonly password: string | Uint8Array
}

export function openClient(source: ClientSource, options: ClientOptions & { bytes: true }): Client<Uint8Array>
export function openClient(source: ClientSource, options?: ClientOptions): Client
export function openClient(source: ClientSource, options: ClientOptions = {}): never {
  return new Connection(source, options) as never
}

/** The words of a call: 'CONFIG GET' is two, a list is all its items, an object its fields and values. */
export function wordsOf(name: string, args: readonly Words[]): Word[] {
  const blank = name.indexOf(' ')
  const words: Word[] = blank < 0 ? [name] : [name.slice(0, blank), name.slice(blank + 1)]
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null || arg instanceof Uint8Array) words.push(arg as Word)
    else if (Array.isArray(arg)) words.push(...(arg as Word[]))
    else for (const [field, value] of Object.entries(arg)) words.push(field, value as Word)
  }
  return words
}

class Connection {
  onPush: (items: AnyReply[]) => void = () => {}
  private readonly source: ClientSource
  private readonly options: ClientOptions
  private wire: Wire | undefined

  constructor(source: ClientSource, options: ClientOptions) {
    this.source = source
    this.options = options
  }

  call(name: string, ...args: Words[]): Promise<AnyReply> {
    return this.requested(wordsOf(name, args))
  }

  /** The reply, which must be there when the server has taken the bytes. */
  callSync(name: string, ...args: Words[]): AnyReply {
    const wire = this.opened()
    const result: { error?: Error; reply?: AnyReply } = {}
    wire.request(wordsOf(name, args), (error, reply) => {
      if (error === undefined) result.reply = reply
      else result.error = error
    })
    if (result.error !== undefined) throw result.error
    if (result.reply !== undefined) return result.reply
    wire.end(new Error('callSync() does not wait'))
    throw new Error(`${name.toUpperCase()} does not reply at once: use call()`)
  }

  multi(): Queued {
    return new Queued(words => this.executed(words))
  }

  duplicate(): Client {
    return openClient(this.source, this.options)
  }

  subscribe(...channels: string[]): Promise<Feed<Message>> {
    return this.subscribed('SUBSCRIBE', channels)
  }

  psubscribe(...patterns: string[]): Promise<Feed<Message>> {
    return this.subscribed('PSUBSCRIBE', patterns)
  }

  ssubscribe(...channels: string[]): Promise<Feed<Message>> {
    return this.subscribed('SSUBSCRIBE', channels)
  }

  async monitor(): Promise<Feed<string>> {
    const wire = this.connected()
    const feed = new PushFeed<string>(() => wire.end(new Error('closed')))
    wire.pushed = ([line]) => feed.push(String(line))
    wire.ended = () => feed.close()
    await new Promise<AnyReply>((resolve, reject) => wire.request(['MONITOR'], settleWith(resolve, reject)))
    return feed
  }

  async *scanIterator(options: ScanOptions = {}): AsyncGenerator<AnyReply> {
    yield* this.pages(['SCAN'], options)
  }

  async *hscanIterator(key: Word, options: ScanOptions = {}): AsyncGenerator<AnyReply[]> {
    for await (const [field, value] of pairs(this.pages(['HSCAN', key], options))) yield [field, value]
  }

  async *sscanIterator(key: Word, options: ScanOptions = {}): AsyncGenerator<AnyReply> {
    yield* this.pages(['SSCAN', key], options)
  }

  async *zscanIterator(key: Word, options: ScanOptions = {}): AsyncGenerator<AnyReply[]> {
    for await (const [member, score] of pairs(this.pages(['ZSCAN', key], options))) yield [member, numberOf(score)]
  }

  close(): void {
    this.wire?.end(new Error('the client was closed'))
  }

  private async *pages(command: readonly Word[], options: ScanOptions): AsyncGenerator<AnyReply> {
    const { match, count, type } = options
    const rest: Word[] = match === undefined ? [] : ['MATCH', match]
    if (count !== undefined) rest.push('COUNT', count)
    if (type !== undefined) rest.push('TYPE', type)
    let cursor: Word = '0'
    do {
      const [next, items] = (await this.requested([...command, cursor, ...rest])) as [Word, AnyReply[]]
      yield* items
      cursor = next
    } while (numberOf(cursor) !== 0)
  }

  private requested(words: Word[]): Promise<AnyReply> {
    return new Promise((resolve, reject) => this.opened().request(words, settleWith(resolve, reject)))
  }

  /** MULTI, the commands and EXEC in one write. */
  private executed(commands: readonly Word[][]): Promise<AnyReply[] | null> {
    return new Promise((resolve, reject) => {
      const wire = this.opened()
      const ignore: Settle = () => {}
      wire.request(['MULTI'], ignore)
      for (const words of commands) wire.request(words, ignore)
      wire.request(['EXEC'], (error, reply) => {
        if (error !== undefined) return reject(error)
        const replies = reply as AnyReply[] | null
        const failed = replies?.find((one): boolean => (one as unknown) instanceof RedisError) as RedisError | undefined
        if (failed === undefined) return resolve(replies)
        failed.replies = replies as AnyReply[]
        reject(failed)
      })
    })
  }

  private opened(): Wire {
    if (this.wire?.isOpen) return this.wire
    const wire = this.connected()
    wire.pushed = items => this.onPush(items)
    this.wire = wire
    return wire
  }

  /** A new connection, that has sent its greeting. */
  private connected(): Wire {
    const { username = 'default', db = 0, bytes = false } = this.options
    const password = this.options.password ?? this.source.password
    const wire = new Wire(this.source.open(), bytes)
    const greeted: Settle = error => {
      if (error !== undefined) wire.end(error)
    }
    wire.request(password.length === 0 ? ['HELLO', 3] : ['HELLO', 3, 'AUTH', username, password], greeted)
    if (db !== 0) wire.request(['SELECT', db], greeted)
    return wire
  }

  private subscribed(command: Subscribing, channels: readonly string[]): Promise<Feed<Message>> {
    if (channels.length === 0) return Promise.reject(new TypeError('no channel to subscribe to'))
    const wire = this.connected()
    const feed = new PushFeed<Message>(() => wire.end(new Error('the subscription was closed')))
    wire.ended = () => feed.close()
    return new Promise((resolve, reject) => {
      let missing = channels.length
      wire.pushed = ([kind, ...rest]) => {
        const [channel, message] = rest.slice(-2)
        if (textOf(kind) === command.toLowerCase() && --missing === 0) resolve(feed)
        if (!textOf(kind).endsWith('message')) return
        const from = { channel: textOf(channel), message: message as string }
        feed.push(rest.length === 3 ? { ...from, pattern: textOf(rest[0]) } : from)
      }
      wire.request([command, ...channels], error => {
        // In RESP3 only a refusal is a reply.
        if (error === undefined) return
        feed.close()
        reject(error)
      })
    })
  }
}

class Queued {
  private readonly commands: Word[][] = []
  private readonly run: (commands: readonly Word[][]) => Promise<AnyReply[] | null>

  constructor(run: (commands: readonly Word[][]) => Promise<AnyReply[] | null>) {
    this.run = run
  }

  call(name: string, ...args: Words[]): this {
    this.commands.push(wordsOf(name, args))
    return this
  }

  exec(): Promise<AnyReply[] | null> {
    return this.run(this.commands.splice(0))
  }
}

/** What openClient makes, with the call that only a server in this thread can answer. */
export type SyncClient = Pick<Connection, 'call' | 'callSync' | 'close'>

export function openSyncClient(source: ClientSource): SyncClient {
  return new Connection(source, {})
}

/** 'CONFIG GET' ─▶ configGet */
function methodName(words: string): string {
  const [first, ...more] = words.toLowerCase().replaceAll('_', ' ').replaceAll('-', ' ').split(' ')
  return first + more.map(word => word[0].toUpperCase() + word.slice(1)).join('')
}

for (const { name, subcommands = [] } of allCommands)
  for (const words of [name, ...subcommands.map(sub => `${name} ${sub.name}`)]) {
    const method = methodName(words)
    for (const { prototype } of [Connection, Queued] as { prototype: object }[]) {
      if (method in prototype) continue
      const value = function (this: Connection | Queued, ...args: Words[]): unknown {
        return this.call(words, ...args)
      }
      Object.defineProperty(prototype, method, { value, configurable: true, writable: true })
    }
  }

function settleWith(resolve: (reply: AnyReply) => void, reject: (error: Error) => void): Settle {
  return (error, reply) => {
    if (error === undefined) resolve(reply)
    else reject(error)
  }
}

async function* pairs(items: AsyncGenerator<AnyReply>): AsyncGenerator<[AnyReply, AnyReply]> {
  let first: AnyReply | undefined
  for await (const item of items) {
    if (first === undefined) first = item
    else {
      yield [first, item]
      first = undefined
    }
  }
}

function textOf(value: AnyReply): string {
  return value instanceof Uint8Array ? decoded(value) : String(value)
}

function numberOf(value: AnyReply): number {
  const text = textOf(value)
  if (text === 'inf') return Number.POSITIVE_INFINITY
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text)
}
