import { conversation } from '../../../test/harness/conversation.ts'

conversation(
  'whoever publishes to itself hears the message behind the whole reply',
  async c => {
    await c.tell('SUBSCRIBE foo')
    await c.expectMessage(['subscribe', 'foo', 1])
    await c.tell('PUBLISH foo alone')
    await c.expectMessage(1)
    await c.expectMessage(['message', 'foo', 'alone'])
    for (const command of ['MULTI', 'PING abc', 'PUBLISH foo bar', 'PUBLISH foo vaz', 'PING def', 'EXEC']) {
      await c.tell(command)
      if (command === 'EXEC') await c.expectMessage(['abc', 1, 1, 'def'])
      else await c.expectMessage(command === 'MULTI' ? 'OK' : 'QUEUED')
    }
    await c.expectMessage(['message', 'foo', 'bar'])
    await c.expectMessage(['message', 'foo', 'vaz'])
    await c.tell(['EVAL', "redis.call('PUBLISH', 'foo', 'from a script') return 'done'", 0])
    await c.expectMessage('done')
    await c.expectMessage(['message', 'foo', 'from a script'])
  },
  { resp: 3, since: '7.2' },
)

conversation(
  'among several who hear a message may be the one who sent it',
  async c => {
    const other = await c.another()
    await other.tell('SUBSCRIBE foo')
    await other.expectMessage(['subscribe', 'foo', 1])
    await c.expect('MULTI', 'OK')
    await c.tell('SUBSCRIBE foo')
    await c.expectMessage('QUEUED')
    await c.tell('PUBLISH foo bar')
    await c.expectMessage('QUEUED')
    await c.tell('EXEC')
    if (c.resp === 2) await c.expectMessage([['subscribe', 'foo', 1], 2])
    await other.expectMessage(['message', 'foo', 'bar'])
  },
  { since: '7.2' },
)
