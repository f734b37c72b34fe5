import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RandomCommands } from '../../test/harness/random-commands.ts'
import type { Random } from '../server/system/system.ts'
import { seededRandom, virtualSystem } from '../server/system/virtual.ts'

// Random commands run until the power goes in the middle of some operation of the disk; after the restart exactly what
// the policy promises must be there: the state behind some command, and behind no earlier one than it allows.

const RUNS = 3
const LIVES = 3
const SYNC_PROMISE_MS = 2000

class PowerLoss extends Error {}

/** States that the dataset went through, and how early a crash may bring it back to. */
class History {
  private digests: string[] = []
  private times: number[] = []
  /** No state before this one may come back. */
  private floor = 0

  add(digest: string, nowMs: number): void {
    this.digests.push(digest)
    this.times.push(nowMs)
  }

  /** What there is now stays, whatever happens. */
  keep(): void {
    this.floor = this.digests.length - 1
  }

  /** Everything that was there at that time stays. */
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

interface Policy {
  name: string
  directives: Readonly<Record<string, string>>
  /** What is promised once a command is answered. */
  answered(history: History, nowMs: number): void
  /** Now and then done besides commands; true when the present state is safe with it. */
  chore(server: MachineServer, random: Random): boolean
}

const chores = (names: readonly string[]) => (server: MachineServer, random: Random) => {
  server.call(names[random.u32() % names.length])
  return false
}

const POLICIES: readonly Policy[] = [
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

/** Runs until the power goes; false when it did not. */
function live(
  server: MachineServer,
  policy: Policy,
  history: History,
  commands: RandomCommands,
  random: Random,
): boolean {
  const { machine } = server
  let operationsLeft = 1 + (random.u32() % 150)
  machine.disk.beforeChange = () => {
    if (operationsLeft-- <= 0) throw new PowerLoss()
  }
  try {
    for (let i = 0; i < 120; i++) {
      if (random.u32() % 15 === 0 && policy.chore(server, random)) history.keep()
      if (random.u32() % 5 === 0) {
        // What is on its way may be there afterwards, or not: it is a state of its own before the answer is seen.
        const batch = [['multi'], commands.next(), commands.next(), commands.next(), ['exec']]
        for (const words of batch) server.send(0, words)
      } else server.send(0, commands.next())
      history.add(server.digestNow(), machine.system.clock.nowMs())
      machine.settle()
      policy.answered(history, machine.system.clock.nowMs())
      server.take(0)
      if (random.u32() % 3 === 0) machine.advance(random.u32() % 700)
    }
    return false
  } catch (error) {
    if (error instanceof PowerLoss) return true
    throw error
  }
}

export async function crashRun(policy: Policy, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const machine = virtualSystem({ seed })
  const commands = new RandomCommands(random, 4, 2)
  const history = new History()
  let first = true
  for (let life = 0; life < LIVES; life++) {
    const what = `${policy.name}, seed ${seed}, life ${life}`
    let server: MachineServer
    machine.disk.beforeChange = () => {}
    try {
      server = await MachineServer.start(machine, { save: '', 'rdb-key-save-delay': '100', ...policy.directives })
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`)
    }
    server.connect()
    if (first) history.add(server.digestNow(), 0)
    else history.check(server.digestNow(), what)
    first = false
    // The base of the log is on the disk when the server has started.
    if (policy.directives.appendonly === 'yes') history.keep()
    live(server, policy, history, commands, random)
    machine.disk.beforeChange = () => {}
    machine.forget()
    machine.disk.crash(random)
  }
}

for (const policy of POLICIES) {
  test(`a crash at any moment keeps what is promised: ${policy.name}`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) await crashRun(policy, seed)
  })
}
