// The server side of dialled connections, played by a test: reads and writes text synchronously, with a virtual
// machine's time.

import type { ClientSystem } from '../../src/client/connection.ts'
import { bytesOf, latin1Text } from '../../src/lib/bytes.ts'
import { type Address, NetworkError, type Outgoing } from '../../src/system/network.ts'
import { virtualSystem } from '../../src/system/virtual.ts'

/** A dialled connection. */
export class PeerLink {
  readonly address: Address
  closed = false
  paused = false
  /** The result of the client's write(). */
  takes = true
  /** Called within the client's write(); it may reply at once. */
  onWrite: (text: string) => void = () => {}
  private received = ''
  readonly outgoing: Outgoing = {
    peer: '',
    local: '',
    onData() {},
    onEnd() {},
    onClose() {},
    onDrain() {},
    write: bytes => {
      const text = latin1Text(bytes)
      this.received += text
      this.onWrite(text)
      return this.takes
    },
    end: () => this.shut(),
    close: () => this.shut(),
    reset: () => this.shut(),
    pause: () => {
      this.paused = true
    },
    resume: () => {
      this.paused = false
    },
  }

  constructor(address: Address) {
    this.address = address
  }

  private shut(): void {
    if (this.closed) return
    this.closed = true
    this.outgoing.onClose(undefined)
  }

  /** Takes what the client has written since the last call. */
  take(): string {
    const text = this.received
    this.received = ''
    return text
  }

  say(text: string): void {
    if (!this.closed) this.outgoing.onData(bytesOf(text))
  }

  breaks(reason?: string): void {
    this.closed = true
    this.outgoing.onClose(reason)
  }
}

export class Peer {
  readonly machine = virtualSystem({ seed: 1 })
  readonly links: PeerLink[] = []
  /** Dialling fails with this error. */
  refuses: NetworkError | undefined
  connectMs = 0
  readonly system: ClientSystem = {
    clock: this.machine.system.clock,
    timers: this.machine.system.timers,
    network: {
      dial: (address, timeoutMs, done) => {
        const late = this.connectMs > timeoutMs
        this.machine.system.timers.after(Math.min(this.connectMs, timeoutMs), () => {
          const failure = this.refuses ?? (late ? new NetworkError('ETIMEDOUT') : undefined)
          if (failure !== undefined) return done(failure)
          const link = new PeerLink(address)
          this.links.push(link)
          done(link.outgoing)
        })
      },
    },
  }

  /** The connection dialled last. */
  get link(): PeerLink {
    return this.links[this.links.length - 1]
  }
}

/** The bytes of a command line split at spaces. */
export function sent(...commands: string[]): string {
  return commands
    .map(command => command.split(' '))
    .map(words => `*${words.length}\r\n${words.map(word => `$${word.length}\r\n${word}\r\n`).join('')}`)
    .join('')
}
