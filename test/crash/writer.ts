// Writer: writes consecutive numbers in pipelined transactions, and knows which of them must survive.
//
//   MULTI, SET a:W n, HSET h:W n n, RPUSH l:W n, [TALLY.ADD t:W m], SET b:W n, EXEC    then WAIT or WAITAOF, if wanted
//
//   MULTI, SET a:W n, HSET h:W n n, RPUSH l:W n, [TALLY.ADD t:W m], SET b:W n, EXEC   then WAIT or WAITAOF, if wanted
// in between; n is at most what was sent.

import type { Word } from '../harness/resp.ts'
import type { PlainConnection } from '../harness/server-process.ts'

/** Pipelined transactions of a writer. */
const IN_FLIGHT = 4
const LIST_KEPT = 50

export class Writer {
  readonly name: number
  /** The number of the last transaction sent, and the acknowledged ones with their times. */
  sent = 0
  /** The last number that replicas have confirmed. */
  confirmed = 0
  private acknowledged: { n: number; atMs: number }[] = []
  private floor = 0
  /** It also writes a value of a module's type (harness/tally-module.ts). */
  private readonly tallies: boolean

  constructor(name: number, tallies = false) {
    this.name = name
    this.tallies = tallies
  }

  /** Sends transactions as replies arrive, until the connection is closed; after each, `confirm` asks the replicas. */
  run(connection: PlainConnection, confirm?: readonly Word[]): void {
    const inFlight = confirm === undefined ? IN_FLIGHT : 1
    for (let i = 0; i < inFlight; i++) void this.next(connection, confirm)
  }

  private async next(connection: PlainConnection, confirm?: readonly Word[]): Promise<void> {
    for (;;) {
      const n = ++this.sent
      const { name } = this
      void connection.call('MULTI')
      void connection.call('SET', `a:${name}`, n)
      void connection.call('HSET', `h:${name}`, n, n)
      void connection.call('RPUSH', `l:${name}`, n)
      void connection.call('LTRIM', `l:${name}`, -LIST_KEPT, -1)
      if (this.tallies) void connection.call('TALLY.ADD', `t:${name}`, 'm')
      void connection.call('SET', `b:${name}`, n)
      const reply = await connection.call('EXEC')
      if (!Array.isArray(reply)) throw new Error(`EXEC answered ${JSON.stringify(reply)}`)
      this.acknowledged.push({ n, atMs: performance.now() })
      if (confirm === undefined) continue
      const replicas = await connection.call(...confirm)
      // WAITAOF replies with two numbers: of logs here, and of replicas.
      if (Number(Array.isArray(replicas) ? replicas[1] : replicas) > 0) this.confirmed = n
    }
  }

  /** The least number that must be there: acknowledged until that moment (performance.now()). */
  promised(untilMs: number): number {
    return this.acknowledged.reduce((most, { n, atMs }) => (atMs <= untilMs ? Math.max(most, n) : most), this.floor)
  }

  /** Continues after the number found in a dataset. */
  goOnFrom(n: number): void {
    this.sent = this.floor = n
    this.acknowledged = []
  }

  /** What a dataset has of it; its failure, or undefined. */
  async inspect(connection: PlainConnection, least: number): Promise<{ n: number; failure: string | undefined }> {
    const { name, sent } = this
    const [a, b, last, count, tally] = await Promise.all([
      connection.call('GET', `a:${name}`),
      connection.call('GET', `b:${name}`),
      connection.call('LINDEX', `l:${name}`, -1),
      connection.call('HLEN', `h:${name}`),
      this.tallies ? connection.call('TALLY.GET', `t:${name}`, 'm') : undefined,
    ])
    const n = Number(a ?? 0)
    let failure: string | undefined
    if (Number(b ?? 0) !== n || Number(last ?? 0) !== n || Number(count) !== n || (this.tallies && Number(tally) !== n))
      failure = `writer ${name}: torn: a ${a}, b ${b}, list ${last}, hash ${count}, tally ${tally}`
    else if (n < least) failure = `writer ${name}: ${n} is there, ${least} was promised (${sent} sent)`
    else if (n > sent) failure = `writer ${name}: ${n} is there, only ${sent} were sent`
    return { n, failure }
  }

  /** Inspects a dataset, and continues from it. */
  async check(connection: PlainConnection, least: number): Promise<string | undefined> {
    const { n, failure } = await this.inspect(connection, least)
    if (failure === undefined) this.goOnFrom(n)
    return failure
  }
}
