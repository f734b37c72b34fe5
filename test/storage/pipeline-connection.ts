// A connection that counts replies and forgets them: a client that takes little processor time.

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
