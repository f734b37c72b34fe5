// CountingWriters: clients that count with INCR or TALLY.ADD, each a key of its own, and follow the primary.
//
//   writer: INCR ─▶ primary: a number one above the last        an error, or a closed connection: the next server
//
// Always: each number that a writer gets is one above its last, so that no acknowledged write is lost and none that was
// refused has run. Those that were not answered before their connection ended may have run.

import { PlainConnection } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'

const BETWEEN_MS = 1

export class CountingWriters {
  writes = 0
  /** From a writer's last number to its next, the longest of all; the caller may set it back. */
  longestMs = 0
  /** When that ended, on performance.now()'s clock. */
  longestEndMs = 0
  readonly failures: string[] = []
  private readonly ports: readonly number[]
  private readonly tallies: boolean
  private readonly running: Promise<void>[]
  private isOver = false

  /** `prefix`: what their keys begin with. `tallies`: they count in values of a module's type (tally-module.ts). */
  constructor(ports: readonly number[], count: number, prefix = '', tallies = false) {
    this.ports = ports
    this.tallies = tallies
    this.running = Array.from({ length: count }, (_, i) => this.write(`${prefix}counter:${i}`))
  }

  async stop(): Promise<void> {
    this.isOver = true
    await Promise.all(this.running)
  }

  private noteWait(sinceMs: number): void {
    const endMs = performance.now()
    if (endMs - sinceMs <= this.longestMs) return
    this.longestMs = endMs - sinceMs
    this.longestEndMs = endMs
  }

  private async write(key: string): Promise<void> {
    const words = this.tallies ? ['TALLY.ADD', key, 'm'] : ['INCR', key]
    const connections = this.ports.map(port => new PlainConnection(port))
    let at = 0
    let last = 0
    let unanswered = 0
    let lastMs = performance.now()
    while (!this.isOver) {
      const reply = await Promise.race([connections[at].call(...words), connections[at].closed])
      if (typeof reply === 'number') {
        if (reply <= last || reply > last + 1 + unanswered) this.failures.push(`${key}: ${reply} came after ${last}`)
        last = reply
        unanswered = 0
        this.writes++
        this.noteWait(lastMs)
        await sleep(BETWEEN_MS)
        lastMs = performance.now()
        continue
      }
      if (reply === undefined) {
        unanswered++
        connections[at] = new PlainConnection(this.ports[at])
      }
      at = (at + 1) % this.ports.length
      await sleep(BETWEEN_MS)
    }
    for (const connection of connections) connection.close()
  }
}
