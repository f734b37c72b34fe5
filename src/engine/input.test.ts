import { anything, type Conversation, conversation, error } from '../../test/harness/conversation.ts'
import { bytesOf } from '../lib/bytes.ts'

/** Sends bytes as they are, in pieces of that size. */
async function sendRaw(c: Conversation, text: string, pieceBytes = text.length): Promise<void> {
  for (let at = 0; at < text.length; at += pieceBytes) c.client.write(bytesOf(text.slice(at, at + pieceBytes)))
  await c.settle()
}

const QUOTED = 'SET k "a\\x41\\n\\"q\\"" EX 100\r\n'
const UNQUOTED = 'aA\n"q"'

for (const mode of ['WRITE', 'ALL'])
  conversation(`an inline command with quotes that CLIENT PAUSE ${mode} holds back is read as it was sent`, async c => {
    const other = await c.another()
    await other.expect(`CLIENT PAUSE 100 ${mode}`, 'OK')
    c.client.write(bytesOf(`${QUOTED}SET l 'it\\'s' NX\r\n`))
    await c.pass(150)
    await c.expectMessage('OK')
    await c.expectMessage('OK')
    await c.expect('MGET k l', [UNQUOTED, "it's"])
  })

conversation('what comes in pieces while CLIENT PAUSE holds back is run in order', async c => {
  const other = await c.another()
  await other.expect('CLIENT PAUSE 60000 WRITE', 'OK')
  await sendRaw(c, `${QUOTED}*3\r\n$6\r\nAPPEND\r\n$1\r\nk\r\n$1\r\n!\r\n  APPEND k "\\x3f"  \r\n`, 3)
  await c.expectNoMessage()
  await other.expect('CLIENT UNPAUSE', 'OK')
  await c.expectMessage('OK')
  await c.expectMessage(7)
  await c.expectMessage(8)
  await c.expect('GET k', `${UNQUOTED}!?`)
})

conversation('an inline command with quotes comes byte by byte', async c => {
  await sendRaw(c, `${QUOTED}set l\t''\r\n\r\n  GET "k"\n`, 1)
  await c.expectMessage('OK')
  await c.expectMessage('OK')
  await c.expectMessage(UNQUOTED)
  await c.expect('GET l', '')
})

conversation('long inline commands with quotes do not run into each other', async c => {
  const long = 'x'.repeat(30000)
  await sendRaw(c, `MSET "a" ${long} 'b' "${long}\\t" "c" ''\r\nMSET d "1" e '2'\r\n`)
  await c.expectMessage('OK')
  await c.expectMessage('OK')
  await c.expect('MGET a b c d e', [long, `${long}\t`, '', '1', '2'])
})

for (const text of ['SET k "a\r\n', "SET k 'a\r\n", 'SET k "a"b\r\n', "SET k 'a'b\r\n"])
  conversation(`quotes that do not match end the connection: ${text.trim()}`, async c => {
    c.client.write(bytesOf(text))
    await c.client.untilClosed()
    await c.expectMessage(error('ERR Protocol error: unbalanced quotes in request'))
    await (await c.another()).expect('GET k', null)
  })

conversation('clients that CLIENT UNPAUSE lets go are answered apart from who asked for it', async c => {
  const other = await c.another()
  await other.expect('CLIENT PAUSE 60000 WRITE', 'OK')
  const waiting = await c.start('SET k 1')
  await sendRaw(other, 'PING\r\nCLIENT UNPAUSE\r\nECHO behind\r\n')
  await other.expectMessage('PONG')
  await other.expectMessage('OK')
  await other.expectMessage('behind')
  await c.expectReply(waiting, 'OK')
  await c.expect('GET k', '1')
})

for (const [name, text] of [
  ['the first line', 'POST / HTTP/1.1\r\n'],
  ['a header', 'host: localhost:6379\r\n'],
  ['a header without a value', 'HoSt:\r\n'],
  ['words', '*3\r\n$4\r\npOsT\r\n$1\r\n/\r\n$1\r\nx\r\n'],
  ['within a transaction', 'MULTI\r\nPOST /\r\n'],
  ['behind other commands', 'PING\r\nPOST / HTTP/1.1\r\n'],
  ['from who is subscribed', 'SUBSCRIBE channel\r\nPOST / HTTP/1.1\r\n'],
])
  conversation(`an HTTP request is refused at once: ${name}`, async c => {
    c.client.write(bytesOf(`${text}\r\nSET k v\r\nEXEC\r\n`))
    await c.client.untilClosed()
    const other = await c.another()
    await other.expect('GET k', null)
    await other.expect('PING', 'PONG')
  })

conversation('commands that only look like HTTP are unknown', async c => {
  await c.expectError('POSTS /', /^ERR unknown command 'POSTS'/)
  await c.expectError('Host x', /^ERR unknown command 'Host'/)
  await c.expectError('GET / HTTP/1.1', /^ERR wrong number of arguments/)
  await c.expect('INFO server', anything)
})
