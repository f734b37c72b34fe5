// A server is killed (SIGKILL) at random moments under load, started again, and asked for what it promised:
//
//   npx bun test/crash/kill.ts [--policy always,everysec,no] [--kills 200] [--seed 1] [--command bin/redstart]
//
//   start ─▶ check ─▶ writers, rewrites of the log ─▶ [a moment] ─▶ SIGKILL ─▶ start …
//
// Each writer numbers what it writes, a transaction at a time, with several on their way:
//
//   MULTI, SET a:W n, HSET h:W n n, RPUSH l:W n, SET b:W n, EXEC
//
// After each start: a:W = b:W = last of l:W = HLEN of h:W, so that no transaction is torn or missing in between; n is at
// least what was acknowledged (everysec: two seconds before the kill), and at most what was sent.
//
// Prints a line a policy, and exits 1 when a promise was not kept.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/server/system/virtual.ts'
import { encodeCommand, type PlainValue, parseReply, plain, ReplyReader, type Word } from '../harness/resp.ts'
import { freePort, sleep, untilListening } from '../harness/target.ts'

const WRITERS = 5
/** Transactions of one writer that are on their way at once. */
const IN_FLIGHT = 4
const LIST_KEPT = 50
const FILLER_KEYS = 20_000
const SYNC_PROMISE_MS = 2000
const START_MS_MAX = 30_000

const { values: options } = parseArgs({
  options: {
    policy: { type: 'string', default: 'always,everysec,no' },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    command: { type: 'string', default: join(import.meta.dirname, '../../bin/redstart') },
  },
})

class Connection {
  private readonly socket: Socket
  private readonly reader = new ReplyReader()
  private readonly waiting: ((reply: PlainValue) => void)[] = []

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', bytes => {
      this.reader.push(bytes)
      for (let reply = this.reader.next(); reply !== undefined; reply = this.reader.next())
        this.waiting.shift()?.(plain(parseReply(reply, 0)))
    })
  }

  /** The reply; never, when the server goes before it comes. */
  call(...words: Word[]): Promise<PlainValue> {
    this.socket.write(encodeCommand(words))
    return new Promise(resolve => this.waiting.push(resolve))
  }

  close(): void {
    this.socket.destroy()
  }
}

class Writer {
  readonly name: number
  /** Numbers: of the last transaction that was sent, and those acknowledged with their moments. */
  sent = 0
  private acknowledged: { n: number; atMs: number }[] = []

  constructor(name: number) {
    this.name = name
  }

  /** Sends transactions, one after another as replies come, until the connection goes. */
  run(connection: Connection): void {
    for (let i = 0; i < IN_FLIGHT; i++) void this.next(connection)
  }

  private async next(connection: Connection): Promise<void> {
    for (;;) {
      const n = ++this.sent
      const { name } = this
      void connection.call('MULTI')
      void connection.call('SET', `a:${name}`, n)
      void connection.call('HSET', `h:${name}`, n, n)
      void connection.call('RPUSH', `l:${name}`, n)
      void connection.call('LTRIM', `l:${name}`, -LIST_KEPT, -1)
      void connection.call('SET', `b:${name}`, n)
      const reply = await connection.call('EXEC')
      if (!Array.isArray(reply)) throw new Error(`EXEC answered ${JSON.stringify(reply)}`)
      this.acknowledged.push({ n, atMs: performance.now() })
    }
  }

  /** The least that must be there after a kill at that moment. */
  promised(policy: string, killedMs: number): number {
    const untilMs = policy === 'everysec' ? killedMs - SYNC_PROMISE_MS : killedMs
    return this.acknowledged.reduce((most, { n, atMs }) => (atMs <= untilMs ? Math.max(most, n) : most), this.floor)
  }

  private floor = 0

  /** What there is after a restart is where it goes on. */
  goOnFrom(n: number): void {
    this.sent = this.floor = n
    this.acknowledged = []
  }

  async check(connection: Connection, least: number): Promise<string | undefined> {
    const { name } = this
    const [a, b, last, count] = await Promise.all([
      connection.call('GET', `a:${name}`),
      connection.call('GET', `b:${name}`),
      connection.call('LINDEX', `l:${name}`, -1),
      connection.call('HLEN', `h:${name}`),
    ])
    const n = Number(a ?? 0)
    if (Number(b ?? 0) !== n || Number(last ?? 0) !== n || Number(count) !== n)
      return `writer ${name}: torn: a ${a}, b ${b}, list ${last}, hash ${count}`
    if (n < least) return `writer ${name}: ${n} is there, ${least} was promised (${this.sent} sent)`
    if (n > this.sent) return `writer ${name}: ${n} is there, only ${this.sent} were sent`
    this.goOnFrom(n)
    return undefined
  }
}

class Victim {
  readonly dir = mkdtempSync(join(tmpdir(), 'redstart-kill-'))
  readonly policy: string
  port = 0
  private child: ChildProcess | undefined

  constructor(policy: string) {
    this.policy = policy
  }

  async start(): Promise<Connection> {
    this.port = await freePort()
    const directives = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.dir,
      logfile: join(this.dir, 'log'),
      save: '',
      appendonly: 'yes',
      appendfsync: this.policy,
      'auto-aof-rewrite-percentage': '0',
    }
    const words = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value])
    const [command, ...rest] = options.command.split(' ')
    this.child = spawn(command, [...rest, ...words], { stdio: ['ignore', 'ignore', 'inherit'] })
    await untilListening(this.port, this.child)
    const connection = new Connection(this.port)
    const deadlineMs = performance.now() + START_MS_MAX
    while ((await connection.call('PING')) !== 'PONG') {
      if (this.child.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`it does not load: ${this.log}`)
      await sleep(10)
    }
    return connection
  }

  async kill(): Promise<void> {
    const { child } = this
    const gone = new Promise(resolve => child!.once('exit', resolve))
    child!.kill('SIGKILL')
    await gone
  }

  /** The end of its log. */
  get log(): string {
    return readFileSync(join(this.dir, 'log'), 'latin1').slice(-2000)
  }

  remove(): void {
    this.child?.kill('SIGKILL')
    rmSync(this.dir, { recursive: true, force: true })
  }
}

interface Outcome {
  kills: number
  transactions: number
  lost: number
  failures: string[]
}

async function kills(policy: string, times: number, seed: number): Promise<Outcome> {
  const random = seededRandom(seed)
  const below = (n: number) => random.u32() % n
  const victim = new Victim(policy)
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(i))
  const outcome: Outcome = { kills: 0, transactions: 0, lost: 0, failures: [] }
  try {
    let first = await victim.start()
    await first.call(
      'EVAL',
      `for i = 1, ${FILLER_KEYS} do redis.call('SET', 'filler:' .. i, 'some value ' .. i) end`,
      0,
    )
    while (outcome.kills < times && outcome.failures.length === 0) {
      const connections = writers.map(() => new Connection(victim.port))
      for (const [i, writer] of writers.entries()) writer.run(connections[i])
      const rewriting = below(2) === 0
      // Now and then long enough for the disk to be synced in between.
      const forMs = below(10) === 0 ? 1000 + below(3000) : below(300)
      if (rewriting) await sleep(below(forMs + 1))
      if (rewriting) void first.call('BGREWRITEAOF')
      await sleep(rewriting ? below(100) : forMs)
      const killedMs = performance.now()
      await victim.kill()
      for (const connection of [...connections, first]) connection.close()
      outcome.kills++
      const promised = writers.map(writer => writer.promised(policy, killedMs))
      const sent = writers.map(writer => writer.sent)
      first = await victim.start()
      for (const [i, writer] of writers.entries()) {
        const failure = await writer.check(first, promised[i])
        if (failure !== undefined) outcome.failures.push(`kill ${outcome.kills}, ${failure}\n${victim.log}`)
        outcome.lost += sent[i] - writer.sent
      }
    }
    outcome.transactions = writers.reduce((sum, writer) => sum + writer.sent, 0)
    first.close()
  } finally {
    victim.remove()
  }
  return outcome
}

for (const policy of options.policy.split(',')) {
  const { kills: done, transactions, lost, failures } = await kills(policy, Number(options.kills), Number(options.seed))
  console.log(
    `${policy}: ${done} kills, ${transactions} transactions kept, ${lost} sent and lost, ${failures.length} failures`,
  )
  for (const failure of failures) console.log(failure)
  if (failures.length > 0) process.exitCode = 1
}
