import assert from 'node:assert/strict'
import { test } from 'node:test'
import bloom from '../../examples/bloom.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { latin1Bytes, RespError } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'

async function start() {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, { appendonly: 'yes' }, { modules: [{ module: bloom }] })
  const call = (line: string) => {
    const reply = server.call(...line.split(' '))
    return reply instanceof RespError ? reply.message : reply
  }
  return { machine, server, call }
}

test('BF commands reply as RedisBloom documents', async () => {
  const { call } = await start()
  assert.equal(call('bf.reserve bf 0.01 1000'), 'OK')
  assert.equal(call('bf.reserve bf 0.01 1000'), 'ERR item exists')
  assert.equal(call('bf.add bf item1'), 1)
  assert.equal(call('bf.add bf item1'), 0)
  assert.deepEqual(call('bf.madd bf item1 item2 item3'), [0, 1, 1])
  assert.equal(call('bf.exists bf item2'), 1)
  assert.equal(call('bf.exists bf none'), 0)
  assert.deepEqual(call('bf.mexists bf item1 none'), [1, 0])
  assert.equal(call('bf.card bf'), 3)
  assert.equal(call('bf.card none'), 0)
  assert.equal(call('bf.exists none item'), 0)
  assert.deepEqual(call('bf.insert filter ITEMS foo bar baz'), [1, 1, 1])
  assert.deepEqual(call('bf.insert filter CAPACITY 10000 ITEMS hello'), [1])
  assert.equal(call('bf.insert filter2 NOCREATE ITEMS foo'), 'ERR not found')
  assert.deepEqual(call('bf.info bf CAPACITY'), [1000])
  assert.equal(call('bf.info none'), 'ERR not found')
  const info = call('bf.info filter') as unknown[]
  assert.deepEqual(
    info.filter((_, i) => i !== 3),
    ['Capacity', 100, 'Size', 'Number of filters', 1, 'Number of items inserted', 4, 'Expansion rate', 2],
  )
})

test('BF.RESERVE refuses what is out of range, and a full filter that does not grow refuses items', async () => {
  const { call } = await start()
  assert.equal(call('bf.reserve bf 1.5 10'), 'ERR (0 < error rate range < 1)')
  assert.equal(call('bf.reserve bf x 10'), 'ERR bad error rate')
  assert.equal(call('bf.reserve bf 0.1 0'), 'ERR (capacity should be larger than 0)')
  assert.equal(call('bf.reserve bf 0.1 x'), 'ERR bad capacity')
  assert.equal(call('bf.reserve bf 0.0001 2 NONSCALING'), 'OK')
  const [first, second, third] = call('bf.madd bf a b c') as unknown[]
  assert.deepEqual([first, second], [1, 1])
  assert.equal((third as RespError).message, 'ERR non scaling filter is full')
  assert.equal(call('bf.card bf'), 2)
  call('set text value')
  assert.equal(call('bf.add text a'), 'WRONGTYPE Operation against a key holding the wrong kind of value')
})

test('what was added is found, others seldom are, while the filter grows', async () => {
  const { call } = await start()
  call('bf.reserve bf 0.01 100')
  for (let i = 0; i < 1000; i++) call(`bf.add bf in:${i}`)
  const count = (prefix: string) => {
    let found = 0
    for (let i = 0; i < 1000; i++) found += call(`bf.exists bf ${prefix}:${i}`) as number
    return found
  }
  assert.equal(count('in'), 1000)
  const wrong = count('out')
  assert.ok(wrong < 30, `${wrong} of 1000`)
  assert.deepEqual(call('bf.info bf FILTERS'), [4])
})

// What RedisBloom's own tests expect; the counts depend on every bit.
test('the same items make the same filters as in RedisBloom', async () => {
  const { call } = await start()
  call('bf.reserve bf 0.01 10')
  for (let i = 0; i < 100; i++) call(`bf.add bf ${i}`)
  assert.deepEqual(call('bf.debug bf'), [
    'size:99',
    'bytes:16 bits:128 hashes:8 hashwidth:64 capacity:10 size:10 ratio:0.005',
    'bytes:32 bits:256 hashes:9 hashwidth:64 capacity:20 size:20 ratio:0.0025',
    'bytes:72 bits:576 hashes:10 hashwidth:64 capacity:40 size:40 ratio:0.00125',
    'bytes:160 bits:1280 hashes:11 hashwidth:64 capacity:80 size:29 ratio:0.000625',
  ])
  call('del bf')
  call('bf.reserve bf 0.001 100')
  assert.deepEqual(call('bf.info bf'), [
    ...['Capacity', 100, 'Size', 296, 'Number of filters', 1, 'Number of items inserted', 0],
    ...['Expansion rate', 2],
  ])
  for (let i = 0; i < 4000; i++) call(`bf.add bf ${i}`)
  assert.deepEqual(call('bf.debug bf'), [
    'size:3997',
    'bytes:200 bits:1600 hashes:11 hashwidth:64 capacity:100 size:100 ratio:0.0005',
    'bytes:432 bits:3456 hashes:12 hashwidth:64 capacity:200 size:200 ratio:0.00025',
    'bytes:936 bits:7488 hashes:13 hashwidth:64 capacity:400 size:400 ratio:0.000125',
    'bytes:2016 bits:16128 hashes:14 hashwidth:64 capacity:800 size:800 ratio:6.25e-05',
    'bytes:4320 bits:34560 hashes:15 hashwidth:64 capacity:1600 size:1600 ratio:3.125e-05',
    'bytes:9216 bits:73728 hashes:16 hashwidth:64 capacity:3200 size:897 ratio:1.5625e-05',
  ])
  for (const growth of [1, 2, 4]) {
    call(`bf.reserve exp${growth} 0.01 4 expansion ${growth}`)
    for (let i = 0; i < 100; i++) call(`bf.add exp${growth} ${i}`)
    assert.deepEqual(call(`bf.info exp${growth} filters`), [{ 1: 23, 2: 5, 4: 4 }[growth]])
  }
})

test('a filter is the same after chunks, DUMP, a rewrite and a restart; broken parts are refused', async () => {
  const machine = virtualSystem({ seed: 1 })
  const directives = { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }
  const options = { modules: [{ module: bloom }] }
  const server = await MachineServer.start(machine, directives, options)
  server.call('bf.reserve', 'bf', 0.01, 50)
  for (let i = 0; i < 300; i++) server.call('bf.add', 'bf', i)
  const value = () => server.call('debug', 'digest-value', 'bf', 'other') as string[]
  for (let at = 0; ; ) {
    const [next, data] = server.call('bf.scandump', 'bf', at) as [number, string]
    if (next === 0) break
    assert.equal(server.call('bf.loadchunk', 'other', next, latin1Bytes(data)), 'OK')
    at = next
  }
  assert.equal(value()[0], value()[1])
  const payload = latin1Bytes(String(server.call('dump', 'bf')))
  server.call('restore', 'other', 0, payload, 'replace')
  assert.equal(value()[0], value()[1])
  server.call('bgrewriteaof')
  machine.advance(3000)
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  const again = await MachineServer.start(machine, directives, options)
  assert.equal(again.digest(), digest)
  for (const [at, data] of [
    [1, 'short'],
    [5, 'no filter'],
    ['x', 'data'],
  ])
    assert.ok(again.call('bf.loadchunk', 'new', at, data) instanceof RespError, String(at))
  assert.ok(again.call('bf.loadchunk', 'bf', 1e9, 'beyond') instanceof RespError)
  assert.ok(again.call('bf.reserve', 'huge', 0.01, '18446744073709551616') instanceof RespError)
  assert.equal(again.call('bf.exists', 'bf', 299), 1)
})
