// Conversations: what a client says and what the server must answer. Each is held with our server in process and over
// TCP, in RESP2 and in RESP3; with REDIS_SERVER set, with that redis-server instead.
//
//   conversation('SET NX keeps the old value', async c => {
//     await c.expect('SET k v NX', 'OK')
//     await c.expect(['GET', 'k'], 'v')
//     await c.expectError('INCR k', 'ERR value is not an integer or out of range')
//     const other = await c.another()
//   })
//
// Expectations are written once, in RESP2's types (see plain() in resp.ts); byProtocol() is for shapes that differ.
// Always: a conversation begins with empty databases and a fresh connection, and configuration set with c.config()
// is put back.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Pending, TestClient } from './client.ts'
import { ByProtocol, type Expected, matches, show } from './expect.ts'
import { oracleVersion } from './oracle.ts'
import { encodeCommand, latin1Text, type PlainValue, RespError, type Word } from './resp.ts'
import { type Config, startTarget, type Target, type TargetKind } from './target.ts'
import { splitWords } from './words.ts'

export { anything, between, byProtocol, error, helpOf, inAnyOrder, pairsInAnyOrder } from './expect.ts'

export interface ConversationOptions {
  /** Runs only with our server; the reason. */
  oursOnly?: string
  /** Skipped with a redis-server older than this: '7.2'. */
  since?: string
  /** Only in this protocol. */
  resp?: 2 | 3
  /** Only over this kind of connection. */
  over?: 'in process' | 'TCP'
  /** Directives of the server; conversations with equal ones share it. */
  config?: Config
}

/** A command: one line in redis-cli's syntax, or its words. */
export type CommandText = string | readonly Word[]

export class Conversation {
  readonly resp: 2 | 3
  private readonly session: Session
  readonly client: TestClient

  constructor(session: Session, client: TestClient) {
    this.session = session
    this.client = client
    this.resp = session.resp
  }

  /** Whether the server is ours. */
  get ours(): boolean {
    return this.session.target.kind !== 'redis'
  }

  /** The reply; an error reply is a RespError. */
  do(command: CommandText): Promise<PlainValue> {
    return this.client.send(wordsOf(command)).value()
  }

  async expect(command: CommandText, expected: Expected | ByProtocol): Promise<void> {
    this.check(command, await this.do(command), expected)
  }

  /** An error reply: its whole text, or a RegExp. */
  async expectError(command: CommandText, message: string | RegExp): Promise<void> {
    const value = await this.do(command)
    const isError = value instanceof RespError
    const fits = isError && (typeof message === 'string' ? value.message === message : message.test(value.message))
    assert.ok(fits, `${show(command as Expected)}\n  expected error ${String(message)}\n  got ${show(value)}`)
  }

  /** The bytes of the reply. */
  async expectWire(command: CommandText, wire: string | { 2: string; 3: string }): Promise<void> {
    const bytes = await this.client.send(wordsOf(command)).bytes()
    assert.equal(latin1Text(bytes), typeof wire === 'string' ? wire : wire[this.resp])
  }

  /** Commands and their replies, in order. */
  async expectAll(...lines: [CommandText, Expected | ByProtocol][]): Promise<void> {
    for (const [command, expected] of lines) await this.expect(command, expected)
  }

  /** The next push, or pub/sub message in RESP2. */
  async expectMessage(expected: Expected | ByProtocol): Promise<void> {
    this.check('message', await this.client.message(), expected)
  }

  /** No message has arrived so far. */
  async expectNoMessage(): Promise<void> {
    await this.settle()
    assert.equal(show(this.client.messages), '[]')
  }

  /**
   * Sends a command that may block; resolves when the server has read it. Its `done` tells whether it has a reply, its
   * value() is the reply.
   */
  async start(command: CommandText): Promise<Pending> {
    const pending = this.client.send(wordsOf(command))
    await this.settle()
    return pending
  }

  /** The reply to a command that was started. */
  async expectReply(pending: Pending, expected: Expected | ByProtocol): Promise<void> {
    this.check('the reply', await pending.value(), expected)
  }

  /** Sends a command that has only messages as reply, such as SUBSCRIBE. */
  async tell(command: CommandText): Promise<void> {
    this.client.write(encodeCommand(wordsOf(command)))
    await this.settle()
  }

  /** A number of INFO. */
  async figure(name: string): Promise<number> {
    const info = String(await this.do('INFO everything'))
    return Number(new RegExp(`\\r\\n${name}:(\\d+)`).exec(info)![1])
  }

  /** Closes this connection. */
  close(): void {
    this.client.close()
  }

  /** The server closes this connection. */
  async expectClosed(): Promise<void> {
    await this.client.untilClosed()
  }

  /** Another connection in the same protocol. */
  another(): Promise<Conversation> {
    return this.session.connect()
  }

  /** Sets a configuration parameter until the conversation ends. */
  async config(name: string, value: string): Promise<void> {
    const before = await this.do(['CONFIG', 'GET', name])
    assert.ok(Array.isArray(before) && before.length === 2, `no parameter ${name}`)
    await this.expect(['CONFIG', 'SET', name, value], 'OK')
    this.session.restore.push(['CONFIG', 'SET', name, String(before[1])])
  }

  /** Lets time pass on the server: instantly with a simulated clock. */
  pass(ms: number): Promise<void> {
    return this.session.target.pass(ms)
  }

  /** Waits until the server has read everything sent on any connection. */
  async settle(): Promise<void> {
    const janitor = await this.session.janitor()
    await janitor.send(['PING']).bytes()
    // What the server wrote before that PONG is on its way to us already; let it be read.
    for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  private check(said: CommandText, value: PlainValue, expected: Expected | ByProtocol): void {
    const wanted = expected instanceof ByProtocol ? (this.resp === 2 ? expected.resp2 : expected.resp3) : expected
    if (!matches(value, wanted))
      assert.fail(`${show(said as Expected)}\n  expected ${show(wanted)}\n  got      ${show(value)}`)
  }
}

/** One conversation under way: its connections, and what to put back afterwards. */
class Session {
  readonly target: Target
  readonly resp: 2 | 3
  readonly restore: Word[][] = []
  private readonly config: Config
  private readonly clients: TestClient[] = []
  private janitorClient: TestClient | undefined

  constructor(target: Target, resp: 2 | 3, config: Config) {
    this.target = target
    this.resp = resp
    this.config = config
  }

  /** A connection for the harness itself. */
  async janitor(): Promise<TestClient> {
    this.janitorClient ??= await this.open()
    return this.janitorClient
  }

  async connect(): Promise<Conversation> {
    const client = await this.open()
    if (this.resp === 3) {
      const reply = await client.send(['HELLO', '3']).value()
      assert.ok(!(reply instanceof RespError), `HELLO 3: ${show(reply)}`)
    }
    return new Conversation(this, client)
  }

  private async open(): Promise<TestClient> {
    const client = await TestClient.open(this.target)
    this.clients.push(client)
    if (this.config.requirepass) await client.send(['AUTH', this.config.requirepass]).bytes()
    return client
  }

  async hold(body: (c: Conversation) => Promise<void>): Promise<void> {
    try {
      await (await this.janitor()).send(['FLUSHALL']).bytes()
      await body(await this.connect())
    } finally {
      for (const words of this.restore.reverse()) await (await this.janitor()).send(words).bytes()
      for (const client of this.clients) client.close()
    }
  }
}

// The servers that the conversations of this file have asked for so far.
const targets = new Map<string, Promise<Target>>()
let stopsAtEnd = false

function targetFor(kind: TargetKind, config: Config): Promise<Target> {
  const key = `${kind} ${JSON.stringify(config)}`
  let target = targets.get(key)
  if (!target) targets.set(key, (target = startTarget(kind, config)))
  return target
}

function stopTargetsAtEnd(): void {
  if (stopsAtEnd) return
  stopsAtEnd = true
  after(async () => {
    stopsAtEnd = false
    const started = [...targets.values()]
    targets.clear()
    for (const target of started) await (await target).stop()
  })
}

/** Declares the tests of one conversation. */
export function conversation(
  name: string,
  body: (c: Conversation) => Promise<void>,
  options: ConversationOptions = {},
): void {
  stopTargetsAtEnd()
  const kinds: readonly TargetKind[] = oracleVersion ? ['redis'] : ['in process', 'TCP']
  const skip = skipReason(options)
  const config = options.config ?? {}
  for (const kind of kinds) {
    if (!oracleVersion && options.over && options.over !== kind) continue
    for (const resp of [2, 3] as const) {
      if (options.resp && options.resp !== resp) continue
      test(`${name} [RESP${resp} ${kind}]`, { skip }, async () => {
        await new Session(await targetFor(kind, config), resp, config).hold(body)
      })
    }
  }
}

function skipReason(options: ConversationOptions): string | false {
  if (!oracleVersion) return false
  if (options.oursOnly) return `ours only: ${options.oursOnly}`
  if (options.since && olderThan(oracleVersion, options.since))
    return `needs Redis ${options.since}, this is ${oracleVersion}`
  return false
}

function olderThan(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map(text => text.split('.').map(Number))
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) < b[i]
  return false
}

function wordsOf(command: CommandText): readonly Word[] {
  return typeof command === 'string' ? splitWords(command) : command
}
