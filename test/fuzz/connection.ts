// A pipelined connection of the fuzzer: what the server says, frame by frame.
//
//   exchange(bytes, n)   waits for n replies; the pushes between them are kept aside
//   write(bytes), taken() whatever has come, in order: for clients that block, subscribe or are told nothing

import { connect, type Socket } from 'node:net'
import { encodeCommand, latin1Text, type PlainValue, parseReply, plain, replyEnd } from '../harness/resp.ts'

const REPLY_WAIT_MS = 20_000
const PUSH = 0x3e

/** A server ended or does not reply. */
export class ServerFailure extends Error {}

/** A RESP3 push, and how many replies came before it. */
interface Push {
  repliesBefore: number
  frame: Uint8Array
}

export class FuzzConnection {
  private readonly label: string
  private readonly socket: Socket
  private buffer: Uint8Array = new Uint8Array(0)
  private frames: Uint8Array[] = []
  private pushes: Push[] = []
  private wanted = 0
  private settle: ((failure?: Error) => void) | undefined
  private failure: Error | undefined

  private constructor(label: string, socket: Socket) {
    this.label = label
    this.socket = socket
    socket.on('data', bytes => this.received(bytes))
    socket.on('close', () => this.fail(new ServerFailure(`${label} closed the connection`)))
  }

  static open(label: string, port: number): Promise<FuzzConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const connection = new FuzzConnection(label, socket)
      socket.once('connect', () => resolve(connection))
      socket.on('error', reject)
    })
  }

  /** The client's end of the connection. */
  get port(): number {
    return this.socket.localPort ?? 0
  }

  get isClosed(): boolean {
    return this.failure !== undefined
  }

  /** Sends bytes with `count` commands; returns their replies. */
  exchange(bytes: Uint8Array, count: number): Promise<Uint8Array[]> {
    if (this.failure) return Promise.reject(this.failure)
    this.frames = []
    this.wanted = count
    const replies = new Promise<Uint8Array[]>((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(new ServerFailure(`${this.label} does not answer (${this.frames.length} of ${count} replies)`)),
        REPLY_WAIT_MS,
      )
      this.settle = failure => {
        clearTimeout(timer)
        this.settle = undefined
        // The frames stay: a push that arrives after the last reply comes after all of them.
        if (failure) reject(failure)
        else resolve(this.frames)
      }
    })
    this.socket.write(bytes)
    return replies
  }

  async call(...words: string[]): Promise<PlainValue> {
    const [reply] = await this.exchange(encodeCommand(words), 1)
    return plain(parseReply(reply, 0))
  }

  write(bytes: Uint8Array): void {
    if (!this.failure) this.socket.write(bytes)
  }

  /** The frames since the last call, pushes too, and bytes that are not a whole frame. */
  taken(): string[] {
    const replies = this.frames.map(frame => latin1Text(frame))
    const taken: string[] = []
    let next = 0
    for (const { repliesBefore, frame } of this.pushes) {
      while (next < Math.min(repliesBefore, replies.length)) taken.push(replies[next++])
      taken.push(latin1Text(frame))
    }
    taken.push(...replies.slice(next))
    if (this.buffer.length > 0) taken.push(`incomplete: ${latin1Text(this.buffer)}`)
    this.frames = []
    this.pushes = []
    return taken
  }

  /** The pushes since the last call, each with the number of replies before it in its exchange. */
  takenPushes(): string[] {
    const pushes = this.pushes.map(({ repliesBefore, frame }) => `after ${repliesBefore} replies: ${latin1Text(frame)}`)
    this.pushes = []
    return pushes
  }

  close(): void {
    this.socket.destroy()
  }

  private received(bytes: Uint8Array): void {
    const u8 = this.buffer.length === 0 ? bytes : Buffer.concat([this.buffer, bytes])
    let at = 0
    for (let end = replyEnd(u8, at, u8.length); end >= 0; end = replyEnd(u8, at, u8.length)) {
      const frame = u8.subarray(at, end)
      if (u8[at] === PUSH) this.pushes.push({ repliesBefore: this.frames.length, frame })
      else this.frames.push(frame)
      at = end
    }
    this.buffer = u8.subarray(at)
    if (this.frames.length >= this.wanted) this.settle?.()
  }

  private fail(failure: Error): void {
    this.failure ??= failure
    this.settle?.(failure)
  }
}
