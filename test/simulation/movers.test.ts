import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'
import { runMovers } from './movers.ts'

/** MOVERS_SEEDS=1000 for a long run. */
const SEEDS = Number(process.env['MOVERS_SEEDS'] ?? 2)
const FIRST = Number(process.env['MOVERS_FIRST'] ?? 1)
const TIMEOUT_MS = 1000
const SLOTS = 50

test('slots that move have one owner and all of their keys, whoever is killed, cut off or halted', {
  timeout: 600_000,
}, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const result = await runMovers(seed)
    assert.deepEqual(result.violations, [], `seed ${seed}: ${result.faults.join(', ')}`)
  }
})

for (const afterMs of [0, 0.3, 1])
  test(`a target that dies for good ${afterMs} ms after it took slots over has a replica with all of their keys`, async () => {
    const world = new VirtualWorld({ seed: 9 })
    const directives = { 'cluster-node-timeout': String(TIMEOUT_MS), appendonly: 'yes', appendfsync: 'always' }
    const nodes = await startCluster(world, 4, 3, directives)
    const [source, target, third, replica] = nodes
    const targetId = String(await target.call('CLUSTER', 'MYID'))
    await until(world, async () => (await replica.call('CLUSTER', 'REPLICATE', targetId)) === 'OK')
    for (const node of nodes) await until(world, async () => (await clusterInfo(node, 'cluster_state')) === 'ok')
    await until(world, async () => replica.isLinked)
    const tags = new SlotTags()
    for (let slot = 0; slot < SLOTS; slot++)
      assert.equal(await source.call('SET', `{${tags.tagOf(slot)}}key`, `${slot}`), 'OK')
    // What the target sends to its replica takes longer than all that the nodes have to say to each other.
    world.network.setLink(target.machine.host, replica.machine.host, { latencyUs: 40_000 })
    await source.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', '0', String(SLOTS - 1), 'NODE', targetId)
    const nodesOfTarget = async () => String(await target.call('CLUSTER', 'NODES'))
    for (let i = 0; i < 20_000 && !/myself.* 0-49/.test(await nodesOfTarget()); i++) await world.run(0.1)
    await world.run(afterMs)
    target.machine.kill()
    const rest = [source, third, replica]
    for (const node of rest) node.taken()
    await world.run(TIMEOUT_MS * 3)
    for (const node of rest)
      assert.ok(await until(world, async () => (await clusterInfo(node, 'cluster_state')) === 'ok'))
    const owners = new Set<number>()
    for (let slot = 0; slot < SLOTS; slot++)
      for (const [i, node] of rest.entries())
        if ((await node.call('GET', `{${tags.tagOf(slot)}}key`)) === `${slot}`) owners.add(i)
        else assert.match(String(JSON.stringify(await node.call('GET', `{${tags.tagOf(slot)}}key`))), /MOVED/)
    assert.equal(owners.size, 1, 'one of them has them all')
  })
