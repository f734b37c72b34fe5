// CLUSTERSCAN of servers in a virtual world, by a client that follows redirects, while slots move and primaries fail.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evenRange } from '../../src/cluster/bitmap.ts'
import { keySlot } from '../../src/lib/crc16.ts'
import { Slice } from '../../src/lib/slice.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { textOf } from '../harness/resp.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const KEYS = 400
const TRIES = 20_000
const PRIMARIES = 3
/** Half of the keys are in its slot, which moves. */
const TAG = '{bar}'
const ONE = keySlot(Slice.of(TAG))
const OWNER = Array.from({ length: PRIMARIES }, (_, i) => evenRange(i, PRIMARIES)[1]).findIndex(last => ONE <= last)
const OTHER = (OWNER + 1) % PRIMARIES
const isInside = (cursor: string) => keySlot(Slice.of(cursor)) === ONE && !cursor.endsWith('-0')

interface Filled {
  world: VirtualWorld
  nodes: WorldServer[]
  ids: string[]
  keys: string[]
}

/** Primaries with keys, and a replica for each where `replicas` says so. */
async function filled(seed: number, replicas = false): Promise<Filled> {
  const world = new VirtualWorld({ seed })
  const nodes = await startCluster(world, replicas ? 2 * PRIMARIES : PRIMARIES, PRIMARIES, {
    'cluster-node-timeout': '1000',
  })
  const ids: string[] = []
  for (const node of nodes) ids.push(String(await node.call('CLUSTER', 'MYID')))
  for (let i = PRIMARIES; i < nodes.length; i++) await nodes[i].call('CLUSTER', 'REPLICATE', ids[i - PRIMARIES])
  for (const node of nodes)
    assert.ok(await until(world, async () => (await clusterInfo(node, 'cluster_state')) === 'ok'))
  const keys = Array.from({ length: KEYS }, (_, i) => (i % 2 === 0 ? `key${i}` : `${TAG}${i}`))
  for (const key of keys) {
    const replies: unknown[] = []
    for (const node of nodes) replies.push(await node.call('SET', key, 'v'))
    assert.ok(replies.includes('OK'))
  }
  await world.run(1500)
  return { world, nodes, ids, keys }
}

/** Goes through the cluster; `during` runs after each call. Returns the keys, and the refusals by their first word. */
async function scan({ world, nodes }: Filled, options: string, during = async (_cursor: string) => {}) {
  const found: string[] = []
  const refusals = new Map<string, number>()
  let node = nodes[0]
  let cursor = '0'
  for (let tries = 0; tries < TRIES; tries++) {
    const reply = await node.call('CLUSTERSCAN', cursor, ...options.split(' ').filter(Boolean))
    if (Array.isArray(reply)) {
      cursor = String(reply[0])
      found.push(...(reply[1] as string[]))
      if (cursor === '0') return { found, refusals }
    } else {
      const [word, , host] = String(textOf(reply)).split(/[ :]/)
      refusals.set(word, (refusals.get(word) ?? 0) + 1)
      node = nodes.find(one => one.machine.host.address === host) ?? nodes[tries % nodes.length]
      await world.run(50)
    }
    await during(cursor)
  }
  throw new Error('the scan does not end')
}

test('a scan of a cluster at rest finds each key once', async () => {
  const all = await filled(1)
  for (const options of ['', 'COUNT 1', 'COUNT 10000', 'MATCH *']) {
    const { found } = await scan(all, options)
    assert.deepEqual(found.sort(), [...all.keys].sort(), options)
  }
})

test('SLOT and MATCH choose slots, TYPE and MATCH choose keys', async () => {
  const all = await filled(2)
  const inSlot = all.keys.filter(key => key.startsWith(TAG)).sort()
  assert.deepEqual((await scan(all, `SLOT ${ONE}`)).found.sort(), inSlot)
  assert.deepEqual((await scan(all, `MATCH ${TAG}*`)).found.sort(), inSlot)
  assert.deepEqual((await scan(all, `MATCH ${TAG}1`)).found, [`${TAG}1`])
  assert.deepEqual((await scan(all, `MATCH ${TAG}* SLOT ${ONE + 1}`)).found, [])
  assert.deepEqual((await scan(all, 'MATCH *ey10')).found, ['key10'])
  assert.deepEqual((await scan(all, 'TYPE string')).found.length, KEYS)
  assert.deepEqual((await scan(all, 'TYPE list')).found, [])
})

test('what is no cursor or no option is an error', async () => {
  const [node] = (await filled(3)).nodes
  const refused = async (line: string) => textOf(await node.say(`CLUSTERSCAN ${line}`))
  // The hash tag is of slot 0.
  for (const cursor of ['0-{06S}', '0-{06S}-', '0-{06S}-x', '-{06S}-1', '0{06S}-1', `${'1'.repeat(64)}-{06S}-1`])
    assert.equal(await refused(cursor), 'ERR Invalid cursor', cursor)
  assert.equal(await refused('0-{06S}-0 SLOT 1'), 'ERR Cursor slot mismatch')
  assert.equal(await refused('0 SLOT 16384'), 'ERR Invalid or out of range slot')
  assert.equal(await refused('0 SLOT 1 SLOT 1'), 'ERR SLOT option can only be specified once')
  assert.equal(await refused('0 TYPE nothing'), 'ERR unknown type name')
  for (const options of ['COUNT 0', 'NOSUCH', 'SLOT']) assert.equal(await refused(`0 ${options}`), 'ERR syntax error')
  // A position of another process is none here.
  const [, keys] = (await node.say('CLUSTERSCAN other-{06S}-99999999999999 SLOT 0')) as [string, string[]]
  assert.deepEqual(keys, [])
})

test('a scan finds every key while slots move key by key, and never runs in a slot that is at two nodes', async () => {
  const all = await filled(4)
  const { nodes, ids } = all
  const [source, target] = [nodes[OWNER], nodes[OTHER]]
  const [sourceId, targetId] = [ids[OWNER], ids[OTHER]]
  const address = target.machine.host.address
  let calls = 0
  const { found, refusals } = await scan(all, 'COUNT 20', async cursor => {
    if (!isInside(cursor) && calls === 0) return
    calls++
    if (calls === 1) {
      assert.equal(await target.call('CLUSTER', 'SETSLOT', ONE, 'IMPORTING', sourceId), 'OK')
      assert.equal(await source.call('CLUSTER', 'SETSLOT', ONE, 'MIGRATING', targetId), 'OK')
    }
    const some = (await source.call('CLUSTER', 'GETKEYSINSLOT', ONE, 20)) as string[]
    if (some.length > 0) {
      assert.equal(await source.call('MIGRATE', address, 6379, '', 0, 1000, 'KEYS', ...some), 'OK')
      return
    }
    if (calls > 100) return
    calls = 100
    await target.call('CLUSTER', 'SETSLOT', ONE, 'NODE', targetId)
    await source.call('CLUSTER', 'SETSLOT', ONE, 'NODE', targetId)
  })
  assert.deepEqual([...new Set(found)].sort(), [...all.keys].sort())
  assert.ok((refusals.get('TRYAGAIN') ?? 0) > 0)
})

test('a scan finds every key while slots move whole', async () => {
  const all = await filled(5)
  const { nodes, ids } = all
  const [source, range] = [nodes[OWNER], evenRange(OWNER, PRIMARIES)]
  let calls = 0
  const { found, refusals } = await scan(all, 'COUNT 10', async cursor => {
    if (!isInside(cursor) || calls++ > 0) return
    assert.equal(await source.call('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', ...range, 'NODE', ids[OTHER]), 'OK')
    const isOver = async () => JSON.stringify(await source.call('CLUSTER', 'GETSLOTMIGRATIONS')).includes('success')
    assert.ok(await until(all.world, isOver))
  })
  assert.ok(found.length > KEYS, 'the slot that moved was begun again')
  assert.deepEqual([...new Set(found)].sort(), [...all.keys].sort())
  assert.equal(refusals.get('TRYAGAIN'), undefined)
})

test('a scan finds every key when a replica takes over, and runs at primaries alone', async () => {
  const all = await filled(6, true)
  const { nodes, world } = all
  await nodes[PRIMARIES].say('READONLY')
  assert.match(String(textOf(await nodes[PRIMARIES].say('CLUSTERSCAN 0-{06S}-0'))), /^MOVED 0 /)
  const [primary, replica] = [nodes[OWNER], nodes[OWNER + PRIMARIES]]
  let isDown = false
  const { found } = await scan(all, 'COUNT 10', async cursor => {
    if (isDown || !isInside(cursor)) return
    isDown = true
    primary.machine.kill()
    assert.ok(await until(world, async () => (await replica.info('role')) === 'master'))
    primary.machine.powerOn()
    await primary.start()
    assert.ok(await until(world, async () => (await clusterInfo(primary, 'cluster_state')) === 'ok'))
  })
  assert.ok(isDown && found.length > KEYS)
  assert.deepEqual([...new Set(found)].sort(), [...all.keys].sort())
})
