// Both servers and their observers, and pairs of connections to them.

import { show } from '../harness/expect.ts'
import { sleep } from '../harness/target.ts'
import { LIBRARY } from './adjacent.ts'
import type { FuzzConnection } from './connection.ts'
import { observedDifference } from './observation.ts'
import { messageRow, Observer, type Row } from './observer.ts'
import type { FuzzServer } from './servers.ts'
import { REDIRECTED } from './step.ts'

export interface Difference {
  /** How many steps were played before it was found. */
  stepsPlayed: number
  /** The command with different replies, what was said beside them, or the part of the data that differs at the end. */
  kind: string
  message: string
}

/** What differs, without when. */
export type Found = Pick<Difference, 'kind' | 'message'>

/** One client, connected to both servers. */
export interface Line {
  readonly name: string
  readonly id: string
  readonly ours: FuzzConnection
  readonly theirs: FuzzConnection
}

const LATE_MS = 60
const REDIRECTIONS = 'redirected invalidations'
const IDS_APART_MAX = 3000

export class Pair {
  readonly ours: FuzzServer
  readonly theirs: FuzzServer
  /** Of ours and theirs, unless only replies are compared. */
  private readonly observers: readonly Observer[]
  private readonly open: FuzzConnection[] = []
  /** Ids of clients by the words that stand for them. */
  private ids = new Map<string, string>()
  private redirected: Line | undefined

  constructor(ours: FuzzServer, theirs: FuzzServer, observed: boolean) {
    this.ours = ours
    this.theirs = theirs
    this.observers = observed ? [new Observer(ours), new Observer(theirs)] : []
  }

  get isObserved(): boolean {
    return this.observers.length > 0
  }

  /** The words as they are sent: clients by their ids. */
  resolved(words: readonly string[]): readonly string[] {
    return words.map(word => this.ids.get(word) ?? word)
  }

  /** Empties both servers. */
  async begin(hasFunctions: boolean): Promise<void> {
    await Promise.all(this.observers.map(observer => observer.empty()))
    if (this.isObserved) await this.alignIds()
    await Promise.all(this.observers.map(observer => observer.begin()))
    for (const server of [this.ours, this.theirs]) {
      const connection = await server.connect()
      if (!this.isObserved) await mustReply(server, connection, 'OK', 'FLUSHALL')
      if (hasFunctions) await mustReply(server, connection, 'adjacent', 'FUNCTION', 'LOAD', 'REPLACE', LIBRARY)
      connection.close()
    }
    if (!this.isObserved) return
    this.redirected = await this.line('redirected', 2)
    this.ids.set(REDIRECTED, this.redirected.id)
    for (const one of [this.redirected.ours, this.redirected.theirs])
      await one.call('SUBSCRIBE', '__redis__:invalidate')
    this.redirected.ours.taken()
    this.redirected.theirs.taken()
  }

  /** A new client of both. */
  async line(name: string, protocol: 2 | 3): Promise<Line> {
    const [ours, theirs] = await Promise.all([this.ours.connect(), this.theirs.connect()])
    this.open.push(ours, theirs)
    this.observers[0]?.name(ours, name)
    this.observers[1]?.name(theirs, name)
    if (protocol === 3) await Promise.all([ours.call('HELLO', '3'), theirs.call('HELLO', '3')])
    const [id, other] = await Promise.all([ours.call('CLIENT', 'ID'), theirs.call('CLIENT', 'ID')])
    if (this.isObserved && id !== other) throw new Error(`client ids ${id} and ${other}`)
    this.ids.set(`<${name}>`, String(id))
    return { name, id: String(id), ours, theirs }
  }

  /** As settle() of an observer: the clients that wait on the other server. */
  async settle(): Promise<ReadonlySet<string>> {
    const [, waiting] = await Promise.all(this.observers.map(observer => observer.settle()))
    return waiting
  }

  /** What was said beside the replies, but `unseen` parts: the streams alone, or with `keys` everything. */
  async observe(keys?: readonly string[], unseen: readonly string[] = []): Promise<Found | undefined> {
    if (!this.isObserved) return undefined
    const [a, b] = await Promise.all(this.observers.map(one => (keys ? one.look(keys) : Promise.resolve(one.heard()))))
    if (!this.difference(a, b, unseen)) return undefined
    // What is still on its way is not a difference.
    await sleep(LATE_MS)
    for (const [i, said] of [a, b].entries())
      for (const [part, rows] of this.observers[i].heard()) append(said, part, rows)
    const found = this.difference(a, b, unseen)
    return found && { kind: found.part, message: found.message }
  }

  /** Adds what came redirected, and compares all parts but `unseen`. */
  private difference(a: Map<string, Row[]>, b: Map<string, Row[]>, unseen: readonly string[]) {
    const { ours, theirs } = this.redirected!
    append(a, REDIRECTIONS, ours.taken().map(messageRow))
    append(b, REDIRECTIONS, theirs.taken().map(messageRow))
    for (const part of unseen) a.delete(part)
    return observedDifference(a, b)
  }

  /** The end of an epoch. */
  closeLines(): void {
    for (const connection of this.open.splice(0)) connection.close()
    this.ids = new Map()
  }

  kill(): void {
    this.ours.kill()
    this.theirs.kill()
  }

  /** Both give the next client the same id, so that replies with ids are equal. */
  private async alignIds(): Promise<void> {
    const [ours, theirs] = this.observers
    let [a, b] = [await ours.nextId(), await theirs.nextId()]
    if (Math.abs(a - b) > IDS_APART_MAX) throw new Error(`client ids ${a} and ${b}`)
    while (a < b) a = await ours.nextId()
    while (b < a) b = await theirs.nextId()
  }
}

function append(said: Map<string, Row[]>, part: string, rows: readonly Row[]): void {
  said.set(part, [...(said.get(part) ?? []), ...rows])
}

async function mustReply(
  server: FuzzServer,
  connection: FuzzConnection,
  wanted: string,
  ...words: string[]
): Promise<void> {
  const reply = await connection.call(...words)
  if (reply !== wanted) throw new Error(`${words[0]} on ${server.label}: ${show(reply)}`)
}
