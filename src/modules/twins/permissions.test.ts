// Twins of Redis's module tests: users, their permissions, and logins.

import assert from 'node:assert/strict'
import { MachineServer } from '../../../test/harness/machine.ts'
import { moduleOf, moduleServer, plain, settled, started, twin } from '../../../test/harness/module-server.ts'
import type { CallOptions, ModuleCommand, ModuleWord } from '../../module.ts'
import { virtualSystem } from '../../system/virtual.ts'

/** The newest entry of ACL LOG. */
function lastDenied(server: MachineServer): Record<string, unknown> {
  const [entry] = server.call('acl', 'log', 1) as unknown[][]
  const pairs = Array.from({ length: entry.length / 2 }, (_, i) => [entry[2 * i], entry[2 * i + 1]])
  return Object.fromEntries(pairs)
}

// ---- aclcheck ----

const checks: readonly ModuleCommand[] = [
  { name: 'aclcheck.may', arity: -2, flags: '', run: ctx => ctx.refusal({}, ...ctx.args.slice(1)) ?? 'OK' },
  { name: 'aclcheck.call', arity: -2, flags: 'write', run: ctx => ctx.call(...ctx.args.slice(1)) },
  {
    name: 'aclcheck.server',
    arity: -2,
    flags: 'write',
    run: ctx => ctx.callWith({ as: 'server' }, ...ctx.args.slice(1)),
  },
  { name: 'aclcheck.category', arity: 1, flags: 'readonly', acl: 'foocategory', run: () => 'OK' },
]

async function aclServer(): Promise<MachineServer> {
  return moduleServer({ commands: checks, aclCategories: ['foocategory'] }, { 'enable-module-command': 'yes' })
}

twin('aclcheck', 'whether the caller may run a command, touch a key, publish', async () => {
  const server = await aclServer()
  const may = (...words: string[]) => server.call('aclcheck.may', ...words)
  assert.equal(may('set', 'x', '5'), 'OK')
  server.call('acl', 'setuser', 'default', '-set')
  assert.equal(may('set', 'x', '5'), "NOPERM User default has no permissions to run the 'set' command")
  assert.deepEqual(server.call('acl', 'log'), [])
  server.call('acl', 'setuser', 'default', '+set', 'resetkeys', '~x', '%W~y', '%R~z')
  assert.equal(may('set', 'y', '5'), 'OK')
  assert.equal(may('get', 'z'), 'OK')
  const noKey = (key: string) => `NOPERM User default has no permissions to access the '${key}' key`
  assert.equal(may('set', 'z', '5'), noKey('z'))
  assert.equal(may('get', 'y'), noKey('y'))
  assert.equal(may('set', 'v', '5'), noKey('v'))
  server.call('acl', 'setuser', 'default', 'resetchannels', '&ch1')
  assert.equal(may('publish', 'ch1', 'msg'), 'OK')
  assert.equal(may('publish', 'ch2', 'msg'), "NOPERM User default has no permissions to access the 'ch2' channel")
  assert.equal(may('nothing'), "ERR unknown command 'nothing'")
})

twin('aclcheck', 'calls are judged as the caller, logged, and as the server are not', async () => {
  const server = await aclServer()
  server.call('acl', 'setuser', 'default', 'resetkeys', '~x', '%W~y', '%R~z')
  const call = (...words: string[]) => plain(server.call('aclcheck.call', ...words))
  const refused = '-NOPERM No permissions to access a key'
  assert.equal(call('set', 'x', '5'), 'OK')
  assert.equal(call('set', 'x', '6', 'get'), '5')
  assert.equal(call('set', 'y', '5'), 'OK')
  assert.equal(call('set', 'y', '5', 'get'), refused)
  assert.equal(call('set', 'z', '5'), refused)
  const { username, context, object, reason } = lastDenied(server)
  assert.deepEqual([username, context, object, reason], ['default', 'module', 'z', 'key'])
  assert.equal(server.call('aclcheck.server', 'set', 'v', '5'), 'OK')
})

twin('aclcheck', 'categories of a module, for users that were there before and after it', async () => {
  const server = await aclServer()
  server.call('acl', 'setuser', 'j1', 'on', '>password', '-@all', '+@foocategory')
  server.call('acl', 'setuser', 'j2', 'on', '>password', '-@all', '+@foocategory', '-aclcheck.category')
  const may = (user: string) => server.call('acl', 'dryrun', user, 'aclcheck.category')
  assert.equal(may('j1'), 'OK')
  assert.equal(may('j2'), "User j2 has no permissions to run the 'aclcheck.category' command")
  assert.equal(server.call('module', 'unload', 'twin'), 'OK')
  assert.equal(plain(server.call('acl', 'cat', 'foocategory')), "-ERR Unknown category 'foocategory'")
})

// ---- usercall ----

function callAs(name: string, as: CallOptions['as']): ModuleCommand {
  return { name, arity: -2, flags: 'write', run: ctx => ctx.callWith({ as }, ...ctx.args.slice(1)) }
}

twin('usercall', 'calls have the permissions of another user, also in scripts and after waiting', async () => {
  const asUser = { user: 'module_user' } as const
  const server = await moduleServer([
    callAs('usercall.caller', 'caller'),
    callAs('usercall.user', asUser),
    {
      name: 'usercall.later',
      arity: -2,
      flags: 'blocking',
      run: async ctx => {
        const words: readonly ModuleWord[] = ctx.args.slice(1)
        await Promise.resolve()
        return ctx.callWith({ as: asUser }, ...words)
      },
    },
  ])
  const noUser = "-ERR there is no user 'module_user'"
  assert.equal(plain(server.call('usercall.user', 'set', 'x', '5')), noUser)
  server.call('acl', 'setuser', 'module_user', '~*', '&*', '+@all', '-set')
  assert.equal(server.call('usercall.caller', 'set', 'x', '5'), 'OK')
  const refused = "-NOPERM User module_user has no permissions to run the 'set' command"
  assert.equal(plain(server.call('usercall.user', 'set', 'x', '10')), refused)
  assert.equal(server.call('usercall.user', 'get', 'x'), '5')
  const { username, context, object } = lastDenied(server)
  assert.deepEqual([username, context, object], ['module_user', 'module', 'set'])
  for (const [word, expected] of [
    ['set', refused],
    ['get', '5'],
  ] as const) {
    const client = started(server, 'usercall.later', word, 'x', ...(word === 'set' ? ['11'] : []))
    await settled(server)
    assert.deepEqual(plain(server.take(client)), [expected])
  }
  const called = (name: string) => plain(server.call('eval', `return redis.call('${name}', 'set', 'x', '12')`, 0))
  assert.equal(called('usercall.caller'), 'OK')
  assert.match(String(called('usercall.user')), /NOPERM User module_user has no permissions to run the 'set' command/)
  assert.equal(server.call('set', 'x', '14'), 'OK')
})

// ---- getchannels ----

const channels: ModuleCommand = {
  name: 'getchannels.command',
  arity: -1,
  flags: '',
  channels: words => {
    const uses = []
    for (let i = 1; i + 2 < words.length; i += 3) {
      const use = words[i] as 'subscribe' | 'unsubscribe' | 'publish'
      uses.push({ at: i + 2, use, isPattern: words[i + 1] === 'pattern' })
    }
    return uses
  },
  run: () => 'OK',
}

twin('getchannels', 'channels among the arguments are judged by ACL rules', async () => {
  const server = await moduleServer([
    channels,
    {
      ...channels,
      name: 'getchannels.bad',
      channels: () => {
        throw new Error('no idea')
      },
    },
  ])
  server.call('acl', 'setuser', 'testuser', 'on', 'nopass', '+@all', 'resetchannels', '&channel', '&pattern*')
  const dryRun = (line: string) => server.call('acl', 'dryrun', 'testuser', 'getchannels.command', ...line.split(' '))
  const no = (channel: string) => `User testuser has no permissions to access the '${channel}' channel`
  for (const use of ['subscribe', 'publish']) {
    assert.equal(dryRun(`${use} literal channel ${use} literal pattern1`), 'OK')
    assert.equal(dryRun(`${use} literal channel ${use} literal nopattern1`), no('nopattern1'))
    assert.equal(dryRun(`${use} literal otherchannel ${use} literal pattern1`), no('otherchannel'))
    assert.equal(dryRun(`${use} pattern pattern*`), 'OK')
    assert.equal(dryRun(`${use} pattern pattern1 ${use} pattern pattern*`), no('pattern1'))
    assert.equal(dryRun(`${use} pattern otherpattern* ${use} pattern pattern*`), no('otherpattern*'))
  }
  assert.equal(dryRun('unsubscribe literal otherchannel unsubscribe literal pattern1'), 'OK')
  assert.equal(dryRun('unsubscribe pattern pattern1 unsubscribe pattern pattern*'), 'OK')
  assert.equal(server.call('getchannels.bad', 'anything'), 'OK')
  assert.equal(server.call('acl', 'dryrun', 'testuser', 'getchannels.bad', 'channel'), no('getchannels.bad'))
  const client = server.connect()
  for (const words of [
    ['auth', 'testuser', 'x'],
    ['getchannels.command', 'publish', 'literal', 'no'],
    ['getchannels.command', 'publish', 'literal', 'channel'],
  ])
    server.send(client, words)
  server.machine.settle()
  assert.deepEqual(plain(server.take(client)), ['OK', '-NOPERM No permissions to access a channel', 'OK'])
})

// ---- auth, moduleauthtwo ----

twin('auth', 'a module logs clients in as any user, and closes their connections', async () => {
  const server = await moduleServer({
    commands: [{ name: 'auth.drop', arity: 2, flags: '', run: ctx => ctx.closeClient(ctx.integer(1)) }],
    auth: ({ user, password }) => {
      if (password === 'allow') return true
      if (password === 'as-real') return { user: 'auth-module-test' }
      if (password === 'fake') return { user: 'auth-module-test-fake' }
      if (password === 'deny') return false
      if (user === 'broken') throw new Error('a login')
      return undefined
    },
  })
  server.call('acl', 'setuser', 'auth-module-test', 'on', '>own', '~*', '+@all')
  const login = (...words: string[]) => {
    const client = server.connect()
    server.send(client, words)
    server.send(client, ['acl', 'whoami'])
    server.machine.settle()
    return plain(server.take(client)) as unknown[]
  }
  const wrong = '-WRONGPASS invalid username-password pair or user is disabled.'
  assert.deepEqual(login('auth', 'auth-module-test', 'allow'), ['OK', 'auth-module-test'])
  assert.deepEqual(login('auth', 'anybody', 'as-real'), ['OK', 'auth-module-test'])
  assert.deepEqual(login('auth', 'auth-module-test', 'own'), ['OK', 'auth-module-test'])
  for (const password of ['fake', 'deny', 'other'])
    assert.deepEqual(login('auth', 'auth-module-test', password), [wrong, 'default'])
  const failed = '-ERR the login could not be checked, try again later'
  assert.deepEqual(login('auth', 'broken', 'x'), [failed, 'default'])
  assert.equal(login('hello', '3', 'AUTH', 'auth-module-test', 'allow').at(-1), 'auth-module-test')
  server.call('acl', 'setuser', 'auth-module-test', 'off')
  assert.deepEqual(login('auth', 'auth-module-test', 'allow'), [wrong, 'default'])
  const other = server.connect()
  server.send(other, ['client', 'id'])
  server.machine.settle()
  const [id] = server.take(other)
  assert.equal(server.call('auth.drop', String(id)), 1)
  assert.equal(server.call('auth.drop', String(id)), 0)
})

twin('moduleauthtwo', 'several modules decide one after the other, also later', async () => {
  const decide = (name: string, word: string) =>
    moduleOf(
      {
        auth: async ({ password }) => {
          await Promise.resolve()
          if (password === `${word}-allow`) return true
          return password === `${word}-deny` ? false : undefined
        },
      },
      name,
    )
  const server = await MachineServer.start(
    virtualSystem({ seed: 1 }),
    {},
    { modules: [decide('first', 'one'), decide('second', 'two')] },
  )
  server.call('acl', 'setuser', 'foo', 'on', '>pwd', '~*', '+@all')
  const login = async (password: string) => {
    const client = started(server, 'auth', 'foo', password)
    await settled(server)
    return plain(server.take(client)[0])
  }
  const wrong = '-WRONGPASS invalid username-password pair or user is disabled.'
  assert.equal(await login('one-allow'), 'OK')
  assert.equal(await login('two-allow'), 'OK')
  assert.equal(await login('pwd'), 'OK')
  for (const password of ['one-deny', 'two-deny', 'none']) assert.equal(await login(password), wrong)
})
