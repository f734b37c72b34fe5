import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'

const TINY = { storage: 'disk', 'storage-memory': '1' }

/** Values of every type and encoding, in two databases, some with an expiry. */
function fill(server: MachineServer): void {
  server.call('set', 'inline', 'inline '.repeat(20))
  server.call('set', 'long', 'abc'.repeat(20000))
  server.call('set', 'expiring', 'expiring '.repeat(100), 'px', 100000000)
  for (let i = 0; i < 300; i++) {
    server.call('rpush', 'list', `element ${i} ${'-'.repeat(50)}`, i)
    server.call('hset', 'hash', `field ${i}`, i * 7)
    server.call('sadd', 'set', `member ${i}`)
    server.call('sadd', 'integers', i * 1000003)
    server.call('zadd', 'zset', i / 3, `member ${i}`)
    server.call('xadd', 'stream', `${i + 1}-1`, 'field', `value ${i}`)
  }
  server.call('hset', 'short hash', 'a', 1, 'b', 'two'.repeat(15), 'c', 'three'.repeat(10))
  server.call('sadd', 'short set', 'x'.repeat(50), 'y'.repeat(50))
  server.call('zadd', 'short zset', 1, 'x'.repeat(50), 2.5, 'y'.repeat(50))
  server.call('hset', 'shrunken', 'field', 'f'.repeat(100))
  server.call('hset', 'shrunken', 'field', 'g'.repeat(40))
  server.call('select', 3)
  server.call('set', 'elsewhere', 'e'.repeat(1000))
  server.call('select', 0)
}

const NAMES = ['inline', 'long', 'expiring', 'list', 'hash', 'set', 'integers', 'zset', 'stream', 'shrunken']

function figure(server: MachineServer, name: string): number {
  const found = new RegExp(`${name}:(\\d+)`).exec(String(server.call('info', 'storage')))
  assert.notEqual(found, null, name)
  return Number(found![1])
}

async function filled(directives: Readonly<Record<string, string>>): Promise<MachineServer> {
  const server = await MachineServer.start(virtualSystem(), directives)
  fill(server)
  server.machine.advance(3000)
  return server
}

test('with storage disk values are cold, and digests, replies and encodings are those of memory', async () => {
  const memory = await filled({})
  const disk = await filled(TINY)
  assert.equal(figure(memory, 'storage_cold_keys'), 0)
  assert.ok(figure(disk, 'storage_cold_keys') >= NAMES.length)
  assert.equal(disk.call('debug', 'digest'), memory.call('debug', 'digest'))
  const commands = [
    ...NAMES.flatMap(name => [
      ['object', 'encoding', name],
      ['type', name],
      ['exists', name],
      ['debug', 'digest-value', name],
      ['object', 'encoding', name],
    ]),
    ['get', 'inline'],
    ['getrange', 'long', '59990', '-1'],
    ['lrange', 'list', '590', '-1'],
    ['hget', 'hash', 'field 7'],
    ['zrange', 'zset', '0', '3', 'withscores'],
    ['xrange', 'stream', '299-1', '+'],
    ['append', 'inline', 'more'],
    ['hset', 'hash', 'new', '1'],
    ['rename', 'list', 'renamed'],
    ['lindex', 'renamed', '-1'],
    ['copy', 'zset', 'copied'],
    ['zcard', 'copied'],
    ['del', 'set', 'integers'],
    ['setrange', 'long', '1', 'x'],
  ]
  for (const command of commands) assert.deepEqual(disk.call(...command), memory.call(...command), command.join(' '))
  disk.machine.advance(3000)
  assert.equal(disk.call('debug', 'digest'), memory.call('debug', 'digest'))
})

test('a value comes back in the encoding that it had, whatever the limits are now', async () => {
  const server = await filled(TINY)
  const names = ['hash', 'short hash', 'set', 'integers', 'short set', 'zset', 'short zset', 'list']
  const encodings = () => names.map(name => server.call('object', 'encoding', name))
  const before = encodings()
  assert.deepEqual([...new Set(before)].sort(), ['hashtable', 'intset', 'listpack', 'quicklist', 'skiplist'])
  for (const [entries, value] of [
    [0, 0],
    [1000, 1000],
  ]) {
    for (const type of ['hash', 'set', 'zset']) {
      server.call('config', 'set', `${type}-max-listpack-entries`, entries)
      server.call('config', 'set', `${type}-max-listpack-value`, value)
    }
    server.call('config', 'set', 'set-max-intset-entries', entries)
    server.machine.advance(3000)
    const faults = figure(server, 'storage_faults')
    for (const name of names) server.call('debug', 'digest-value', name)
    server.call('hlen', 'hash')
    server.call('hlen', 'short hash')
    for (const name of ['set', 'integers', 'short set']) server.call('scard', name)
    for (const name of ['zset', 'short zset']) server.call('zcard', name)
    server.call('llen', 'list')
    assert.ok(figure(server, 'storage_faults') >= faults + names.length)
    assert.deepEqual(encodings(), before)
  }
})

test('commands about keys, and those that overwrite or remove a value, read nothing', async () => {
  const server = await filled(TINY)
  const before = figure(server, 'storage_faults')
  for (const name of NAMES) {
    for (const command of [['exists'], ['type'], ['ttl'], ['touch'], ['object', 'encoding'], ['memory', 'usage']])
      server.call(...command, name)
    server.call('expire', name, 1000)
    server.call('persist', name)
    server.call('rename', name, `${name} 2`)
    server.call('rename', `${name} 2`, name)
  }
  server.call('scan', 0, 'count', 1000)
  server.call('set', 'inline', 'another')
  server.call('del', 'list', 'hash')
  server.call('unlink', 'long')
  assert.equal(figure(server, 'storage_faults'), before)
  server.call('flushall')
  server.machine.advance(3000)
  assert.equal(figure(server, 'storage_cold_keys'), 0)
  assert.equal(figure(server, 'storage_live_bytes'), 0)
})

test('a command waits for its values in the background; a transaction for those of all its commands', async () => {
  const server = await filled(TINY)
  server.machine.advance(3000)
  // Nothing is moved to disk again meanwhile.
  server.call('config', 'set', 'storage-memory', '1gb')
  const waits = figure(server, 'storage_waits')
  assert.equal(server.call('get', 'long'), 'abc'.repeat(20000))
  server.call('multi')
  server.call('hlen', 'hash')
  server.call('zcard', 'zset')
  assert.deepEqual(server.call('exec'), [300, 300])
  assert.equal(server.call('eval', 'return redis.call("scard", KEYS[1])', 1, 'set'), 300)
  assert.equal(figure(server, 'storage_waits'), waits)
  assert.ok(figure(server, 'storage_faults') >= 4)
  assert.equal(server.call('eval', 'return redis.call("llen", "list")', 0), 600)
  assert.ok(figure(server, 'storage_fault_max_usec') >= figure(server, 'storage_fault_p50_usec'))
  assert.ok(figure(server, 'storage_fault_max_usec') > 0)
  server.call('config', 'resetstat')
  assert.equal(figure(server, 'storage_fault_max_usec'), 0)
})

test('the socket of a client is not read while it waits, and is when its input is used up', async () => {
  const server = await MachineServer.start(virtualSystem(), TINY)
  for (let i = 0; i < 50; i++) server.call('set', `key ${i}`, 'x'.repeat(300))
  server.machine.advance(3000)
  server.machine.disk.latencyMs = () => 5
  const sender = server.connect()
  const [client] = [...server.server.engine.clients.values()].slice(-1)
  let isPaused = false
  const pause = () => {
    isPaused = true
  }
  const resume = () => {
    assert.equal(client.queryBytes, 0)
    isPaused = false
  }
  Object.assign(client.connection, { kind: 'tcp', pause, resume })
  for (let i = 0; i < 20; i++) server.send(sender, ['setrange', `key ${i}`, i, 'y'.repeat(1000)])
  while (server.take(sender).length === 0) server.machine.advance(1)
  assert.ok(isPaused && client.queryBytes > 10_000)
  server.machine.advance(1000)
  assert.equal(server.take(sender).length, 19)
  assert.equal(isPaused, false)
})

test('CLIENT UNBLOCK ends a command that came before it and waits for its value', async () => {
  const server = await filled(TINY)
  server.machine.advance(3000)
  assert.match(String(server.call('debug', 'storage', 'stream')), /^value:disk/)
  server.machine.disk.latencyMs = () => 5
  const reader = server.connect()
  server.send(reader, ['client', 'id'])
  const [id] = server.take(reader)
  server.send(reader, ['xread', 'block', 0, 'streams', 'stream', '$'])
  assert.equal(server.call('client', 'unblock', String(id)), 1)
  server.machine.advance(10)
  assert.deepEqual(server.take(reader), [null])
})

test('a background save reads values ahead, and none while the server waits', async () => {
  const server = await filled(TINY)
  for (let i = 0; i < 500; i++) server.call('set', `key ${i}`, `${i} `.repeat(200))
  server.machine.advance(5000)
  assert.ok(figure(server, 'storage_cold_keys') > 500)
  const digest = server.call('debug', 'digest')
  const { disk } = server.machine
  disk.latencyMs = () => 1
  const { read, readLater } = disk
  // The simulated disk's background reads end in the others.
  let reads = 0
  disk.read = (...args) => {
    reads++
    return read.apply(disk, args)
  }
  disk.readLater = (...args) => {
    reads--
    readLater.apply(disk, args)
  }
  server.call('bgsave')
  // What changes meanwhile is saved first, as it was.
  for (let i = 0; i < 50; i++) server.call('set', `key ${i * 7}`, 'changed')
  server.machine.advance(5000)
  disk.read = read
  disk.readLater = readLater
  disk.latencyMs = () => 0
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:0.*rdb_last_bgsave_status:ok/s)
  assert.ok(reads <= 50, String(reads))
  const again = await MachineServer.start(server.machine)
  assert.equal(again.call('debug', 'digest'), digest)
})

test('without an append-only log the files of values are removed at the end', async () => {
  const server = await filled({ ...TINY, port: '7000' })
  const { disk } = server.machine
  assert.ok(disk.readdir('storage-7000').length > 0)
  await server.stop(['save'])
  assert.equal(disk.stat('storage-7000'), null)
  const again = await MachineServer.start(server.machine, { ...TINY, port: '7000' })
  assert.equal(again.call('hlen', 'hash'), 300)
})

test('DEBUG STORAGE says where a value is', async () => {
  const server = await filled(TINY)
  server.call('set', 'small', '1')
  assert.match(String(server.call('debug', 'storage', 'hash')), /^value:disk segment:\d+ offset:\d+ bytes:\d+$/)
  server.call('config', 'set', 'storage-memory', '1gb')
  server.call('hlen', 'hash')
  assert.match(String(server.call('debug', 'storage', 'hash')), /^value:both segment:\d+ offset:\d+ bytes:\d+$/)
  server.call('hset', 'hash', 'another', 1)
  assert.equal(server.call('debug', 'storage', 'hash'), 'value:memory')
  assert.equal(server.call('debug', 'storage', 'small'), 'value:memory')
  assert.ok(server.call('debug', 'storage', 'absent') instanceof RespError)
})

for (const [name, directives] of [
  ['RDB', {}],
  ['AOF with an RDB base', { appendonly: 'yes' }],
  ['AOF of commands', { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }],
] as const)
  test(`cold values are saved, and loaded again: ${name}`, async () => {
    const server = await filled({ ...TINY, ...directives })
    const digest = server.call('debug', 'digest')
    assert.ok(figure(server, 'storage_cold_keys') > 0)
    server.call('appendonly' in directives ? 'bgrewriteaof' : 'bgsave')
    server.machine.advance(3000)
    await server.stop(['nosave'])
    const again = await MachineServer.start(server.machine, directives)
    assert.equal(again.call('debug', 'digest'), digest)
    assert.equal(figure(again, 'storage_cold_keys'), 0)
  })

test('a value that was read and not changed leaves memory without being written; a changed one is written', async () => {
  const server = await filled(TINY)
  const read = () => {
    for (const [command, ...names] of [
      ['strlen', 'inline', 'long', 'expiring'],
      ['llen', 'list'],
      ['hlen', 'hash'],
      ['scard', 'set', 'integers'],
      ['zcard', 'zset'],
      ['xlen', 'stream'],
    ])
      for (const name of names) server.call(command, name)
  }
  const spilled = () => figure(server, 'storage_spilled') - figure(server, 'storage_dropped')
  const before = spilled()
  const live = figure(server, 'storage_live_bytes')
  const digest = server.call('debug', 'digest')
  for (let round = 0; round < 3; round++) {
    read()
    // The key changes, its value does not.
    server.call('expire', 'hash', 1000)
    server.call('rename', 'list', 'renamed')
    server.call('persist', 'hash')
    server.call('rename', 'renamed', 'list')
    server.machine.advance(3000)
  }
  assert.equal(spilled(), before)
  assert.ok(figure(server, 'storage_dropped') >= 27)
  assert.equal(figure(server, 'storage_live_bytes'), live)
  assert.equal(server.call('debug', 'digest'), digest)
  for (const change of [
    ['append', 'inline', 'x'],
    ['setrange', 'long', '5', 'x'],
    ['rpush', 'list', 'x'],
    ['hset', 'hash', 'field 1', 'x'],
    ['srem', 'set', 'member 1'],
    ['zincrby', 'zset', '1', 'member 1'],
    ['xadd', 'stream', '400-1', 'a', 'b'],
    ['sadd', 'integers', '5'],
  ]) {
    const written = spilled()
    server.call(...change)
    const changed = server.call('debug', 'digest-value', change[1])
    server.machine.advance(3000)
    assert.equal(spilled(), written + 1, change.join(' '))
    assert.deepEqual(server.call('debug', 'digest-value', change[1]), changed)
  }
})

test('a value that is in memory and on disk gives its record back when it is removed, copied or overwritten', async () => {
  const server = await MachineServer.start(virtualSystem(), TINY)
  for (let i = 0; i < 6; i++) server.call('set', `key ${i}`, 'x'.repeat(300))
  server.machine.advance(3000)
  server.call('config', 'set', 'storage-memory', '1gb')
  for (let i = 0; i < 6; i++) server.call('strlen', `key ${i}`)
  const live = figure(server, 'storage_live_bytes')
  assert.equal(figure(server, 'storage_cold_keys'), 0)
  assert.ok(live > 1800)
  server.call('copy', 'key 0', 'copy')
  assert.equal(figure(server, 'storage_live_bytes'), live)
  server.call('del', 'key 0')
  server.call('unlink', 'copy')
  server.call('set', 'key 1', 'y')
  server.call('append', 'key 2', 'y')
  server.call('pexpire', 'key 3', 1)
  server.machine.advance(500)
  assert.equal(figure(server, 'storage_live_bytes'), (live / 6) * 2)
  server.call('flushall')
  server.machine.advance(500)
  assert.equal(figure(server, 'storage_live_bytes'), 0)
})

test('above storage-max-bytes keys are evicted by maxmemory-policy, or writes are refused', async () => {
  const server = await MachineServer.start(virtualSystem(), { ...TINY, 'storage-segment-size': '65536' })
  const write = (from: number, to: number) => {
    const replies = []
    for (let i = from; i < to; i++) {
      replies.push(server.call('set', `key ${i}`, 'x'.repeat(1000)))
      if (i % 10 === 0) server.machine.advance(100)
    }
    return replies
  }
  write(0, 200)
  assert.equal(server.call('dbsize'), 200)
  server.call('config', 'set', 'storage-max-bytes', '100kb')
  const refused = server.call('set', 'key', 'value')
  assert.match(refused instanceof RespError ? refused.message : '', /^OOM /)
  assert.equal(server.call('get', 'key 1'), 'x'.repeat(1000))
  assert.equal(server.call('del', 'key 2'), 1)
  server.call('config', 'set', 'maxmemory-policy', 'allkeys-lru')
  assert.equal(server.call('set', 'key', 'value'), 'OK')
  write(200, 300)
  assert.ok(figure(server, 'storage_live_bytes') <= 110_000)
  const left = Number(server.call('dbsize'))
  assert.ok(left > 80 && left < 120, String(left))
  server.call('config', 'set', 'storage-max-bytes', '0')
  write(300, 400)
  assert.equal(server.call('dbsize'), left + 100)
})

/** Overwrites keys by chance until `bytes` were written, so that the live values are spread over all segments. */
function churn(server: MachineServer, keys: number, bytes: number): Map<string, string> {
  const expected = new Map<string, string>()
  let seed = 7
  for (let written = 0; written < bytes; ) {
    seed = (seed * 48271) % 0x7fffffff
    const value = String(seed).repeat(20 + (seed % 40))
    server.call('set', `key ${seed % keys}`, value)
    expected.set(`key ${seed % keys}`, value)
    written += value.length
    if (seed % 8 === 0) server.machine.advance(100)
  }
  server.machine.advance(20000)
  return expected
}

test('dead space is given back: values are moved out of segments that are mostly dead, also those of renamed keys', async () => {
  const server = await MachineServer.start(virtualSystem(), { ...TINY, 'storage-segment-size': '65536' })
  const expected = churn(server, 1000, 600_000)
  for (let i = 0; i < 1000; i += 5) {
    const value = expected.get(`key ${i}`)
    if (value === undefined) continue
    server.call('rename', `key ${i}`, `renamed ${i}`)
    expected.set(`renamed ${i}`, value)
    expected.delete(`key ${i}`)
  }
  server.call('swapdb', 0, 5)
  server.call('swapdb', 0, 5)
  for (const [key, value] of churn(server, 1000, 2_000_000)) expected.set(key, value)
  assert.ok(figure(server, 'storage_compacted_segments') > 20)
  assert.equal(figure(server, 'storage_cold_keys'), expected.size)
  const live = figure(server, 'storage_live_bytes')
  assert.ok(figure(server, 'storage_bytes') <= 1.5 * live + 65536, `${figure(server, 'storage_bytes')} of ${live}`)
  const spilled = figure(server, 'storage_written_bytes') - figure(server, 'storage_moved_bytes')
  assert.ok(figure(server, 'storage_written_bytes') <= 3 * spilled)
  for (const [key, value] of expected) assert.equal(server.call('get', key), value)
})

test('a value that is large beside the limit is not written and read for each command', async () => {
  const server = await MachineServer.start(virtualSystem(), { storage: 'disk', 'storage-memory': '300kb' })
  for (let i = 0; i < 4000; i++) server.call('hset', 'large', `field ${i}`, 'x'.repeat(80))
  server.machine.advance(2000)
  const before = figure(server, 'storage_written_bytes')
  for (let i = 0; i < 200; i++) {
    server.call('hset', 'large', `field ${i}`, 'z'.repeat(80))
    server.machine.advance(20)
  }
  assert.equal(server.call('debug', 'storage', 'large'), 'value:memory')
  const written = figure(server, 'storage_written_bytes') - before
  assert.ok(written < 1_000_000, String(written))
})
