import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const TIMEOUT_MS = 1000
const STEP_MS = 10
const PRIMARIES = 5
const KEY = 'foo'
const DIRECTIVES = { 'cluster-node-timeout': String(TIMEOUT_MS), appendonly: 'yes', appendfsync: 'always' }

/** Five primaries, the others follow them in turn. */
async function form(seed: number, count: number): Promise<{ world: VirtualWorld; nodes: WorldServer[] }> {
  const world = new VirtualWorld({ seed })
  const nodes = await startCluster(world, count, PRIMARIES, DIRECTIVES)
  for (const [i, node] of nodes.slice(PRIMARIES).entries()) {
    const id = String(await nodes[i % PRIMARIES].call('CLUSTER', 'MYID'))
    await until(world, async () => String(await node.call('CLUSTER', 'REPLICATE', id)) === 'OK')
  }
  await until(world, async () => {
    for (const node of nodes) if ((await clusterInfo(node, 'cluster_state')) !== 'ok') return false
    return nodes.slice(PRIMARIES).every(node => node.isLinked)
  })
  await world.run(5 * TIMEOUT_MS)
  return { world, nodes }
}

/** Kills the primary of KEY; milliseconds until another node takes a write, and which. */
async function failOver(world: VirtualWorld, nodes: WorldServer[]): Promise<{ ms: number; taker: WorldServer }> {
  let primary: WorldServer | undefined
  for (const node of nodes) if ((await node.call('SET', KEY, '1')) === 'OK') primary = node
  await world.run(100)
  primary!.machine.kill()
  const rest = nodes.filter(node => node !== primary)
  for (const node of rest) node.taken()
  let ms = 0
  for (; ms < 30_000; ms += STEP_MS) {
    for (const node of rest) node.send('SET', KEY, '2')
    await world.run(STEP_MS)
    for (const node of rest) if (node.taken().includes('OK')) return { ms, taker: node }
  }
  return { ms, taker: primary! }
}

for (const replicas of [1, 2])
  test(`a primary with ${replicas} replica(s) is replaced at node-timeout, without a further wait`, async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { world, nodes } = await form(seed, PRIMARIES * (1 + replicas))
      const { ms, taker } = await failOver(world, nodes)
      assert.ok(ms >= TIMEOUT_MS - STEP_MS, `seed ${seed}: after ${ms} ms, before node-timeout`)
      assert.ok(ms <= TIMEOUT_MS + 300, `seed ${seed}: after ${ms} ms`)
      assert.equal(await taker.call('GET', KEY), '2')
      const elections = nodes.filter(node => node.log.includes('Starting a failover election'))
      assert.equal(elections.length, 1, `seed ${seed}`)
    }
  })
