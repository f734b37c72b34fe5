import assert from 'node:assert/strict'
import { anything, conversation, error } from '../../../../test/harness/conversation.ts'

conversation('PING, ECHO and SELECT', async c => {
  await c.expectAll(['PING', 'PONG'], ['PING hello', 'hello'], ['ECHO hello', 'hello'], ['SELECT 3', 'OK'])
  await c.expectError('PING a b', "ERR wrong number of arguments for 'ping' command")
  await c.expectError('SELECT 16', 'ERR DB index is out of range')
  await c.expectError('SELECT -1', 'ERR DB index is out of range')
  await c.expectError('SELECT one', 'ERR value is not an integer or out of range')
  await c.expectError('SELECT 2147483648', 'ERR value is out of range, value must between -2147483648 and 2147483647')
})

conversation(
  'HELLO changes the protocol and tells about the server',
  async c => {
    await c.expectWire('ECHO x', '$1\r\nx\r\n')
    await c.expect('HELLO 3 SETNAME me', [
      'server',
      'redis',
      'version',
      anything,
      'proto',
      3,
      'id',
      anything,
      'mode',
      'standalone',
      'role',
      'master',
      'modules',
      [],
    ])
    await c.expect('CLIENT GETNAME', 'me')
    await c.expectWire('GET none', '_\r\n')
    await c.expectError('HELLO 4', 'NOPROTO unsupported protocol version')
    await c.expectError('HELLO three', 'ERR Protocol version is not an integer or out of range')
    await c.expectError('HELLO 3 FOO', "ERR Syntax error in HELLO option 'FOO'")
    await c.expectError('HELLO 3 AUTH default', "ERR Syntax error in HELLO option 'AUTH'")
    await c.expectError('HELLO 3 AUTH someone wrong', /^WRONGPASS /)
    await c.expectError(['HELLO', '3', 'SETNAME', 'a b'], /^ERR Client names cannot contain spaces/)
    await c.expect('RESET', 'RESET')
    await c.expectWire('GET none', '$-1\r\n')
  },
  { resp: 2, since: '7.2' },
)

conversation('AUTH needs a password to compare with', async c => {
  await c.expectError('AUTH secret', /^ERR AUTH <password> called without any password configured/)
  await c.expect('AUTH default anything', 'OK')
  await c.expectError('AUTH someone secret', 'WRONGPASS invalid username-password pair or user is disabled.')
  await c.expectError('AUTH a b c', 'ERR syntax error')
})

conversation('a password keeps new connections out', async c => {
  await c.config('requirepass', 'secret')
  const other = await c.another().catch(() => undefined)
  // The harness's HELLO itself fails in RESP3.
  if (other === undefined) return
  await other.expectError('GET k', 'NOAUTH Authentication required.')
  await other.expectError('HELLO 2', /^NOAUTH HELLO must be called with the client already authenticated/)
  await other.expectError('AUTH wrong', 'WRONGPASS invalid username-password pair or user is disabled.')
  await other.expect('AUTH secret', 'OK')
  await other.expect('GET k', null)
})

conversation(
  'RESET makes a connection new',
  async c => {
    await c.expectAll(['SELECT 5', 'OK'], ['CLIENT SETNAME me', 'OK'], ['WATCH k', 'OK'], ['MULTI', 'OK'])
    await c.expect('RESET', 'RESET')
    await c.expect('CLIENT GETNAME', null)
    await c.expect('CLIENT INFO', / db=0 .* multi=-1 .* resp=2 /)
    await c.expectError('EXEC', 'ERR EXEC without MULTI')
  },
  { since: '7.2' },
)

conversation('names of clients and of their libraries', async c => {
  await c.expect('CLIENT GETNAME', null)
  await c.expect('CLIENT SETNAME me', 'OK')
  await c.expect('CLIENT GETNAME', 'me')
  await c.expectError(['CLIENT', 'SETNAME', 'a b'], /^ERR Client names cannot contain spaces/)
  await c.expect(['CLIENT', 'SETNAME', ''], 'OK')
  await c.expect('CLIENT GETNAME', null)
})

conversation(
  'CLIENT SETINFO',
  async c => {
    await c.expectAll(['CLIENT SETINFO lib-name redstart', 'OK'], ['CLIENT SETINFO LIB-VER 1.2', 'OK'])
    await c.expect('CLIENT INFO', / lib-name=redstart lib-ver=1\.2\n$/)
    await c.expectError('CLIENT SETINFO foo bar', "ERR Unrecognized option 'foo'")
    await c.expectError(
      ['CLIENT', 'SETINFO', 'lib-name', 'a b'],
      'ERR lib-name cannot contain spaces, newlines or special characters.',
    )
  },
  { since: '7.2' },
)

conversation('CLIENT LIST shows the fields of Redis, in order', async c => {
  const line =
    /^id=\d+ addr=\S+ laddr=\S+ fd=-?\d+ name= age=\d+ idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=\d+ qbuf-free=\d+ argv-mem=\d+ multi-mem=0 rbs=\d+ rbp=\d+ obl=0 oll=0 omem=0 tot-mem=\d+ events=r cmd=client\|info user=default redir=-1 resp=[23]( lib-name= lib-ver=)?\n$/
  await c.expect('CLIENT INFO', line)
  await c.expectError('CLIENT LIST TYPE foo', "ERR Unknown client type 'foo'")
  await c.expectError('CLIENT LIST ID one', 'ERR Invalid client ID')
  await c.expectError('CLIENT LIST foo', 'ERR syntax error')
  await c.expect('CLIENT LIST ID 999999999', '')
  await c.expect('CLIENT LIST TYPE master', '')
})

conversation('CLIENT KILL closes what its filters name', async c => {
  const other = await c.another()
  const id = await other.do('CLIENT ID')
  await c.expect(`CLIENT KILL ID ${id} TYPE pubsub`, 0)
  await c.expect(`CLIENT KILL ID ${id} TYPE normal USER default`, 1)
  await c.expect(`CLIENT KILL ID ${id}`, 0)
  await c.expectError('CLIENT KILL ID zero', 'ERR client-id should be greater than 0')
  await c.expectError('CLIENT KILL ID 0', 'ERR client-id should be greater than 0')
  await c.expectError('CLIENT KILL TYPE foo', "ERR Unknown client type 'foo'")
  await c.expectError('CLIENT KILL USER nobody', "ERR No such user 'nobody'")
  await c.expectError('CLIENT KILL SKIPME maybe', 'ERR syntax error')
  await c.expectError('CLIENT KILL 1.2.3.4:5', 'ERR No such client')
})

conversation('CLIENT REPLY switches answers off', async c => {
  await c.tell('CLIENT REPLY OFF')
  await c.tell('SET k v')
  await c.expect('CLIENT REPLY ON', 'OK')
  await c.expect('GET k', 'v')
  await c.tell('CLIENT REPLY SKIP')
  await c.tell('SET k w')
  await c.expect('GET k', 'w')
  await c.expectError('CLIENT REPLY maybe', 'ERR syntax error')
})

conversation('CLIENT PAUSE holds writes back, and UNPAUSE lets them go', async c => {
  const other = await c.another()
  await c.expect('CLIENT PAUSE 60000 WRITE', 'OK')
  const write = await other.start('SET k v')
  await c.expect('GET k', null)
  await c.expect('CLIENT UNPAUSE', 'OK')
  await write.value()
  await c.expect('GET k', 'v')
  await c.expectError('CLIENT PAUSE -1', 'ERR timeout is negative')
  await c.expectError('CLIENT PAUSE soon', 'ERR timeout is not an integer or out of range')
  await c.expectError('CLIENT PAUSE 10 some', 'ERR CLIENT PAUSE mode must be WRITE or ALL')
})

conversation('a pause ends by itself', async c => {
  const other = await c.another()
  await c.expect('CLIENT PAUSE 30', 'OK')
  const write = await other.start('SET k v')
  await c.pass(60)
  await write.value()
  await c.expect('GET k', 'v')
})

conversation('CLIENT UNBLOCK ends a wait', async c => {
  const other = await c.another()
  const id = await other.do('CLIENT ID')
  const first = await other.start('BLPOP k 0')
  await c.expect(`CLIENT UNBLOCK ${id}`, 1)
  assert.equal(await first.value(), null)
  const second = await other.start('BLPOP k 0')
  await c.expect(`CLIENT UNBLOCK ${id} ERROR`, 1)
  assert.deepEqual(await second.value(), error('UNBLOCKED client unblocked via CLIENT UNBLOCK'))
  await c.expect(`CLIENT UNBLOCK ${id}`, 0)
  await c.expectError(`CLIENT UNBLOCK ${id} now`, 'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
  await c.expectError('CLIENT UNBLOCK one', 'ERR value is not an integer or out of range')
})

conversation(
  'CLIENT NO-TOUCH leaves access times alone',
  async c => {
    await c.expectAll(['CLIENT NO-TOUCH on', 'OK'], ['CLIENT NO-TOUCH off', 'OK'])
    await c.expectError('CLIENT NO-TOUCH maybe', 'ERR syntax error')
  },
  { since: '7.2' },
)

conversation('QUIT answers, then closes', async c => {
  const other = await c.another()
  const id = await other.do('CLIENT ID')
  await other.expect('QUIT', 'OK')
  await c.expect(`CLIENT LIST ID ${id}`, '')
})

conversation('switches of CLIENT take on and off only', async c => {
  await c.expectAll(['CLIENT NO-EVICT on', 'OK'], ['CLIENT NO-EVICT off', 'OK'])
  await c.expectError('CLIENT NO-EVICT maybe', 'ERR syntax error')
  await c.expectError('CLIENT FOO', "ERR unknown subcommand 'FOO'. Try CLIENT HELP.")
})

conversation(
  'CLIENT INFO shows how a client tracks keys',
  async c => {
    await c.expect('CLIENT TRACKING ON BCAST', 'OK')
    await c.expect('CLIENT INFO', / flags=tB .* redir=0 /)
    await c.expect('CLIENT TRACKING OFF', 'OK')
    await c.expect('CLIENT INFO', / flags=N .* redir=-1 /)
    const other = await c.another()
    const id = await other.do('CLIENT ID')
    await c.expect(`CLIENT TRACKING ON REDIRECT ${id}`, 'OK')
    await c.expect('CLIENT INFO', new RegExp(` flags=t .* redir=${id} `))
    await other.expect('QUIT', 'OK')
    await c.expect('GET k', null)
    // The first message that cannot be delivered reveals that its receiver has disconnected.
    await (await c.another()).expect('SET k v', 'OK')
    await c.expect('CLIENT INFO', new RegExp(` flags=tR .* redir=${id} `))
  },
  { resp: 2, since: '7.2' },
)

conversation(
  'RESET ends MONITOR',
  async c => {
    const other = await c.another()
    const id = await other.do('CLIENT ID')
    await other.expect('MONITOR', 'OK')
    await c.expect(`CLIENT LIST ID ${id}`, / flags=O /)
    await other.tell('RESET')
    await c.expect(`CLIENT LIST ID ${id}`, / flags=N /)
  },
  { since: '7.2' },
)

conversation(
  'CLIENT LIST shows the arguments that a blocked client keeps',
  async c => {
    const other = await c.another()
    const id = await other.do('CLIENT ID')
    await other.start('BLPOP thirteenbytes 0')
    await c.expect(`CLIENT LIST ID ${id}`, / flags=b .* argv-mem=19 /)
  },
  { since: '7.2' },
)

conversation(
  'a message makes the client that gets it active',
  async c => {
    const other = await c.another()
    const id = await other.do('CLIENT ID')
    await other.tell('SUBSCRIBE c')
    await c.pass(3000)
    await c.expect(`CLIENT LIST ID ${id}`, / idle=[34] /)
    await c.expect('PUBLISH c x', 1)
    await c.expect(`CLIENT LIST ID ${id}`, / idle=0 /)
  },
  { over: 'in process', since: '7.2' },
)
