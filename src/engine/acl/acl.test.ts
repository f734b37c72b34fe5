import assert from 'node:assert/strict'
import { type Conversation, conversation } from '../../../test/harness/conversation.ts'

const OPTIONS = { since: '7.2' } as const
const NO_KEY = 'NOPERM No permissions to access a key'
const NO_CHANNEL = 'NOPERM No permissions to access a channel'
const RULES_CHANGED =
  'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no ' +
  'longer allowed for the following reason: '

/** A conversation with users; they are removed at its end. */
function withUsers(name: string, body: (c: Conversation) => Promise<void>, options = {}): void {
  conversation(
    name,
    async c => {
      const admin = await c.another()
      await admin.expect('ACL LOG RESET', 'OK')
      try {
        await body(c)
      } finally {
        for (const user of (await admin.do('ACL USERS')) as string[])
          if (user !== 'default') await admin.do(`ACL DELUSER ${user}`)
      }
    },
    { ...OPTIONS, ...options },
  )
}

/** A connection of a new user with these rules. */
async function as(c: Conversation, rules: string, name = 'ann'): Promise<Conversation> {
  await c.expect(`ACL SETUSER ${name} reset on nopass ${rules}`, 'OK')
  const client = await c.another()
  await client.expect(`AUTH ${name} any`, 'OK')
  return client
}

withUsers('a command needs a rule, and a key a pattern', async c => {
  const ann = await as(c, '+get +set ~a:* %R~b:* %W~c:*')
  await ann.expectError('ACL WHOAMI', "NOPERM User ann has no permissions to run the 'acl|whoami' command")
  await ann.expectAll(['SET a:1 x', 'OK'], ['GET a:1', 'x'], ['GET b:1', null], ['SET c:1 x', 'OK'])
  await ann.expectError('SET b:1 x', NO_KEY)
  await ann.expectError('GET c:1', NO_KEY)
  await ann.expectError('SET c:1 x GET', NO_KEY)
  await ann.expectError('DEL a:1', "NOPERM User ann has no permissions to run the 'del' command")
  await ann.expectError('PING', "NOPERM User ann has no permissions to run the 'ping' command")
})

withUsers('selectors each allow commands of their own', async c => {
  const ann = await as(c, '+@read ~a* (+set ~b*) (+del %R~c*)')
  await ann.expectAll(['GET a', null], ['SET b 1', 'OK'])
  await ann.expectError('SET a 1', NO_KEY)
  await ann.expectError('GET b', NO_KEY)
  await ann.expectError('DEL c', NO_KEY)
  await ann.expectError('INCR b', "NOPERM User ann has no permissions to run the 'incr' command")
})

withUsers('subcommands and first arguments', async c => {
  const ann = await as(c, '+config|get -config|rewrite +select|0 +client -client|kill allkeys')
  await ann.expect('CONFIG GET nosuch', [])
  await ann.expectError('CONFIG SET a b', "NOPERM User ann has no permissions to run the 'config|set' command")
  await ann.expect('SELECT 0', 'OK')
  await ann.expectError('SELECT 1', "NOPERM User ann has no permissions to run the 'select' command")
  await ann.expect('CLIENT GETNAME', null)
  await ann.expectError('CLIENT KILL a:1', "NOPERM User ann has no permissions to run the 'client|kill' command")
})

withUsers('rules are shown as they were given, the last of a command counting', async c => {
  await c.expect(
    'ACL SETUSER bob on >p ~k* %RW~rw %W~w &ch* +@read -get +config|get +config +select|0 (~x* +ping)',
    'OK',
  )
  const hash = '148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940'
  const root = '~k* ~rw %W~w resetchannels &ch* -@all +@read -get +config +select|0'
  await c.expect('ACL LIST', [
    `user bob on sanitize-payload #${hash} ${root} (~x* resetchannels -@all +ping)`,
    'user default on nopass sanitize-payload ~* &* +@all',
  ])
  await c.expect('ACL GETUSER bob', [
    ...['flags', ['on', 'sanitize-payload'], 'passwords', [hash]],
    ...['commands', '-@all +@read -get +config +select|0', 'keys', '~k* ~rw %W~w', 'channels', '&ch*'],
    ...['selectors', [['commands', '-@all +ping', 'keys', '~x*', 'channels', '']]],
  ])
  await c.expect('ACL USERS', ['bob', 'default'])
})

withUsers('SETUSER applies all rules or none', async c => {
  const refused = async (rule: string, why: string) =>
    c.expectError(['ACL', 'SETUSER', 'eve', 'on', rule], `ERR Error in ACL SETUSER modifier '${rule}': ${why}`)
  await refused('+nosuch', 'Unknown command or category name in ACL')
  await refused('+@nosuch', 'Unknown command or category name in ACL')
  await refused('-select|0', 'Unknown command or category name in ACL')
  await refused('+config|get|x', 'Allowing first-arg of a subcommand is not supported')
  await refused('+config|', 'Syntax error')
  await refused('%X~a', 'Syntax error')
  await refused('~a b', 'Syntax error')
  await refused('what', 'Syntax error')
  await refused('<gone', 'The password you are trying to remove from the user does not exist')
  await refused('(+get ~a b)', 'Syntax error')
  await refused('#12', HASH)
  await c.expectError(
    'ACL SETUSER eve ~* ~a',
    /^ERR Error in ACL SETUSER modifier '~a': Adding a pattern after the \* pattern \(or the 'allkeys' flag\)/,
  )
  await c.expectError('ACL SETUSER eve (+get ~a', "ERR Unmatched parenthesis in acl selector starting at '(+get'.")
  await c.expectError(['ACL', 'SETUSER', 'a b', 'on'], "ERR Usernames can't contain spaces or null characters")
  await c.expect('ACL GETUSER eve', null)
})

const HASH = 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters'

withUsers('a transaction is judged when it is queued and again at EXEC', async c => {
  const ann = await as(c, '+@all ~a*')
  await ann.expect('MULTI', 'OK')
  await ann.expectError('SET b 1', NO_KEY)
  await ann.expectError('EXEC', 'EXECABORT Transaction discarded because of previous errors.')
  await ann.expectAll(['MULTI', 'OK'], ['SET a 1', 'QUEUED'], ['INCR a2', 'QUEUED'])
  await c.expect('ACL SETUSER ann -incr resetkeys ~other', 'OK')
  const [set, incr] = (await ann.do('EXEC')) as unknown as { message: string }[]
  assert.equal(set.message, `${RULES_CHANGED}no permission to touch the specified keys`)
  assert.equal(incr.message, `${RULES_CHANGED}no permission to execute the command or subcommand`)
  const log = (await c.do('ACL LOG')) as unknown[][]
  assert.deepEqual(
    log.slice(0, 2).map(entry => entry.slice(2, 10)),
    [
      ['reason', 'command', 'context', 'multi', 'object', 'incr', 'username', 'ann'],
      ['reason', 'key', 'context', 'multi', 'object', 'a', 'username', 'ann'],
    ],
  )
})

withUsers('scripts and functions act as their caller, on undeclared keys too', async c => {
  const ann = await as(c, '+eval +fcall +get +set ~a*')
  await ann.expect(['EVAL', "return redis.call('set', 'a', '1')", '0'], 'OK')
  await ann.expectError(
    ['EVAL', "return redis.call('set', 'b', '1')", '0'],
    /^ERR ACL failure in script: No permissions to access a key/,
  )
  await ann.expectError(
    ['EVAL', "return redis.call('del', 'a')", '0'],
    /^ERR ACL failure in script: User ann has no permissions to run the 'del' command/,
  )
  await ann.expectError(['EVAL', 'return 1', '1', 'b'], NO_KEY)
  await ann.expect(['EVAL', "return redis.acl_check_cmd('set', 'a', '1') and 1 or 0", '0'], 1)
  await ann.expect(['EVAL', "return redis.acl_check_cmd('set', 'b', '1') and 1 or 0", '0'], 0)
  await ann.expectError(['EVAL', "return redis.acl_check_cmd('nosuch')", '0'], /Invalid command passed to redis\.acl_/)
  await c.do([
    'FUNCTION',
    'LOAD',
    'REPLACE',
    "#!lua name=l\nredis.register_function('f', function() return redis.call('get', 'b') end)",
  ])
  await ann.expectError('FCALL f 0', /^ERR ACL failure in script: No permissions to access a key/)
  const [entry] = (await c.do('ACL LOG 1')) as unknown[][]
  assert.deepEqual(entry.slice(2, 10), ['reason', 'key', 'context', 'lua', 'object', 'b', 'username', 'ann'])
  await c.do('FUNCTION DELETE l')
})

withUsers('BY and GET of SORT may read any key', async c => {
  const ann = await as(c, '+@all ~l')
  await c.expect('RPUSH l 2 1', 2)
  await ann.expectAll(['SORT l', ['1', '2']], ['SORT l BY nosort', ['2', '1']])
  await ann.expectError('SORT l BY w*', 'ERR BY option of SORT denied due to insufficient ACL permissions.')
  await ann.expectError('SORT l GET #', 'ERR GET option of SORT denied due to insufficient ACL permissions.')
  await c.expect('ACL SETUSER ann %R~*', 'OK')
  await ann.expect('SORT l BY w* GET #', ['1', '2'])
  await c.do('DEL l')
})

withUsers(
  'channels are matched, patterns must be the same',
  async c => {
    const ann = await as(c, '+@all ~* &news* &exact')
    await ann.expect('PUBLISH news1 m', 0)
    await ann.expectError('PUBLISH other m', NO_CHANNEL)
    await ann.expectError('SPUBLISH other m', NO_CHANNEL)
    await ann.expectError('SUBSCRIBE news1 other', NO_CHANNEL)
    await ann.expectError('SSUBSCRIBE other', NO_CHANNEL)
    await ann.expectError('PSUBSCRIBE news1*', NO_CHANNEL)
    ann.tell('PSUBSCRIBE news*')
    await ann.expectMessage(['psubscribe', 'news*', 1])
    ann.tell('PUNSUBSCRIBE other*')
    await ann.expectMessage(['punsubscribe', 'other*', 1])
  },
  { resp: 2 },
)

withUsers(
  'clients that lose a channel that they are subscribed to are disconnected',
  async c => {
    const one = await as(c, '+@all &a &b')
    one.tell('SUBSCRIBE a')
    await one.expectMessage(['subscribe', 'a', 1])
    await c.expect('ACL SETUSER ann resetchannels &a', 'OK')
    one.tell('SUBSCRIBE a')
    await one.expectMessage(['subscribe', 'a', 1])
    await c.expect('ACL SETUSER ann resetchannels &b', 'OK')
    await one.expectClosed()
  },
  { resp: 2 },
)

withUsers('clients whose user is deleted are disconnected', async c => {
  const ann = await as(c, '+@all ~*')
  await c.expect('ACL DELUSER ann nobody', 1)
  await ann.expectClosed()
  await c.expectError('AUTH ann any', 'WRONGPASS invalid username-password pair or user is disabled.')
})

withUsers('a blocked command is judged again when it could be served', async c => {
  const ann = await as(c, '+blpop ~l1 ~l2')
  const waiting = await ann.start('BLPOP l1 l2 0')
  await c.expect('ACL SETUSER ann resetkeys ~l2', 'OK')
  await c.expect('RPUSH l1 x', 1)
  const reply = (await waiting.value()) as unknown as { message: string }
  assert.equal(reply.message, NO_KEY)
  await c.expect('LRANGE l1 0 -1', ['x'])
  await c.do('DEL l1')
})

withUsers('what was denied is in the log and in INFO', async c => {
  const ann = await as(c, '+get +publish ~a &a')
  const before = await denials(c)
  await ann.do('SET a 1')
  await ann.do('GET b')
  await ann.do('GET b')
  await ann.do('PUBLISH b m')
  const log = (await c.do('ACL LOG')) as unknown[][]
  assert.deepEqual(
    log.map(entry => [entry[1], entry[3], entry[5], entry[7], entry[9]]),
    [
      [1, 'channel', 'toplevel', 'b', 'ann'],
      [2, 'key', 'toplevel', 'b', 'ann'],
      [1, 'command', 'toplevel', 'set', 'ann'],
    ],
  )
  assert.match(String(log[0][13]), /cmd=publish user=ann /)
  assert.deepEqual(
    (await denials(c)).map((n, i) => n - before[i]),
    [0, 1, 2, 1],
  )
})

async function denials(c: Conversation): Promise<number[]> {
  const info = String(await c.do('INFO stats'))
  return ['auth', 'cmd', 'key', 'channel'].map(kind =>
    Number(new RegExp(`acl_access_denied_${kind}:(\\d+)`).exec(info)![1]),
  )
}

withUsers('a user can be off, have several passwords, or need none', async c => {
  await c.expect('ACL SETUSER ann on >one >two ~* +@all', 'OK')
  const other = await c.another()
  await other.expectAll(['AUTH ann one', 'OK'], ['AUTH ann two', 'OK'], ['ACL WHOAMI', 'ann'])
  await c.expect('ACL SETUSER ann <one', 'OK')
  await other.expectError('AUTH ann one', /^WRONGPASS/)
  await c.expect('ACL SETUSER ann off', 'OK')
  await other.expectError('AUTH ann two', /^WRONGPASS/)
  await other.expect('ACL WHOAMI', 'ann')
  await c.expect('ACL SETUSER ann on nopass', 'OK')
  await other.expect('AUTH ann whatever', 'OK')
  await other.expect('RESET', 'RESET')
  await other.expect('ACL WHOAMI', 'default')
})

withUsers(
  'who is not logged in may do so when the default user needs no password any more',
  async c => {
    await c.expect('ACL SETUSER default on >secret', 'OK')
    const other = await c.another()
    await other.expectError('PING', 'NOAUTH Authentication required.')
    await other.expectError('AUTH wrong', /^WRONGPASS/)
    await c.expect('ACL SETUSER default nopass', 'OK')
    await other.expect('PING', 'PONG')
  },
  { resp: 2 },
)

withUsers(
  'CONFIG SET requirepass sets the password of the default user',
  async c => {
    await c.expect('CONFIG SET requirepass secret', 'OK')
    const other = await c.another()
    await other.expectError('PING', 'NOAUTH Authentication required.')
    await other.expect('AUTH secret', 'OK')
    await c.expect('CONFIG SET requirepass ""', 'OK')
    await (await c.another()).expect('PING', 'PONG')
  },
  { resp: 2 },
)

withUsers('the default user can be restricted too', async c => {
  await c.expect('ACL SETUSER default -get', 'OK')
  await c.expectError('GET k', "NOPERM User default has no permissions to run the 'get' command")
  await c.expectError(
    ['EVAL', "return redis.call('get', 'k')", '0'],
    /^ERR ACL failure in script: User default has no permissions to run the 'get' command/,
  )
  await c.expect('ACL SETUSER default +@all', 'OK')
  await c.expect('GET k', null)
})

withUsers('CLIENT LIST and KILL know users', async c => {
  const ann = await as(c, '+@all')
  const id = await ann.do('CLIENT ID')
  assert.match(String(await c.do(`CLIENT LIST ID ${id}`)), / user=ann /)
  await c.expectError('CLIENT KILL USER nobody', "ERR No such user 'nobody'")
  await c.expect('CLIENT KILL USER ann', 1)
  await ann.expectClosed()
})

withUsers('patterns of plain bytes and a star, and others', async c => {
  const ann = await as(c, '+get +set +bitfield +getdel ~ab* %R~r* %W~w* ~c[d]* ~e\\* ~*z %R~*')
  await ann.expectAll(
    ['SET ab 1', 'OK'],
    ['SET abc 1', 'OK'],
    ['SET cd 1', 'OK'],
    ['SET xz 1', 'OK'],
    ['SET w 1', 'OK'],
  )
  await ann.expectAll(['GET r', null], ['GET q', null], ['SET e* 1', 'OK'], ['GETDEL ab', '1'])
  for (const key of ['a', 'b', 'r1', 'cx', 'ea']) await ann.expectError(['SET', key, '1'], NO_KEY)
  for (const key of ['ac', 'w', 'r']) await ann.expectError(['GETDEL', key], NO_KEY)
  await ann.expectError(['GET', ''], NO_KEY)
  await ann.expectError('SET w 1 GET', NO_KEY)
  await ann.expectAll(['BITFIELD r GET u8 0', [0]], ['BITFIELD ab SET u8 0 1', [0]])
  await ann.expectError('BITFIELD r SET u8 0 1', NO_KEY)
})
