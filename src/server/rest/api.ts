// RestApi: the REST API of Upstash, without HTTP: requests in, replies out.
//
//   GET  /set/key/value?EX=100     POST /set/key + body     POST / ["SET", "key", "value"]    {"result": …}
//   POST /pipeline, /multi-exec    [["SET", "k", "v"], …]                                     [{"result": …}, …]
//   GET  /subscribe/channel, /psubscribe/pattern, /monitor                                    server-sent events
//
// With 'Upstash-Encoding: base64' strings in results are base64, except OK; with 'Upstash-Response-Format: resp2' a
// command's reply is RESP2.
//
// 'Upstash-Sync-Token', with which clients ask for what they have written, is another one in each reply: there is one
// server, which has all of it.
//
// Always: a request has a connection of its own, in process, which is closed with it: no state remains. The token is
// compared without an end as soon as it differs.

import type { Pipe } from '../../net/server-socket.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import { ReplyReader } from '../../protocol/reply-reader.ts'
import { Push, ReplyError, type Value } from '../../protocol/value.ts'
import type { HttpReply, HttpRequest, HttpStream } from '../http/endpoint.ts'

export interface RestSource {
  open(): Pipe
  /** Of the user 'default'; '' for none. */
  readonly password: Uint8Array
  /** Absent: requests need none; '': none is let in. */
  readonly token?: string | undefined
  /** Replies so far. */
  readonly answered: { count: number }
}

interface RestReply extends HttpReply {
  readonly type: string
  readonly body: Uint8Array
}

type Words = readonly (string | Uint8Array)[]

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const METHODS = ['GET', 'HEAD', 'POST', 'PUT']
const STREAMS = ['subscribe', 'psubscribe', 'monitor']
const JSON_TYPE = 'application/json'

export class RestApi {
  private readonly source: RestSource

  constructor(source: RestSource) {
    this.source = source
  }

  async respond(request: HttpRequest): Promise<RestReply | HttpStream> {
    const { path, query } = splitTarget(request.target)
    if (!METHODS.includes(request.method)) return failure(405, 'Method Not Allowed')
    if (!this.isAllowed(request, query)) return failure(401, 'Unauthorized')
    const reply = await this.answer(request, path, query)
    if ('begin' in reply) return reply
    return { ...reply, headers: [['Upstash-Sync-Token', String(++this.source.answered.count)]] }
  }

  private async answer(
    request: HttpRequest,
    path: readonly string[],
    query: readonly [string, string][],
  ): Promise<RestReply | HttpStream> {
    try {
      const [first = ''] = path
      if (path.length === 1 && (first === 'pipeline' || first === 'multi-exec') && request.body.length > 0)
        return await this.several(request, first === 'multi-exec')
      const words = commandOf(request, path, query)
      if (STREAMS.includes(textOf(words[0] ?? '').toLowerCase())) return new EventStream(this.source, words)
      return await this.single(request, words)
    } catch (error) {
      return failure(400, `ERR ${(error as Error).message}`)
    }
  }

  private isAllowed(request: HttpRequest, query: readonly [string, string][]): boolean {
    const { token } = this.source
    if (token === undefined) return true
    const given = request.header('authorization') ?? ''
    const bearer = given.slice(0, 7).toLowerCase() === 'bearer ' ? given.slice(7) : undefined
    return token !== '' && equal(bearer ?? query.find(([name]) => name === '_token')?.[1] ?? '', token)
  }

  private async single(request: HttpRequest, words: Words): Promise<RestReply> {
    const exchange = new Exchange(this.source)
    const [reply] = await exchange.run([words])
    if (request.header('upstash-response-format') === 'resp2')
      return { status: 200, type: 'application/octet-stream', body: exchange.raw() }
    const isBase64 = request.header('upstash-encoding') === 'base64'
    if (reply instanceof ReplyError) return failure(400, reply.text)
    return { status: 200, type: JSON_TYPE, body: json({ result: shown(reply, isBase64) }) }
  }

  private async several(request: HttpRequest, isTransaction: boolean): Promise<RestReply> {
    const list: unknown = JSON.parse(decoder.decode(request.body))
    if (!Array.isArray(list) || list.length === 0) throw new Error('Command list is empty or invalid')
    const commands = list.map(wordsOf)
    const isBase64 = request.header('upstash-encoding') === 'base64'
    const sent = isTransaction ? [['MULTI'], ...commands, ['EXEC']] : commands
    let replies = await new Exchange(this.source).run(sent)
    if (isTransaction) {
      const last = replies.at(-1)!
      if (last instanceof ReplyError) return failure(400, last.text)
      replies = last as Value[]
    }
    const body = replies.map(one =>
      one instanceof ReplyError ? { error: one.text } : { result: shown(one, isBase64) },
    )
    return { status: 200, type: JSON_TYPE, body: json(body) }
  }
}

/** Commands on a connection of their own, which is closed after the last reply. */
class Exchange {
  private readonly source: RestSource
  private readonly pieces: Uint8Array[] = []

  constructor(source: RestSource) {
    this.source = source
  }

  run(commands: readonly Words[]): Promise<Value[]> {
    return new Promise((resolve, reject) => {
      const pipe = this.source.open()
      const reader = new ReplyReader()
      const replies: Value[] = []
      const sent = greeted(this.source, commands)
      pipe.onClose = () => reject(new Error('the connection was closed'))
      pipe.onData = bytes => {
        this.pieces.push(bytes)
        reader.feed(bytes)
        for (let value = reader.next(); value !== undefined; value = reader.next())
          if (!(value instanceof Push)) replies.push(value)
        if (replies.length < sent.length) return
        pipe.onClose = () => {}
        pipe.close()
        resolve(replies.slice(sent.length - commands.length))
      }
      pipe.write(written(sent))
    })
  }

  /** What came, as it came. */
  raw(): Uint8Array {
    const bytes = new Uint8Array(this.pieces.reduce((sum, piece) => sum + piece.length, 0))
    let at = 0
    for (const piece of this.pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    return this.source.password.length > 0 ? bytes.subarray('+OK\r\n'.length) : bytes
  }
}

/** SUBSCRIBE, PSUBSCRIBE and MONITOR as server-sent events. */
class EventStream implements HttpStream {
  private readonly source: RestSource
  private readonly words: Words
  private pipe: Pipe | undefined

  constructor(source: RestSource, words: Words) {
    this.source = source
    this.words = words
  }

  begin(write: (bytes: Uint8Array) => void, end: () => void): void {
    const pipe = this.source.open()
    const reader = new ReplyReader()
    this.pipe = pipe
    pipe.onClose = end
    const sent = greeted(this.source, [this.words])
    let skipped = sent.length - 1
    pipe.onData = bytes => {
      reader.feed(bytes)
      for (let value = reader.next(); value !== undefined; value = reader.next())
        if (skipped > 0) skipped--
        else write(encoder.encode(`data: ${eventOf(value)}\n\n`))
    }
    pipe.write(written(sent))
  }

  close(): void {
    this.pipe?.close()
  }
}

/** After the login, if one is wanted. */
function greeted({ password }: RestSource, commands: readonly Words[]): readonly Words[] {
  return password.length > 0 ? [['AUTH', 'default', password], ...commands] : commands
}

function written(commands: readonly Words[]): Uint8Array {
  const writer = new CommandWriter()
  for (const words of commands) {
    writer.count(words.length)
    for (const word of words) writer.bytes(typeof word === 'string' ? encoder.encode(word) : word)
  }
  return writer.take()
}

function eventOf(value: Value | Push): string {
  if (value instanceof ReplyError) return JSON.stringify({ error: value.text })
  if (Array.isArray(value)) return value.map(one => textOf(one as Value)).join(',')
  return JSON.stringify(textOf(value as Value))
}

/** The command of a request: its path, its body as the last argument, and its query. */
function commandOf(request: HttpRequest, path: readonly string[], query: readonly [string, string][]): Words {
  if (path.length === 0) return wordsOf(JSON.parse(decoder.decode(request.body)))
  const words: (string | Uint8Array)[] = [...path]
  // The client sends an empty list with a path that subscribes.
  if (request.body.length > 0 && !STREAMS.includes(path[0].toLowerCase())) words.push(request.body)
  for (const [name, value] of query) if (name !== '_token') words.push(...(value === '' ? [name] : [name, value]))
  return words
}

/** The items of a command in JSON: text, numbers and booleans as text, anything else as JSON. */
function wordsOf(list: unknown): Words {
  if (!Array.isArray(list) || list.length === 0) throw new Error('failed to parse command')
  return list.map(item => (typeof item === 'string' ? item : JSON.stringify(item)))
}

function shown(value: Value, isBase64: boolean): unknown {
  if (value instanceof ReplyError) return { error: value.text }
  if (Array.isArray(value)) return value.map(item => shown(item, isBase64))
  if (typeof value === 'bigint') return Number(value)
  if (value === 'OK') return value
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) return value
  const bytes = typeof value === 'string' ? encoder.encode(value) : value
  return isBase64 ? base64(bytes) : decoder.decode(bytes)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function textOf(value: Value): string {
  return value instanceof Uint8Array ? decoder.decode(value) : String(value)
}

function json(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

function failure(status: number, error: string): RestReply {
  return { status, type: JSON_TYPE, body: json({ error }) }
}

/** '/set/a%20b/?EX=1' ─▶ ['set', 'a b', ''] and [['EX', '1']] */
function splitTarget(target: string): { path: string[]; query: [string, string][] } {
  const { pathname, searchParams } = new URL(target, 'http://localhost')
  const path = pathname.slice(1)
  return { path: path === '' ? [] : path.split('/').map(decodeURIComponent), query: [...searchParams] }
}

/** Takes the same time wherever the two differ. */
function equal(a: string, b: string): boolean {
  const left = encoder.encode(a)
  const right = encoder.encode(b)
  let difference = left.length ^ right.length
  for (let i = 0; i < right.length; i++) difference |= right[i] ^ (left[i] ?? 0)
  return difference === 0
}
