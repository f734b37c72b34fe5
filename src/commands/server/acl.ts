// ACL: users and their permissions (engine/acl).

import { DEFAULT_USER } from '../../engine/acl/acl.ts'
import { hasBlanks, type Selector } from '../../engine/acl/selector.ts'
import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { cText } from '../../lib/text.ts'
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
        run: load,
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
        run: save,
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
        run: setUser,
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
        run: whoAmI,
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
const BAD_NAME = errorBytes("ERR Usernames can't contain spaces or null characters")
const NOT_SAVED = errorBytes(
  'ERR There was an error trying to save the ACLs. Please check the server logs for more information',
)
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

/** ACL CAT [category] */
function cat(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  const { table } = server
  if (argc > 3) return reply.error(unknownSub(ctx))
  if (argc === 2) return replyTexts(reply, [...table.categories.keys()])
  const name = errorText(args[2], ERROR_NAME_BYTES_MAX)
  const category = table.categoryBit(args[2].latin1Prefix(ERROR_NAME_BYTES_MAX))
  if (category === 0) return reply.error(`ERR Unknown category '${name}'`)
  const inIt = table.facts.filter(entry => (entry.categories & category) !== 0)
  replyTexts(
    reply,
    inIt.map(entry => entry.fullName),
  )
}

/** ACL SETUSER username [rule ...] */
function setUser(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  const name = args[2].latin1()
  if (hasBlanks(name)) return reply.fixedError(BAD_NAME)
  const refusal = server.acl.setUser(
    name,
    args.slice(3, argc).map(rule => rule.latin1()),
  )
  if (refusal === undefined) reply.ok()
  else reply.error(`ERR ${cText(refusal)}`)
}

/** ACL DELUSER username ... */
function delUser(ctx: Context): void {
  const names = ctx.args.slice(2, ctx.argc).map(name => name.latin1())
  if (names.some(name => cText(name) === DEFAULT_USER)) return ctx.reply.fixedError(DEFAULT_STAYS)
  ctx.reply.integer(names.filter(name => ctx.server.acl.deleteUser(name)).length)
}

/** ACL DRYRUN username command [arg ...] */
function dryRun(ctx: Context): void {
  const { args, argc, server, reply } = ctx
  const user = server.acl.user(args[2].latin1())
  if (user === undefined) return reply.error(`ERR User '${cText(args[2].latin1())}' not found`)
  const words = args.slice(3, argc)
  const entry = server.table.resolve(words, words.length)
  if (entry === undefined) return reply.error(`ERR Command '${cText(args[3].latin1())}' not found`)
  const fits = entry.arity > 0 ? words.length === entry.arity : words.length >= -entry.arity
  if (!fits) return reply.error(`ERR wrong number of arguments for '${entry.fullName}' command`)
  const why = server.acl.dryRun(user, entry, words)
  if (why === undefined) reply.ok()
  else reply.bulkText(why)
}

/** ACL GENPASS [bits] */
function genPass(ctx: Context): void {
  const { argc, server, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  const bits = argc === 3 ? ctx.longOrReply(2) : PASSWORD_BITS
  if (Number.isNaN(bits)) return
  if (bits <= 0 || bits > PASSWORD_BITS_MAX) return reply.fixedError(BAD_BITS)
  const digits = Math.ceil(bits / 4)
  let text = ''
  while (text.length < digits) text += server.random().toString(16).padStart(8, '0')
  reply.bulkText(text.slice(0, digits))
}

/** ACL GETUSER username */
function getUser(ctx: Context): void {
  const { args, server, reply } = ctx
  const user = server.acl.user(args[2].latin1())
  if (user === undefined) return reply.null()
  const { flagNames, passwords, root, selectors } = user
  reply.map(6)
  reply.bulkText('flags')
  reply.set(flagNames.length)
  for (const flag of flagNames) reply.bulkText(flag)
  reply.bulkText('passwords')
  replyTexts(reply, passwords)
  replySelector(reply, root)
  reply.bulkText('selectors')
  reply.array(selectors.length - 1)
  for (const selector of selectors.slice(1)) {
    reply.map(3)
    replySelector(reply, selector)
  }
}

function replySelector(reply: Reply, { commandsText, keysText, channelsText }: Selector): void {
  field(reply, 'commands', commandsText)
  field(reply, 'keys', keysText)
  field(reply, 'channels', channelsText)
}

function list({ server, reply }: Context): void {
  replyTexts(
    reply,
    server.acl.all.map(user => user.line),
  )
}

function users({ server, reply }: Context): void {
  replyTexts(
    reply,
    server.acl.all.map(user => user.name),
  )
}

function whoAmI({ client, reply }: Context): void {
  if (client.user === undefined) reply.null()
  else reply.bulkText(client.user.name)
}

function load({ server, reply }: Context): void {
  const { file } = server.acl
  if (file === undefined) return reply.fixedError(NO_FILE)
  const errors = file.load()
  if (errors === undefined) reply.ok()
  else reply.error(`ERR ${errors}`)
}

function save({ server, reply }: Context): void {
  const { file } = server.acl
  if (file === undefined) reply.fixedError(NO_FILE)
  else if (file.save()) reply.ok()
  else reply.fixedError(NOT_SAVED)
}

/** ACL LOG [count | RESET] */
function log(ctx: Context): void {
  const { argc, server, nowMs, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  if (argc === 3 && ctx.is(2, 'reset')) {
    server.acl.log.clear()
    return reply.ok()
  }
  const count = argc === 3 ? ctx.longOrReply(2) : LOG_SHOWN
  if (Number.isNaN(count)) return
  const entries = server.acl.log.newest(Math.max(0, count))
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
