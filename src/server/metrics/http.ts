// HttpEndpoint: answers GET and HEAD of a few paths over HTTP/1.1: metrics and health. One request a connection.
//
// Always: a request's head takes HEAD_BYTES_MAX at most and a connection TIMEOUT_MS, and there are CONNECTIONS_MAX of
// them at most: who sends more, slower or does not read is cut off. A body is never read.

import { type Connection, type Listener, type ListenOptions, listening, type Receiver } from '../../system/network.ts'
import type { System, Timer } from '../../system/system.ts'

const HEAD_BYTES_MAX = 8192
const CONNECTIONS_MAX = 32
const TIMEOUT_MS = 10_000
const REASONS = new Map([
  [200, 'OK'],
  [400, 'Bad Request'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [431, 'Request Header Fields Too Large'],
  [500, 'Internal Server Error'],
  [503, 'Service Unavailable'],
])

export interface HttpReply {
  status: number
  type?: string
  body: string
}

interface Session {
  readonly connection: Connection
  readonly timer: Timer
  head: string
  reply: Uint8Array | undefined
  sent: number
}

/** What a path answers; undefined: there is nothing there. */
type Answer = (path: string) => HttpReply | undefined

export class HttpEndpoint {
  private readonly system: System
  private readonly answer: Answer
  private readonly open = new Set<Session>()
  private readonly listeners: Listener[] = []

  constructor(system: System, answer: Answer) {
    this.system = system
    this.answer = answer
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
      if (this.open.size >= CONNECTIONS_MAX) return undefined
      const timer = this.system.timers.after(TIMEOUT_MS, () => connection.close(false))
      const session: Session = { connection, timer, head: '', reply: undefined, sent: 0 }
      this.open.add(session)
      return session
    },
    received: (session, u8, _dv, start, end) => {
      if (session.reply !== undefined) return
      for (let i = start; i < end && session.head.length <= HEAD_BYTES_MAX; i++)
        session.head += String.fromCharCode(u8[i])
      const whole = session.head.includes('\r\n\r\n') || session.head.includes('\n\n')
      if (whole || session.head.length > HEAD_BYTES_MAX) this.respond(session, whole)
    },
    drained: session => this.send(session),
    closed: session => {
      this.open.delete(session)
      this.system.timers.cancel(session.timer)
    },
  }

  private respond(session: Session, whole: boolean): void {
    const { status, type = 'text/plain; charset=utf-8', body } = whole ? this.replyTo(session.head) : plain(431)
    const bytes = new TextEncoder().encode(body)
    const lines = [
      `HTTP/1.1 ${status} ${REASONS.get(status)}`,
      `Content-Type: ${type}`,
      `Content-Length: ${bytes.length}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      'Connection: close',
    ]
    const isHead = session.head.startsWith('HEAD ')
    const head = new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`)
    session.reply = new Uint8Array(head.length + (isHead ? 0 : bytes.length))
    session.reply.set(head)
    if (!isHead) session.reply.set(bytes, head.length)
    this.send(session)
  }

  private replyTo(head: string): HttpReply {
    const begin = head.indexOf(' ')
    const end = head.indexOf(' ', begin + 1)
    const method = head.slice(0, begin)
    if (begin < 0 || end < 0 || !head.startsWith('HTTP/1.', end + 1)) return plain(400)
    if (method !== 'GET' && method !== 'HEAD') return plain(405)
    const target = head.slice(begin + 1, end)
    const query = target.indexOf('?')
    try {
      return this.answer(query < 0 ? target : target.slice(0, query)) ?? plain(404)
    } catch {
      return plain(500)
    }
  }

  private send(session: Session): void {
    const { connection, reply } = session
    if (reply === undefined || session.sent === reply.length) return
    session.sent += connection.write(reply, session.sent, reply.length)
    if (session.sent === reply.length) connection.close(true)
  }
}

function plain(status: number): HttpReply {
  return { status, body: `${REASONS.get(status)}\n` }
}
