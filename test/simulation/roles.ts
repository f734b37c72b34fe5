// Roles: three servers in a virtual world, of which one after the other is the primary, while clients write, links are
// cut, torn and slowed, loads fail, replicas are killed and come back from their files, all from one seed:
//
//   in the end all have the dataset of the primary
//   what WAIT has confirmed for both replicas is there, whichever of them takes over
//   roles that are exchanged while all have everything cost no full synchronisation

import type { Following } from '../../src/replication/following.ts'
import type { ConnectedReplicas } from '../../src/replication/replicas.ts'
import { partSeed, seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import type { Link } from '../../src/system/virtual-network.ts'
import { RandomCommands } from '../harness/random-commands.ts'
import { ReplicationWorld, type WorldServer } from '../harness/replication-world.ts'

const SERVERS = 3
const ROUNDS = 14
const ROUND_MS = 400
const COMMANDS_PER_ROUND = 10
const BIG_BYTES = 20_000
const TIMEOUT_S = '3'
/** A link that is cut has ended on both sides. */
const LOST_MS = 5000
const BACKLOG_MS = 3000
const LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"
const FAST = { bytesPerSecond: Number.POSITIVE_INFINITY, latencyUs: 200, tearsPerMillion: 20_000 }
const WAIT_MS = '200'
const COUNTER = 'confirmed'
export const EVENTS = [
  'confirm',
  'rush',
  'exchange',
  'takeover',
  'cut',
  'tear',
  'slow',
  'heal',
  'kill',
  'alone',
  'fail',
] as const

export type RolesEvent = (typeof EVENTS)[number]

export interface RolesResult {
  /** What does not hold; empty: all is well. */
  violations: string[]
  events: string[]
}

/** `events`: what may happen. */
export async function runRoles(seed: number, events: readonly RolesEvent[] = EVENTS): Promise<RolesResult> {
  const run = new RolesRun(seed, events)
  await run.start()
  for (let round = 0; round < ROUNDS && run.violations.length === 0; round++) await run.round()
  if (run.violations.length === 0) await run.end()
  return { violations: run.violations, events: run.events }
}

class RolesRun {
  readonly violations: string[] = []
  readonly events: string[] = []
  private readonly possible: readonly RolesEvent[]
  private readonly random: Random
  private readonly world: ReplicationWorld
  private readonly commands: RandomCommands
  private servers: WorldServer[] = []
  private primary!: WorldServer
  /** The number that both replicas have confirmed. */
  private confirmed = 0
  private written = 0

  constructor(seed: number, possible: readonly RolesEvent[]) {
    this.possible = possible
    this.random = seededRandom(partSeed(seed, 80))
    this.world = new ReplicationWorld(seed)
    this.commands = new RandomCommands(seededRandom(partSeed(seed, 81)), 10, 3, 40, true)
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }

  private get replicas(): WorldServer[] {
    return this.servers.filter(one => one !== this.primary)
  }

  async start(): Promise<void> {
    const { link } = this.world.world.network
    link.tearsPerMillion = 20_000
    link.resetsPerMillion = 1_000
    const common = {
      'repl-timeout': TIMEOUT_S,
      'repl-backlog-ttl': '2',
      'repl-backlog-size': this.pick(['16384', '1mb']),
      'repl-diskless-sync': this.pick(['yes', 'no']),
      rdbcompression: 'no',
    }
    for (let i = 0; i < SERVERS; i++) {
      const own = { 'repl-diskless-load': this.pick(['disabled', 'on-empty-db', 'swapdb']) }
      this.servers.push(await this.world.start({ ...common, ...own }))
    }
    this.primary = this.servers[0]
    for (const one of this.replicas) await one.follow(this.primary)
  }

  // ---- rounds ----

  async round(): Promise<void> {
    for (let left = this.below(COMMANDS_PER_ROUND); left > 0; left--) this.write()
    if (this.below(4) === 0) this.primary.send('SET', `big${this.below(5)}`, 'x'.repeat(BIG_BYTES))
    const kind = this.pick(this.possible)
    this.events.push(kind)
    await this[kind]()
    await this.world.world.run(this.below(ROUND_MS))
    this.primary.taken()
  }

  /** A random command; the number that was confirmed stays where it is. */
  private write(): void {
    for (;;) {
      const words = this.commands.next()
      if (words[0] !== 'swapdb' && words[0] !== 'flushdb') return this.primary.send(...words)
    }
  }

  /** All replies of before have come, and are taken. */
  private async settle(one: WorldServer): Promise<void> {
    one.send('ECHO', 'settled')
    for (let left = 10_000; left > 0 && !one.taken().includes('settled'); left--) await this.world.world.run(1)
  }

  /** A number that both replicas say they have. */
  async confirm(): Promise<void> {
    await this.settle(this.primary)
    await this.primary.call('SELECT', '0')
    await this.writeNumber(WAIT_MS)
  }

  private async writeNumber(waitMs: string): Promise<void> {
    const { offset } = this.primary
    await this.primary.call('SET', COUNTER, String(++this.written))
    // Without a backlog a write has no offset that a replica could confirm.
    const hasOffset = this.primary.offset > offset
    if ((await this.primary.call('WAIT', '2', waitMs)) === 2 && hasOffset) this.confirmed = this.written
  }

  /** A number behind much that is still on its way; whoever takes over at once has it, if it was confirmed. */
  async rush(): Promise<void> {
    for (const one of this.replicas) this.setLink(one, { bytesPerSecond: BIG_BYTES, latencyUs: 0 })
    await this.settle(this.primary)
    await this.primary.call('SELECT', '0')
    await this.primary.call('SET', 'big0', 'x'.repeat(BIG_BYTES))
    await this.writeNumber('1500')
    await this.takeover()
    for (const one of this.servers) for (const other of this.servers) if (one !== other) this.setLink(one, FAST, other)
  }

  /** Another one takes over while all have everything. */
  async exchange(): Promise<void> {
    this.repair()
    const { link } = this.world.world.network
    const { resetsPerMillion } = link
    link.resetsPerMillion = 0
    if (await this.world.caughtUp(this.primary, ...this.replicas)) {
      const before = this.fullSyncs
      await this.promote(this.pick(this.replicas))
      if (!(await this.world.caughtUp(this.primary, ...this.replicas))) this.violations.push('nobody follows')
      if (this.fullSyncs !== before) this.violations.push('an exchange of roles cost a full synchronisation')
    } else this.violations.push('the replicas do not catch up')
    link.resetsPerMillion = resetsPerMillion
  }

  /** Another one takes over, whatever the others have. */
  async takeover(): Promise<void> {
    this.write()
    await this.promote(this.pick(this.replicas))
  }

  /** The others follow it, now and then one the other. */
  private async promote(next: WorldServer): Promise<void> {
    const { hasPosition } = next.server.engine.replicas.following as Following
    await this.settle(next)
    if ((await next.say('REPLICAOF NO ONE')) !== 'OK') return
    this.primary = next
    // One that had lost its own dataset for another one has nothing: an operator's choice.
    if (hasPosition) await this.checkConfirmed()
    else this.confirmed = 0
    for (let left = this.below(3); left > 0; left--) this.write()
    const [one, other] = this.replicas
    await one.follow(next)
    // One that is loading refuses to: the two must not follow each other.
    const follows = (one.server.engine.replicas.following as Following).primary?.host === next.machine.host.address
    await other.follow(this.below(3) === 0 && follows ? one : next)
  }

  private async checkConfirmed(): Promise<void> {
    await this.settle(this.primary)
    await this.primary.call('SELECT', '0')
    const found = Number(await this.primary.call('GET', COUNTER))
    if (found < this.confirmed) this.violations.push(`${this.confirmed} was confirmed, and ${found} is there`)
  }

  // ---- faults ----

  async cut(): Promise<void> {
    this.world.cut(this.primary, this.pick(this.replicas))
  }

  /** The stream stops in the middle of a command. */
  async tear(): Promise<void> {
    const one = this.pick(this.replicas)
    this.setLink(one, { bytesPerSecond: 10_000, latencyUs: 0, tearsPerMillion: 1_000_000 })
    for (let left = 4; left > 0; left--) {
      this.write()
      await this.world.world.run(this.below(20))
    }
    this.world.cut(this.primary, one)
    await this.world.world.run(LOST_MS)
    this.setLink(one, FAST)
    this.repair()
  }

  /** Longer than the backlog is kept without replicas, which are cut off or down. */
  async alone(): Promise<void> {
    const areDown = this.below(2) === 0
    const down: WorldServer[] = []
    for (const one of this.replicas)
      if (areDown && (await this.halt(one))) down.push(one)
      else this.world.cut(this.primary, one)
    await this.world.world.run(LOST_MS + BACKLOG_MS)
    for (let left = 1 + this.below(4); left > 0; left--) this.write()
    await this.world.world.run(this.below(3000))
    for (const one of down) await this.resume(one)
    this.repair()
  }

  /** A replica without keys is cut off while it parses a dataset, and takes over: its functions are gone as well. */
  async fail(): Promise<void> {
    const [one, other] = this.replicas
    const { primary } = this
    await this.settle(primary)
    await primary.say('FLUSHALL')
    this.confirmed = 0
    await primary.call('FUNCTION', 'LOAD', 'REPLACE', LIBRARY)
    await other.follow(one)
    await this.world.world.run(1000)
    await primary.say('DEBUG CHANGE-REPL-ID')
    this.world.cut(primary, one)
    for (let i = 0; i < 5; i++) await primary.call('SET', `big${i}`, 'x'.repeat(BIG_BYTES))
    this.setLink(one, { bytesPerSecond: BIG_BYTES, latencyUs: 0 })
    this.repair()
    await one.say('CLIENT KILL TYPE master')
    await this.world.world.run(2000, () => one.server.persistence.isLoadingAny)
    this.world.cut(primary, one)
    await this.world.world.run(LOST_MS)
    await this.promote(one)
    this.setLink(one, FAST, primary)
    this.repair()
  }

  async slow(): Promise<void> {
    const bytesPerSecond = 100_000 + this.below(200_000)
    this.setLink(this.pick(this.replicas), { bytesPerSecond, latencyUs: this.below(50_000) })
  }

  private setLink(one: WorldServer, link: Partial<Link>, other = this.primary): void {
    this.world.world.network.setLink(other.machine.host, one.machine.host, link)
  }

  async heal(): Promise<void> {
    this.repair()
  }

  private repair(): void {
    this.world.heal()
  }

  /** A replica is killed, now and then behind a SAVE, and follows again from its file. */
  async kill(): Promise<void> {
    const one = this.pick(this.replicas)
    if (await this.halt(one)) await this.resume(one)
  }

  /** Without a file it would come back empty: what it has confirmed would be the other replica's alone. */
  private async halt(one: WorldServer): Promise<boolean> {
    await this.settle(one)
    if ((await one.say('SAVE')) !== 'OK') return false
    one.kill()
    return true
  }

  private async resume(one: WorldServer): Promise<void> {
    await one.start({ replicaof: `${this.primary.machine.host.address} 6379` })
  }

  // ---- the end ----

  private get fullSyncs(): number {
    let sum = 0
    for (const { server } of this.servers) sum += (server.engine.replicas as ConnectedReplicas).fullSync.count
    return sum
  }

  async end(): Promise<void> {
    this.repair()
    this.world.world.network.link.resetsPerMillion = 0
    if (!(await this.world.caughtUp(this.primary, ...this.replicas)))
      this.violations.push('the replicas do not catch up')
    const datasets: string[] = []
    for (const one of this.servers) {
      await this.settle(one)
      datasets.push(`${one.digest} ${String(await one.call('FUNCTION', 'LIST'))}`)
    }
    const [first, ...others] = datasets
    if (others.some(one => one !== first)) this.violations.push('the datasets differ')
    await this.checkConfirmed()
  }
}
