import assert from 'node:assert/strict'
import { test } from 'node:test'
import cuckoo from '../../examples/cuckoo.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { latin1Bytes, RespError } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'

async function start(directives: Readonly<Record<string, string>> = {}, machine = virtualSystem({ seed: 1 })) {
  const server = await MachineServer.start(machine, directives, { modules: [{ module: cuckoo }] })
  const call = (line: string) => {
    const reply = server.call(...line.split(' '))
    return reply instanceof RespError ? `-${reply.message}` : reply
  }
  const refuses = (line: string) => assert.match(String(call(line)), /^-/, line)
  return { machine, server, call, refuses }
}

test('CF commands reply as RedisBloom documents', async () => {
  const { call } = await start()
  assert.equal(call('cf.reserve cf 1000'), 'OK')
  assert.equal(call('cf.reserve cf 1000'), '-ERR item exists')
  assert.equal(call('cf.reserve cf_params 1000 BUCKETSIZE 8 MAXITERATIONS 20 EXPANSION 2'), 'OK')
  assert.equal(call('cf.add cf item1'), 1)
  assert.equal(call('cf.add cf item1'), 1)
  assert.equal(call('cf.addnx cf item1'), 0)
  assert.equal(call('cf.addnx cf item2'), 1)
  assert.deepEqual(call('cf.insert cf CAPACITY 1000 ITEMS item1 item2'), [1, 1])
  assert.equal(call('cf.insert cf1 CAPACITY 1000 NOCREATE ITEMS item1 item2'), '-ERR not found')
  assert.deepEqual(call('cf.insertnx cf CAPACITY 1000 ITEMS item1 item2 item3'), [0, 0, 1])
  assert.equal(call('cf.exists cf item1'), 1)
  assert.equal(call('cf.exists cf item4'), 0)
  assert.deepEqual(call('cf.mexists cf item1 item2 item5'), [1, 1, 0])
  assert.equal(call('cf.count cf item1'), 3)
  assert.equal(call('cf.count cf item_new'), 0)
  assert.equal(call('cf.del cf item1'), 1)
  assert.equal(call('cf.del cf item_new'), 0)
  assert.equal(call('cf.del cf1 item_new'), '-Not found')
  assert.equal(call('type cf'), 'MBbloomCF')
  call('cf.reserve a 1000')
  assert.deepEqual(call('cf.info a'), [
    ...['Size', 1080, 'Number of buckets', 512, 'Number of filters', 1, 'Number of items inserted', 0],
    ...['Number of items deleted', 0, 'Bucket size', 2, 'Expansion rate', 1, 'Max iterations', 20],
  ])
})

// What RedisBloom's own tests expect; the numbers of filters depend on every fingerprint.
test('the same items make the same filters as in RedisBloom', async () => {
  const { call } = await start()
  call('cf.insert f3 CAPACITY 10000 ITEMS foo')
  assert.equal(call('cf.debug f3'), 'bktsize:2 buckets:8192 items:1 deletes:0 filters:1 max_iterations:20 expansion:1')
  call('cf.reserve m 10 MAXITERATIONS 10')
  assert.equal(call('cf.debug m'), 'bktsize:2 buckets:8 items:0 deletes:0 filters:1 max_iterations:10 expansion:1')
  const filters: readonly (readonly [options: string, debug: string])[] = [
    ['64 BUCKETSIZE 1', 'bktsize:1 buckets:64 items:1000 deletes:0 filters:18 max_iterations:20 expansion:1'],
    ['64 BUCKETSIZE 2', 'bktsize:2 buckets:32 items:1000 deletes:0 filters:17 max_iterations:20 expansion:1'],
    [
      '256 BUCKETSIZE 4 MAXITERATIONS 500',
      'bktsize:4 buckets:64 items:1000 deletes:0 filters:4 max_iterations:500 expansion:1',
    ],
    ['64 EXPANSION 2', 'bktsize:2 buckets:32 items:1000 deletes:0 filters:5 max_iterations:20 expansion:2'],
    [
      '64 EXPANSION 4 MAXITERATIONS 500',
      'bktsize:2 buckets:32 items:1000 deletes:0 filters:3 max_iterations:500 expansion:4',
    ],
  ]
  const items = Array.from({ length: 1000 }, (_, i) => i).join(' ')
  const ones = new Array(1000).fill(1)
  for (const [options, debug] of filters) {
    call('del a')
    call(`cf.reserve a ${options}`)
    assert.deepEqual(call(`cf.insert a NOCREATE ITEMS ${items}`), ones)
    assert.deepEqual(call(`cf.mexists a ${items}`), ones)
    assert.equal(call('cf.debug a'), debug)
  }
})

test('a filter that does not grow is full, one that grows has an end, and what is removed makes space', async () => {
  const { call } = await start()
  call('cf.reserve a 4 EXPANSION 0')
  for (let i = 1; i <= 4; i++) assert.equal(call(`cf.add a ${i}`), 1)
  assert.deepEqual(call('cf.insert a ITEMS 5 6'), [-1, -1])
  assert.equal(call('cf.add a 5'), '-Filter is full')
  call('cf.reserve cf 4')
  for (let i = 0; i < 124; i++) assert.equal(call(`cf.add cf ${i}`), 1)
  assert.equal(call('cf.add cf 2048'), '-Maximum expansions reached')
  const filters = () => Number(/filters:(\d+)/.exec(String(call('cf.debug cf')))![1])
  const before = filters()
  for (let i = 0; i < 62; i++) assert.equal(call(`cf.del cf ${i}`), 1)
  assert.equal(call('cf.compact cf'), 'OK')
  assert.ok(filters() < before)
  for (let i = 62; i < 124; i++) assert.equal(call(`cf.exists cf ${i}`), 1)
})

test('what is no option, number or filter is refused', async () => {
  const { call, refuses } = await start()
  call('cf.reserve cf 1000')
  call('set text value')
  for (const line of [
    'cf.reserve x',
    'cf.reserve x str',
    'cf.reserve x 1',
    'cf.reserve x 10 EXPANSION -1',
    'cf.reserve x 10 EXPANSION',
    'cf.reserve x 10 BUCKETSIZE 0',
    'cf.reserve x 1000 BUCKETSIZE 256',
    'cf.reserve x 10 MAXITERATIONS 0',
    'cf.reserve x 10 MAXITERATIONS str',
    'cf.reserve x 18446744073709551616',
    'cf.reserve x 9007199254740991',
    'cf.insert cf CAPACITY -1 ITEMS k0',
    'cf.insert cf CAPACITY 3 ITEMS k0',
    'cf.insert cf NOCREATE ITEMS',
    'cf.insert cf NOCREATE CAPACITY',
    'cf.insert cf NOCREATE DONTEXIST x',
    'cf.compact none',
    'cf.debug none',
    'cf.info none',
    'cf.add text a',
    'cf.scandump none 0',
    'cf.scandump cf -1',
    'cf.loadchunk cf -9223372036854775808 1',
    'cf.loadchunk cf 922337203685477588 1',
    'cf.loadchunk cf 4 kdoasdksaodsadsadsadsadsadadsadadsdad',
    'cf.loadchunk cf 4 abcd',
    'cf.loadchunk new 1 short',
  ])
    refuses(line)
  assert.equal(call('exists x new'), 0)
  assert.deepEqual(call('cf.scandump cf 0'), [0, null])
})

test('a filter is the same after chunks, DUMP, a rewrite and a restart; a broken header is refused', async () => {
  const directives = { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }
  const { machine, server, call } = await start(directives)
  call('cf.reserve cf 62 EXPANSION 2')
  call(`cf.insert cf ITEMS ${Array.from({ length: 500 }, (_, i) => i).join(' ')}`)
  const value = () => server.call('debug', 'digest-value', 'cf', 'other') as string[]
  for (let at = 0; ; ) {
    const [next, data] = server.call('cf.scandump', 'cf', at) as [number, string]
    if (next === 0) break
    assert.equal(server.call('cf.loadchunk', 'other', next, latin1Bytes(data)), 'OK')
    at = next
  }
  assert.equal(value()[0], value()[1])
  const payload = latin1Bytes(String(server.call('dump', 'cf')))
  server.call('restore', 'other', 0, payload, 'replace')
  assert.equal(value()[0], value()[1])
  call('copy cf copied')
  call('cf.add copied more')
  assert.equal(call('cf.count cf more'), 0)
  server.call('bgrewriteaof')
  machine.advance(3000)
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  const again = await start(directives, machine)
  assert.equal(again.server.digest(), digest)
  for (const [at, n] of [
    [8, 3],
    [24, 0],
    [24, 2000],
    [32, 0],
    [34, 0],
    [36, 3],
  ]) {
    const header = latin1Bytes((again.server.call('cf.scandump', 'cf', 0) as [number, string])[1])
    header.fill(0, at, at + 2)
    header[at] = n & 255
    header[at + 1] = n >> 8
    assert.ok(again.server.call('cf.loadchunk', 'new', 1, header) instanceof RespError, `${at}: ${n}`)
  }
})
