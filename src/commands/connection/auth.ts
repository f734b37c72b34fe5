// AUTH, HELLO.

import { DEFAULT_USER } from '../../engine/acl/acl.ts'
import type { Login } from '../../engine/auth.ts'
import type { Command } from '../../engine/catalog/command.ts'
import type { Client } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import type { Host } from '../../engine/ports/host.ts'
import { parseInt64 } from '../../lib/number.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes, type Reply } from '../../protocol/reply.ts'
import { isClientName, NAME_WITH_SPACES } from './client/index.ts'

export const authCommands: readonly Command[] = [
  {
    name: 'auth',
    arity: -2,
    flags: 'noscript loading stale fast no_auth sentinel allow_busy',
    since: '1.0.0',
    group: 'connection',
    summary: 'Log in with a password, as the default user or a named one.',
    complexity: 'O(N), N = passwords of the user.',
    args: '[username@6.0.0] password',
    history: [['6.0.0', 'A user name may stand before the password.']],
    run: auth,
  },
  {
    name: 'hello',
    arity: -1,
    flags: 'noscript loading stale fast no_auth sentinel allow_busy',
    since: '6.0.0',
    group: 'connection',
    summary: 'Choose the protocol, optionally log in and name the connection, and learn about the server.',
    complexity: 'O(1)',
    args: '[arguments:(protover:integer [AUTH auth:(username password)] [SETNAME clientname])]',
    history: [['6.2.0', 'May come without `protover`, to report on the connection alone.']],
    run: hello,
  },
]

const NO_PASSWORD_SET = errorBytes(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration ' +
    'is correct?',
)

const NOT_IN_EXEC = errorBytes('ERR a login cannot be part of a transaction while an authenticator decides logins')
const HELLO_BAD_VERSION = errorBytes('ERR Protocol version is not an integer or out of range')
const HELLO_NO_PROTO = errorBytes('NOPROTO unsupported protocol version')
const HELLO_NO_AUTH = errorBytes(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> ' +
    'option can be used to authenticate the client and select the RESP protocol version at the same time',
)

/** AUTH [username] password */
function auth(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  if (argc > 3) return reply.fixedError(SYNTAX)
  if (argc === 2 && server.auth.isPasswordless) return reply.fixedError(NO_PASSWORD_SET)
  const user = argc === 2 ? DEFAULT_USER : args[1].latin1()
  logIn(ctx, { user, password: args[argc - 1].latin1() }, to => to.ok())
}

/** Logs in, now or when the authenticator has decided, and then writes the reply; or an error reply. */
function logIn(ctx: Context, login: Login, welcome: (reply: Reply) => void): void {
  const { args, argc, server, client, reply } = ctx
  const finish = (error: string | undefined) => (error === undefined ? welcome(reply) : reply.error(error))
  if (server.auth.authenticator === undefined) return finish(server.auth.byPassword(client, login, args, argc))
  if (!ctx.canBlock) return reply.fixedError(NOT_IN_EXEC)
  let isDecided = false
  let waiting: ReturnType<Context['waitForAnswer']> | undefined
  server.auth.ask(client, login, args[0], error => {
    if (waiting === undefined) {
      isDecided = true
      finish(error)
    } else if (error === undefined) waiting.write(welcome)
    else waiting.fail(error)
  })
  if (!isDecided) waiting = ctx.waitForAnswer()
}

/** HELLO [protover [AUTH username password] [SETNAME clientname]] */
function hello(ctx: Context): void {
  const { args, argc, server, client, reply } = ctx
  let version = client.resp
  if (argc >= 2) {
    version = parseInt64(args[1])
    if (Number.isNaN(version)) return reply.fixedError(HELLO_BAD_VERSION)
    if (version < 2 || version > 3) return reply.fixedError(HELLO_NO_PROTO)
  }
  let login: Login | undefined
  let name: string | undefined
  const opt = ctx.options(2)
  while (opt.more()) {
    if (opt.eat('auth', 2)) login = { user: opt.next().latin1(), password: opt.next().latin1() }
    else if (opt.eat('setname', 1)) {
      name = opt.next().latin1()
      if (!isClientName(name)) return reply.error(NAME_WITH_SPACES)
    } else return reply.error(`ERR Syntax error in HELLO option '${opt.next().latin1()}'`)
  }
  const welcome = (to: Reply) => greet(to, client, server.host, version, name)
  if (login !== undefined) return logIn(ctx, login, welcome)
  if (!client.authenticated) return reply.fixedError(HELLO_NO_AUTH)
  welcome(reply)
}

function greet(reply: Reply, client: Client, host: Host, version: number, name: string | undefined): void {
  if (name !== undefined) client.name = name
  client.resp = reply.resp = version
  reply.map(7)
  reply.bulkText('server')
  reply.bulkText('redis')
  reply.bulkText('version')
  reply.bulkText(host.version)
  reply.bulkText('proto')
  reply.integer(version)
  reply.bulkText('id')
  reply.integer(client.id)
  reply.bulkText('mode')
  reply.bulkText(host.mode)
  reply.bulkText('role')
  reply.bulkText(host.role)
  reply.bulkText('modules')
  reply.emptyArray()
}
