import assert from 'node:assert/strict'
import { byProtocol, type Conversation, conversation } from '../../../../test/harness/conversation.ts'

/** A connection that gets the invalidations of `c`: itself in RESP3, another one by REDIRECT in RESP2. */
async function track(c: Conversation, options = ''): Promise<Conversation> {
  if (c.resp === 3) {
    await c.expect(`CLIENT TRACKING ON ${options}`, 'OK')
    return c
  }
  const ear = await c.another()
  const id = await ear.do('CLIENT ID')
  await ear.tell('SUBSCRIBE __redis__:invalidate')
  await ear.expectMessage(['subscribe', '__redis__:invalidate', 1])
  await c.expect(`CLIENT TRACKING ON REDIRECT ${id} ${options}`, 'OK')
  return ear
}

/** The next invalidation names these keys; null: all. */
async function expectInvalid(ear: Conversation, keys: string[] | null): Promise<void> {
  await ear.expectMessage(byProtocol(['message', '__redis__:invalidate', keys], ['invalidate', keys]))
}

conversation(
  'of a script the reads of its commands are tracked, not the keys it was called with',
  async c => {
    const other = await c.another()
    const ear = await track(c)
    await c.expect(['EVAL', "return redis.call('SET', 'k3', 'x')", 2, 'k1', 'k2'], 'OK')
    await c.expect(['EVAL_RO', "return redis.call('PING')", 2, 'k1', 'k2'], 'PONG')
    await other.expect('MSET k1 1 k2 1', 'OK')
    await ear.expectNoMessage()
    await c.expect(['EVAL_RO', "return redis.call('GET', 'k2')", 2, 'k1', 'k2'], '1')
    await other.expect('MSET k1 1 k2 2', 'OK')
    await expectInvalid(ear, ['k2'])
    await ear.expectNoMessage()
  },
  { since: '7.2' },
)

conversation('what expires, or is flushed, is invalid', async c => {
  const ear = await track(c)
  await c.expectAll(['SET k v PX 400', 'OK'], ['GET k', 'v'])
  await c.pass(700)
  await expectInvalid(ear, ['k'])
  await c.expect('MSET a 1 b 2', 'OK')
  await c.expect('GET a', '1')
  await c.expect('FLUSHALL', 'OK')
  await expectInvalid(ear, null)
  await c.expectAll(['SET a 1', 'OK'], ['GET a', '1'], ['FLUSHDB', 'OK'])
  await expectInvalid(ear, null)
})

conversation('a key is told of once, until it is read again', async c => {
  const other = await c.another()
  const ear = await track(c)
  await c.expectAll(['SET k 1', 'OK'], ['GET k', '1'])
  await other.expectAll(['INCR k', 2], ['INCR k', 3])
  await expectInvalid(ear, ['k'])
  await ear.expectNoMessage()
})

conversation('BCAST tells of every key behind its prefixes, and NOLOOP not of what the client does itself', async c => {
  const other = await c.another()
  const ear = await track(c, 'BCAST PREFIX user: PREFIX job: NOLOOP')
  await other.expect('MSET user:1 a job:1 b none c', 'OK')
  const heard = [await ear.client.message(), await ear.client.message()].map(m => JSON.stringify(m))
  for (const key of ['user:1', 'job:1'])
    if (!heard.some(m => m.includes(`["${key}"]`))) throw new Error(`${key} is missing`)
  await c.expect('SET user:2 mine', 'OK')
  await ear.expectNoMessage()
  await c.expectError(
    'CLIENT TRACKING ON BCAST PREFIX user:x',
    "ERR Prefix 'user:x' overlaps with an existing prefix 'user:'. Prefixes for a single client must not overlap.",
  )
})

conversation('what CLIENT CACHING has said holds for the mode that is chosen behind it', async c => {
  const other = await c.another()
  const ear = await c.another()
  const to = `REDIRECT ${await ear.do('CLIENT ID')}`
  await c.expectAll(
    [`CLIENT TRACKING ON OPTIN ${to}`, 'OK'],
    ['CLIENT CACHING YES', 'OK'],
    [`CLIENT TRACKING ON ${to}`, 'OK'],
    [`CLIENT TRACKING ON OPTOUT ${to}`, 'OK'],
    ['GET a', null],
    ['GET b', null],
  )
  assert.equal(await c.figure('tracking_total_keys'), 1)
  await other.expect('MSET a 1 b 1', 'OK')
  assert.equal(await c.figure('tracking_total_keys'), 0)
})

conversation('broadcasts come in the order of prefixes, not of changes', async c => {
  const other = await c.another()
  const ear = await track(c, 'BCAST PREFIX l PREFIX x')
  await other.expect('MSET x1 1 l1 1', 'OK')
  await expectInvalid(ear, ['l1'])
  await expectInvalid(ear, ['x1'])
})

conversation(
  'with NOLOOP each key counts by itself: the last client that changed it in this turn',
  async c => {
    const other = await c.another()
    const ear = await track(c, 'BCAST NOLOOP')
    const popped = await other.start('BLPOP list 0')
    const set = await other.start('SET text 1')
    await c.expect('LPUSH list v', 1)
    await other.expectReply(popped, ['list', 'v'])
    await other.expectReply(set, 'OK')
    await expectInvalid(ear, ['list', 'text'])
    const again = await other.start('BLPOP none list 0')
    const more = await other.start('SET text 2')
    await c.expect("EVAL \"redis.call('SET', 'mine', 1) return redis.call('LPUSH', 'list', 'v')\" 0", 1)
    await other.expectReply(again, ['list', 'v'])
    await other.expectReply(more, 'OK')
    // What a script has changed is not the client's own.
    await expectInvalid(ear, ['list', 'mine', 'text'])
    await ear.expectNoMessage()
  },
  { since: '7.2' },
)

conversation('OPTIN tracks what CLIENT CACHING asks for, OPTOUT all but that', async c => {
  const other = await c.another()
  let ear = await track(c, 'OPTIN')
  await c.expectAll(['MSET a 1 b 2', 'OK'], ['GET a', '1'], ['CLIENT CACHING YES', 'OK'], ['GET b', '2'])
  await other.expect('MSET a 3 b 3', 'OK')
  await expectInvalid(ear, ['b'])
  await ear.expectNoMessage()
  await c.expectError(
    'CLIENT CACHING NO',
    'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.',
  )
  await c.expect('CLIENT TRACKING OFF', 'OK')
  ear = await track(c, 'OPTOUT')
  await c.expectAll(['GET a', '3'], ['CLIENT CACHING NO', 'OK'], ['GET b', '3'])
  await other.expect('MSET a 4 b 4', 'OK')
  await expectInvalid(ear, ['a'])
  await ear.expectNoMessage()
})

conversation(
  'evicted keys are invalid',
  async c => {
    const ear = await track(c)
    await c.expectAll(['SET k v', 'OK'], ['GET k', 'v'])
    await c.config('maxmemory-policy', 'allkeys-lru')
    await c.config('maxmemory', '1')
    await c.do('SET other v')
    await expectInvalid(ear, ['k'])
  },
  { over: 'TCP' },
)

conversation(
  'who was blocked hears first its reply, then what it made invalid',
  async c => {
    const other = await c.another()
    await c.expectAll(['RPUSH list2 a', 1], ['CLIENT TRACKING ON', 'OK'], ['LRANGE list2 0 -1', ['a']])
    await c.tell('BLMOVE list1 list2 LEFT LEFT 0')
    await other.expect('RPUSH list1 foo', 1)
    await c.expectMessage('foo')
    await c.expectMessage(['invalidate', ['list2']])
  },
  { resp: 3 },
)

conversation('keys read before tracking was off are forgotten with a flush', async c => {
  const other = await c.another()
  await track(c)
  await c.expectAll(['SET k 1', 'OK'], ['GET k', '1'], ['CLIENT TRACKING OFF', 'OK'], ['FLUSHALL', 'OK'])
  const ear = await track(c)
  await other.expect('SET k 2', 'OK')
  await ear.expectNoMessage()
})

conversation('INFO counts keys, items, prefixes and clients that are tracked', async c => {
  const other = await c.another()
  await c.expectAll(['MSET a 1 b 2', 'OK'], ['CLIENT TRACKING ON', 'OK'], ['GET a', '1'], ['GET b', '2'])
  await other.expectAll(['CLIENT TRACKING ON BCAST PREFIX x:', 'OK'])
  assert.equal(await c.figure('tracking_clients'), 2)
  assert.equal(await c.figure('tracking_total_prefixes'), 1)
  assert.ok((await c.figure('tracking_total_keys')) >= 2 && (await c.figure('tracking_total_items')) >= 2)
})

conversation('a table that is full forgets keys and says so', async c => {
  await c.config('tracking-table-max-keys', '2')
  const ear = await track(c)
  await c.expectAll(['MSET a 1 b 2 c 3', 'OK'], ['GET a', '1'], ['GET b', '2'], ['GET c', '3'])
  await c.settle()
  await ear.client.message()
  await ear.expectNoMessage()
})

conversation(
  'tracked keys are memory in use, and a lowered limit is kept soon',
  async c => {
    const before = await c.figure('used_memory')
    const reader = await c.another()
    const other = await c.another()
    await reader.do('CLIENT TRACKING ON')
    await other.do('CLIENT TRACKING ON')
    const keys = Array.from({ length: 5000 }, (_, i) => `${'k'.repeat(40)}${i}`)
    await reader.do(['MGET', ...keys])
    assert.equal(await c.figure('tracking_total_keys'), 5000)
    const once = await c.figure('used_memory')
    assert.ok(once - before > 5000 * 80, `${once - before} bytes for 5000 keys`)
    await other.do(['MGET', ...keys])
    assert.equal(await c.figure('tracking_total_items'), 10_000)
    assert.ok((await c.figure('used_memory')) - once > 5000 * 40)
    await c.config('tracking-table-max-keys', '100')
    for (let i = 0; i < 5; i++) await c.do('PING')
    assert.equal(await c.figure('tracking_total_keys'), 100)
    assert.equal(await c.figure('tracking_total_items'), 200)
    await c.do('FLUSHALL')
    assert.equal(await c.figure('tracking_total_items'), 0)
    assert.ok((await c.figure('used_memory')) < before + 1_000_000)
  },
  { oursOnly: 'in redis-server the cron forgets some at a time', resp: 3, over: 'in process' },
)

conversation(
  'who redirects to somebody gone hears of it',
  async c => {
    const other = await c.another()
    const ear = await c.another()
    const id = await ear.do('CLIENT ID')
    await c.expectAll([`CLIENT TRACKING ON REDIRECT ${id}`, 'OK'], ['SET k 1', 'OK'], ['GET k', '1'])
    await c.expect(`CLIENT KILL ID ${id}`, 1)
    await other.expect('SET k 2', 'OK')
    await c.expectMessage(['tracking-redir-broken', id])
    await c.expect('CLIENT TRACKINGINFO', ['flags', ['on', 'broken_redirect'], 'redirect', id, 'prefixes', []])
  },
  { resp: 3 },
)
