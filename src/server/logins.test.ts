import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { type PlainValue, RespError } from '../../test/harness/resp.ts'
import type { AuditEvent, AuthenticateAnswer } from '../index.ts'
import { virtualSystem } from '../system/virtual.ts'
import type { StartServerOptions } from './launch.ts'

const SETUP = ['user app on ~* +@all', 'user off off ~* +@all', 'user pw on >pw ~* +@all']

async function start(options: StartServerOptions, directives = {}): Promise<MachineServer> {
  const server = await MachineServer.start(virtualSystem(), directives, options)
  for (const line of SETUP) server.call('ACL', 'SETUSER', ...line.split(' ').slice(1))
  return server
}

/** The replies to commands on a new connection, after promises have settled and `ms` have passed. */
async function talk(server: MachineServer, ms: number, ...lines: string[]): Promise<string[]> {
  const connection = server.connect()
  for (const line of lines) server.send(connection, line.split(' '))
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  if (ms > 0) server.machine.advance(ms)
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  return server.take(connection).map(shown)
}

function shown(reply: PlainValue): string {
  return reply instanceof RespError ? `-${reply.message}` : String(reply)
}

const WRONG = '-WRONGPASS invalid username-password pair or user is disabled.'

test('a function decides logins, now or with a promise', async () => {
  for (const wrap of [(x: AuthenticateAnswer) => x, (x: AuthenticateAnswer) => Promise.resolve(x)]) {
    const server = await start({
      authenticate: ({ user, password }) => {
        if (user === 'token') return wrap(password === 'good' ? { user: 'app' } : false)
        return wrap(user === 'app' ? true : user === 'gone' ? { user: 'nobody' } : user === 'off' ? true : undefined)
      },
    })
    assert.deepEqual(await talk(server, 0, 'AUTH token good', 'ACL WHOAMI', 'PING'), ['OK', 'app', 'PONG'])
    assert.deepEqual(await talk(server, 0, 'AUTH token bad', 'ACL WHOAMI'), [WRONG, 'default'])
    assert.deepEqual(await talk(server, 0, 'AUTH app x', 'ACL WHOAMI'), ['OK', 'app'])
    assert.deepEqual(await talk(server, 0, 'AUTH gone x', 'AUTH off x', 'ACL WHOAMI'), [WRONG, WRONG, 'default'])
    // Undefined: the passwords of users decide.
    assert.deepEqual(await talk(server, 0, 'AUTH pw pw', 'AUTH pw no', 'ACL WHOAMI'), ['OK', WRONG, 'pw'])
    assert.match((await talk(server, 0, 'HELLO 3 AUTH token good SETNAME me', 'CLIENT GETNAME'))[1], /^me$/)
    assert.deepEqual(await talk(server, 0, 'MULTI', 'AUTH app x', 'EXEC'), [
      'OK',
      'QUEUED',
      String([new RespError('ERR a login cannot be part of a transaction while an authenticator decides logins')]),
    ])
  }
})

test('commands behind a login wait for it, and other clients do not', async () => {
  let answer: (answer: AuthenticateAnswer) => void = () => {}
  const server = await start({ authenticate: () => new Promise(resolve => void (answer = resolve)) })
  const waiting = server.connect()
  server.send(waiting, ['AUTH', 'app', 'x'])
  server.send(waiting, ['ACL', 'WHOAMI'])
  assert.deepEqual(server.take(waiting), [])
  assert.deepEqual(await talk(server, 0, 'PING'), ['PONG'])
  answer(true)
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  assert.deepEqual(server.take(waiting), ['OK', 'app'])
})

test('a function that throws, rejects or takes too long refuses the login', async () => {
  const failures: (() => Promise<AuthenticateAnswer>)[] = [
    () => {
      throw new Error('broken')
    },
    () => Promise.reject(new Error('broken')),
    () => new Promise(() => {}),
    () => Promise.resolve({} as { user: string }),
  ]
  for (const authenticate of failures) {
    const events: AuditEvent[] = []
    const server = await start({ authenticate, authentication: { timeoutMs: 100 }, audit: event => events.push(event) })
    const replies = await talk(server, 150, 'AUTH app x', 'ACL WHOAMI')
    assert.deepEqual(replies, ['-ERR the login could not be checked, try again later', 'default'])
    assert.deepEqual(events.at(-1), { ...events.at(-1), event: 'login-failed', user: 'app' })
  }
})

test('accepted logins are remembered for as long as is asked for', async () => {
  let asked = 0
  const authenticate = ({ password }: { password: string }) => {
    asked++
    return password === 'good'
  }
  const server = await start({ authenticate, authentication: { cacheMs: 1000 } })
  await talk(server, 0, 'AUTH app good', 'AUTH app good', 'AUTH app bad', 'AUTH app bad')
  assert.equal(asked, 3)
  await talk(server, 999, 'AUTH app good')
  assert.equal(asked, 3)
  await talk(server, 2, 'PING')
  await talk(server, 0, 'AUTH app good')
  assert.equal(asked, 4)
})

test('a client that leaves before the decision is forgotten', async () => {
  let answer: (answer: AuthenticateAnswer) => void = () => {}
  const events: AuditEvent[] = []
  const server = await start({
    authenticate: () => new Promise(resolve => void (answer = resolve)),
    audit: event => events.push(event),
  })
  const socket = server.server.memory.connect()
  socket.write(new TextEncoder().encode('AUTH app x\r\n'))
  socket.close()
  events.length = 0
  answer(true)
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  assert.deepEqual(events, [])
})

test('an extension decides logins too, and adds an ACL category', async () => {
  const extension = {
    commands: [
      {
        name: 'ring',
        arity: 1,
        flags: 'fast',
        acl: 'bells',
        since: '1',
        group: 'generic',
        summary: '',
        run: (ctx: { reply: { ok(): void } }) => ctx.reply.ok(),
      },
    ],
    types: [],
    codecs: [],
    aclCategories: ['bells'],
    authenticate: ({ user }: { user: string }) => (user === 'ext' ? { user: 'app' } : undefined),
  }
  const server = await start({ extensions: [extension as never], authenticate: () => undefined })
  assert.deepEqual(await talk(server, 0, 'AUTH ext x', 'ACL WHOAMI'), ['OK', 'app'])
  assert.deepEqual(server.call('ACL', 'CAT', 'bells'), ['ring'])
  assert.equal((server.call('ACL', 'CAT') as string[]).at(-1), 'bells')
  server.call('ACL', 'SETUSER', 'app', 'reset', 'on', '+@bells')
  assert.deepEqual(await talk(server, 0, 'AUTH ext x', 'RING', 'PING'), [
    ...['OK', 'OK', "-NOPERM User app has no permissions to run the 'ping' command"],
  ])
})

test('the audit hears of logins, refusals and administrative commands, and sees no secret', async () => {
  const events: AuditEvent[] = []
  const server = await start({ audit: event => events.push(event) })
  events.length = 0
  await talk(
    server,
    0,
    'AUTH pw pw',
    'AUTH pw wrong',
    'CONFIG SET requirepass secret',
    'ACL SETUSER app -@all +get resetkeys',
  )
  server.call('CONFIG', 'SET', 'requirepass', '')
  server.call('ACL', 'SETUSER', 'app', 'nopass')
  await talk(server, 0, 'AUTH app x', 'SET k v', 'GET k')
  const facts = events.map(({ event, user, command, args, reason, object }) =>
    [event, user, command, args?.join(' '), reason, object].filter(one => one !== undefined).join(' '),
  )
  assert.deepEqual(facts, [
    'login pw pw',
    'login-refused pw',
    'admin pw config|set requirepass (redacted)',
    'admin pw acl|setuser (redacted) (redacted) (redacted) (redacted)',
    'admin default config|set requirepass (redacted)',
    'admin default acl|setuser (redacted) (redacted)',
    'login app app',
    'denied app set command set',
    'denied app get key k',
  ])
})

test('a listener that throws disturbs no command', async () => {
  const server = await start({
    audit: () => {
      throw new Error('broken')
    },
  })
  assert.deepEqual(await talk(server, 0, 'AUTH pw pw', 'CONFIG SET maxmemory 0', 'PING'), ['OK', 'OK', 'PONG'])
})

test('audit-log writes a line of JSON for each event, also to a file that was renamed', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { 'audit-log': '/audit' })
  server.call('AUTH', 'nobody', 'x')
  server.call('CONFIG', 'SET', 'maxmemory', '0')
  server.machine.advance(10)
  const lines = () =>
    new TextDecoder()
      .decode(server.machine.disk.readFile('/audit'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  assert.deepEqual(
    lines().map(({ event, user, command }) => [event, user, command]),
    [
      ['login-refused', 'nobody', undefined],
      ['admin', 'default', 'config|set'],
    ],
  )
  server.machine.disk.rename('/audit', '/audit.1')
  server.call('AUTH', 'again', 'x')
  server.machine.advance(10)
  assert.deepEqual(
    lines().map(({ user }) => user),
    ['again'],
  )
  server.call('CONFIG', 'SET', 'audit-log', '')
  server.call('AUTH', 'unheard', 'x')
  server.machine.advance(10)
  assert.equal(lines().length, 1)
})
