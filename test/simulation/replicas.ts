// Replicas: a primary, a replica, and a replica of that one, on machines of a virtual world, while clients send
// random commands to the primary and links are cut, slowed and torn, and replicas are killed, all from one seed. In
// the end all have the primary's dataset.

import { partSeed, seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { RandomCommands } from '../harness/random-commands.ts'
import { ReplicationWorld, type WorldServer } from '../harness/replication-world.ts'

const ROUNDS = 40
const ROUND_MS = 150
const COMMANDS_PER_ROUND = 12
const LOADS = ['disabled', 'on-empty-db', 'swapdb']
const PRIMARY = '10.0.0.1 6379'
const MIDDLE = '10.0.0.2 6379'

export interface ReplicasResult {
  /** Each server's. */
  digests: string[]
  fullSyncs: number
  partialSyncs: number
  faults: string[]
}

export async function runReplicas(seed: number): Promise<ReplicasResult> {
  const run = new ReplicasRun(seed)
  await run.start()
  for (let round = 0; round < ROUNDS; round++) await run.round()
  return run.end()
}

class ReplicasRun {
  private readonly random: Random
  private readonly world: ReplicationWorld
  private readonly commands: RandomCommands
  private readonly faults: string[] = []
  private servers: WorldServer[] = []

  constructor(seed: number) {
    this.random = seededRandom(partSeed(seed, 78))
    this.world = new ReplicationWorld(seed)
    this.commands = new RandomCommands(seededRandom(partSeed(seed, 79)), 10, 3, 40, true)
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }

  async start(): Promise<void> {
    const { link } = this.world.world.network
    link.tearsPerMillion = 20_000
    link.resetsPerMillion = 1_000
    const common = { 'repl-timeout': '2', 'repl-diskless-sync': this.pick(['yes', 'no']) }
    const primary = await this.world.start({ ...common, 'repl-backlog-size': this.pick(['16384', '1mb']) })
    const middle = await this.world.start({ ...common, ...this.ofReplica(), replicaof: PRIMARY })
    const last = await this.world.start({ ...common, ...this.ofReplica(), replicaof: MIDDLE })
    this.servers = [primary, middle, last]
  }

  private ofReplica(): Record<string, string> {
    return { 'repl-diskless-load': this.pick(LOADS), appendonly: this.pick(['yes', 'no', 'no']) }
  }

  async round(): Promise<void> {
    const [primary] = this.servers
    for (let left = this.below(COMMANDS_PER_ROUND); left > 0; left--) primary.send(...this.next())
    if (this.below(4) === 0) await this.fault()
    await this.world.world.run(this.below(ROUND_MS))
    primary.taken()
  }

  private next() {
    const kind = this.below(30)
    if (kind === 0) return ['SELECT', this.below(4)]
    if (kind === 1) return ['PEXPIRE', `string${this.below(10)}`, 1 + this.below(1000)]
    if (kind === 2) return ['EVAL', "redis.call('INCR', 'a') redis.call('SADD', 'b', redis.call('GET', 'a'))", 0]
    return this.commands.next()
  }

  private async fault(): Promise<void> {
    const { network } = this.world.world
    const kind = this.pick(['cut', 'cut', 'kill', 'stop', 'slow', 'heal', 'heal'])
    this.faults.push(kind)
    const [a, b] = this.below(2) === 0 ? [0, 1] : [1, 2]
    const replica = this.servers[1 + this.below(2)]
    if (kind === 'cut') network.partition([this.servers[a].machine.host], [this.servers[b].machine.host])
    else if (kind === 'heal') network.heal()
    else if (kind === 'slow')
      network.setLink(this.servers[a].machine.host, this.servers[b].machine.host, {
        bytesPerSecond: 20_000 + this.below(100_000),
        latencyUs: this.below(50_000),
      })
    else {
      if (kind === 'stop') await replica.say('SAVE')
      replica.kill()
      await replica.start()
    }
  }

  async end(): Promise<ReplicasResult> {
    const { network } = this.world.world
    network.heal()
    network.link.resetsPerMillion = 0
    const [primary, middle, last] = this.servers
    await this.world.caughtUp(primary, middle, last)
    const count = async (field: string) => Number(await primary.info(field)) + Number(await middle.info(field))
    return {
      digests: this.servers.map(one => one.digest),
      fullSyncs: await count('sync_full'),
      partialSyncs: await count('sync_partial_ok'),
      faults: this.faults,
    }
  }
}
