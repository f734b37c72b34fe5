// Connections: who speaks, in which protocol, to which database. CLIENT stands in client/.

import { authenticate, resetAuth, WRONG_PASSWORD } from '../../engine/auth.ts'
import {
  CLIENT_ASKING,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_DIRTY_CAS,
  CLIENT_DIRTY_EXEC,
  CLIENT_MASTER,
  CLIENT_MONITOR,
  CLIENT_MULTI,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_PUBSUB,
  CLIENT_READONLY,
  CLIENT_REPLICA,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP_NEXT,
} from '../../engine/client.ts'
import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { parseInt64 } from '../../lib/number.ts'
import { DB_INDEX_OUT_OF_RANGE, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { int32OrReply } from '../shared/arguments.ts'
import { clientCommand, isClientName, NAME_WITH_SPACES } from './client/index.ts'
import { clientLine } from './client/list.ts'

export const connectionCommands: readonly Command[] = [
  {
    name: 'auth',
    arity: -2,
    flags: 'noscript loading stale fast no_auth sentinel allow_busy',
    since: '1.0.0',
    group: 'connection',
    summary: 'Authenticates the connection.',
    complexity: 'O(N) where N is the number of passwords defined for the user',
    args: '[username@6.0.0] password',
    history: [['6.0.0', 'Added ACL style (username and password).']],
    run: auth,
  },
  clientCommand,
  {
    name: 'echo',
    arity: 2,
    flags: 'loading stale fast',
    since: '1.0.0',
    group: 'connection',
    summary: 'Returns the given string.',
    complexity: 'O(1)',
    args: 'message',
    run: echo,
  },
  {
    name: 'hello',
    arity: -1,
    flags: 'noscript loading stale fast no_auth sentinel allow_busy',
    since: '6.0.0',
    group: 'connection',
    summary: 'Handshakes with the Redis server.',
    complexity: 'O(1)',
    args: '[arguments:(protover:integer [AUTH auth:(username password)] [SETNAME clientname])]',
    history: [
      [
        '6.2.0',
        "`protover` made optional; when called without arguments the command reports the current connection's context.",
      ],
    ],
    run: hello,
  },
  {
    name: 'ping',
    arity: -1,
    flags: 'fast sentinel',
    since: '1.0.0',
    group: 'connection',
    summary: "Returns the server's liveliness response.",
    complexity: 'O(1)',
    args: '[message]',
    tips: 'request_policy:all_shards response_policy:all_succeeded',
    run: ping,
  },
  {
    name: 'quit',
    arity: -1,
    flags: 'allow_busy noscript loading stale fast no_auth',
    since: '1.0.0',
    group: 'connection',
    summary: 'Closes the connection.',
    complexity: 'O(1)',
    deprecated: { since: '7.2.0', replacedBy: 'just closing the connection' },
    run: quit,
  },
  {
    name: 'reset',
    arity: 1,
    flags: 'noscript loading stale fast no_auth allow_busy',
    since: '6.2.0',
    group: 'connection',
    summary: 'Resets the connection.',
    complexity: 'O(1)',
    run: reset,
  },
  {
    name: 'select',
    arity: 2,
    flags: 'loading stale fast',
    since: '1.0.0',
    group: 'connection',
    summary: 'Changes the selected database.',
    complexity: 'O(1)',
    args: 'index:integer',
    run: select,
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
const NOT_A_NORMAL_CLIENT = errorBytes('ERR can only reset normal client connections')

/** AUTH [username] password */
function auth(ctx: Context): void {
  const { args, argc, engine, client, reply } = ctx
  if (argc > 3) return reply.fixedError(SYNTAX)
  if (argc === 2 && engine.settings.requirepass === '') return reply.fixedError(NO_PASSWORD_SET)
  const user = argc === 2 ? 'default' : args[1].latin1()
  if (authenticate(engine, client, user, args[argc - 1].latin1())) reply.ok()
  else refuse(ctx, user)
}

/** Somebody without the right password: the client hears of it, and so does ACL LOG. */
function refuse(ctx: Context, username: string): void {
  const { args, client, engine, reply, settings } = ctx
  const context = client.has(CLIENT_MULTI) ? 'multi' : 'toplevel'
  const refusal = { reason: 'auth', context, object: args[0].latin1(), username } as const
  engine.aclLog.add({ ...refusal, clientInfo: clientLine(ctx, client) }, ctx.nowMs, settings.acllogMaxLen)
  reply.error(WRONG_PASSWORD)
}

/** HELLO [protover [AUTH username password] [SETNAME clientname]] */
function hello(ctx: Context): void {
  const { args, argc, engine, client, reply } = ctx
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
  if (user !== undefined && !authenticate(engine, client, user, password)) return refuse(ctx, user)
  if (!client.authenticated) return reply.fixedError(HELLO_NO_AUTH)
  if (name !== undefined) client.name = name
  client.resp = reply.resp = version
  const { host } = engine
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

function echo(ctx: Context): void {
  ctx.reply.bulk(ctx.args[1])
}

/** PING [message]; a subscriber of RESP2 gets it in the form of a message. */
function ping(ctx: Context): void {
  const { argc, reply, client } = ctx
  if (argc > 2) return reply.error("ERR wrong number of arguments for 'ping' command")
  if (client.has(CLIENT_PUBSUB) && client.resp === 2) {
    reply.array(2)
    reply.bulkText('pong')
    if (argc === 1) reply.bulkText('')
    else reply.bulk(ctx.args[1])
  } else if (argc === 1) reply.pong()
  else reply.bulk(ctx.args[1])
}

function quit(ctx: Context): void {
  ctx.reply.ok()
  ctx.client.flags |= CLIENT_CLOSE_AFTER_REPLY
}

/** The connection becomes what it was when it was new. */
function reset(ctx: Context): void {
  const { client, engine, reply } = ctx
  if (client.has(CLIENT_MASTER) || (client.has(CLIENT_REPLICA) && !client.has(CLIENT_MONITOR)))
    return reply.fixedError(NOT_A_NORMAL_CLIENT)
  client.db = engine.keyspace.databases[0]
  client.resp = reply.resp = 2
  resetAuth(engine, client)
  client.queued = undefined
  client.queuedBytes = 0
  engine.watches.unwatchAll(client)
  for (const hook of engine.onClientReset) hook(client)
  client.name = ''
  client.flags &= ~STATE_FLAGS
  reply.simple('RESET')
}

const STATE_FLAGS =
  CLIENT_MULTI |
  CLIENT_DIRTY_CAS |
  CLIENT_DIRTY_EXEC |
  CLIENT_ASKING |
  CLIENT_READONLY |
  CLIENT_PUBSUB |
  CLIENT_REPLY_OFF |
  CLIENT_REPLY_SKIP_NEXT |
  CLIENT_NO_TOUCH |
  CLIENT_NO_EVICT

function select(ctx: Context): void {
  const index = int32OrReply(ctx, 1)
  if (Number.isNaN(index)) return
  const db = ctx.keyspace.databases[index]
  if (db === undefined) return ctx.reply.fixedError(DB_INDEX_OUT_OF_RANGE)
  ctx.client.db = db
  ctx.reply.ok()
}
