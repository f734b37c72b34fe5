import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MachineServer } from '../../../test/harness/machine.ts'
import { get, PORT, pass, request, started } from '../../../test/harness/metrics-port.ts'
import { METRICS } from './names.ts'

/** A command whose reply waits for promises. */
async function callLater(server: MachineServer, ...words: string[]) {
  server.connect()
  server.send(0, words)
  for (let turns = 0; turns < 20; turns++) {
    server.machine.settle()
    await Promise.resolve()
  }
  return server.take(0)
}

test('metrics have the values of INFO', async () => {
  const { world, server, client } = await started({ maxmemory: '100mb' })
  server.call('set', 'a', '1')
  server.call('set', 'b', '2', 'ex', '1000')
  server.call('get', 'a')
  server.call('get', 'absent')
  server.call('lpush', 'a', 'x')
  const { status, body } = get(world, client, '/metrics')
  assert.equal(status, 200)
  for (const line of [
    'redis_memory_max_bytes 104857600',
    'redis_keyspace_hits_total 1',
    'redis_keyspace_misses_total 1',
    'redis_db_keys{db="db0"} 2',
    'redis_db_keys_expiring{db="db0"} 1',
    'redis_commands_total{cmd="set"} 2',
    'redis_commands_failed_calls_total{cmd="lpush"} 1',
    'redis_errors_total{err="WRONGTYPE"} 1',
    'redis_commands_latencies_usec_count{cmd="get"} 2',
    'redis_aof_last_write_status 1',
  ])
    assert.ok(body.includes(`\n${line}\n`), line)
})

test('every line is a comment or a sample, and the samples of a metric are together', async () => {
  const { world, client, server } = await started()
  server.call('set', 'a', '1')
  const seen = new Set<string>()
  let last = ''
  for (const line of get(world, client, '/metrics').body.split('\n').slice(0, -1)) {
    if (!line.startsWith('#')) {
      assert.match(line, /^[a-z_][a-z0-9_]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (-?[0-9.]+(e[+-][0-9]+)?)$/)
      continue
    }
    const [, word, name] = line.split(' ')
    if (word !== 'TYPE') continue
    assert.ok(!seen.has(name), name)
    seen.add(name)
    last = name
  }
  assert.notEqual(last, '')
})

test('metrics are named after fields that INFO has', async () => {
  const { server } = await started({ appendonly: 'yes' })
  const info = String(server.call('info', 'everything'))
  const absent = [...METRICS.keys()].filter(field => !info.includes(`\n${field}:`))
  // Shown by a replica alone.
  assert.deepEqual(absent, ['slave_priority'])
})

test('a server is ready unless its primary is out of sync or its disk fails; it is alive all the same', async () => {
  const { world, server, client } = await started({ appendonly: 'yes', appendfsync: 'everysec' })
  assert.deepEqual(get(world, client, '/readyz'), { status: 200, body: 'ok\n' })
  server.machine.disk.failWrites = 'ENOSPC'
  server.call('set', 'a', '1')
  pass(world, 100)
  assert.deepEqual(get(world, client, '/readyz'), { status: 503, body: 'the append-only file cannot be written\n' })
  assert.equal(get(world, client, '/healthz').status, 200)
  server.machine.disk.failWrites = null
  pass(world, 3000)
  assert.equal(get(world, client, '/readyz').status, 200)
  server.call('replicaof', 'client', '1')
  assert.deepEqual(get(world, client, '/readyz'), { status: 503, body: 'not in sync with the primary\n' })
})

test('CONFIG SET moves the port, and 0 closes it', async () => {
  const { world, server, client } = await started()
  assert.deepEqual(await callLater(server, 'config', 'set', 'metrics-port', '0'), ['OK'])
  const state = request(client, ['GET /healthz HTTP/1.1\r\n\r\n'])
  pass(world, 2000)
  assert.equal(state.text, '')
  assert.deepEqual(await callLater(server, 'config', 'set', 'metrics-port', String(PORT)), ['OK'])
  assert.equal(get(world, client, '/healthz').status, 200)
})

test('requests that are not HTTP, too long, too slow or too many are cut off', async () => {
  const { world, client, server } = await started()
  for (const [pieces, status] of [
    [['POST /metrics HTTP/1.1\r\n\r\n'], 405],
    [['GET /absent HTTP/1.1\r\n\r\n'], 404],
    [['GET /healthz?verbose HT', 'TP/1.1\r\n', '\r\n'], 200],
    [['nonsense\r\n\r\n'], 400],
    [['x'.repeat(5000), 'y'.repeat(5000)], 431],
  ] as const) {
    const state = request(client, pieces)
    pass(world, 200)
    assert.equal(state.text.slice(9, 12), String(status))
    assert.ok(state.isOver)
  }
  const idle = Array.from({ length: 40 }, () => request(client, ['GET /']))
  pass(world, 200)
  assert.equal(idle.filter(one => one.isOver).length, 8)
  pass(world, 15_000)
  assert.equal(idle.filter(one => one.isOver).length, 40)
  assert.equal(get(world, client, '/healthz').status, 200)
  await server.stop(['nosave'])
})
