import assert from 'node:assert/strict'
import { between, byProtocol, conversation, inAnyOrder } from './conversation.ts'

conversation('a value set by one client is read by another', async c => {
  await c.expect('SET k "hello world"', 'OK')
  const other = await c.another()
  await other.expect(['GET', 'k'], 'hello world')
})

conversation('every conversation begins with an empty database', async c => {
  await c.expect('GET k', null)
  await c.expectWire('GET k', { 2: '$-1\r\n', 3: '_\r\n' })
})

conversation('an error is told from a value', async c => {
  await c.expect('SET k v', 'OK')
  await c.expectError('INCR k', 'ERR value is not an integer or out of range')
  await c.expectError('INCR', /^ERR wrong number of arguments/)
})

conversation('shapes may depend on the protocol, order and size may be left open', async c => {
  await c.expect('SET k 5', 'OK')
  await c.expect('STRLEN k', between(1, 2))
  await c.expect('MGET k k', inAnyOrder('5', '5'))
  await c.expect('GET none', byProtocol(null, null))
})

conversation('time passes for keys that expire', async c => {
  await c.expect('SET k v PX 400', 'OK')
  await c.expect('GET k', 'v')
  await c.pass(450)
  await c.expect('GET k', null)
})

conversation('a parameter set for one conversation is put back', async c => {
  await c.config('maxmemory-samples', '7')
  await c.expect('CONFIG GET maxmemory-samples', ['maxmemory-samples', '7'])
})

conversation(
  'what only ours can do is not asked of redis',
  async c => {
    assert.ok(c.ours)
  },
  { oursOnly: 'the server is asked whether it is ours' },
)

conversation('a command that waits is answered when its time is over, or when there is something', async c => {
  await c.expect('BZPOPMIN z 0.05', null)
  const other = await c.another()
  const waiting = await c.start('BZPOPMIN z 0')
  assert.ok(!waiting.done)
  await other.expect('ZADD z 1 a', 1)
  await c.expectReply(waiting, ['z', 'a', '1'])
})

conversation('messages come beside the replies', async c => {
  const other = await c.another()
  await c.tell('SUBSCRIBE news')
  await c.expectMessage(['subscribe', 'news', 1])
  await c.expectNoMessage()
  await other.expect('PUBLISH news hello', 1)
  await c.expectMessage(['message', 'news', 'hello'])
})
