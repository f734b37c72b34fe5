// What a test says to a server in its process, line by line, and what it hears.

import type { EmbeddedServer, MemorySocket } from '../../src/index.ts'

/** A connection that remembers what it received. */
export class Talk {
  received = ''
  isClosed = false
  private readonly socket: MemorySocket

  constructor(server: EmbeddedServer) {
    this.socket = server.connect()
    this.socket.onData = bytes => {
      this.received += new TextDecoder('latin1').decode(bytes)
    }
    this.socket.onClose = () => {
      this.isClosed = true
    }
  }

  /** The replies to commands; bytes of a command that is not whole may follow. */
  ask(...lines: string[]): string {
    this.received = ''
    for (const line of lines) this.socket.write(`${line}\r\n`)
    return this.received
  }

  send(bytes: string): void {
    this.socket.write(bytes)
  }
}
