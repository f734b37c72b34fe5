// AUTH, HELLO.

import { DEFAULT_USER } from '../../engine/acl/acl.ts'
import { WRONG_PASSWORD } from '../../engine/auth.ts'
import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { parseInt64 } from '../../lib/number.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
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

const HELLO_BAD_VERSION = errorBytes('ERR Protocol version is not an integer or out of range')
const HELLO_NO_PROTO = errorBytes('NOPROTO unsupported protocol version')
const HELLO_NO_AUTH = errorBytes(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> ' +
    'option can be used to authenticate the client and select the RESP protocol version at the same time',
)

/** AUTH [username] password */
function auth(ctx: Context): void {
  const { args, argc, server, client, reply } = ctx
  if (argc > 3) return reply.fixedError(SYNTAX)
  if (argc === 2 && server.auth.isPasswordless) return reply.fixedError(NO_PASSWORD_SET)
  const user = argc === 2 ? DEFAULT_USER : args[1].latin1()
  if (server.auth.login(client, user, args[argc - 1].latin1(), args, argc)) reply.ok()
  else reply.error(WRONG_PASSWORD)
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
  let user: string | undefined
  let password = ''
  let name: string | undefined
  const opt = ctx.options(2)
  while (opt.more()) {
    if (opt.eat('auth', 2)) {
      user = opt.next().latin1()
      password = opt.next().latin1()
    } else if (opt.eat('setname', 1)) {
      name = opt.next().latin1()
      if (!isClientName(name)) return reply.error(NAME_WITH_SPACES)
    } else return reply.error(`ERR Syntax error in HELLO option '${opt.next().latin1()}'`)
  }
  if (user !== undefined && !server.auth.login(client, user, password, args, argc)) return reply.error(WRONG_PASSWORD)
  if (!client.authenticated) return reply.fixedError(HELLO_NO_AUTH)
  if (name !== undefined) client.name = name
  client.resp = reply.resp = version
  const { host } = server
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
