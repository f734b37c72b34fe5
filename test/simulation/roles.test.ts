import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { PrimaryClient } from '../../src/replication/primary-client.ts'
import { ConnectedReplicas } from '../../src/replication/replicas.ts'
import { ReplicationStream } from '../../src/replication/stream.ts'
import { EVENTS, type RolesEvent, runRoles } from './roles.ts'

/** ROLE_SEEDS=10000 for a long run. */
const SEEDS = Number(process.env['ROLE_SEEDS'] ?? 10)
const FIRST = Number(process.env['ROLE_FIRST'] ?? 0)
/** Within as many runs a planted fault is found. */
const PLANTED_RUNS = 100
const NO_ID = '0'.repeat(40)

test('whatever links and replicas suffer while roles change, all end alike and what was confirmed is there', {
  timeout: 900_000,
}, async () => {
  const seen = new Set<string>()
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { violations, events } = await runRoles(seed)
    assert.deepEqual(violations, [], `seed ${seed}: ${events.join(' ')}`)
    for (const event of events) seen.add(event)
  }
  for (const one of EVENTS) assert.ok(seen.has(one), one)
})

/** A method of a class is replaced by one that has a fault. */
// biome-ignore lint/suspicious/noExplicitAny: private members are replaced.
type Method = (this: any, ...args: any[]) => unknown

const { mismatch, shift } = ReplicationStream.prototype
const { acknowledged } = ConnectedReplicas.prototype
const PLANTED: readonly {
  name: string
  of: { prototype: object }
  method: string
  faulty: Method
  events: readonly RolesEvent[]
}[] = [
  {
    name: 'the second replication ID is forgotten',
    of: ReplicationStream,
    method: 'shift',
    events: ['exchange'],
    faulty(...args) {
      shift.apply(this, args as [])
      this.replid2 = NO_ID
      this.secondOffset = -1
    },
  },
  {
    name: 'the second replication ID is accepted beyond its offset',
    of: ReplicationStream,
    method: 'mismatch',
    events: ['takeover', 'cut', 'heal'],
    faulty(id, offset) {
      return id === this.replid2 ? undefined : mismatch.call(this, id, offset)
    },
  },
  {
    name: 'the replication ID is kept when the backlog is freed',
    of: ReplicationStream,
    method: 'rename',
    events: ['alone'],
    faulty(id) {
      if (this.replid === undefined || this.isForwarding) this.replid = id
    },
  },
  {
    name: 'an acknowledgement confirms all that was sent',
    of: ConnectedReplicas,
    method: 'acknowledged',
    events: ['rush'],
    faulty(client) {
      acknowledged.call(this, client, this.stream.offset, undefined)
    },
  },
  {
    name: 'what was received counts as applied',
    of: PrimaryClient,
    method: 'settle',
    events: ['tear', 'confirm'],
    faulty() {
      if (this.receivedBytes > 0) this.forward(this.receivedBytes)
    },
  },
]

for (const { name, of, method, events, faulty } of PLANTED)
  test(`planted: ${name}, which is found`, { timeout: 300_000 }, async () => {
    const members = of.prototype as Record<string, unknown>
    const right = members[method]
    assert.equal(typeof right, 'function')
    members[method] = faulty
    try {
      let seed = 0
      while (seed < PLANTED_RUNS && (await runRoles(seed, events)).violations.length === 0) seed++
      assert.ok(seed < PLANTED_RUNS, `not found in ${PLANTED_RUNS} runs`)
      if (process.env['ROLE_SEEDS'] !== undefined) console.log(`${name}: found by seed ${seed}`)
    } finally {
      members[method] = right
    }
  })
