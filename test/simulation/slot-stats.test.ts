// CLUSTER SLOT-STATS of servers in a virtual world.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySlot } from '../../src/lib/crc16.ts'
import { Slice } from '../../src/lib/slice.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import type { WorldServer } from '../harness/replication-world.ts'
import { textOf } from '../harness/resp.ts'
import { clusterInfo, startCluster, until } from './cluster-world.ts'

const METERED = { 'cluster-slot-stats-enabled': 'yes' }
const KEY = keySlot(Slice.of('key'))

async function cluster(seed: number, nodes: number, directives: Readonly<Record<string, string>>) {
  const world = new VirtualWorld({ seed })
  const all = await startCluster(world, nodes, 1, directives)
  for (const node of all.slice(1)) await node.call('CLUSTER', 'REPLICATE', String(await all[0].say('CLUSTER MYID')))
  assert.ok(await until(world, async () => all.slice(1).every(node => node.isLinked)))
  assert.ok(await until(world, async () => (await clusterInfo(all[0], 'cluster_state')) === 'ok'))
  return { world, all }
}

/** Bytes in and out of the slots that have any, by slot. */
async function bytes(node: WorldServer): Promise<Record<number, [number, number]>> {
  const slots = (await node.say('CLUSTER SLOT-STATS SLOTSRANGE 0 16383')) as [number, (string | number)[]][]
  assert.ok(slots.every(([, fields]) => fields.length === 8))
  const counted = slots.filter(([, fields]) => Number(fields[5]) + Number(fields[7]) > 0)
  return Object.fromEntries(counted.map(([slot, fields]) => [slot, [Number(fields[5]), Number(fields[7])]]))
}

test('bytes of commands and replies count for the slot of their keys', async () => {
  const { all } = await cluster(1, 1, METERED)
  const [node] = all
  const counts = async (...lines: string[]) => {
    await node.say('CONFIG RESETSTAT')
    for (const line of lines) await node.say(line)
    return bytes(node)
  }
  assert.deepEqual(await counts('SET key value'), { [KEY]: [33, 5] })
  assert.deepEqual(await counts('GET key'), { [KEY]: [22, 11] })
  assert.deepEqual(await counts('INFO', 'PUBLISH channel message', 'DBSIZE'), {})
  assert.deepEqual(await counts('SET key', 'LPUSH key 1'), { [KEY]: [31, 68] })
  // MULTI 15, SET 33, EXEC 14; QUEUED 9, and an array of OK.
  assert.deepEqual(await counts('MULTI', 'SET key value', 'EXEC'), { [KEY]: [62, 18] })
  assert.deepEqual(await counts('EVAL return#1 0'), {})
  const script = "return{redis.call('set','key','value')}"
  assert.deepEqual(await counts(`EVAL ${script} 0`), { [KEY]: [67, 9] })
  const both = "redis.call('set', 'key', 'value') return redis.call('set', 'other', 'value')"
  const across = ['EVAL', `#!lua flags=allow-cross-slot-keys\n${both}`, '0']
  await node.say('CONFIG RESETSTAT')
  assert.equal(await node.call(...across), 'OK')
  assert.deepEqual(await bytes(node), {})
})

test('what a shard channel sends to subscribers counts, and a client that waits', async () => {
  const { all } = await cluster(2, 1, METERED)
  const [node] = all
  const other = node.server.memory.connect()
  other.onData = () => {}
  const channel = keySlot(Slice.of('channel'))
  other.write(new TextEncoder().encode('SSUBSCRIBE channel\r\n'))
  assert.deepEqual(await bytes(node), { [channel]: [20, 38] })
  await node.say('CONFIG RESETSTAT')
  assert.equal(await node.say('SPUBLISH channel hello'), 1)
  assert.deepEqual(await bytes(node), { [channel]: [42, 46] })
  await node.say('CONFIG RESETSTAT')
  const waiting = node.server.memory.connect()
  waiting.onData = () => {}
  waiting.write(new TextEncoder().encode('BLPOP key 0\r\n'))
  await node.say('LPUSH key value')
  assert.deepEqual(await bytes(node), { [KEY]: [13 + 35, 4 + 24] })
})

test('a replica counts what its primary sends, and the primary what it sends to it', async () => {
  const { world, all } = await cluster(3, 2, METERED)
  const [primary, replica] = all
  await primary.say('SET key first')
  await primary.say('CONFIG RESETSTAT')
  assert.ok(await until(world, async () => replica.offset === primary.offset))
  await replica.say('CONFIG RESETSTAT')
  await primary.say('SET key value')
  assert.ok(await until(world, async () => replica.offset === primary.offset))
  assert.deepEqual(await bytes(primary), { [KEY]: [33, 5 + 33] })
  assert.deepEqual(await bytes(replica), { [KEY]: [33, 0] })
})

test('counters begin anew with a new owner, and go with the directive', async () => {
  const { all } = await cluster(4, 1, { ...METERED, 'cluster-require-full-coverage': 'no' })
  const [node] = all
  await node.say('SET key value')
  await node.say(`CLUSTER DELSLOTS ${KEY}`)
  await node.say(`CLUSTER ADDSLOTS ${KEY}`)
  assert.deepEqual(await bytes(node), {})
  await node.say('SET key value')
  await node.say('CONFIG SET cluster-slot-stats-enabled no')
  const [[, fields]] = (await node.say(`CLUSTER SLOT-STATS SLOTSRANGE ${KEY} ${KEY}`)) as [[number, unknown[]]]
  assert.deepEqual(fields, ['key-count', 1])
  assert.match(String(textOf(await node.say('CLUSTER SLOT-STATS ORDERBY cpu-usec'))), /^ERR Unrecognized sort metric/)
  await node.say('CONFIG SET cluster-slot-stats-enabled yes')
  assert.deepEqual(await bytes(node), {})
})

test('ORDERBY sorts by a counter, the largest first; LIMIT and the order are given once', async () => {
  const { all } = await cluster(5, 1, METERED)
  const [node] = all
  for (const [i, tag] of ['a', 'b', 'c'].entries())
    for (let n = 0; n <= i; n++) await node.say(`SET {${tag}}${n} ${'x'.repeat(10 * (3 - i) ** 3)}`)
  const slots = async (line: string) => {
    const reply = await node.say(`CLUSTER SLOT-STATS ORDERBY ${line}`)
    return Array.isArray(reply) ? reply.map(one => (one as unknown[])[0]) : textOf(reply)
  }
  const [a, b, c] = ['a', 'b', 'c'].map(tag => keySlot(Slice.of(tag)))
  assert.deepEqual(await slots('key-count LIMIT 3'), [c, b, a])
  assert.deepEqual(await slots('network-bytes-in LIMIT 3'), [a, b, c])
  assert.deepEqual(await slots('network-bytes-out LIMIT 1 DESC'), [c])
  assert.deepEqual(await slots('KEY-COUNT ASC LIMIT 2'), [0, 1])
  assert.equal(((await slots('key-count')) as unknown[]).length, 16384)
  assert.match(String(await slots('key-count LIMIT 0')), /^ERR Limit has to lie in between/)
  assert.match(String(await slots('key-count LIMIT 1 LIMIT 1')), /^ERR Multiple filters of the same type/)
  assert.match(String(await slots('key-count ASC DESC')), /^ERR Multiple filters of the same type/)
  assert.equal(await slots('key-count NOSUCH'), 'ERR syntax error')
  assert.match(String(await slots('nothing')), /^ERR Unrecognized sort metric/)
})
