// CLIENT: what connections there are, and what is done to them. How one is printed stands in list.ts.

import { userExists } from '../../../engine/auth.ts'
import {
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  CLIENT_REPLY_SKIP_NEXT,
  type Client,
} from '../../../engine/client.ts'
import { type ClientClass, clientClass } from '../../../engine/client-memory.ts'
import type { Command } from '../../../engine/command.ts'
import type { Context } from '../../../engine/context.ts'
import { NOT_AN_INTEGER, SYNTAX, TIMEOUT_NEGATIVE, TIMEOUT_OUT_OF_RANGE } from '../../../protocol/errors.ts'
import { replyHelp } from '../../../protocol/help.ts'
import { errorBytes } from '../../../protocol/reply.ts'
import { clientLine } from './list.ts'
import { trackingSubcommands } from './tracking.ts'

export const clientCommand: Command = {
  name: 'client',
  arity: -2,
  flags: 'sentinel',
  since: '2.4.0',
  group: 'connection',
  summary: 'A container for client connection commands.',
  complexity: 'Depends on subcommand.',
  acl: '',
  subcommands: [
    ...trackingSubcommands,
    {
      name: 'getname',
      arity: 2,
      flags: 'noscript loading stale sentinel',
      since: '2.6.9',
      group: 'connection',
      summary: 'Returns the name of the connection.',
      complexity: 'O(1)',
      run: getName,
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale sentinel',
      since: '5.0.0',
      group: 'connection',
      summary: 'Returns helpful text about the different subcommands.',
      complexity: 'O(1)',
      run: help,
    },
    {
      name: 'id',
      arity: 2,
      flags: 'noscript loading stale sentinel',
      since: '5.0.0',
      group: 'connection',
      summary: 'Returns the unique client ID of the connection.',
      complexity: 'O(1)',
      run: id,
    },
    {
      name: 'info',
      arity: 2,
      flags: 'noscript loading stale sentinel',
      since: '6.2.0',
      group: 'connection',
      summary: 'Returns information about the connection.',
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
      summary: 'Terminates open connections.',
      complexity: 'O(N) where N is the number of client connections',
      args:
        'filter:(old-format="ip:port"!2.8.12|new-format:([ID client-id:integer@2.8.12]|[TYPE client-type:(NORMAL|' +
        'MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB)@2.8.12]|[USER username]|[ADDR addr="ip:port"]|' +
        '[LADDR laddr="ip:port"@6.2.0]|[SKIPME skipme:(YES|NO)])...)',
      history: [
        ['2.8.12', 'Added new filter format.'],
        ['2.8.12', '`ID` option.'],
        ['3.2.0', 'Added `master` type in for `TYPE` option.'],
        ['5.0.0', 'Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.'],
        ['6.2.0', '`LADDR` option.'],
      ],
      run: kill,
    },
    {
      name: 'list',
      arity: -2,
      flags: 'admin noscript loading stale sentinel',
      since: '2.4.0',
      group: 'connection',
      summary: 'Lists open connections.',
      complexity: 'O(N) where N is the number of client connections',
      args: '[TYPE client-type:(NORMAL|MASTER|REPLICA|PUBSUB)@5.0.0] [ID client-id:integer@6.2.0...]',
      history: [
        ['2.8.12', 'Added unique client `id` field.'],
        ['5.0.0', 'Added optional `TYPE` filter.'],
        ['6.0.0', 'Added `user` field.'],
        ['6.2.0', 'Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.'],
        ['7.0.0', 'Added `resp`, `multi-mem`, `rbs` and `rbp` fields.'],
        ['7.0.3', 'Added `ssub` field.'],
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
      summary: 'Sets the client eviction mode of the connection.',
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
      summary: 'Controls whether commands sent by the client affect the LRU/LFU of accessed keys.',
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
      summary: 'Suspends commands processing.',
      complexity: 'O(1)',
      args: 'timeout:integer [mode:(WRITE|ALL)@6.2.0]',
      history: [['6.2.0', '`CLIENT PAUSE WRITE` mode added along with the `mode` option.']],
      run: pause,
    },
    {
      name: 'reply',
      arity: 3,
      flags: 'noscript loading stale sentinel',
      since: '3.2.0',
      group: 'connection',
      summary: 'Instructs the server whether to reply to commands.',
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
      summary: 'Sets information specific to the client or connection.',
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
      summary: 'Sets the connection name.',
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
      summary: 'Unblocks a client blocked by a blocking command from a different connection.',
      complexity: 'O(log N) where N is the number of client connections',
      args: 'client-id:integer [unblock-type:(TIMEOUT|ERROR)]',
      run: unblock,
    },
    {
      name: 'unpause',
      arity: 2,
      flags: 'admin noscript loading stale sentinel',
      since: '6.2.0',
      group: 'connection',
      summary: 'Resumes processing commands from paused clients.',
      complexity: 'O(N) Where N is the number of paused clients',
      run: unpause,
    },
  ],
}

export const NAME_WITH_SPACES = 'ERR Client names cannot contain spaces, newlines or special characters.'
const INVALID_CLIENT_ID = errorBytes('ERR Invalid client ID')
const CLIENT_ID_NOT_POSITIVE = errorBytes('ERR client-id should be greater than 0')
const NO_SUCH_CLIENT = errorBytes('ERR No such client')
const PAUSE_MODE = errorBytes('ERR CLIENT PAUSE mode must be WRITE or ALL')
const TIMEOUT_NOT_INTEGER = errorBytes('ERR timeout is not an integer or out of range')
const UNBLOCK_REASON = errorBytes('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')

/** Whether a name may stand in CLIENT LIST, whose fields end with a space: printable ASCII up to the first NUL. */
export function isClientName(name: string): boolean {
  return /^[!-~]*(\0|$)/.test(name)
}

function id(ctx: Context): void {
  ctx.reply.integer(ctx.client.id)
}

function info(ctx: Context): void {
  ctx.reply.verbatim('txt', clientLine(ctx, ctx.client))
}

/** CLIENT LIST [TYPE type] [ID id ...] */
function list(ctx: Context): void {
  const { args, argc, engine, reply } = ctx
  let shown: Client[]
  if (argc === 4 && ctx.is(2, 'type')) {
    const wanted = classNamed(args[3].latin1())
    if (wanted === undefined) return reply.error(`ERR Unknown client type '${args[3].latin1()}'`)
    shown = [...engine.clients.values()].filter(client => clientClass(client) === wanted)
  } else if (argc > 3 && ctx.is(2, 'id')) {
    shown = []
    for (let i = 3; i < argc; i++) {
      const clientId = ctx.longOrReply(i, INVALID_CLIENT_ID)
      if (Number.isNaN(clientId)) return
      const client = engine.clients.get(clientId)
      if (client !== undefined) shown.push(client)
    }
  } else if (argc === 2) shown = [...engine.clients.values()]
  else return reply.fixedError(SYNTAX)
  reply.verbatim('txt', shown.map(client => clientLine(ctx, client)).join(''))
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
  const { args, argc, engine, reply } = ctx
  const filter: KillFilter = { skipMe: argc > 3 }
  if (argc === 3) filter.addr = args[2].latin1()
  else if (!killFilterOrReply(ctx, filter)) return
  let killed = 0
  let me = false
  for (const client of [...engine.clients.values()]) {
    if (!matches(client, filter) || (client === ctx.client && filter.skipMe)) continue
    killed++
    if (client === ctx.client) me = true
    else engine.closeClient(client)
  }
  if (argc > 3) reply.integer(killed)
  else if (killed === 0) reply.fixedError(NO_SUCH_CLIENT)
  else reply.ok()
  if (me) ctx.client.flags |= CLIENT_CLOSE_AFTER_REPLY
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
      if (!userExists(ctx.engine, filter.user)) {
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
    (filter.user === undefined || client.user === filter.user)
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
  const { argc, engine, reply } = ctx
  if (argc > 4) return reply.error(wrongArguments(ctx))
  const all = argc === 3 || ctx.is(3, 'all')
  if (!all && !ctx.is(3, 'write')) return reply.fixedError(PAUSE_MODE)
  const ms = ctx.longOrReply(2, TIMEOUT_NOT_INTEGER)
  if (Number.isNaN(ms)) return
  if (ms < 0) return reply.fixedError(TIMEOUT_NEGATIVE)
  if (ms > 2 ** 63 - 1 - ctx.nowMs) return reply.fixedError(TIMEOUT_OUT_OF_RANGE)
  engine.pause.begin(ctx.nowMs + ms, all)
  reply.ok()
}

function unpause(ctx: Context): void {
  ctx.engine.pause.end()
  ctx.reply.ok()
}

/** CLIENT UNBLOCK id [TIMEOUT | ERROR] */
function unblock(ctx: Context): void {
  const { argc, engine, reply } = ctx
  if (argc > 4) return reply.error(wrongArguments(ctx))
  const withError = argc === 4 && ctx.is(3, 'error')
  if (argc === 4 && !withError && !ctx.is(3, 'timeout')) return reply.fixedError(UNBLOCK_REASON)
  const clientId = ctx.longOrReply(2, NOT_AN_INTEGER)
  if (Number.isNaN(clientId)) return
  const target = engine.clients.get(clientId)
  if (target === undefined || !target.has(CLIENT_BLOCKED) || target.blocked?.unblockable === false)
    return reply.integer(0)
  if (withError) engine.blocking.abort(target, 'UNBLOCKED client unblocked via CLIENT UNBLOCK')
  else engine.blocking.timeOut(target)
  reply.integer(1)
}

function wrongArguments(ctx: Context): string {
  const [container, sub] = ctx.command.fullName.split('|')
  return `ERR unknown subcommand or wrong number of arguments for '${sub}'. Try ${container.toUpperCase()} HELP.`
}

function help(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], HELP)
}

const HELP = [
  'CACHING (YES|NO)',
  '    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.',
  'GETREDIR',
  '    Return the client ID we are redirecting to when tracking is enabled.',
  'GETNAME',
  '    Return the name of the current connection.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'KILL <ip:port>',
  '    Kill connection made from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Kill connections. Options are:',
  '    * ADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made from the specified address',
  '    * LADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made to specified local address',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Kill connections by type.',
  '    * USER <username>',
  '      Kill connections authenticated by <username>.',
  '    * SKIPME (YES|NO)',
  '      Skip killing current connection (default: yes).',
  'LIST [options ...]',
  '    Return information about client connections. Options:',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Return clients of specified type.',
  'UNPAUSE',
  '    Stop the current client pause, resuming traffic.',
  'PAUSE <timeout> [WRITE|ALL]',
  '    Suspend all, or just write, clients for <timeout> milliseconds.',
  'REPLY (ON|OFF|SKIP)',
  '    Control the replies sent to the current connection.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
  'SETINFO <option> <value>',
  '    Set client meta attr. Options are:',
  '    * LIB-NAME: the client lib name.',
  '    * LIB-VER: the client lib version.',
  'UNBLOCK <clientid> [TIMEOUT|ERROR]',
  '    Unblock the specified blocked client.',
  'TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]',
  '         [OPTIN] [OPTOUT] [NOLOOP]',
  '    Control server assisted client side caching.',
  'TRACKINGINFO',
  '    Report tracking status for the current connection.',
  'NO-EVICT (ON|OFF)',
  '    Protect current client connection from eviction.',
  'NO-TOUCH (ON|OFF)',
  '    Will not touch LRU/LFU stats when this mode is on.',
]
