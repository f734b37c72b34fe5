// ACL with one user: 'default', who has all permissions and requirepass as password. Other users are not supported:
// creating one is an error.

import { defaultUserLine, passwordHash } from '../../engine/auth.ts'
import type { Command } from '../../engine/catalog/command.ts'
import { ACL_CATEGORIES } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes, type Reply } from '../../protocol/reply.ts'
import { ERROR_NAME_BYTES_MAX, errorText } from '../shared/arguments.ts'

const ADMIN = 'admin noscript loading stale sentinel'
const EVERYBODY = 'noscript loading stale sentinel'
const ALL_NODES = 'request_policy:all_nodes response_policy:all_succeeded'

export const aclCommands: readonly Command[] = [
  {
    name: 'acl',
    arity: -2,
    flags: 'sentinel',
    since: '6.0.0',
    group: 'server',
    summary: 'Users and their permissions: list, test and change them.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'cat',
        arity: -2,
        flags: EVERYBODY,
        since: '6.0.0',
        group: 'server',
        summary: 'List the command categories, or the commands of one category.',
        complexity: 'O(1), as commands and categories are fixed.',
        args: '[category]',
        run: cat,
      },
      {
        name: 'deluser',
        arity: -3,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Remove users and disconnect their clients.',
        complexity: 'O(1) amortized for an ordinary user.',
        args: 'username...',
        tips: ALL_NODES,
        run: delUser,
      },
      {
        name: 'dryrun',
        arity: -4,
        flags: ADMIN,
        since: '7.0.0',
        group: 'server',
        summary: 'Check whether a user could run a command, without running it.',
        complexity: 'O(1)',
        args: 'username command [arg...]',
        run: dryRun,
      },
      {
        name: 'genpass',
        arity: -2,
        flags: EVERYBODY,
        since: '6.0.0',
        group: 'server',
        summary: 'Make a random password in hexadecimal digits.',
        complexity: 'O(1)',
        args: '[bits:integer]',
        run: genPass,
      },
      {
        name: 'getuser',
        arity: 3,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Show the flags, passwords and rules of one user.',
        complexity: 'O(N), N = passwords and rules of the user.',
        args: 'username',
        history: [
          ['6.2.0', 'Rules for channels.'],
          ['7.0.0', 'Selectors; keys and channels are returned as rules in place of lists.'],
        ],
        run: getUser,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale sentinel',
        since: '6.0.0',
        group: 'server',
        summary: 'Explain the subcommands of ACL.',
        complexity: 'O(1)',
        run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
      },
      {
        name: 'list',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Show every user as a line of the ACL file.',
        complexity: 'O(N), N = users.',
        run: list,
      },
      {
        name: 'load',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Replace all users by those in the ACL file.',
        complexity: 'O(N), N = users.',
        run: useFile,
      },
      {
        name: 'log',
        arity: -2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Show or clear the latest refusals: failed logins and denied commands, keys or channels.',
        complexity: 'O(N), N = entries returned.',
        args: '[operation:(count:integer|RESET)]',
        history: [['7.2.0', 'Entries have an id and the times of their first and last occurrence.']],
        run: log,
      },
      {
        name: 'save',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Write all users to the ACL file.',
        complexity: 'O(N), N = users.',
        tips: ALL_NODES,
        run: useFile,
      },
      {
        name: 'setuser',
        arity: -3,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Make a user, or change what an existing one may do.',
        complexity: 'O(N), N = rules given.',
        args: 'username [rule...]',
        history: [
          ['6.2.0', 'Rules for channels.'],
          ['7.0.0', 'Selectors, and separate rules for reading and writing keys.'],
        ],
        tips: ALL_NODES,
        run: ctx => ctx.reply.fixedError(ONE_USER),
      },
      {
        name: 'users',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'List the names of all users.',
        complexity: 'O(N), N = users.',
        run: users,
      },
      {
        name: 'whoami',
        arity: 2,
        flags: EVERYBODY,
        since: '6.0.0',
        group: 'server',
        summary: 'Tell as which user this connection is logged in.',
        complexity: 'O(1)',
        run: ctx => ctx.reply.bulkText(ctx.client.user),
      },
    ],
  },
]

const HELP: readonly string[] = [
  'CAT [<category>]',
  '    The names of all categories, or of the commands in <category>.',
  'DELUSER <username> [<username> ...]',
  '    Remove users and close their connections.',
  'DRYRUN <username> <command> [<arg> ...]',
  '    Tell whether the user may run this command. It is not run.',
  'GETUSER <username>',
  '    What is known about one user.',
  'GENPASS [<bits>]',
  '    A random password of <bits> bits (256 unless given), in hexadecimal.',
  'LIST',
  '    All users, as lines of the ACL file.',
  'LOAD',
  '    Read the ACL file again.',
  'LOG [<count> | RESET]',
  '    The latest refusals, or with RESET: forget them.',
  'SAVE',
  '    Write all users to the ACL file.',
  'SETUSER <username> <attribute> [<attribute> ...]',
  '    Make a user, or add rules to an existing one.',
  'USERS',
  '    The names of all users.',
  'WHOAMI',
  '    The user of this connection.',
]
const ONE_USER = errorBytes("ERR Redstart has only the user 'default' yet: its password is requirepass")
const DEFAULT_STAYS = errorBytes("ERR The 'default' user cannot be removed")
const NO_FILE = errorBytes(
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER ' +
    'command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store ' +
    'users in the Redis configuration.',
)
const BAD_BITS = errorBytes(
  'ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096',
)
const PASSWORD_BITS = 256
const PASSWORD_BITS_MAX = 4096
const LOG_SHOWN = 10

const CATEGORY_BITS: ReadonlyMap<string, number> = new Map(Object.entries(ACL_CATEGORIES))

/** ACL CAT [category] */
function cat(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  if (argc === 2) return replyTexts(reply, Object.keys(ACL_CATEGORIES))
  const name = errorText(args[2], ERROR_NAME_BYTES_MAX)
  const category = CATEGORY_BITS.get(args[2].latin1Prefix(ERROR_NAME_BYTES_MAX).toLowerCase())
  if (category === undefined) return reply.error(`ERR Unknown category '${name}'`)
  const inIt = server.table.all.filter(entry => (entry.categories & category) !== 0)
  replyTexts(
    reply,
    inIt.map(entry => entry.fullName),
  )
}

/** ACL DELUSER username ... */
function delUser(ctx: Context): void {
  for (let i = 2; i < ctx.argc; i++)
    if (ctx.args[i].latin1Prefix(8) === 'default') return ctx.reply.fixedError(DEFAULT_STAYS)
  ctx.reply.integer(0)
}

/** ACL DRYRUN username command [arg ...] */
function dryRun(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  const user = args[2].latin1()
  if (user !== 'default') return reply.error(`ERR User '${user}' not found`)
  const words = args.slice(3, argc)
  const entry = server.table.resolve(words, words.length)
  if (entry === undefined) return reply.error(`ERR Command '${args[3].latin1()}' not found`)
  const fits = entry.arity > 0 ? words.length === entry.arity : words.length >= -entry.arity
  if (fits) reply.ok()
  else reply.error(`ERR wrong number of arguments for '${entry.fullName}' command`)
}

/** ACL GENPASS [bits] */
function genPass(ctx: Context): void {
  const { argc, server, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  const bits = argc === 3 ? ctx.integerOrReply(2) : PASSWORD_BITS
  if (Number.isNaN(bits)) return
  if (bits <= 0 || bits > PASSWORD_BITS_MAX) return reply.fixedError(BAD_BITS)
  const digits = Math.ceil(bits / 4)
  let text = ''
  while (text.length < digits) text += server.random().toString(16).padStart(8, '0')
  reply.bulkText(text.slice(0, digits))
}

/** ACL GETUSER username */
function getUser(ctx: Context): void {
  const { args, reply } = ctx
  if (args[2].latin1Prefix(8) !== 'default') return reply.null()
  const hash = passwordHash(ctx.settings.requirepass)
  reply.map(6)
  reply.bulkText('flags')
  const flags = hash === undefined ? ['on', 'nopass', 'sanitize-payload'] : ['on', 'sanitize-payload']
  reply.set(flags.length)
  for (const flag of flags) reply.bulkText(flag)
  reply.bulkText('passwords')
  replyTexts(reply, hash === undefined ? [] : [hash])
  const rules = { commands: '+@all', keys: '~*', channels: '&*' }
  for (const [name, rule] of Object.entries(rules)) {
    reply.bulkText(name)
    reply.bulkText(rule)
  }
  reply.bulkText('selectors')
  reply.emptyArray()
}

function list(ctx: Context): void {
  replyTexts(ctx.reply, [defaultUserLine(ctx.settings.requirepass)])
}

function users(ctx: Context): void {
  replyTexts(ctx.reply, ['default'])
}

/** ACL LOAD, ACL SAVE */
function useFile(ctx: Context): void {
  ctx.reply.fixedError(ctx.settings.aclfile === '' ? NO_FILE : ONE_USER)
}

/** ACL LOG [count | RESET] */
function log(ctx: Context): void {
  const { argc, server, nowMs, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  if (argc === 3 && ctx.is(2, 'reset')) {
    server.aclLog.clear()
    return reply.ok()
  }
  const count = argc === 3 ? ctx.longOrReply(2) : LOG_SHOWN
  if (Number.isNaN(count)) return
  const entries = server.aclLog.newest(Math.max(0, count))
  reply.array(entries.length)
  for (const entry of entries) {
    reply.map(10)
    field(reply, 'count', entry.count)
    field(reply, 'reason', entry.reason)
    field(reply, 'context', entry.context)
    field(reply, 'object', entry.object)
    field(reply, 'username', entry.username)
    reply.bulkText('age-seconds')
    reply.double((nowMs - entry.updatedMs) / 1000)
    field(reply, 'client-info', entry.clientInfo)
    field(reply, 'entry-id', entry.id)
    field(reply, 'timestamp-created', entry.createdMs)
    field(reply, 'timestamp-last-updated', entry.updatedMs)
  }
}

function field(reply: Reply, name: string, value: string | number): void {
  reply.bulkText(name)
  if (typeof value === 'string') reply.bulkText(value)
  else reply.integer(value)
}

function replyTexts(reply: Reply, texts: readonly string[]): void {
  reply.array(texts.length)
  for (const text of texts) reply.bulkText(text)
}

/** The error for an unknown subcommand or wrong number of arguments. */
function unknownSub(ctx: Context): string {
  const name = ctx.args[1].latin1()
  return `ERR unknown subcommand or wrong number of arguments for '${name}'. Try ACL HELP.`
}
