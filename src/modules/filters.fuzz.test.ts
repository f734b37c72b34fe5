// Random commands on the Bloom and cuckoo filters of examples/ and on plain models of them, through dumps, copies,
// saves, rewrites and restarts. A filter may say too much, never too little.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import bloom from '../../examples/bloom.ts'
import cuckoo from '../../examples/cuckoo.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { latin1Bytes } from '../../test/harness/resp.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'

const STEPS = 300
const KEYS = 4
const ITEMS = 300

type Call = (...words: (string | number)[]) => unknown
type Below = (n: number) => number

/** Items and how often each was added. */
type Model = Map<string, number>

interface Kind {
  readonly reserve: readonly (readonly (string | number)[])[]
  step(call: Call, below: Below, key: string, model: Model): void
  check(call: Call, key: string, model: Model): void
}

const BLOOM: Kind = {
  reserve: [
    ['bf.reserve', 0.01, 20],
    ['bf.reserve', 0.001, 100, 'EXPANSION', 4],
    ['bf.reserve', 0.05, 10, 'EXPANSION', 1],
  ],
  step(call, below, key, model) {
    const items = [...new Set(Array.from({ length: 1 + below(5) }, () => `i${below(ITEMS)}`))]
    const before = call('bf.mexists', key, ...items) as number[]
    const added = call('bf.madd', key, ...items) as number[]
    for (const [i, item] of items.entries()) {
      if (model.has(item)) assert.equal(before[i], 1, `${key} had ${item}`)
      if (before[i] === 1) assert.equal(added[i], 0, `${key} has ${item} already`)
      // What it takes for one that it has is not counted.
      model.set(item, (model.get(item) ?? 0) + added[i])
    }
  },
  check(call, key, model) {
    const items = [...model.keys()]
    let counted = 0
    for (const count of model.values()) counted += count
    assert.equal(call('bf.card', key), counted)
    if (items.length > 0) assert.deepEqual(call('bf.mexists', key, ...items), new Array(items.length).fill(1))
    const others = Array.from({ length: 500 }, (_, i) => `other${i}`)
    const wrong = (call('bf.mexists', key, ...others) as number[]).filter(one => one === 1).length
    assert.ok(wrong < 75, `${wrong} of 500`)
  },
}

const CUCKOO: Kind = {
  reserve: [
    ['cf.reserve', 64],
    ['cf.reserve', 32, 'BUCKETSIZE', 4, 'EXPANSION', 2],
    ['cf.reserve', 16, 'BUCKETSIZE', 1, 'EXPANSION', 4],
  ],
  step(call, below, key, model) {
    const item = `i${below(ITEMS)}`
    const count = model.get(item) ?? 0
    if (below(3) === 0 && count > 0) {
      assert.equal(call('cf.del', key, item), 1, `${key} had ${item}`)
      model.set(item, count - 1)
    } else if (below(4) === 0) {
      const had = call('cf.exists', key, item)
      assert.equal(call('cf.addnx', key, item), had === 1 ? 0 : 1)
      if (had === 0) model.set(item, 1)
    } else if (below(20) === 0) assert.equal(call('cf.compact', key), 'OK')
    else if (count < 4 && call('cf.add', key, item) === 1) model.set(item, count + 1)
  },
  check(call, key, model) {
    for (const [item, count] of model) {
      const found = call('cf.count', key, item) as number
      assert.ok(found >= count, `${key} ${item}: ${found} of ${count}`)
    }
  },
}

async function play(kind: Kind, directives: Readonly<Record<string, string>>, seed: number): Promise<void> {
  const machine = virtualSystem({ seed })
  const random = seededRandom(seed)
  const below = (n: number) => random.u32() % n
  const start = () => MachineServer.start(machine, directives, { modules: [{ module: bloom }, { module: cuckoo }] })
  let server = await start()
  const call: Call = (...words) => server.call(...words.map(String))
  const models = new Map<string, Model>()
  for (let step = 0; step < STEPS; step++) {
    const [key, other] = [`k${below(KEYS)}`, `k${below(KEYS)}`]
    const model = models.get(key)
    const what = below(100)
    if (model === undefined) {
      const [name, ...rest] = kind.reserve[below(kind.reserve.length)]
      assert.equal(call(name, key, ...rest), 'OK')
      models.set(key, new Map())
    } else if (what < 80) kind.step(call, below, key, model)
    else if (what < 84) {
      assert.equal(call('del', key), 1)
      models.delete(key)
    } else if (what < 88 && key !== other) {
      assert.equal(call('copy', key, other, 'replace'), 1)
      models.set(other, new Map(model))
    } else if (what < 92) {
      const payload = latin1Bytes(String(call('dump', key)))
      assert.equal(server.call('restore', other, '0', payload, 'replace'), 'OK')
      models.set(other, new Map(model))
    } else if (what < 96) call(['bgsave', 'bgrewriteaof'][below(2)])
    else if (what < 98) machine.advance(below(500))
    else {
      const digest = server.digest()
      await server.stop(['now'])
      server = await start()
      assert.equal(server.digest(), digest)
    }
  }
  for (const [key, model] of models) kind.check(call, key, model)
}

const POLICIES: readonly Readonly<Record<string, string>>[] = [
  { appendonly: 'yes', appendfsync: 'always' },
  { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' },
  { appendonly: 'yes', storage: 'disk', 'storage-memory': '1', 'storage-segment-size': '4096' },
]

for (const [name, kind] of Object.entries({ BLOOM, CUCKOO }))
  for (const [seed, directives] of POLICIES.entries())
    test(`${name.toLowerCase()} filters are what their plain model is: ${Object.values(directives).join(' ')}`, () =>
      play(kind, directives, seed + 1))
