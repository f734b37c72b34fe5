// Simulated crashes: random commands run on a virtual machine until, during some disk operation, the power fails or the
// process is killed; after the restart the dataset must be the state after some command, and no older one than the
// policy allows. In half of the runs background disk operations are slow, so that commands run meanwhile. A run has
// several lives; it is deterministic for a seed.

import assert from 'node:assert/strict'
import type { DigestHash } from '../../src/keyspace/digest.ts'
import { Unwind } from '../../src/lib/unwind.ts'
import type { Random } from '../../src/system/system.ts'
import { seededRandom, virtualSystem } from '../../src/system/virtual.ts'
import { LargeCommands } from '../harness/large-commands.ts'
import { MachineServer } from '../harness/machine.ts'
import { RandomCommands } from '../harness/random-commands.ts'
import type { Word } from '../harness/resp.ts'
import { slowSystem } from '../harness/slow-system.ts'
import { tallyModule } from '../harness/tally-module.ts'

/** Values are small, like the limits at which their encodings change. */
const ITEMS_MAX = 40
const SMALL_LIMITS = {
  'hash-max-listpack-entries': '16',
  'set-max-listpack-entries': '16',
  'set-max-intset-entries': '16',
  'zset-max-listpack-entries': '16',
  'list-max-listpack-size': '16',
  'stream-node-max-entries': '16',
}
/** Crashes in one run. */
export const LIVES = 8
const SYNC_PROMISE_MS = 2000
const REBOOT_MS = 5000
const LATENCY_MS_MAX = 250
const ANSWER_MS_MAX = 5000
/** What a look at the clock takes with large values, so that work in slices ends them. */
const LOOK_US = 60

class PowerLoss extends Unwind {}

/** A fast hash to compare the many states. */
class QuickHash implements DigestHash {
  private a = 0
  private b = 0

  reset(): this {
    this.a = 0x9e3779b1 | 0
    this.b = 0x85ebca6b | 0
    return this
  }

  update(u8: Uint8Array, from = 0, to: number = u8.length): this {
    let { a, b } = this
    for (let i = from; i < to; i++) {
      a = Math.imul(a ^ u8[i], 0x01000193)
      b = Math.imul((b << 5) ^ (b >>> 27) ^ u8[i], 0x5bd1e995)
    }
    this.a = a ^ (to - from)
    this.b = b
    return this
  }

  digestInto(out: Uint8Array): void {
    let { a, b } = this
    for (let i = 0; i < 20; i += 4) {
      a = Math.imul(a ^ (a >>> 15) ^ b, 0x2c1b3c6d)
      b = Math.imul(b ^ (b >>> 13) ^ a, 0x297a2d39)
      out[i] = a
      out[i + 1] = a >>> 8
      out[i + 2] = a >>> 16
      out[i + 3] = a >>> 24
    }
  }
}

const HASH = new QuickHash()

/** The digest of the dataset, cached until it changes. */
class States {
  private readonly server: MachineServer
  private changes = ''
  private digest = ''

  constructor(server: MachineServer) {
    this.server = server
  }

  now(): string {
    const { engine, persistence } = this.server.server
    const { dirty, expiredKeys } = engine.keyspace
    const { saves, job } = persistence.saver
    // The end of a save subtracts the saved changes from `dirty`.
    const changes = `${dirty} ${expiredKeys} ${saves} ${job === undefined}`
    if (changes !== this.changes) this.digest = this.server.digestNow(HASH)
    this.changes = changes
    return this.digest
  }
}

/** The states of the dataset, and the oldest one that a crash may restore. */
class History {
  private digests: string[] = []
  private times: number[] = []
  /** Older states must not come back. */
  private floor = 0

  add(digest: string, nowMs: number): void {
    this.digests.push(digest)
    this.times.push(nowMs)
  }

  /** The present state is durable. */
  keep(): void {
    this.floor = this.digests.length - 1
  }

  /** The state at that time is durable. */
  keepSince(ms: number): void {
    while (this.floor + 1 < this.times.length && this.times[this.floor + 1] <= ms) this.floor++
  }

  check(digest: string, what: string): void {
    const at = this.digests.lastIndexOf(digest)
    assert.ok(at >= 0, `${what}: a state that never was`)
    assert.ok(at >= this.floor, `${what}: state ${at} of ${this.digests.length} came back, ${this.floor} was promised`)
    this.digests = [digest]
    this.times = [0]
    this.floor = 0
  }
}

export interface Policy {
  name: string
  directives: Readonly<Record<string, string>>
  /** The guarantee of the policy after a reply. */
  answered(history: History, nowMs: number): void
  /** Values are so large that they are written and read in pieces. */
  isLarge?: true
  /** Occasional work besides commands; true when the present state is durable after it. */
  chore(server: MachineServer, random: Random): boolean
}

const chores = (names: readonly string[]) => (server: MachineServer, random: Random) => {
  server.call(names[random.u32() % names.length])
  return false
}

const IN_MEMORY: readonly Policy[] = [
  {
    name: 'always',
    directives: { appendonly: 'yes', appendfsync: 'always' },
    answered: history => history.keep(),
    chore: chores(['bgrewriteaof', 'bgsave']),
  },
  {
    name: 'always, no preamble',
    directives: { appendonly: 'yes', appendfsync: 'always', 'aof-use-rdb-preamble': 'no' },
    answered: history => history.keep(),
    chore: chores(['bgrewriteaof']),
  },
  {
    name: 'everysec',
    directives: { appendonly: 'yes', appendfsync: 'everysec' },
    answered: (history, nowMs) => history.keepSince(nowMs - SYNC_PROMISE_MS),
    chore: chores(['bgrewriteaof']),
  },
  {
    name: 'snapshots',
    directives: {},
    answered() {},
    chore(server, random) {
      if (random.u32() % 2 === 0) {
        server.call('bgsave')
        return false
      }
      return server.call('save') === 'OK'
    },
  },
]

/** Nearly all values are on disk, in small segments, so that they are compacted too. */
const ON_DISK = { storage: 'disk', 'storage-memory': '1', 'storage-segment-size': '4096' }

const LARGE_ON_DISK = { ...ON_DISK, 'storage-segment-size': '300000' }

/** All, with values in memory, with values on disk, and with large ones there. */
export const POLICIES: readonly Policy[] = IN_MEMORY.flatMap(policy => {
  const { name, directives } = policy
  return [
    policy,
    { ...policy, name: `${name}, values on disk`, directives: { ...directives, ...ON_DISK } },
    {
      ...policy,
      name: `${name}, large values on disk`,
      directives: { ...directives, ...LARGE_ON_DISK },
      isLarge: true,
    },
  ]
})

/** Runs until the crash; false when there was none. */
function live(
  server: MachineServer,
  policy: Policy,
  history: History,
  commands: { next(): Word[] },
  random: Random,
): boolean {
  const { machine } = server
  const states = new States(server)
  let sent = 0
  let operationsLeft = 1 + (random.u32() % 150)
  machine.disk.beforeChange = () => {
    if (operationsLeft-- <= 0) throw new PowerLoss()
  }
  try {
    for (let i = policy.isLarge ? 40 : 120; i > 0; i--) {
      if (random.u32() % 15 === 0 && policy.chore(server, random)) history.keep()
      if (random.u32() % 5 === 0) {
        // Unacknowledged commands may survive: each is a possible state before its reply.
        const batch = [['multi'], commands.next(), commands.next(), commands.next(), ['exec']]
        for (const words of batch) server.send(0, words)
        sent += batch.length
      } else {
        server.send(0, commands.next())
        sent++
      }
      history.add(states.now(), machine.system.clock.nowMs())
      machine.settle()
      // Values may have been read first.
      history.add(states.now(), machine.system.clock.nowMs())
      sent -= server.take(0).length
      for (let ms = 0; sent > 0; ms++) {
        if (ms === ANSWER_MS_MAX) throw new Error(`${sent} commands are not answered`)
        machine.advance(1)
        history.add(states.now(), machine.system.clock.nowMs())
        sent -= server.take(0).length
      }
      policy.answered(history, machine.system.clock.nowMs())
      if (random.u32() % 3 === 0) machine.advance(random.u32() % 700)
    }
    return false
  } catch (error) {
    if (!(error instanceof PowerLoss)) throw error
    // The crash may be between a command and its reply.
    history.add(states.now(), machine.system.clock.nowMs())
    return true
  }
}

/** One run; rejects when a guarantee was violated. */
export async function crashRun(policy: Policy, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const machine = virtualSystem({ seed })
  const { isLarge } = policy
  const commands = isLarge ? new LargeCommands(random, 1) : new RandomCommands(random, 4, 2, ITEMS_MAX, true)
  const system = isLarge ? slowSystem(machine.system, LOOK_US) : machine.system
  const history = new History()
  const isSlow = seed % 2 === 1
  const latencyMs = () => 1 + (random.u32() % LATENCY_MS_MAX)
  let first = true
  for (let life = 0; life < LIVES; life++) {
    const what = `${policy.name}, seed ${seed}, life ${life}`
    let server: MachineServer
    machine.disk.beforeChange = () => {}
    try {
      const directives = { save: '', 'rdb-key-save-delay': '1000', ...SMALL_LIMITS, ...policy.directives }
      server = await MachineServer.start(machine, directives, { modules: [{ module: tallyModule() }] }, system)
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`)
    }
    if (isSlow) machine.disk.latencyMs = latencyMs
    server.connect()
    if (first) history.add(server.digestNow(HASH), 0)
    else history.check(server.digestNow(HASH), what)
    first = false
    // After startup the AOF base is durable.
    if (policy.directives.appendonly === 'yes') history.keep()
    live(server, policy, history, commands, random)
    machine.disk.beforeChange = () => {}
    machine.disk.latencyMs = () => 0
    machine.forget()
    if (random.u32() % 4 === 0) machine.disk.abandon()
    else machine.disk.crash(random)
    // The time of the reboot.
    machine.advance(REBOOT_MS)
  }
}
