import assert from 'node:assert/strict'
import { byProtocol, conversation, helpOf } from '../../../test/harness/conversation.ts'

conversation('PING, ECHO and SELECT', async c => {
  await c.expectAll(
    ['PING', 'PONG'],
    ['PING hello', 'hello'],
    ['ECHO "a b"', 'a b'],
    ['SELECT 3', 'OK'],
    ['SET k v', 'OK'],
    ['SELECT 0', 'OK'],
    ['GET k', null],
  )
  await c.expectError('SELECT 99', 'ERR DB index is out of range')
  await c.expectError('SELECT x', 'ERR value is not an integer or out of range')
  await c.expectError('ECHO', "ERR wrong number of arguments for 'echo' command")
})

conversation(
  'CLIENT HELP names every subcommand',
  async c => {
    const lines = ['CACHING (YES|NO)', 'GETREDIR', 'GETNAME', 'ID', 'INFO', 'KILL <ip:port>']
    lines.push('KILL <option> <value> [<option> <value> [...]]', 'LIST [options ...]', 'UNPAUSE')
    lines.push('PAUSE <timeout> [WRITE|ALL]', 'REPLY (ON|OFF|SKIP)', 'SETNAME <name>', 'SETINFO <option> <value>')
    lines.push(
      'UNBLOCK <clientid> [TIMEOUT|ERROR]',
      'TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]',
    )
    lines.push('TRACKINGINFO', 'NO-EVICT (ON|OFF)', 'NO-TOUCH (ON|OFF)')
    await c.expect('CLIENT HELP', helpOf('CLIENT', ...lines))
  },
  { since: '7.2' },
)

conversation('a client has a name, an id and a line in CLIENT LIST', async c => {
  const id = (await c.do('CLIENT ID')) as number
  await c.expectAll(
    ['CLIENT SETNAME reader', 'OK'],
    ['CLIENT GETNAME', 'reader'],
    ['CLIENT NO-EVICT ON', 'OK'],
    ['CLIENT NO-EVICT OFF', 'OK'],
  )
  assert.match(String(await c.do('CLIENT INFO')), new RegExp(`^id=${id} addr=\\S+ .* name=reader `))
  assert.match(String(await c.do(`CLIENT LIST ID ${id}`)), /cmd=client\|list/)
  await c.expectError('CLIENT SETNAME "a b"', /^ERR Client names cannot contain spaces/)
  await c.expectError('CLIENT NOTHING', "ERR unknown subcommand 'NOTHING'. Try CLIENT HELP.")
})

conversation(
  'CLIENT SETINFO and NO-TOUCH',
  async c => {
    await c.expectAll(
      ['CLIENT SETINFO lib-name redstart-test', 'OK'],
      ['CLIENT SETINFO lib-ver 1.0', 'OK'],
      ['CLIENT NO-TOUCH ON', 'OK'],
      ['CLIENT NO-TOUCH OFF', 'OK'],
    )
    await c.expectError('CLIENT SETINFO colour red', "ERR Unrecognized option 'colour'")
  },
  { since: '7.2' },
)

conversation('CLIENT KILL and UNBLOCK act on others', async c => {
  const other = await c.another()
  const id = (await other.do('CLIENT ID')) as number
  const waiting = await other.start('BLPOP none 0')
  await c.expect(`CLIENT UNBLOCK ${id}`, 1)
  await other.expectReply(waiting, null)
  await c.expect(`CLIENT UNBLOCK ${id}`, 0)
  await c.expect(`CLIENT KILL ID ${id}`, 1)
  await c.expectError('CLIENT KILL 1.1.1.1:1', 'ERR No such client')
})

conversation(
  'CLIENT PAUSE also holds back a client that is served',
  async c => {
    const waiting = await c.another()
    const pop = await waiting.start('BLPOP l 0')
    const read = await (await c.another()).start('BLPOP other 0')
    await c.expectAll(['MULTI', 'OK'], ['RPUSH l a', 'QUEUED'], ['CLIENT PAUSE 100000 WRITE', 'QUEUED'])
    await c.expect('EXEC', [1, 'OK'])
    await c.expect('LRANGE l 0 -1', ['a'])
    assert.equal(pop.done, false)
    await c.expect('CLIENT UNPAUSE', 'OK')
    await waiting.expectReply(pop, ['l', 'a'])
    await c.expect('RPUSH other b', 1)
    await c.expectReply(read, ['other', 'b'])
  },
  { since: '7.2' },
)

conversation('CLIENT PAUSE holds writes back until UNPAUSE', async c => {
  const other = await c.another()
  await c.expect('CLIENT PAUSE 100000 WRITE', 'OK')
  await other.expect('GET k', null)
  const held = await other.start('SET k v')
  await c.expect('CLIENT UNPAUSE', 'OK')
  await other.expectReply(held, 'OK')
})

conversation('CLIENT REPLY SKIP answers nothing once', async c => {
  await c.tell('CLIENT REPLY SKIP')
  await c.tell('SET k v')
  await c.expect('GET k', 'v')
  await c.expect('CLIENT REPLY ON', 'OK')
})

conversation('CLIENT TRACKING tells what it is asked to do', async c => {
  await c.expectAll(
    ['CLIENT GETREDIR', -1],
    ['CLIENT TRACKING ON OPTIN', 'OK'],
    ['CLIENT CACHING YES', 'OK'],
    ['CLIENT GETREDIR', 0],
    ['CLIENT TRACKINGINFO', ['flags', ['on', 'optin', 'caching-yes'], 'redirect', 0, 'prefixes', []]],
    ['CLIENT TRACKING OFF', 'OK'],
  )
  await c.expectError('CLIENT TRACKING ON PREFIX a', 'ERR PREFIX option requires BCAST mode to be enabled')
  await c.expectError('CLIENT CACHING YES', /^ERR CLIENT CACHING can be called only when/)
})

conversation(
  'a changed key is told to who has read it',
  async c => {
    const other = await c.another()
    await c.expect('CLIENT TRACKING ON', 'OK')
    await c.expect('GET k', null)
    await other.expect('SET k v', 'OK')
    await c.expectMessage(['invalidate', ['k']])
  },
  { resp: 3 },
)

conversation('QUIT says goodbye', async c => {
  const other = await c.another()
  await other.expect('QUIT', 'OK')
})

conversation('subscribers get what is published', async c => {
  const other = await c.another()
  await c.tell('SUBSCRIBE news')
  await c.expectMessage(['subscribe', 'news', 1])
  await c.tell('PSUBSCRIBE n*')
  await c.expectMessage(['psubscribe', 'n*', 2])
  await other.expectAll(
    ['PUBLISH news hello', 2],
    ['PUBLISH other hello', 0],
    ['PUBSUB CHANNELS', ['news']],
    ['PUBSUB CHANNELS x*', []],
    ['PUBSUB NUMSUB news other', ['news', 1, 'other', 0]],
    ['PUBSUB NUMPAT', 1],
    [
      'PUBSUB HELP',
      helpOf(
        'PUBSUB',
        'CHANNELS [<pattern>]',
        'NUMPAT',
        'NUMSUB [<channel> ...]',
        'SHARDCHANNELS [<pattern>]',
        'SHARDNUMSUB [<shardchannel> ...]',
      ),
    ],
  )
  await c.expectMessage(['message', 'news', 'hello'])
  await c.expectMessage(['pmessage', 'n*', 'news', 'hello'])
  await c.tell('UNSUBSCRIBE news')
  await c.expectMessage(['unsubscribe', 'news', 1])
  await c.tell('PUNSUBSCRIBE')
  await c.expectMessage(['punsubscribe', 'n*', 0])
})

conversation('shard channels are apart from the others', async c => {
  const other = await c.another()
  await c.tell('SSUBSCRIBE news')
  await c.expectMessage(['ssubscribe', 'news', 1])
  await other.expectAll(
    ['SPUBLISH news hello', 1],
    ['PUBLISH news hello', 0],
    ['PUBSUB SHARDCHANNELS', ['news']],
    ['PUBSUB SHARDNUMSUB news', ['news', 1]],
  )
  await c.expectMessage(['smessage', 'news', 'hello'])
  await c.tell('SUNSUBSCRIBE news')
  await c.expectMessage(['sunsubscribe', 'news', 0])
})

conversation('BZPOPMAX takes the greatest at once', async c => {
  await c.expect('ZADD z 1 a 2 b', 2)
  await c.expect('BZPOPMAX none z 0', byProtocol(['z', 'b', '2'], ['z', 'b', '2']))
})
