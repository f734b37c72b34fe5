// Sentinels: three servers and three or five sentinels in a virtual world, from one seed. Primaries are killed, stall
// and come back, networks fall apart, sentinels are killed or lose power and start again with their file:
//
//   a sentinel votes for one candidate in an epoch, and one is elected in an epoch
//   the epoch of a sentinel's configuration never goes back, and configurations of one epoch name one server
//   in the end all sentinels name the same primary, and all other servers follow it

import { Config } from '../../src/config/config.ts'
import { loadConfig, parseArguments } from '../../src/config/parser.ts'
import { bytesOf } from '../../src/lib/bytes.ts'
import type { Following } from '../../src/replication/following.ts'
import { Logger } from '../../src/server/log.ts'
import { startSentinel } from '../../src/server/sentinel.ts'
import type { Server } from '../../src/server/server.ts'
import { partSeed, seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import type { VirtualMachine } from '../../src/system/virtual.ts'
import type { VirtualWorld } from '../../src/system/virtual-world.ts'
import { ReplicationWorld, type WorldServer } from '../harness/replication-world.ts'
import { encodeCommand, type PlainValue, takeReplies, type Word } from '../harness/resp.ts'

const NAME = 'mymaster'
const FILE = 'sentinel.conf'
const SERVERS = 3
const DOWN_AFTER_MS = 1000
const FAILOVER_MS = 3000
const ROUNDS = 8
const ROUND_MS = 3000
const STALL_MS = 4000
const MEET_MS_MAX = 30_000
const AGREE_MS_MAX = 90_000
const QUIET_MS = 10_000
const EVENTS = ['kill', 'stall', 'partition', 'restart', 'storm', 'ask', 'heal'] as const

export type SentinelsEvent = (typeof EVENTS)[number]

export interface SentinelsResult {
  /** What does not hold; empty: all is well. */
  violations: string[]
  events: string[]
  /** Leaders that were elected. */
  elections: number
}

/** `events`: what may happen. */
export async function runSentinels(seed: number, events: readonly SentinelsEvent[] = EVENTS): Promise<SentinelsResult> {
  const run = new SentinelsRun(seed, events)
  await run.start()
  for (let round = 0; round < ROUNDS && run.violations.length === 0; round++) await run.round()
  if (run.violations.length === 0) await run.end()
  return { violations: run.violations, events: run.events, elections: run.leaders.size }
}

/** A sentinel of the world, with one connection of the test's. */
class WorldSentinel {
  readonly machine: VirtualMachine
  private readonly world: VirtualWorld
  private socket!: ReturnType<Server['memory']['connect']>
  private received: number[] = []
  configEpoch = 0

  constructor(world: VirtualWorld, machine: VirtualMachine, lines: readonly string[]) {
    this.world = world
    this.machine = machine
    machine.disk.writeFile(FILE, bytesOf(`${lines.join('\n')}\n`))
  }

  /** Starts it with its file. */
  async begin(): Promise<void> {
    const { system, disk } = this.machine
    const config = new Config(disk)
    config.sentinel = true
    loadConfig(config, parseArguments([FILE], disk), () => new Uint8Array(0))
    let server: Server | undefined
    const onInitialized = (started: unknown) => {
      server = started as Server
    }
    await startSentinel(config, system, new Logger(system, config), { onInitialized })
    this.received = []
    this.socket = server!.memory.connect()
    this.socket.onData = piece => {
      for (const byte of piece) this.received.push(byte)
    }
  }

  /** Kills it, or takes the power away: what was not fsynced is lost. It starts again at once. */
  async restart(losesPower: boolean): Promise<void> {
    if (losesPower) this.machine.powerOff()
    else this.machine.kill()
    this.machine.powerOn()
    await this.begin()
  }

  async call(...words: Word[]): Promise<PlainValue> {
    this.socket.write(encodeCommand(words))
    await this.world.run(10_000, () => this.received.length > 0)
    return takeReplies(this.received)[0]
  }

  /** SENTINEL MASTER: fields, all of one moment. */
  async fields(): Promise<(name: string) => string> {
    const fields = (await this.call('SENTINEL', 'MASTER', NAME)) as string[]
    return name => String(fields[fields.indexOf(name) + 1])
  }
}

class SentinelsRun {
  readonly violations: string[] = []
  readonly events: string[] = []
  /** By epoch: the sentinel that was elected. */
  readonly leaders = new Map<number, number>()
  /** By epoch of the configuration: the server that it names. */
  private readonly named = new Map<number, string>()
  private readonly possible: readonly SentinelsEvent[]
  private readonly random: Random
  private readonly world: ReplicationWorld
  private readonly sentinels: WorldSentinel[] = []
  private readonly servers: WorldServer[] = []
  private readonly down = new Set<WorldServer>()

  constructor(seed: number, possible: readonly SentinelsEvent[]) {
    this.possible = possible
    this.random = seededRandom(partSeed(seed, 82))
    this.world = new ReplicationWorld(seed)
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }

  private addressOf(server: WorldServer): string {
    return server.machine.host.address
  }

  async start(): Promise<void> {
    const { world } = this.world
    for (let i = 0; i < SERVERS; i++) this.servers.push(await this.world.start())
    const [primary, ...replicas] = this.servers
    for (const one of replicas) await one.follow(primary)
    const count = this.pick([3, 5])
    // With a quorum of one whoever is cut off tries, and its epoch is that of another's try.
    const quorum = this.pick([1, Math.floor(count / 2) + 1])
    const lines = [
      'port 26379',
      'bind *',
      'protected-mode no',
      `sentinel monitor ${NAME} ${this.addressOf(primary)} 6379 ${quorum}`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} ${FAILOVER_MS}`,
    ]
    for (let i = 0; i < count; i++) {
      const one = new WorldSentinel(world, world.machine(`sentinel${i}`), lines)
      this.sentinels.push(one)
      await world.until(one.begin())
      // They do not ask at the same time, so that one is the first to miss an answer.
      await world.run(this.below(1000))
    }
    for (let left = MEET_MS_MAX; left > 0 && !(await this.knowAll()); left -= 1000) await world.run(1000)
    if (!(await this.knowAll())) this.violations.push('the sentinels do not find all')
  }

  private async knowAll(): Promise<boolean> {
    for (const one of this.sentinels) {
      const field = await one.fields()
      if (field('num-slaves') !== String(SERVERS - 1)) return false
      if (field('num-other-sentinels') !== String(this.sentinels.length - 1)) return false
    }
    return true
  }

  // ---- rounds ----

  async round(): Promise<void> {
    const kind = this.pick(this.possible)
    this.events.push(kind)
    await this[kind]()
    await this.world.world.run(this.below(ROUND_MS))
    await this.check()
  }

  /** The server that the first sentinel names. */
  private async primary(): Promise<WorldServer> {
    const [address] = (await this.sentinels[0].call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[]
    return this.servers.find(one => this.addressOf(one) === address) ?? this.servers[0]
  }

  /** One that was down comes back instead when two are. */
  async kill(): Promise<void> {
    const one = await this.primary()
    if (this.down.size > 1 || this.down.has(one)) return this.revive()
    one.kill()
    this.down.add(one)
  }

  private async revive(): Promise<void> {
    for (const one of this.down) await one.start()
    this.down.clear()
  }

  async stall(): Promise<void> {
    const one = this.pick([...this.sentinels, await this.primary()])
    one.machine.time.stall(this.below(STALL_MS))
  }

  async partition(): Promise<void> {
    const hosts = [...this.servers, ...this.sentinels].map(({ machine }) => machine.host)
    const some = hosts.filter(() => this.below(2) === 0)
    this.world.world.network.partition(
      some,
      hosts.filter(host => !some.includes(host)),
    )
  }

  async restart(): Promise<void> {
    const one = this.pick(this.sentinels)
    await this.world.world.until(one.restart(this.below(2) === 0))
  }

  /** Both sides of a network that has fallen apart elect, meet, and some sentinels start again meanwhile. */
  async storm(): Promise<void> {
    const { world } = this.world
    await this.kill()
    if (this.below(3) !== 0) await this.partition()
    await world.run(DOWN_AFTER_MS + this.below(2000))
    this.world.heal()
    for (let left = this.below(4); left > 0; left--) {
      await world.run(this.below(300))
      await this.restart()
    }
    await world.run(this.below(2 * FAILOVER_MS))
  }

  /** SENTINEL FAILOVER, while all is well: its epoch is nobody else's. */
  async ask(): Promise<void> {
    this.world.heal()
    await this.revive()
    await this.world.world.run(QUIET_MS)
    await this.pick(this.sentinels).call('SENTINEL', 'FAILOVER', NAME)
    await this.world.world.run(QUIET_MS)
  }

  async heal(): Promise<void> {
    this.world.heal()
    if (this.below(2) === 0) await this.revive()
  }

  // ---- what holds ----

  private async check(): Promise<void> {
    for (const [i, one] of this.sentinels.entries()) {
      const field = await one.fields()
      const epoch = Number(field('config-epoch'))
      if (epoch < one.configEpoch) this.violations.push(`sentinel ${i}: from epoch ${one.configEpoch} to ${epoch}`)
      one.configEpoch = epoch
      if (!field('flags').includes('failover_in_progress')) this.checkNamed(i, epoch, field('ip'))
      this.checkLog(i, one.machine.out)
    }
  }

  /** All configurations of one epoch name one server. */
  private checkNamed(i: number, epoch: number, address: string): void {
    const before = this.named.get(epoch) ?? address
    if (before !== address) this.violations.push(`sentinel ${i} names ${address} in epoch ${epoch}, others ${before}`)
    this.named.set(epoch, address)
  }

  private checkLog(i: number, log: string): void {
    const votes = new Map<string, string>()
    let epoch = 0
    let isAsked = false
    let needsVotes = false
    for (const line of log.split('\n')) {
      const [, candidate, voted] = /\+vote-for-leader (\w+) (\d+)/.exec(line) ?? []
      if (candidate !== undefined) {
        if ((votes.get(voted) ?? candidate) !== candidate) this.violations.push(`sentinel ${i} votes twice: ${line}`)
        votes.set(voted, candidate)
      }
      epoch = Number(/\+new-epoch (\d+)/.exec(line)?.[1] ?? epoch)
      if (line.includes('Executing user requested FAILOVER')) isAsked = true
      if (line.includes('+try-failover')) {
        // One that was asked to needs no votes.
        needsVotes = !isAsked
        isAsked = false
      }
      if (line.includes('+elected-leader') && needsVotes) this.elected(i, epoch)
    }
  }

  private elected(i: number, epoch: number): void {
    const before = this.leaders.get(epoch) ?? i
    if (before !== i) this.violations.push(`sentinels ${before} and ${i} are elected in epoch ${epoch}`)
    this.leaders.set(epoch, i)
  }

  async end(): Promise<void> {
    this.world.heal()
    await this.revive()
    const { world } = this.world
    for (let left = AGREE_MS_MAX; left > 0 && !(await this.agree()); left -= 1000) await world.run(1000)
    if (!(await this.agree())) this.violations.push('they do not agree')
    await this.check()
  }

  /** All sentinels name the primary, which all other servers follow. */
  private async agree(): Promise<boolean> {
    const named = new Set<string>()
    for (const one of this.sentinels) named.add(String(await one.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)))
    const followed = this.servers.map(({ server }) => (server.engine.replicas.following as Following).primary)
    const primaries = this.servers.filter((_, i) => followed[i] === undefined)
    if (named.size !== 1 || primaries.length !== 1) return false
    const address = this.addressOf(primaries[0])
    return named.has(`${address},6379`) && followed.every(one => one === undefined || one.host === address)
  }
}
