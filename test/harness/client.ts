// A test's connection: sends commands and awaits replies and messages.

import { show } from './expect.ts'
import { encodeCommand, latin1Text, type PlainValue, parseReply, plain, ReplyReader } from './resp.ts'
import type { Target, Wire } from './target.ts'

/** A command without a reply yet. */
export class Pending {
  /** The bytes of the reply. */
  wire: Uint8Array | undefined
  failure: string | undefined
  private readonly client: TestClient
  private readonly label: string

  constructor(client: TestClient, label: string) {
    this.client = client
    this.label = label
  }

  get done(): boolean {
    return this.wire !== undefined
  }

  /** Waits for the reply. */
  async bytes(): Promise<Uint8Array> {
    await this.client.until(() => this.wire !== undefined || this.failure !== undefined)
    if (this.wire === undefined) throw new Error(`${this.label}: ${this.failure ?? 'no reply'}`)
    return this.wire
  }

  async value(): Promise<PlainValue> {
    return plain(parseReply(await this.bytes(), 0))
  }
}

export class TestClient {
  /** Pushes, and RESP2's pub/sub messages, oldest first. */
  readonly messages: PlainValue[] = []
  closed = false
  private readonly wire: Wire
  private readonly target: Target
  private readonly reader = new ReplyReader()
  private readonly waiting: Pending[] = []
  private arrived: () => void = () => {}

  private constructor(target: Target, wire: Wire) {
    this.target = target
    this.wire = wire
    wire.onData = bytes => {
      this.received(bytes)
      this.arrived()
    }
    wire.onClose = () => {
      this.closed = true
      this.arrived()
      for (const pending of this.waiting.splice(0)) pending.failure = 'the connection was closed'
    }
  }

  static async open(target: Target): Promise<TestClient> {
    return new TestClient(target, await target.open())
  }

  /** Sends a command with one reply. */
  send(words: readonly (string | number | bigint | Uint8Array)[]): Pending {
    const pending = new Pending(this, words.map(word => show(latin1Word(word))).join(' '))
    if (this.closed) pending.failure = 'the connection was closed'
    else this.waiting.push(pending)
    this.wire.write(encodeCommand(words))
    return pending
  }

  /** Sends raw bytes; replies to them arrive as messages. */
  write(bytes: Uint8Array): void {
    this.wire.write(bytes)
  }

  /** The next message; fails when none arrives. */
  async message(): Promise<PlainValue> {
    await this.until(() => this.messages.length > 0 || this.closed)
    if (this.messages.length === 0) throw new Error(this.closed ? 'the connection was closed' : 'no message came')
    return this.messages.shift()!
  }

  async untilClosed(): Promise<void> {
    await this.until(() => this.closed)
    if (!this.closed) throw new Error('the connection stays open')
  }

  /** Waits for `done`, as long as the target allows. */
  async until(done: () => boolean): Promise<void> {
    for (let turns = 0; !done(); turns++) {
      const arrival = new Promise<void>(resolve => (this.arrived = resolve))
      if (!(await this.target.idle(turns, arrival))) return
    }
  }

  close(): void {
    this.wire.close()
    this.closed = true
  }

  private received(bytes: Uint8Array): void {
    this.reader.push(bytes)
    for (let reply = this.reader.next(); reply; reply = this.reader.next()) {
      const isPush = reply[0] === 0x3e
      const pending = isPush ? undefined : this.waiting.shift()
      if (pending) pending.wire = reply
      else this.messages.push(plain(parseReply(reply, 0)))
    }
  }
}

function latin1Word(word: string | number | bigint | Uint8Array): string {
  return word instanceof Uint8Array ? latin1Text(word) : String(word)
}
