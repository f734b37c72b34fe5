import assert from 'node:assert/strict'
import { test } from 'node:test'
import bloom from '../../examples/bloom.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
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

test('what was added is found, others seldom are, while the filter grows, and after a restart without the module', async () => {
  const { machine, server, call } = await start()
  call('bf.reserve bf 0.01 100')
  for (let i = 0; i < 1000; i++) call(`bf.add bf in:${i}`)
  const count = (on: typeof call, prefix: string) => {
    let found = 0
    for (let i = 0; i < 1000; i++) found += on(`bf.exists bf ${prefix}:${i}`) as number
    return found
  }
  assert.equal(count(call, 'in'), 1000)
  const wrong = count(call, 'out')
  assert.ok(wrong < 30, `${wrong} of 1000`)
  assert.deepEqual(call('bf.info bf FILTERS'), [4])
  const digest = server.digest()
  await server.stop(['nosave', 'now'])
  const without = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.equal(without.digest(), digest)
})
