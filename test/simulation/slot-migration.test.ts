// Atomic slot migration between servers of a virtual world.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySlot } from '../../src/lib/crc16.ts'
import { Slice } from '../../src/lib/slice.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const DIRECTIVES = {
  'cluster-enabled': 'yes',
  'cluster-node-timeout': '1000',
  appendonly: 'yes',
  appendfsync: 'always',
}
const HALF = 8192
const MOVED_SLOTS = 4096
const KEYS = 400

interface Pair {
  world: VirtualWorld
  source: WorldServer
  target: WorldServer
  targetId: string
}

async function pair(seed: number): Promise<Pair> {
  const world = new VirtualWorld({ seed })
  const [source, target] = await startCluster(world, 2, 2, DIRECTIVES)
  for (const node of [source, target])
    await becomes(world, async () => (await clusterInfo(node, 'cluster_state')) === 'ok')
  return { world, source, target, targetId: String(await target.call('CLUSTER', 'MYID')) }
}

async function becomes(world: VirtualWorld, condition: () => Promise<boolean>): Promise<void> {
  assert.ok(await until(world, condition))
}

async function fill({ source, target }: Pair): Promise<void> {
  for (let i = 0; i < KEYS; i++) {
    const key = `key${i}`
    const node = keySlot(Slice.of(key)) < HALF ? source : target
    assert.equal(await node.call('SET', key, `value${i}`), 'OK')
  }
  const key = keyIn(0, MOVED_SLOTS - 1, 'list')
  for (let i = 0; i < 20; i++)
    await source.call('RPUSH', key, ...Array.from({ length: 500 }, (_, j) => `element ${i} ${j} ${'x'.repeat(20)}`))
  await source.call('PEXPIRE', keyIn(0, MOVED_SLOTS - 1, 'key'), '100000000')
}

/** A key of this name whose slot is in the range. */
function keyIn(first: number, last: number, name: string): string {
  for (let i = 0; ; i++) {
    const slot = keySlot(Slice.of(`${name}${i}`))
    if (slot >= first && slot <= last) return `${name}${i}`
  }
}

/** The newest migration's state and message. */
async function outcome(node: WorldServer): Promise<string> {
  const [newest] = (await node.call('CLUSTER', 'GETSLOTMIGRATIONS')) as string[][]
  if (newest === undefined) return 'none'
  const field = (name: string) => newest[newest.indexOf(name) + 1]
  return `${field('state')} ${field('message')}`.trim()
}

const isOver = async (node: WorldServer) => /^(success|failed|canceled)/.test(await outcome(node))

function keysIn(node: WorldServer, first: number, last: number): number {
  const { slotTables, databases } = node.server.engine.keyspace
  let keys = 0
  for (let slot = first; slot <= last; slot++) keys += slotTables!.countInSlot(databases[0].mainTable, slot)
  return keys
}

test('slots move whole while clients write to them', async () => {
  const all = await pair(1)
  const { world, source, target, targetId } = all
  await fill(all)
  const before = keysIn(source, 0, MOVED_SLOTS - 1)
  assert.ok(before > 50)
  const list = keyIn(0, MOVED_SLOTS - 1, 'list')
  const counter = keyIn(0, MOVED_SLOTS - 1, 'counter')
  const elements = await source.call('LRANGE', list, '0', '-1')
  const command = ['CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', '0', String(MOVED_SLOTS - 1), 'NODE', targetId]
  assert.equal(await source.call(...command), 'OK')
  let counted = 0
  while (!(await isOver(source))) {
    const reply = await source.call('INCR', counter)
    if (typeof reply === 'number') counted = reply
    else assert.match(JSON.stringify(reply), /MOVED/)
    await world.run(1)
  }
  assert.equal(await outcome(source), 'success')
  assert.ok(counted > 0)
  await becomes(world, async () => keysIn(source, 0, MOVED_SLOTS - 1) === 0)
  assert.equal(keysIn(target, 0, MOVED_SLOTS - 1), before + 1)
  assert.equal(await target.call('GET', counter), String(counted))
  assert.deepEqual(await target.call('LRANGE', list, '0', '-1'), elements)
  assert.ok(Number(await target.call('PTTL', keyIn(0, MOVED_SLOTS - 1, 'key'))) > 0)
  assert.match(JSON.stringify(await source.call('GET', counter)), /MOVED/)
  const ranges = String(await target.call('CLUSTER', 'NODES'))
  assert.match(ranges, /myself,master .* 0-4095 8192-16383/)
  assert.doesNotMatch(ranges, /import/)
})

test('the target asks for slots; STATUS and SLOT-STATS', async () => {
  const all = await pair(2)
  const { world, source, target } = all
  await fill(all)
  const name = await target.call('CLUSTER', 'MIGRATION', 'IMPORT', '100', '199')
  await becomes(world, () => isOver(target))
  assert.equal(await outcome(target), 'success')
  const [status] = (await source.call('CLUSTER', 'MIGRATION', 'STATUS', 'ID', String(name))) as string[][]
  assert.deepEqual(status.slice(0, 4), ['id', name, 'slots', '100-199'])
  const stats = (await target.call('CLUSTER', 'SLOT-STATS', 'SLOTSRANGE', '100', '199')) as unknown[]
  assert.equal(stats.length, 100)
  const said = JSON.stringify(await source.call('CLUSTER', 'SYNCSLOTS', 'FINISH', 'nothing'))
  assert.match(said, /This client imports no slots/)
})

test('a migration that is cancelled, or whose target dies, leaves the slots and nothing else', async () => {
  const all = await pair(3)
  const { world, source, target, targetId } = all
  await fill(all)
  const before = source.digest
  const moving = keysIn(source, 0, MOVED_SLOTS - 1)
  let deaths = 0
  const command = ['CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', '0', String(MOVED_SLOTS - 1), 'NODE', targetId]
  assert.equal(await source.call(...command), 'OK')
  assert.equal(await source.call('CLUSTER', 'CANCELSLOTMIGRATIONS'), 'OK')
  assert.equal(await outcome(source), 'canceled canceled')
  await world.run(2000)
  assert.equal(keysIn(target, 0, MOVED_SLOTS - 1), 0)
  assert.equal(source.digest, before)
  for (const ms of [1, 3, 6, 10]) {
    assert.equal(await source.call(...command), 'OK')
    await world.run(ms)
    if (await isOver(source)) break
    target.machine.kill()
    await world.run(3000)
    target.machine.powerOn()
    await target.start()
    await becomes(world, async () => (await clusterInfo(source, 'cluster_state')) === 'ok')
    if ((await outcome(source)) === 'success') {
      // It died behind its claim: the slots are the target's, and whole.
      assert.equal(keysIn(target, 0, MOVED_SLOTS - 1), moving)
      assert.ok(deaths > 0)
      break
    }
    deaths++
    await becomes(world, async () => keysIn(target, 0, MOVED_SLOTS - 1) === 0)
    assert.equal(source.digest, before)
  }
})
