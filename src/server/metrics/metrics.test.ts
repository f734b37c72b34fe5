import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import type { NetworkError, Outgoing } from '../../system/network.ts'
import type { VirtualMachine } from '../../system/virtual.ts'
import { VirtualWorld } from '../../system/virtual-world.ts'
import { METRICS } from './names.ts'

const PORT = 9121
const ON = { 'metrics-port': String(PORT), 'metrics-bind': '*' }

async function started(directives: Readonly<Record<string, string>> = {}) {
  const world = new VirtualWorld({ seed: 1 })
  const server = await MachineServer.start(world.machine('server'), { ...ON, ...directives })
  return { world, server, client: world.machine('client') }
}

function pass(world: VirtualWorld, ms: number): void {
  world.scheduler.advance(world.scheduler.nowUs + ms * 1000)
}

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

/** Sends a request in pieces; what has come back, and whether the connection is over. */
function request(client: VirtualMachine, pieces: readonly string[]) {
  const state = { text: '', isOver: false, link: undefined as Outgoing | undefined }
  client.system.network.dial({ host: 'server', port: PORT }, 1000, (result: Outgoing | NetworkError) => {
    if ('code' in result) {
      state.isOver = true
      return
    }
    state.link = result
    result.onData = bytes => {
      state.text += new TextDecoder().decode(bytes)
    }
    result.onClose = () => {
      state.isOver = true
    }
    for (const piece of pieces) result.write(new TextEncoder().encode(piece))
  })
  return state
}

function get(world: VirtualWorld, client: VirtualMachine, path: string): { status: number; body: string } {
  const state = request(client, [`GET ${path} HTTP/1.1\r\nHost: server\r\n\r\n`])
  pass(world, 200)
  const [head, body] = [state.text.slice(0, state.text.indexOf('\r\n\r\n')), state.text.indexOf('\r\n\r\n') + 4]
  assert.ok(state.isOver)
  assert.equal(head.includes(`Content-Length: ${state.text.length - body}\r\n`), true, head)
  return { status: Number(head.slice(9, 12)), body: state.text.slice(body) }
}

/** The metrics that dashboards published for redis_exporter ask for (Grafana 763, and its mixin). */
const DASHBOARDS = `redis_up redis_uptime_in_seconds redis_connected_clients redis_blocked_clients redis_memory_used_bytes
  redis_memory_max_bytes redis_memory_used_rss_bytes redis_memory_fragmentation_ratio redis_commands_total
  redis_commands_duration_seconds_total redis_keyspace_hits_total redis_keyspace_misses_total redis_net_input_bytes_total
  redis_net_output_bytes_total redis_db_keys redis_db_keys_expiring redis_expired_keys_total redis_evicted_keys_total
  redis_connected_slaves redis_start_time_seconds redis_instance_info redis_slowlog_length redis_commands_latencies_usec_bucket
  redis_config_maxclients redis_rejected_connections_total redis_rdb_last_bgsave_status redis_aof_last_write_status`

test('the metrics that published dashboards ask for are there, with the values of INFO', async () => {
  const { world, server, client } = await started({ maxmemory: '100mb' })
  server.call('set', 'a', '1')
  server.call('set', 'b', '2', 'ex', '1000')
  server.call('get', 'a')
  server.call('get', 'absent')
  server.call('lpush', 'a', 'x')
  const { status, body } = get(world, client, '/metrics')
  assert.equal(status, 200)
  for (const name of DASHBOARDS.split(/\s+/)) assert.match(body, new RegExp(`^${name}(\\{.*\\})? [0-9.e+-]+$`, 'm'))
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
      assert.match(line, /^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (-?[0-9.]+(e[+-][0-9]+)?)$/)
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
