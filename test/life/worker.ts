// A worker of a day: writes consecutive numbers and a cache over one client library, checks every reply, and remembers
// what was acknowledged.
//
//   numbers: SET n:W i, RPUSH l:W i, GET n:W ─▶ i        cache: SET c:W:j text EX 60, GET ─▶ text, or nothing: evicted
//
// Always: `sent` is at least what the server has; what was acknowledged two seconds before a kill is at most that.

import { randomFrom } from '../harness/random.ts'
import { sleep } from '../harness/target.ts'
import type { LifeClient } from './clients.ts'

const CACHE_KEYS = 4000
const LIST_KEPT = 20
const RECONNECT_MS = 200

export class Worker {
  readonly name: string
  readonly wrong: string[] = []
  calls = 0
  reconnects = 0
  private sent = 0
  private acknowledged: { n: number; atMs: number }[] = []
  private over = false
  private readonly open: () => Promise<LifeClient>
  private readonly pauseMs: number
  private readonly below: (n: number) => number

  constructor(name: string, open: () => Promise<LifeClient>, seed: number, pauseMs: number) {
    this.name = name
    this.open = open
    this.pauseMs = pauseMs
    this.below = randomFrom(seed)
  }

  async run(): Promise<void> {
    while (!this.over) {
      let client: LifeClient | undefined
      try {
        client = await this.open()
        while (!this.over) await this.step(client)
      } catch {
        this.reconnects++
        await sleep(RECONNECT_MS)
      }
      client?.close()
    }
  }

  stop(): void {
    this.over = true
  }

  private async step(client: LifeClient): Promise<void> {
    const n = ++this.sent
    await client.call('SET', `n:${this.name}`, String(n))
    this.note(n)
    await client.call('RPUSH', `l:${this.name}`, String(n))
    await client.call('LTRIM', `l:${this.name}`, String(-LIST_KEPT), '-1')
    this.expect('GET', await client.call('GET', `n:${this.name}`), String(n))
    this.expect('LINDEX', await client.call('LINDEX', `l:${this.name}`, '-1'), String(n))
    this.calls += 5
    for (let left = 5; left > 0; left--) {
      const j = this.below(CACHE_KEYS)
      const key = `c:${this.name}:${j}`
      const text = `${j}-`.repeat(1 + ((j * 37) % 400))
      const found = await client.call('GET', key)
      if (found !== null && found !== '' && found !== '(nil)') this.expect('GET of the cache', found, text)
      await client.call('SET', key, text, 'EX', String(30 + this.below(60)))
      this.calls += 2
    }
    await sleep(this.pauseMs)
  }

  private note(n: number): void {
    this.acknowledged.push({ n, atMs: performance.now() })
    if (this.acknowledged.length > 20_000) this.acknowledged.splice(0, 10_000)
  }

  private expect(what: string, got: unknown, expected: string): void {
    const text = got instanceof Uint8Array ? Buffer.from(got).toString() : String(got)
    if (text !== expected)
      this.wrong.push(`${this.name}: ${what}: ${text.slice(0, 60)} instead of ${expected.slice(0, 60)}`)
  }

  /** After a kill at `killedMs`: `found` is what the server has of n:W. */
  checkAfterKill(found: number, killedMs: number, lossMs: number): void {
    let least = 0
    for (const { n, atMs } of this.acknowledged) if (atMs <= killedMs - lossMs) least = n
    if (found < least || found > this.sent)
      this.wrong.push(`${this.name}: ${found} after a kill; acknowledged ${least}, sent ${this.sent}`)
    this.acknowledged = []
  }
}
