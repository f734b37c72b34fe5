// Atomic slot migration between servers of a virtual world.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySlot } from '../../src/lib/crc16.ts'
import { Slice } from '../../src/lib/slice.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { WorldServer } from '../harness/replication-world.ts'

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
  sourceId: string
  targetId: string
}

async function pair(seed: number, replicas = 0): Promise<Pair & { others: WorldServer[] }> {
  const world = new VirtualWorld({ seed })
  const nodes: WorldServer[] = []
  for (let i = 0; i < 2 + replicas; i++) {
    const node = new WorldServer(world, world.machine(`node${i}`), DIRECTIVES)
    await node.start()
    nodes.push(node)
  }
  const [source, target, ...others] = nodes
  for (const [i, node] of nodes.entries()) {
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    if (i < 2) await node.call('CLUSTER', 'ADDSLOTSRANGE', String(i * HALF), String((i + 1) * HALF - 1))
    if (i > 0) await node.call('CLUSTER', 'MEET', source.machine.host.address, '6379')
  }
  const isReady = async (node: WorldServer) =>
    String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok') &&
    !String(await node.call('CLUSTER', 'NODES')).includes('handshake')
  for (const node of nodes) await until(world, () => isReady(node))
  const [sourceId, targetId] = [
    String(await source.call('CLUSTER', 'MYID')),
    String(await target.call('CLUSTER', 'MYID')),
  ]
  return { world, source, target, sourceId, targetId, others }
}

async function until(world: VirtualWorld, test: () => Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await test()); turns++) {
    assert.ok(turns < 600, 'never')
    await world.run(50)
  }
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
  await until(world, async () => keysIn(source, 0, MOVED_SLOTS - 1) === 0)
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
  await until(world, () => isOver(target))
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
    await until(world, async () => String(await source.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    await until(world, async () => keysIn(target, 0, MOVED_SLOTS - 1) === 0)
    assert.equal(source.digest, before)
  }
})
