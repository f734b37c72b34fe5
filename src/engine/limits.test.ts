// Memory limits of a client in every state: beyond them the client is closed, and no other client is affected.

import assert from 'node:assert/strict'
import { type Conversation, conversation } from '../../test/harness/conversation.ts'
import { bytesOf } from '../lib/bytes.ts'

const LIMIT = 1024 * 1024

function bulks(words: string[]): string {
  return words.map(word => `$${word.length}\r\n${word}\r\n`).join('')
}

function command(...words: string[]): string {
  return commandOf(words)
}

function commandOf(words: string[]): string {
  return `*${words.length}\r\n${bulks(words)}`
}

/** Sends bytes in pieces, one read each, for as long as the connection is open. */
async function sendPieces(c: Conversation, text: string, pieceBytes: number): Promise<void> {
  const bytes = bytesOf(text)
  for (let at = 0; at < bytes.length && !c.client.closed; at += pieceBytes) {
    c.client.write(bytes.slice(at, at + pieceBytes))
    await c.settle()
  }
}

const HALF_A_BULK = `*3\r\n${bulks(['SET', 'k'])}$2000000\r\n${'x'.repeat(LIMIT + 100000)}`
const MANY_COMMANDS = command('SET', 'k', 'v').repeat(LIMIT / 20)

// What a client says first, and what then becomes too much.
const STATES: [state: string, before: string, flood: string][] = [
  ['idle', '', HALF_A_BULK],
  ['behind many arguments', '', `*1000\r\n${bulks(Array(900).fill('x'))}$2000000\r\n${'x'.repeat(LIMIT + 100000)}`],
  [
    'behind other big ones',
    '',
    `*4\r\n${bulks(['SET', 'k', 'x'.repeat(100000)])}$2000000\r\n${'x'.repeat(LIMIT * 1.2)}`,
  ],
  ['in an argument that is too long when it is whole', '', command('SET', 'k', 'x'.repeat(LIMIT - 1))],
  ['blocked', command('BLPOP', 'nothing', '0'), MANY_COMMANDS],
  ['blocked, with half a command', command('BLPOP', 'nothing', '0'), HALF_A_BULK],
  ['paused', command('SET', 'held', '1'), MANY_COMMANDS],
  ['paused with a long command', command('SET', 'held', 'x'.repeat(100000)), MANY_COMMANDS],
  ['in a transaction', command('MULTI'), HALF_A_BULK],
  ['subscribed', command('SUBSCRIBE', 'channel'), HALF_A_BULK],
  ['a monitor', command('MONITOR'), HALF_A_BULK],
]

for (const [state, before, flood] of STATES)
  conversation(
    `a client beyond client-query-buffer-limit is closed: ${state}`,
    async c => {
      const other = await c.another()
      await c.settle()
      const client = await c.another()
      const connected = await other.figure('connected_clients')
      if (state.startsWith('paused')) await other.expect('CLIENT PAUSE 60000 WRITE', 'OK')
      client.client.write(bytesOf(before))
      await client.settle()
      await sendPieces(client, flood, 256 * 1024)
      await client.client.untilClosed()
      await other.expect('CLIENT UNPAUSE', 'OK')
      await other.expect('PING', 'PONG')
      await other.expect('MGET k held', [null, null])
      assert.equal(await other.figure('connected_clients'), connected - 1)
      assert.equal(await other.figure('blocked_clients'), 0)
    },
    { config: { 'client-query-buffer-limit': String(LIMIT) } },
  )

// Whole arguments have left what the limit counts.
const LEGAL: [name: string, text: string, expected: (c: Conversation) => Promise<void>][] = [
  [
    'three big arguments',
    command('MSET', ...['a', 'b', 'c'].flatMap(key => [key, key.repeat(500000)])),
    c =>
      c.expect(
        'MGET a b c',
        ['a', 'b', 'c'].map(key => key.repeat(500000)),
      ),
  ],
  [
    'many arguments of medium length',
    command('RPUSH', 'l', ...Array(60).fill('y'.repeat(30000))),
    c => c.expect('LRANGE l 0 -1', Array(60).fill('y'.repeat(30000))),
  ],
  ['very many short ones', commandOf(['RPUSH', 'l'].concat(Array(200000).fill('1'))), c => c.expect('LLEN l', 200000)],
  ['the longest argument', command('SET', 'k', 'x'.repeat(LIMIT - 2)), c => c.expect('STRLEN k', LIMIT - 2)],
  ['a pipeline', command('INCR', 'n').repeat(80000), c => c.expect('GET n', '80000')],
]

for (const [name, text, check] of LEGAL)
  for (const pieceBytes of [16 * 1024, 250007])
    conversation(
      `what is within client-query-buffer-limit works: ${name}, ${pieceBytes} bytes at a time`,
      async c => {
        const client = await c.another()
        await sendPieces(client, `${text}${command('PING')}`, pieceBytes)
        await client.client.until(() => client.client.messages.includes('PONG'))
        assert.equal(client.client.closed, false)
        await check(c)
      },
      { config: { 'client-query-buffer-limit': String(LIMIT) } },
    )

const OUTPUT_LIMIT = 200_000
const LIMITED = {
  config: { 'client-output-buffer-limit': `normal ${OUTPUT_LIMIT} 0 0 pubsub ${OUTPUT_LIMIT} 0 0` },
}

const VALUE_BYTES = 10_000

// What a client does in one go, and how many bytes that answers.
const EVENTS: [name: string, before: string[], event: (count: number) => string][] = [
  ['a transaction', [], n => command('MULTI') + command('GET', 'k').repeat(n) + command('EXEC')],
  // Of a value that stays in memory, whatever CONVERSATION_CONFIG: a client that waits gets what came before.
  ['a pipeline', ['SETRANGE long 69999 x'], n => command('GETRANGE', 'long', '0', '9999').repeat(n)],
  ['one command', [], n => command('MGET', ...Array(n).fill('k'))],
  ['a script', [], n => command('EVAL', "return redis.call('mget', unpack(ARGV))", '0', ...Array(n).fill('k'))],
  ['random members', ['SADD s x'], n => command('SRANDMEMBER', 's', String(-n * 1400))],
  ['random fields', ['HSET h x y'], n => command('HRANDFIELD', 'h', String(-n * 1400))],
  ['a list of unknown length', [], () => command('KEYS', '*')],
]

for (const [name, before, event] of EVENTS) {
  conversation(
    `a client whose replies pass client-output-buffer-limit in one go is closed: ${name}`,
    async c => {
      const client = await c.another()
      await c.expect(['SET', 'k', 'v'.repeat(VALUE_BYTES)], 'OK')
      if (name === 'a list of unknown length')
        await c.do(['EVAL', "for i = 1, 300 do redis.call('set', string.rep('x', 1000) .. i, '') end", '0'])
      const connected = await c.figure('connected_clients')
      for (const line of before) await client.tell(line)
      client.client.write(bytesOf(`${event(40)}${command('SET', 'behind', '1')}`))
      await client.client.untilClosed()
      await c.expect('GET behind', null)
      await c.expect('PING', 'PONG')
      assert.equal(await c.figure('connected_clients'), connected - 1)
    },
    LIMITED,
  )
  if (name !== 'a list of unknown length')
    conversation(
      `replies within client-output-buffer-limit come: ${name}`,
      async c => {
        const client = await c.another()
        await c.expect(['SET', 'k', 'v'.repeat(VALUE_BYTES)], 'OK')
        for (const line of before) await client.tell(line)
        client.client.write(bytesOf(`${event(10)}${command('PING')}`))
        await client.client.until(() => client.client.messages.some(message => message === 'PONG'))
        assert.equal(client.client.closed, false)
      },
      LIMITED,
    )
}

conversation(
  'client-output-buffer-limit counts whole blocks of output',
  async c => {
    await c.do(['RPUSH', 'l', ...Array(1000).fill('x'.repeat(93))])
    const client = await c.another()
    client.client.write(bytesOf(command('LRANGE', 'l', '0', '970')))
    await client.client.until(() => client.client.messages.length === 1)
    // 101,000 bytes, of which 16 KB are not counted.
    client.client.write(bytesOf(command('LRANGE', 'l', '0', '-1')))
    await client.client.untilClosed()
    await c.expect('PING', 'PONG')
  },
  { config: { 'client-output-buffer-limit': 'normal 100000 0 0' } },
)

conversation(
  'a transaction that is cut off has run as a whole',
  async c => {
    const client = await c.another()
    await c.expect(['SET', 'k', 'v'.repeat(VALUE_BYTES)], 'OK')
    const script = command('EVAL', "redis.call('set', 'n', #redis.call('srandmember', 's', -1000))", '0')
    await c.do('SADD s x')
    const big = command('GET', 'k').repeat(100)
    const text = `${command('MULTI')}${big}${command('INCR', 'm')}${script}${command('SUBSCRIBE', 'c')}${command('EXEC')}`
    client.client.write(bytesOf(`${text}${command('SET', 'behind', '1')}`))
    await client.client.untilClosed()
    await c.expect('MGET m n behind', ['1', '1000', null])
    await c.expect('PUBSUB NUMSUB c', ['c', 0])
  },
  LIMITED,
)

conversation(
  'a long pipeline of small replies passes no limit while they are read',
  async c => {
    const client = await c.another()
    await c.expect(['SET', 'k', 'v'.repeat(80)], 'OK')
    client.client.write(bytesOf(`${command('GET', 'k').repeat(5000)}${command('PING')}`))
    await client.client.until(() => client.client.messages.length === 5001)
    assert.equal(client.client.messages.length, 5001)
  },
  LIMITED,
)

conversation(
  'a long pipeline of large commands passes no limit while their replies are read',
  async c => {
    const client = await c.another()
    await client.tell('SUBSCRIBE c')
    client.client.write(bytesOf(command('PUBLISH', 'c', 'v'.repeat(VALUE_BYTES)).repeat(40) + command('PING')))
    await client.client.until(() => client.client.messages.length === 82)
    assert.equal(client.client.messages.length, 82)
  },
  { ...LIMITED, resp: 3 },
)

conversation(
  'the soft limit is for what stays, not for large replies that are read',
  async c => {
    const values = Array(20).fill('v'.repeat(VALUE_BYTES))
    await c.expect(['SET', 'k', values[0]], 'OK')
    for (let i = 0; i < 3; i++) {
      await c.expect(['MGET', ...Array(20).fill('k')], values)
      await c.pass(600)
    }
  },
  { config: { 'client-output-buffer-limit': 'normal 0 100000 1' } },
)

conversation(
  'what a monitor is sent falls under the limits of ordinary clients',
  async c => {
    const monitor = await c.another()
    await monitor.expect('MONITOR', 'OK')
    await c.expect(['SET', 'k', 'v'.repeat(OUTPUT_LIMIT * 2)], 'OK')
    await monitor.client.untilClosed()
    await c.expect('PING', 'PONG')
  },
  LIMITED,
)

conversation('a reader that is slow gets every byte of replies that are longer than what its socket takes', async c => {
  const long = 'x'.repeat(3_000_000)
  await c.expect(['SET', 'k', long], 'OK')
  const other = await c.another()
  const waiting = []
  for (let i = 0; i < 5; i++) {
    waiting.push(await c.start('GET k'), await c.start('ECHO between'))
    await other.expect('ECHO beside', 'beside')
  }
  for (const [i, pending] of waiting.entries()) await c.expectReply(pending, i % 2 === 0 ? long : 'between')
})

conversation(
  'maxmemory-clients closes the largest client, and only as many as are needed',
  async c => {
    await c.do('CLIENT NO-EVICT ON')
    const half = (bytes: number) => bytesOf(`*2\r\n$${bytes}\r\n${'v'.repeat(bytes - 10)}`)
    const clients = [await c.another(), await c.another(), await c.another()]
    const sizes = [300_000, 700_000, 500_000]
    for (let i = 0; i < clients.length; i++) {
      clients[i].client.write(half(sizes[i]))
      await clients[i].settle()
    }
    await c.expect('CONFIG SET maxmemory-clients 1300000', 'OK')
    await clients[1].client.untilClosed()
    await c.expect('PING', 'PONG')
    assert.deepEqual(
      clients.map(one => one.client.closed),
      [false, true, false],
    )
    assert.ok((await c.figure('evicted_clients')) >= 1)
    await c.expect('CONFIG SET maxmemory-clients 0', 'OK')
  },
  { since: '7.0' },
)

conversation(
  'a client with CLIENT NO-EVICT may be above maxmemory-clients',
  async c => {
    await c.do('CLIENT NO-EVICT ON')
    const large = await c.another()
    await large.expect('CLIENT NO-EVICT ON', 'OK')
    await c.expect('CONFIG SET maxmemory-clients 400000', 'OK')
    for (let i = 0; i < 3; i++) await large.expect(['PING', 'x'.repeat(100_000)], 'x'.repeat(100_000))
    large.client.write(bytesOf(`*2\r\n$600000\r\n${'v'.repeat(500_000)}`))
    for (let i = 0; i < 20; i++) await c.expect('PING', 'PONG')
    assert.equal(large.client.closed, false)
    await c.expect('CONFIG SET maxmemory-clients 0', 'OK')
    await c.expect('PING', 'PONG')
  },
  { since: '7.0' },
)
