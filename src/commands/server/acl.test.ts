import { anything, between, conversation, helpOf } from '../../../test/harness/conversation.ts'

const HASH_OF_SECRET = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'

conversation(
  'the default user may do everything',
  async c => {
    await c.expect('ACL WHOAMI', 'default')
    await c.expect('ACL USERS', ['default'])
    await c.expect('ACL LIST', ['user default on nopass sanitize-payload ~* &* +@all'])
    await c.expect('ACL GETUSER default', [
      ...['flags', ['on', 'nopass', 'sanitize-payload'], 'passwords', [], 'commands', '+@all'],
      ...['keys', '~*', 'channels', '&*', 'selectors', []],
    ])
    await c.expect('ACL GETUSER somebody', null)
  },
  { since: '7.2' },
)

conversation(
  'requirepass is the password of the default user',
  async c => {
    await c.do('AUTH secret')
    await c.expect('ACL LIST', [`user default on sanitize-payload #${HASH_OF_SECRET} ~* &* +@all`])
    await c.expect('ACL GETUSER default', [
      ...['flags', ['on', 'sanitize-payload'], 'passwords', [HASH_OF_SECRET], 'commands', '+@all'],
      ...['keys', '~*', 'channels', '&*', 'selectors', []],
    ])
  },
  { config: { requirepass: 'secret' }, since: '7.2' },
)

conversation('ACL CAT lists categories and what is in one', async c => {
  const categories = (await c.do('ACL CAT')) as string[]
  for (const name of ['keyspace', 'sortedset', 'dangerous', 'scripting'])
    if (!categories.includes(name)) throw new Error(`no category ${name}`)
  const commands = (await c.do('ACL CAT Transaction')) as string[]
  await c.expect('ECHO x', 'x')
  if (commands.sort().join() !== 'discard,exec,multi,unwatch,watch') throw new Error(commands.join())
  await c.expectError('ACL CAT nosuch', "ERR Unknown category 'nosuch'")
  await c.expectError('ACL CAT a b', "ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.")
})

conversation('ACL GENPASS makes a password of so many bits', async c => {
  const first = await c.do('ACL GENPASS')
  if (!/^[0-9a-f]{64}$/.test(String(first)) || first === (await c.do('ACL GENPASS'))) throw new Error(String(first))
  const short = await c.do('ACL GENPASS 5')
  if (!/^[0-9a-f]{2}$/.test(String(short))) throw new Error(String(short))
  const refusal =
    'ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096'
  await c.expectError('ACL GENPASS 0', refusal)
  await c.expectError('ACL GENPASS 4097', refusal)
})

conversation('ACL DRYRUN judges a command without running it', async c => {
  await c.expect('ACL DRYRUN default SET k v', 'OK')
  await c.expect('EXISTS k', 0)
  await c.expectError('ACL DRYRUN default nosuch', "ERR Command 'nosuch' not found")
  await c.expectError('ACL DRYRUN somebody GET k', "ERR User 'somebody' not found")
})

conversation(
  'ACL DRYRUN counts words',
  async c => {
    await c.expectError('ACL DRYRUN default GET', "ERR wrong number of arguments for 'get' command")
  },
  { since: '7.2' },
)

conversation(
  'ACL LOG tells who came with a wrong password',
  async c => {
    await c.expect('ACL LOG RESET', 'OK')
    await c.expect('ACL LOG', [])
    for (let i = 0; i < 2; i++) await c.do('AUTH somebody wrong')
    await c.do('HELLO 3 AUTH other wrong')
    await c.do(`HELLO ${c.resp}`)
    const entry = (count: number, object: string, username: string) => [
      ...['count', count, 'reason', 'auth', 'context', 'toplevel', 'object', object, 'username', username],
      ...['age-seconds', anything, 'client-info', anything, 'entry-id', between(0, 1e6)],
      ...['timestamp-created', between(1, 1e15), 'timestamp-last-updated', between(1, 1e15)],
    ]
    await c.expect('ACL LOG', [entry(1, 'HELLO', 'other'), entry(2, 'AUTH', 'somebody')])
    await c.expect('ACL LOG 1', [entry(1, 'HELLO', 'other')])
    await c.expect('ACL LOG RESET', 'OK')
    await c.expect('ACL LOG', [])
  },
  { since: '7.2' },
)

conversation('the default user stays, and without aclfile there is no file of users', async c => {
  await c.expectError('ACL DELUSER default', "ERR The 'default' user cannot be removed")
  await c.expect('ACL DELUSER somebody', 0)
  await c.expectError('ACL LOAD', /^ERR This Redis instance is not configured to use an ACL file\./)
  await c.expectError('ACL SAVE', /^ERR This Redis instance is not configured to use an ACL file\./)
  await c.expect(
    'ACL HELP',
    helpOf(
      'ACL',
      'CAT [<category>]',
      'DELUSER <username> [<username> ...]',
      'DRYRUN <username> <command> [<arg> ...]',
      'GETUSER <username>',
      'GENPASS [<bits>]',
      'LIST',
      'LOAD',
      'LOG [<count> | RESET]',
      'SAVE',
      'SETUSER <username> <attribute> [<attribute> ...]',
      'USERS',
      'WHOAMI',
    ),
  )
})

conversation('ACL CAT clips the category that it does not know', async c => {
  await c.expectError(['ACL', 'CAT', 'u'.repeat(5000)], `ERR Unknown category '${'u'.repeat(128)}'`)
  await c.expectError(['ACL', 'CAT', 'nosuch\0more'], "ERR Unknown category 'nosuch'")
})
