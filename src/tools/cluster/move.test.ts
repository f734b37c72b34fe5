// rebalance, reshard and drain against clusters of a virtual world.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorldServer } from '../../../test/harness/replication-world.ts'
import { clusterInfo, startCluster, until } from '../../../test/simulation/cluster-world.ts'
import { VirtualWorld } from '../../system/virtual-world.ts'
import { runTool } from '../command-line.ts'
import { clusterTool } from './cluster.ts'

const KEYS = 300

class World {
  readonly world: VirtualWorld
  readonly operator
  nodes: WorldServer[] = []

  constructor(seed: number) {
    this.world = new VirtualWorld({ seed })
    this.operator = this.world.machine('operator')
  }

  /** `primaries` of the nodes share the slots; some keys are in all of them. */
  async begin(count: number, primaries: number, directives: Readonly<Record<string, string>> = {}): Promise<void> {
    this.nodes = await startCluster(this.world, count, primaries, { 'cluster-node-timeout': '1000', ...directives })
    for (const node of this.nodes)
      assert.ok(await until(this.world, async () => (await clusterInfo(node, 'cluster_state')) === 'ok'))
    for (let i = 0; i < KEYS; i++) await this.set(`key${i}`, `value${i}`)
  }

  /** Runs a command where the slot is. */
  private async set(key: string, value: string): Promise<void> {
    for (const node of this.nodes) if ((await node.call('SET', key, value)) === 'OK') return
    assert.fail(`nobody serves ${key}`)
  }

  async run(...args: string[]): Promise<{ code: number; out: string }> {
    const { operator } = this
    operator.out = operator.err = ''
    const [action, ...options] = args
    const words = [action, `redis://${this.nodes[0].machine.host.address}`, ...options]
    const code = await this.world.until(runTool(clusterTool, words, operator.system), 600_000)
    return { code, out: `${operator.out}${operator.err}` }
  }

  /** Number of slots of each node, as the first sees it, in the order of the nodes. */
  async slots(): Promise<number[]> {
    const lines = String(await this.nodes[0].call('CLUSTER', 'NODES')).split('\n')
    const counts: number[] = []
    for (const node of this.nodes) {
      const line = lines.find(text => text.includes(` ${node.machine.host.address}:`))!
      let count = 0
      for (const word of line.split(' ').slice(8)) {
        const [first, last = first] = word.split('-').map(Number)
        count += last - first + 1
      }
      counts.push(count)
    }
    return counts
  }

  /** Each key is with exactly one primary, with its value. */
  async checkKeys(): Promise<void> {
    let all = 0
    for (const node of this.nodes) if ((await node.info('role')) === 'master') all += Number(await node.call('DBSIZE'))
    assert.equal(all, KEYS)
    for (let i = 0; i < KEYS; i++) {
      const found: unknown[] = []
      for (const node of this.nodes) found.push(await node.call('GET', `key${i}`))
      assert.equal(found.filter(reply => reply === `value${i}`).length, 1)
    }
  }

  id(node: WorldServer): Promise<string> {
    return node.call('CLUSTER', 'MYID').then(String)
  }
}

test('rebalance shows a plan, and moves whole slots with their keys', async () => {
  const world = new World(1)
  await world.begin(3, 2)
  const dry = await world.run('rebalance', '--empty', '--dry-run')
  assert.equal(dry.code, 0, dry.out)
  assert.match(dry.out, /10\.0\.0\.4:6379 \w{8} {2}0 slots, then 5461/)
  assert.match(dry.out, /10\.0\.0\.2:6379 to 10\.0\.0\.4:6379: 2730 slots, whole \(5462-8191\)/)
  assert.deepEqual(await world.slots(), [8192, 8192, 0])
  const refused = await world.run('rebalance', '--empty')
  assert.equal(refused.code, 3)
  const done = await world.run('rebalance', '--empty', '--yes')
  assert.equal(done.code, 0, done.out)
  assert.match(done.out, /5461 slots have moved/)
  assert.deepEqual(await world.slots(), [5462, 5461, 5461])
  assert.ok(await until(world.world, async () => (await world.nodes[0].call('DBSIZE')) !== KEYS))
  await world.world.run(1000)
  await world.checkKeys()
  const again = await world.run('rebalance', '--yes')
  assert.equal(again.out, 'Nothing to move.\n')
})

test('slots move key by key, as redis-server knows it, with a password', async () => {
  const world = new World(2)
  await world.begin(3, 2)
  for (const node of world.nodes) {
    await node.call('CONFIG', 'SET', 'requirepass', 'secret', 'masterauth', 'secret')
    await node.call('AUTH', 'secret')
  }
  const to = await world.id(world.nodes[2])
  const denied = await world.run('reshard', '--range', '0-99', '--to', to)
  assert.equal(denied.code, 2)
  assert.match(denied.out, /wants a password/)
  const url = `redis://:secret@${world.nodes[0].machine.host.address}`
  const words = ['reshard', url, '--range', '0-199', '--range', '16000', '--to', to, '--by-keys', '--yes']
  const { operator } = world
  const code = await world.world.until(runTool(clusterTool, words, operator.system), 600_000)
  assert.equal(code, 0, operator.err)
  assert.match(operator.out, /10\.0\.0\.2:6379 to 10\.0\.0\.4:6379: 200 slots, key by key \(0-199\)/)
  assert.match(operator.out, /201 slots have moved, .* s, \d+ keys one by one/)
  assert.deepEqual(await world.slots(), [7992, 8191, 201])
  await world.checkKeys()
})

test('drain empties a primary; what cannot be is refused', async () => {
  const world = new World(3)
  await world.begin(3, 3)
  const port = `${world.nodes[2].machine.host.address}:6379`
  const drained = await world.run('drain', '--node', port, '--yes')
  assert.equal(drained.code, 0, drained.out)
  assert.deepEqual(await world.slots(), [8192, 8192, 0])
  const cases: [string[], RegExp][] = [
    [['drain'], /drain wants --node NODE/],
    [['drain', '--node', 'nobody'], /No primary is nobody/],
    [['reshard', '--to', port, '--range', '5-4'], /No primary is|--range wants FIRST-LAST/],
    [['reshard', '--to', await world.id(world.nodes[0])], /reshard wants --slots N, or --range/],
    [['rebalance', '--weight', 'x'], /--weight wants NODE=N/],
  ]
  for (const [words, why] of cases) {
    const { code, out } = await world.run(...words)
    assert.equal(code, 2)
    assert.match(out, why)
  }
  await world.nodes[0].call('CLUSTER', 'SETSLOT', '0', 'MIGRATING', await world.id(world.nodes[1]))
  const open = await world.run('rebalance')
  assert.match(open.out, /has slots that are on their way/)
})
