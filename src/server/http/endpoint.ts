// HttpEndpoint: answers requests over HTTP/1.1 with what `answer` returns for them: a body, or a stream of events.
//
//   received ─▶ input ─▶ [a whole request] ─▶ answer ─▶ output ─▶ [sent] ─▶ the next request, or the end
//
// Always: a head takes HEAD_BYTES_MAX at most and a request `bodyBytesMax`, it comes within TIMEOUT_MS, and there are
// `connectionsMax` connections at most: who sends more, slower or does not read is cut off. Requests of a connection
// are answered one after the other.

import { type Connection, type Listener, type ListenOptions, listening, type Receiver } from '../../system/network.ts'
import type { System, Timer } from '../../system/system.ts'
import { type Head, headEnd, headOf } from './head.ts'

const HEAD_BYTES_MAX = 8192
const TIMEOUT_MS = 10_000
/** Events that a client does not read. */
const UNREAD_BYTES_MAX = 1024 * 1024
const INPUT_START_BYTES = 1024
const REASONS = new Map([
  [200, 'OK'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [411, 'Length Required'],
  [413, 'Content Too Large'],
  [431, 'Request Header Fields Too Large'],
  [500, 'Internal Server Error'],
  [503, 'Service Unavailable'],
])

export interface HttpRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  header(name: string): string | undefined
  readonly body: Uint8Array
}

export interface HttpReply {
  readonly status: number
  readonly type?: string
  readonly body: string | Uint8Array
  /** Further lines of the head. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

/** Instead of a body: server-sent events, until one of the two ends it. */
export interface HttpStream {
  begin(write: (bytes: Uint8Array) => void, end: () => void): void
  close(): void
}

/** undefined: there is nothing there. */
type HttpAnswer = HttpReply | HttpStream | undefined

interface HttpOptions {
  readonly methods: readonly string[]
  readonly connectionsMax: number
  readonly bodyBytesMax: number
  /** Further requests on the same connection. */
  readonly keepAlive: boolean
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>
}

interface Session {
  readonly connection: Connection
  timer: Timer | undefined
  /** What has come and was not used. */
  input: Uint8Array
  inputEnd: number
  /** The head of the request whose body is awaited. */
  head: Head | undefined
  /** A request is being answered. */
  isBusy: boolean
  stream: HttpStream | undefined
  output: Uint8Array[]
  sent: number
  /** It ends when the output is sent. */
  isLast: boolean
  isOver: boolean
}

export class HttpEndpoint {
  private readonly system: System
  private readonly options: HttpOptions
  private readonly open = new Set<Session>()
  private readonly listeners: Listener[] = []

  constructor(system: System, options: HttpOptions) {
    this.system = system
    this.options = options
  }

  /** Rejects with a NetworkError. */
  async listen(options: ListenOptions): Promise<void> {
    this.listeners.push(await listening(this.system.network, options, this.receiver))
  }

  close(): void {
    for (const listener of this.listeners.splice(0)) listener.close()
    for (const session of [...this.open]) session.connection.close(false)
  }

  private readonly receiver: Receiver<Session> = {
    opened: connection => {
      if (this.open.size >= this.options.connectionsMax) return undefined
      const session: Session = {
        connection,
        timer: undefined,
        input: new Uint8Array(INPUT_START_BYTES),
        inputEnd: 0,
        head: undefined,
        isBusy: false,
        stream: undefined,
        output: [],
        sent: 0,
        isLast: false,
        isOver: false,
      }
      this.open.add(session)
      this.limitTime(session)
      return session
    },
    received: (session, u8, _dv, start, end) => {
      if (session.isLast) return
      append(session, u8.subarray(start, end))
      this.advance(session)
    },
    drained: session => this.send(session),
    closed: session => {
      session.isOver = true
      this.open.delete(session)
      this.unlimitTime(session)
      session.stream?.close()
    },
  }

  private limitTime(session: Session): void {
    this.unlimitTime(session)
    session.timer = this.system.timers.after(TIMEOUT_MS, () => session.connection.close(false))
  }

  private unlimitTime(session: Session): void {
    if (session.timer !== undefined) this.system.timers.cancel(session.timer)
    session.timer = undefined
  }

  /** Answers the next request, if it is whole. */
  private advance(session: Session): void {
    if (session.isBusy) {
      if (session.inputEnd > HEAD_BYTES_MAX) session.connection.pause()
      return
    }
    const { options } = this
    if (session.head === undefined) {
      const end = headEnd(session.input, session.inputEnd)
      if (end < 0 || end > HEAD_BYTES_MAX) {
        if (session.inputEnd > HEAD_BYTES_MAX) this.end(session, plain(431))
        return
      }
      const head = headOf(session.input.subarray(0, end))
      if (head === undefined) return this.end(session, plain(400))
      if (!options.methods.includes(head.method)) return this.end(session, plain(405))
      if (options.bodyBytesMax > 0 && head.bodyBytes === undefined) return this.end(session, plain(411))
      if (options.bodyBytesMax > 0 && head.bodyBytes! > options.bodyBytesMax) return this.end(session, plain(413))
      used(session, end)
      session.head = head
      if (head.header('expect') === '100-continue') this.write(session, text('HTTP/1.1 100 Continue\r\n\r\n'))
    }
    const bodyBytes = options.bodyBytesMax > 0 ? session.head.bodyBytes! : 0
    if (session.inputEnd < bodyBytes) return
    const { method, target, header } = session.head
    const body = session.input.slice(0, bodyBytes)
    used(session, bodyBytes)
    void this.respond(session, session.head, { method, target, header, body })
  }

  private async respond(session: Session, head: Head, request: HttpRequest): Promise<void> {
    session.isBusy = true
    this.unlimitTime(session)
    session.isLast = !this.options.keepAlive || !head.mayStay
    let answer: HttpAnswer
    try {
      const given = this.options.answer(request)
      answer = given instanceof Promise ? await given : given
    } catch {
      answer = plain(500)
    }
    if (session.isOver) {
      if (answer !== undefined && 'begin' in answer) answer.close()
    } else if (answer !== undefined && 'begin' in answer) this.stream(session, answer)
    else this.reply(session, answer ?? plain(404), request.method === 'HEAD')
  }

  private end(session: Session, reply: HttpReply): void {
    session.isLast = true
    this.reply(session, reply, false)
  }

  private reply(session: Session, reply: HttpReply, isHead: boolean): void {
    const { status, type = 'text/plain; charset=utf-8', body, headers = [] } = reply
    const bytes = typeof body === 'string' ? text(body) : body
    const lines = [
      `HTTP/1.1 ${status} ${REASONS.get(status)}`,
      `Content-Type: ${type}`,
      `Content-Length: ${bytes.length}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      `Connection: ${session.isLast ? 'close' : 'keep-alive'}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
    ]
    const head = text(`${lines.join('\r\n')}\r\n\r\n`)
    const whole = new Uint8Array(head.length + (isHead ? 0 : bytes.length))
    whole.set(head)
    if (!isHead) whole.set(bytes, head.length)
    session.isBusy = false
    session.head = undefined
    this.limitTime(session)
    this.write(session, whole)
    if (session.isLast) return
    session.connection.resume()
    if (session.inputEnd > 0) this.advance(session)
  }

  /** Events, until the client or the stream ends. */
  private stream(session: Session, stream: HttpStream): void {
    session.isLast = true
    session.stream = stream
    const lines = ['HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Cache-Control: no-store', 'Connection: close']
    this.write(session, text(`${lines.join('\r\n')}\r\n\r\n`))
    stream.begin(
      bytes => {
        const unread = session.output.reduce((sum, piece) => sum + piece.length, 0)
        if (unread > UNREAD_BYTES_MAX) session.connection.close(false)
        else if (!session.isOver) this.write(session, bytes)
      },
      () => {
        session.stream = undefined
        if (session.output.length === 0 && !session.isOver) session.connection.close(true)
      },
    )
  }

  private write(session: Session, bytes: Uint8Array): void {
    session.output.push(bytes)
    if (session.output.length === 1) this.send(session)
  }

  private send(session: Session): void {
    const { connection, output } = session
    while (output.length > 0) {
      const [first] = output
      session.sent += connection.write(first, session.sent, first.length)
      if (session.sent < first.length) return
      session.sent = 0
      output.shift()
    }
    if (session.isLast && !session.isBusy && session.stream === undefined) connection.close(true)
  }
}

function append(session: Session, bytes: Uint8Array): void {
  const needed = session.inputEnd + bytes.length
  if (needed > session.input.length) {
    const grown = new Uint8Array(Math.max(needed, session.input.length * 2))
    grown.set(session.input.subarray(0, session.inputEnd))
    session.input = grown
  }
  session.input.set(bytes, session.inputEnd)
  session.inputEnd = needed
}

/** The first bytes of the input are used. */
function used(session: Session, bytes: number): void {
  session.input.copyWithin(0, bytes, session.inputEnd)
  session.inputEnd -= bytes
  if (session.inputEnd === 0 && bytes > INPUT_START_BYTES) session.input = new Uint8Array(INPUT_START_BYTES)
}

function plain(status: number): HttpReply {
  return { status, body: `${REASONS.get(status)}\n` }
}

function text(of: string): Uint8Array {
  return new TextEncoder().encode(of)
}
