// A connection that counts replies and forgets them: a client that takes little processor time; and many commands over
// some of them.

import { connect, type Socket } from 'node:net'
import { replyEnd } from '../harness/resp.ts'

export class PipelineConnection {
  private readonly socket: Socket
  private rest: Uint8Array = new Uint8Array(0)
  private wanted = 0
  private answered: () => void = () => {}

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', bytes => this.received(bytes))
  }

  /** Sends commands and waits for their replies; an error is thrown. */
  exchange(bytes: Uint8Array, replies: number): Promise<void> {
    this.wanted = replies
    this.socket.write(bytes)
    return new Promise(resolve => (this.answered = resolve))
  }

  private received(bytes: Uint8Array): void {
    const u8 = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    let at = 0
    for (let end = replyEnd(u8, 0, u8.length); end >= 0; end = replyEnd(u8, at, u8.length)) {
      if (u8[at] === 0x2d) throw new Error(Buffer.from(u8.subarray(at, end)).toString())
      this.wanted--
      at = end
    }
    this.rest = u8.subarray(at)
    if (this.wanted === 0) this.answered()
  }

  close(): void {
    this.socket.destroy()
  }
}

const LINKS = 4
const BATCH = 32

/** Sends so many commands, some at once over a few connections. Returns the seconds it took. */
export async function sendAll(
  port: number,
  count: number,
  write: (i: number) => { bytes: Uint8Array; replies: number },
): Promise<number> {
  let next = 0
  const startMs = performance.now()
  const send = async (): Promise<void> => {
    const link = new PipelineConnection(port)
    while (next < count) {
      const parts: Uint8Array[] = []
      let replies = 0
      for (let i = 0; i < BATCH && next < count; i++) {
        const one = write(next++)
        parts.push(one.bytes)
        replies += one.replies
      }
      await link.exchange(Buffer.concat(parts), replies)
    }
    link.close()
  }
  await Promise.all(Array.from({ length: LINKS }, send))
  return (performance.now() - startMs) / 1000
}
