// What a client may make the server keep, in every state that it can be in: beyond it the client is closed, and nobody
// else notices.

import assert from 'node:assert/strict'
import { type Conversation, conversation } from '../../test/harness/conversation.ts'
import { bytesOf } from '../lib/bytes.ts'

const LIMIT = 1024 * 1024

/** One figure of INFO. */
async function figure(c: Conversation, name: string): Promise<number> {
  const text = String(await c.do('INFO everything'))
  return Number(new RegExp(`\\r\\n${name}:(\\d+)`).exec(text)![1])
}

function bulks(...words: string[]): string {
  return words.map(word => `$${word.length}\r\n${word}\r\n`).join('')
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${bulks(...words)}`
}

/** Sends bytes in pieces, one read each, for as long as the connection is open. */
async function sendPieces(c: Conversation, text: string, pieceBytes: number): Promise<void> {
  const bytes = bytesOf(text)
  for (let at = 0; at < bytes.length && !c.client.closed; at += pieceBytes) {
    c.client.write(bytes.slice(at, at + pieceBytes))
    await c.settle()
  }
}

const HALF_A_BULK = `*3\r\n${bulks('SET', 'k')}$2000000\r\n${'x'.repeat(LIMIT + 100000)}`
const MANY_COMMANDS = command('SET', 'k', 'v').repeat(LIMIT / 20)

// What a client says first, and what then becomes too much.
const STATES: [state: string, before: string, flood: string][] = [
  ['idle', '', HALF_A_BULK],
  ['behind many arguments', '', `*1000\r\n${bulks(...Array(900).fill('x'))}$2000000\r\n${'x'.repeat(LIMIT + 100000)}`],
  ['behind other big ones', '', `*4\r\n${bulks('SET', 'k', 'x'.repeat(100000))}$2000000\r\n${'x'.repeat(LIMIT * 1.2)}`],
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
      const connected = await figure(other, 'connected_clients')
      if (state.startsWith('paused')) await other.expect('CLIENT PAUSE 60000 WRITE', 'OK')
      client.client.write(bytesOf(before))
      await client.settle()
      await sendPieces(client, flood, 256 * 1024)
      await client.client.untilClosed()
      await other.expect('CLIENT UNPAUSE', 'OK')
      await other.expect('PING', 'PONG')
      await other.expect('MGET k held', [null, null])
      assert.equal(await figure(other, 'connected_clients'), connected - 1)
      assert.equal(await figure(other, 'blocked_clients'), 0)
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
  ['very many short ones', command('RPUSH', 'l', ...Array(200000).fill('1')), c => c.expect('LLEN l', 200000)],
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
