import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from 'ioredis'
import { createCluster, type EmbeddedCluster } from '../index.ts'

const KEYS = Array.from({ length: 200 }, (_, i) => `key${i}`)

/** A client of ioredis, disconnected afterwards. */
async function withClient(cluster: EmbeddedCluster, body: (client: Cluster) => Promise<void>): Promise<void> {
  const client = new Cluster([...cluster.addresses], { clusterRetryStrategy: () => 50, maxRedirections: 1000 })
  client.on('error', () => {})
  try {
    await body(client)
  } finally {
    client.disconnect()
  }
}

test('a cluster of primaries is ready at once, and clients find the node of each key', async () => {
  await using cluster = await createCluster()
  assert.equal(cluster.nodes.length, 3)
  await withClient(cluster, async client => {
    for (const key of KEYS) assert.equal(await client.set(key, `value of ${key}`), 'OK')
    for (const key of KEYS) {
      assert.equal(await client.get(key), `value of ${key}`)
      assert.equal(cluster.nodeOf(key).callSync('GET', key), `value of ${key}`)
    }
    const sizes = cluster.nodes.map(node => node.callSync('DBSIZE') as number)
    assert.equal(sizes[0] + sizes[1] + sizes[2], KEYS.length)
    assert.ok(sizes.every(size => size > 0))
    await assert.rejects(client.mget('key1', 'key2', 'key3'), /CROSSSLOT/)
  })
})

test('slots move while a client writes', async () => {
  await using cluster = await createCluster({ primaries: 2 })
  await withClient(cluster, async client => {
    for (const key of KEYS) await client.set(key, key)
    const [source, target] = cluster.nodes
    const id = target.callSync('CLUSTER', 'MYID') as string
    const moved = KEYS.filter(key => cluster.nodeOf(key) === source)
    assert.ok(moved.length > 0)
    source.callSync('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', 0, 8191, 'NODE', id)
    let writes = 0
    while (cluster.nodeOf(moved[0]) === source) await client.set(KEYS[writes % KEYS.length], `write ${writes++}`)
    for (; writes < 2 * KEYS.length; writes++) await client.set(KEYS[writes % KEYS.length], `write ${writes}`)
    const before = writes - KEYS.length
    for (const key of KEYS) assert.ok(Number((await client.get(key))?.split(' ')[1]) >= before)
    for (const key of moved) assert.equal(cluster.nodeOf(key), target)
  })
})

test('a replica takes the place of a primary that is closed', async () => {
  await using cluster = await createCluster({ replicas: 1, config: { 'cluster-node-timeout': 500 } })
  assert.equal(cluster.nodes.length, 6)
  await withClient(cluster, async client => {
    for (const key of KEYS) await client.set(key, key)
    const primary = cluster.nodeOf('key0')
    await client.wait(1, 1000)
    await primary.close()
    assert.equal(await client.set('key0', 'new'), 'OK')
    assert.equal(await client.get('key0'), 'new')
    assert.notEqual(cluster.nodeOf('key0'), primary)
  })
})

test('what createCluster does not take is an error', async () => {
  await assert.rejects(createCluster({ primaries: 0 }), /primaries is 0/)
  await assert.rejects(createCluster({ replicas: 1.5 }), /replicas is 1.5/)
  await assert.rejects(createCluster({ primaries: 60, replicas: 1 }), /120 nodes are more than 100/)
  await assert.rejects(createCluster({ nodes: 3 } as object), /no option 'nodes'/)
  await assert.rejects(createCluster({ config: { maxmemory: 'many' } as object }), /maxmemory/)
})
