// CLIENT: connections and their settings. list.ts formats a client.

import type { Command } from '../../../engine/catalog/command.ts'
import {
  CLIENT_BLOCKED,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  CLIENT_REPLY_SKIP_NEXT,
  type Client,
} from '../../../engine/client.ts'
import { type ClientClass, clientClass } from '../../../engine/client-memory.ts'
import type { Context } from '../../../engine/context.ts'
import { clientLine } from '../../../engine/monitoring/client-line.ts'
import {
  NOT_AN_INTEGER,
  SYNTAX,
  TIMEOUT_NEGATIVE,
  TIMEOUT_NOT_INTEGER,
  TIMEOUT_OUT_OF_RANGE,
} from '../../../protocol/errors.ts'
import { replyHelp } from '../../../protocol/help.ts'
import { errorBytes } from '../../../protocol/reply.ts'
import { replySubcommandError } from '../../shared/arguments.ts'
import { trackingSubcommands } from './tracking.ts'

export const clientCommand: Command = {
  name: 'client',
  arity: -2,
  flags: 'sentinel',
  since: '2.4.0',
  group: 'connection',
  summary: 'Connections: list, name, pause, close and configure them.',
  complexity: 'Differs by subcommand.',
  acl: '',
  subcommands: [
    ...trackingSubcommands,
    {
      name: 'getname',
      arity: 2,
      flags: 'noscript loading stale sentinel',
      since: '2.6.9',
      group: 'connection',
      summary: 'Return the name given to this connection.',
      complexity: 'O(1)',
      run: getName,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale sentinel',
      since: '5.0.0',
      group: 'connection',
      summary: 'Explain the subcommands of CLIENT.',
      complexity: 'O(1)',
      run: help,
    },
    {
      name: 'id',
      arity: 2,
      flags: 'noscript loading stale sentinel',
      since: '5.0.0',
      group: 'connection',
      summary: 'Return the number of this connection, which is never used again.',
      complexity: 'O(1)',
      run: id,
    },
    {
      name: 'info',
      arity: 2,
      flags: 'noscript loading stale sentinel',
      since: '6.2.0',
      group: 'connection',
      summary: 'Describe this connection as CLIENT LIST does.',
      complexity: 'O(1)',
      tips: 'nondeterministic_output',
      run: info,
    },
    {
      name: 'kill',
      arity: -3,
      flags: 'admin noscript loading stale sentinel',
      since: '2.4.0',
      group: 'connection',
      summary: 'Close connections by address, id, type, user or age.',
      complexity: 'O(N), N = connections.',
      args:
        'filter:(old-format="ip:port"!2.8.12|new-format:([ID client-id:integer@2.8.12]|[TYPE client-type:(NORMAL|' +
        'MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB)@2.8.12]|[USER username]|[ADDR addr="ip:port"]|' +
        '[LADDR laddr="ip:port"@6.2.0]|[SKIPME skipme:(YES|NO)])...)',
      history: [
        ['2.8.12', 'Filters by name, in place of an address alone.'],
        ['2.8.12', 'New filter `ID`.'],
        ['3.2.0', '`TYPE` knows `master`.'],
        ['5.0.0', 'The type `slave` is called `replica`; the old name is still accepted.'],
        ['6.2.0', 'New filter `LADDR`.'],
      ],
      run: kill,
    },
    {
      name: 'list',
      arity: -2,
      flags: 'admin noscript loading stale sentinel',
      since: '2.4.0',
      group: 'connection',
      summary: 'Describe every connection, one on a line.',
      complexity: 'O(N), N = connections.',
      args: '[TYPE client-type:(NORMAL|MASTER|REPLICA|PUBSUB)@5.0.0] [ID client-id:integer@6.2.0...]',
      history: [
        ['2.8.12', 'New field `id`.'],
        ['5.0.0', 'New filter `TYPE`.'],
        ['6.0.0', 'New field `user`.'],
        ['6.2.0', 'New fields `argv-mem`, `tot-mem`, `laddr` and `redir`; new filter `ID`.'],
        ['7.0.0', 'New fields `resp`, `multi-mem`, `rbs` and `rbp`.'],
        ['7.0.3', 'New field `ssub`.'],
      ],
      tips: 'nondeterministic_output',
      run: list,
    },
    {
      name: 'no-evict',
      arity: 3,
      flags: 'admin noscript loading stale sentinel',
      since: '7.0.0',
      group: 'connection',
      summary: 'Keep this connection open when clients are closed to free memory, or not.',
      complexity: 'O(1)',
      args: 'enabled:(ON|OFF)',
      run: noEvict,
    },
    {
      name: 'no-touch',
      arity: 3,
      flags: 'noscript loading stale',
      since: '7.2.0',
      group: 'connection',
      summary: 'Leave the access times and frequencies of keys alone on this connection, or not.',
      complexity: 'O(1)',
      args: 'enabled:(ON|OFF)',
      run: noTouch,
    },
    {
      name: 'pause',
      arity: -3,
      flags: 'admin noscript loading stale sentinel',
      since: '3.0.0',
      group: 'connection',
      summary: 'Hold back commands of all clients, or only their writes, for some time.',
      complexity: 'O(1)',
      args: 'timeout:integer [mode:(WRITE|ALL)@6.2.0]',
      history: [['6.2.0', 'New option `mode`, by which writes alone are paused.']],
      run: pause,
    },
    {
      name: 'reply',
      arity: 3,
      flags: 'noscript loading stale sentinel',
      since: '3.2.0',
      group: 'connection',
      summary: 'Switch replies on or off, or skip the next one.',
      complexity: 'O(1)',
      args: 'action:(ON|OFF|SKIP)',
      run: replyMode,
    },
    {
      name: 'setinfo',
      arity: 4,
      flags: 'noscript loading stale sentinel',
      since: '7.2.0',
      group: 'connection',
      summary: 'Record the name or version of the client library.',
      complexity: 'O(1)',
      args: 'attr:(LIB-NAME libname|LIB-VER libver)',
      tips: 'request_policy:all_nodes response_policy:all_succeeded',
      run: setInfo,
    },
    {
      name: 'setname',
      arity: 3,
      flags: 'noscript loading stale sentinel',
      since: '2.6.9',
      group: 'connection',
      summary: 'Give this connection a name.',
      complexity: 'O(1)',
      args: 'connection-name',
      tips: 'request_policy:all_nodes response_policy:all_succeeded',
      run: setName,
    },
    {
      name: 'unblock',
      arity: -3,
      flags: 'admin noscript loading stale sentinel',
      since: '5.0.0',
      group: 'connection',
      summary: "End the wait of another client's blocking command, with a timeout or an error.",
      complexity: 'O(log N), N = connections.',
      args: 'client-id:integer [unblock-type:(TIMEOUT|ERROR)]',
      run: unblock,
    },
    {
      name: 'unpause',
      arity: 2,
      flags: 'admin noscript loading stale sentinel',
      since: '6.2.0',
      group: 'connection',
      summary: 'End CLIENT PAUSE: run what was held back.',
      complexity: 'O(N), N = paused clients.',
      run: unpause,
    },
  ],
}

export const NAME_WITH_SPACES = 'ERR Client names cannot contain spaces, newlines or special characters.'
const INVALID_CLIENT_ID = errorBytes('ERR Invalid client ID')
const CLIENT_ID_NOT_POSITIVE = errorBytes('ERR client-id should be greater than 0')
const NO_SUCH_CLIENT = errorBytes('ERR No such client')
const PAUSE_MODE = errorBytes('ERR CLIENT PAUSE mode must be WRITE or ALL')
const UNBLOCK_REASON = errorBytes('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')

/** Names must not break CLIENT LIST, whose fields end with a space: printable ASCII up to the first NUL. */
export function isClientName(name: string): boolean {
  return /^[!-~]*(\0|$)/.test(name)
}

function id(ctx: Context): void {
  ctx.reply.integer(ctx.client.id)
}

function info(ctx: Context): void {
  ctx.reply.verbatim('txt', `${clientLine(ctx.client, ctx.nowMs, ctx)}\n`)
}

/** CLIENT LIST [TYPE type] [ID id ...] */
function list(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  let shown: Client[]
  if (argc === 4 && ctx.is(2, 'type')) {
    const wanted = classNamed(args[3].latin1())
    if (wanted === undefined) return reply.error(`ERR Unknown client type '${args[3].latin1()}'`)
    shown = [...server.clients.values()].filter(client => clientClass(client) === wanted)
  } else if (argc > 3 && ctx.is(2, 'id')) {
    shown = []
    for (let i = 3; i < argc; i++) {
      const clientId = ctx.longOrReply(i, INVALID_CLIENT_ID)
      if (Number.isNaN(clientId)) return
      const client = server.clients.get(clientId)
      if (client !== undefined) shown.push(client)
    }
  } else if (argc === 2) shown = [...server.clients.values()]
  else return reply.fixedError(SYNTAX)
  reply.verbatim(
    'txt',
    shown.map(client => `${clientLine(client, ctx.nowMs, client === ctx.client ? ctx : undefined)}\n`).join(''),
  )
}

function classNamed(name: string): ClientClass | undefined {
  switch (name.toLowerCase()) {
    case 'normal':
      return 'normal'
    case 'slave':
    case 'replica':
      return 'replica'
    case 'pubsub':
      return 'pubsub'
    case 'master':
      return 'master'
    default:
      return undefined
  }
}

interface KillFilter {
  id?: number
  type?: ClientClass
  user?: string
  addr?: string
  laddr?: string
  skipMe: boolean
}

/** CLIENT KILL addr | CLIENT KILL [ID id] [TYPE type] [USER name] [ADDR addr] [LADDR addr] [SKIPME yes|no] ... */
function kill(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  const filter: KillFilter = { skipMe: argc > 3 }
  if (argc === 3) filter.addr = args[2].latin1()
  else if (!killFilterOrReply(ctx, filter)) return
  let killed = 0
  let me = false
  for (const client of [...server.clients.values()]) {
    if (!matches(client, filter) || (client === ctx.client && filter.skipMe)) continue
    killed++
    if (client === ctx.client) me = true
    else server.closeClient(client)
  }
  if (argc > 3) reply.integer(killed)
  else if (killed === 0) reply.fixedError(NO_SUCH_CLIENT)
  else reply.ok()
  if (me) server.closeClient(ctx.client, true)
}

function killFilterOrReply(ctx: Context, filter: KillFilter): boolean {
  const { reply } = ctx
  const opt = ctx.options(2)
  while (opt.more()) {
    if (opt.eat('id', 1)) {
      const clientId = opt.longOrReply(CLIENT_ID_NOT_POSITIVE)
      if (!opt.failed && clientId < 1) opt.fail(CLIENT_ID_NOT_POSITIVE)
      filter.id = clientId
    } else if (opt.eat('type', 1)) {
      const name = opt.next().latin1()
      filter.type = classNamed(name)
      if (filter.type === undefined) {
        reply.error(`ERR Unknown client type '${name}'`)
        return false
      }
    } else if (opt.eat('addr', 1)) filter.addr = opt.next().latin1()
    else if (opt.eat('laddr', 1)) filter.laddr = opt.next().latin1()
    else if (opt.eat('user', 1)) {
      filter.user = opt.next().latin1()
      if (ctx.server.acl.user(filter.user) === undefined) {
        reply.error(`ERR No such user '${filter.user}'`)
        return false
      }
    } else if (opt.eat('skipme', 1)) {
      const yes = ctx.is(opt.at, 'yes')
      if (!yes && !ctx.is(opt.at, 'no')) opt.syntaxError()
      opt.next()
      filter.skipMe = yes
    } else opt.syntaxError()
    if (opt.failed) return false
  }
  return true
}

function matches(client: Client, filter: KillFilter): boolean {
  return (
    (filter.addr === undefined || client.connection.peer === filter.addr) &&
    (filter.laddr === undefined || client.connection.local === filter.laddr) &&
    (filter.type === undefined || clientClass(client) === filter.type) &&
    (filter.id === undefined || client.id === filter.id) &&
    (filter.user === undefined || client.user?.name === filter.user)
  )
}

function getName(ctx: Context): void {
  if (ctx.client.name === '') ctx.reply.null()
  else ctx.reply.bulkText(ctx.client.name)
}

function setName(ctx: Context): void {
  const name = ctx.args[2].latin1()
  if (!isClientName(name)) return ctx.reply.error(NAME_WITH_SPACES)
  ctx.client.name = name
  ctx.reply.ok()
}

/** CLIENT SETINFO LIB-NAME name | LIB-VER version */
function setInfo(ctx: Context): void {
  const { args, client, reply } = ctx
  const isName = ctx.is(2, 'lib-name')
  if (!isName && !ctx.is(2, 'lib-ver')) return reply.error(`ERR Unrecognized option '${args[2].latin1()}'`)
  const value = args[3].latin1()
  if (!isClientName(value))
    return reply.error(`ERR ${args[2].latin1()} cannot contain spaces, newlines or special characters.`)
  if (isName) client.libName = value
  else client.libVersion = value
  reply.ok()
}

/** CLIENT REPLY ON | OFF | SKIP */
function replyMode(ctx: Context): void {
  const { client, reply } = ctx
  if (ctx.is(2, 'on')) {
    client.flags &= ~(CLIENT_REPLY_SKIP | CLIENT_REPLY_OFF)
    reply.ok()
  } else if (ctx.is(2, 'off')) client.flags |= CLIENT_REPLY_OFF
  else if (ctx.is(2, 'skip')) {
    if (!client.has(CLIENT_REPLY_OFF)) client.flags |= CLIENT_REPLY_SKIP_NEXT
  } else reply.fixedError(SYNTAX)
}

function noEvict(ctx: Context): void {
  switchFlag(ctx, CLIENT_NO_EVICT)
}

function noTouch(ctx: Context): void {
  switchFlag(ctx, CLIENT_NO_TOUCH)
}

function switchFlag(ctx: Context, flag: number): void {
  if (ctx.is(2, 'on')) ctx.client.flags |= flag
  else if (ctx.is(2, 'off')) ctx.client.flags &= ~flag
  else return ctx.reply.fixedError(SYNTAX)
  ctx.reply.ok()
}

/** CLIENT PAUSE milliseconds [WRITE | ALL] */
function pause(ctx: Context): void {
  const { argc, server, reply } = ctx
  if (argc > 4) return replySubcommandError(ctx)
  const all = argc === 3 || ctx.is(3, 'all')
  if (!all && !ctx.is(3, 'write')) return reply.fixedError(PAUSE_MODE)
  const ms = ctx.longOrReply(2, TIMEOUT_NOT_INTEGER)
  if (Number.isNaN(ms)) return
  if (ms < 0) return reply.fixedError(TIMEOUT_NEGATIVE)
  if (ms > 2 ** 63 - 1 - ctx.nowMs) return reply.fixedError(TIMEOUT_OUT_OF_RANGE)
  server.pause.begin(ctx.nowMs + ms, all)
  reply.ok()
}

function unpause(ctx: Context): void {
  ctx.server.pause.end()
  ctx.reply.ok()
}

/** CLIENT UNBLOCK id [TIMEOUT | ERROR] */
function unblock(ctx: Context): void {
  const { argc, server, reply } = ctx
  if (argc > 4) return replySubcommandError(ctx)
  const withError = argc === 4 && ctx.is(3, 'error')
  if (argc === 4 && !withError && !ctx.is(3, 'timeout')) return reply.fixedError(UNBLOCK_REASON)
  const clientId = ctx.longOrReply(2, NOT_AN_INTEGER)
  if (Number.isNaN(clientId)) return
  const target = server.clients.get(clientId)
  if (target === undefined || !target.has(CLIENT_BLOCKED) || target.blocked?.unblockable === false)
    return reply.integer(0)
  server.unblockClient(target, withError)
  reply.integer(1)
}

function help(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], HELP)
}

const HELP = [
  'CACHING (YES|NO)',
  "    Whether the next command's keys are tracked (OPTIN and OPTOUT modes).",
  'GETREDIR',
  "    Which client gets this connection's invalidation messages.",
  'GETNAME',
  '    The name of this connection.',
  'ID',
  '    The number of this connection.',
  'INFO',
  '    This connection, as a line of CLIENT LIST.',
  'KILL <ip:port>',
  '    Close the connection from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Close the connections that pass all of these filters:',
  '    * ADDR (<ip:port>|<unixsocket>:0)',
  "      The client's address",
  '    * LADDR (<ip:port>|<unixsocket>:0)',
  "      The server's address",
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      The kind of client',
  '    * USER <username>',
  '      The user',
  '    * SKIPME (YES|NO)',
  '      Whether this connection is left out (yes unless given)',
  'LIST [options ...]',
  '    All connections, a line each. Filters:',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      The kind of client',
  'UNPAUSE',
  '    End the pause.',
  'PAUSE <timeout> [WRITE|ALL]',
  '    Hold back all commands, or writes alone, for <timeout> milliseconds.',
  'REPLY (ON|OFF|SKIP)',
  '    Whether this connection gets replies.',
  'SETNAME <name>',
  '    Name this connection.',
  'SETINFO <option> <value>',
  '    Record facts about the client:',
  '    * LIB-NAME: what its library is called',
  '    * LIB-VER: which version of it',
  'UNBLOCK <clientid> [TIMEOUT|ERROR]',
  '    End the wait of a blocked client.',
  'TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]',
  '         [OPTIN] [OPTOUT] [NOLOOP]',
  '    Switch invalidation messages for a client-side cache.',
  'TRACKINGINFO',
  '    How they are configured for this connection.',
  'NO-EVICT (ON|OFF)',
  '    Whether this connection is spared when memory for clients runs out.',
  'NO-TOUCH (ON|OFF)',
  '    Whether this connection leaves access times of keys alone.',
]
