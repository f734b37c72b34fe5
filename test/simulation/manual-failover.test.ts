// CLUSTER FAILOVER between servers of a virtual world.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const PRIMARIES = 3
const TIMES = 6
/** All nodes know who follows whom. */
const SETTLED_MS = 20_000
/** After that a manual failover has ended. */
const ENDED_MS = 5500

class Shard {
  readonly world: VirtualWorld
  /** A primary and its replicas; and the other primaries. */
  readonly servers: WorldServer[]
  readonly others: WorldServer[]

  private constructor(world: VirtualWorld, nodes: WorldServer[]) {
    this.world = world
    this.servers = [nodes[0], ...nodes.slice(PRIMARIES)]
    this.others = nodes.slice(1, PRIMARIES)
  }

  static async form(seed: number, nodeTimeoutMs: number, replicas = 1): Promise<Shard> {
    const directives = { 'cluster-node-timeout': String(nodeTimeoutMs), appendonly: 'yes', appendfsync: 'always' }
    const world = new VirtualWorld({ seed })
    const shard = new Shard(world, await startCluster(world, PRIMARIES + replicas, PRIMARIES, directives))
    const [primary, ...rest] = shard.servers
    const id = String(await primary.call('CLUSTER', 'MYID'))
    for (const replica of rest) {
      await until(world, async () => String(await replica.call('CLUSTER', 'REPLICATE', id)) === 'OK')
      assert.ok(await until(world, async () => replica.isLinked))
    }
    await world.run(SETTLED_MS)
    return shard
  }

  /** CLUSTER FAILOVER at one of the servers takes effect within two seconds. */
  async failOver(to: number): Promise<void> {
    const { servers, world } = this
    const startMs = world.nowMs
    assert.equal(await servers[to].call('CLUSTER', 'FAILOVER'), 'OK')
    const isOver = async () => {
      for (const [i, one] of servers.entries()) {
        const info = String(await one.call('INFO', 'replication'))
        if (!info.includes(i === to ? 'role:master' : 'master_link_status:up')) return false
      }
      return true
    }
    assert.ok(await until(world, isOver), servers[to].log)
    assert.ok(world.nowMs - startMs <= 2000, `${world.nowMs - startMs} ms`)
  }

  get elections(): number {
    return this.servers.flatMap(({ log }) => log.match(/Starting a failover election/g) ?? []).length
  }
}

test('roles are exchanged again at once: each time by new votes, whatever the node timeout', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const shard = await Shard.form(seed, 15_000)
    for (let i = 1; i <= TIMES; i++) {
      await shard.failOver(i % 2)
      assert.equal(shard.elections, i, `seed ${seed}`)
    }
  }
})

test('a manual failover that found no votes is tried anew by the next', async () => {
  const shard = await Shard.form(1, 2000)
  const { servers, others, world } = shard
  for (const other of others) other.machine.kill()
  assert.equal(await servers[1].call('CLUSTER', 'FAILOVER'), 'OK')
  await world.run(ENDED_MS)
  assert.ok(shard.elections > 0)
  for (const other of others) await other.start()
  await until(world, async () => (await clusterInfo(servers[1], 'cluster_state')) === 'ok')
  await shard.failOver(1)
})

test("two replicas take the same primary's place soon after each other", async () => {
  const shard = await Shard.form(1, 15_000, 2)
  for (const to of [1, 0, 2, 0, 1]) await shard.failOver(to)
})
