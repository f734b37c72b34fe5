import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { Sentinel } from '../../src/sentinel/sentinel.ts'
import { runSentinels, type SentinelsEvent } from './sentinels.ts'

/** SENTINEL_SEEDS=1000 for a long run. */
const SEEDS = Number(process.env['SENTINEL_SEEDS'] ?? 3)
const FIRST = Number(process.env['SENTINEL_FIRST'] ?? 0)
/** Within as many runs a planted fault is found. */
const PLANTED_RUNS = 30

test('whatever sentinels and servers suffer, each votes once in an epoch, and all agree in the end', {
  timeout: 900_000,
}, async () => {
  let elections = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const result = await runSentinels(seed)
    assert.deepEqual(result.violations, [], `seed ${seed}: ${result.events.join(' ')}`)
    elections += result.elections
  }
  assert.ok(elections >= SEEDS, `${elections} elections`)
})

test('a sentinel that ends while the end of a connection is unread does not stop time', async () => {
  assert.deepEqual((await runSentinels(100_006)).violations, [])
})

const { tick, save } = Sentinel.prototype
const STORMS: readonly SentinelsEvent[] = ['storm']
const PLANTED: readonly { name: string; method: 'tick' | 'save'; faulty: (this: Sentinel) => unknown }[] = [
  {
    name: 'a vote for another sentinel is forgotten at the next tick',
    method: 'tick',
    faulty() {
      for (const primary of this.primaries.values()) if (primary.leader !== this.id) primary.leaderEpoch = 0
      tick.call(this)
    },
  },
  {
    name: 'a vote is given without being saved',
    method: 'save',
    faulty() {
      const hasVoted = [...this.primaries.values()].some(one => one.leaderEpoch === this.currentEpoch)
      return (hasVoted && this.currentEpoch > 0) || save.call(this)
    },
  },
]

for (const { name, method, faulty } of PLANTED)
  test(`planted: ${name}, which is found`, { timeout: 300_000 }, async () => {
    const members = Sentinel.prototype as unknown as Record<string, unknown>
    const right = members[method]
    members[method] = faulty
    try {
      let seed = 0
      let violations: string[] = []
      while (seed < PLANTED_RUNS && violations.length === 0) ({ violations } = await runSentinels(seed++, STORMS))
      assert.ok(violations.length > 0, `not found in ${PLANTED_RUNS} runs`)
      if (process.env['SENTINEL_SEEDS'] !== undefined)
        console.log(`${name}: found by seed ${seed - 1}: ${violations[0]}`)
    } finally {
      members[method] = right
    }
  })
