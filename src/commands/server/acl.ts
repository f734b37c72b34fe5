// ACL, as far as there is one user: 'default', who may do everything and whose password is requirepass. Making other
// users is refused.

import { defaultUserLine, passwordHash } from '../../engine/auth.ts'
import type { Command } from '../../engine/command.ts'
import { ACL_CATEGORIES } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes, type Reply } from '../../protocol/reply.ts'

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
    summary: 'A container for Access List Control commands.',
    complexity: 'Depends on subcommand.',
    subcommands: [
      {
        name: 'cat',
        arity: -2,
        flags: EVERYBODY,
        since: '6.0.0',
        group: 'server',
        summary: 'Lists the ACL categories, or the commands inside a category.',
        complexity: 'O(1) since the categories and commands are a fixed set.',
        args: '[category]',
        run: cat,
      },
      {
        name: 'deluser',
        arity: -3,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Deletes ACL users, and terminates their connections.',
        complexity: 'O(1) amortized time considering the typical user.',
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
        summary: 'Simulates the execution of a command by a user, without executing the command.',
        complexity: 'O(1).',
        args: 'username command [arg...]',
        run: dryRun,
      },
      {
        name: 'genpass',
        arity: -2,
        flags: EVERYBODY,
        since: '6.0.0',
        group: 'server',
        summary: 'Generates a pseudorandom, secure password that can be used to identify ACL users.',
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
        summary: 'Lists the ACL rules of a user.',
        complexity: 'O(N). Where N is the number of password, command and pattern rules that the user has.',
        args: 'username',
        history: [
          ['6.2.0', 'Added Pub/Sub channel patterns.'],
          [
            '7.0.0',
            'Added selectors and changed the format of key and channel patterns from a list to their rule representation.',
          ],
        ],
        run: getUser,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale sentinel',
        since: '6.0.0',
        group: 'server',
        summary: 'Returns helpful text about the different subcommands.',
        complexity: 'O(1)',
        run: ctx => replyHelp(ctx.reply, ctx.args[0], HELP),
      },
      {
        name: 'list',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Dumps the effective rules in ACL file format.',
        complexity: 'O(N). Where N is the number of configured users.',
        run: list,
      },
      {
        name: 'load',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Reloads the rules from the configured ACL file.',
        complexity: 'O(N). Where N is the number of configured users.',
        run: useFile,
      },
      {
        name: 'log',
        arity: -2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Lists recent security events generated due to ACL rules.',
        complexity: 'O(N) with N being the number of entries shown.',
        args: '[operation:(count:integer|RESET)]',
        history: [['7.2.0', 'Added entry ID, timestamp created, and timestamp last updated.']],
        run: log,
      },
      {
        name: 'save',
        arity: 2,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Saves the effective ACL rules in the configured ACL file.',
        complexity: 'O(N). Where N is the number of configured users.',
        tips: ALL_NODES,
        run: useFile,
      },
      {
        name: 'setuser',
        arity: -3,
        flags: ADMIN,
        since: '6.0.0',
        group: 'server',
        summary: 'Creates and modifies an ACL user and its rules.',
        complexity: 'O(N). Where N is the number of rules provided.',
        args: 'username [rule...]',
        history: [
          ['6.2.0', 'Added Pub/Sub channel patterns.'],
          ['7.0.0', 'Added selectors and key based permissions.'],
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
        summary: 'Lists all ACL users.',
        complexity: 'O(N). Where N is the number of configured users.',
        run: users,
      },
      {
        name: 'whoami',
        arity: 2,
        flags: EVERYBODY,
        since: '6.0.0',
        group: 'server',
        summary: 'Returns the authenticated username of the current connection.',
        complexity: 'O(1)',
        run: ctx => ctx.reply.bulkText(ctx.client.user),
      },
    ],
  },
]

const HELP: readonly string[] = [
  'CAT [<category>]',
  '    List all commands that belong to <category>, or all command categories',
  '    when no category is specified.',
  'DELUSER <username> [<username> ...]',
  '    Delete a list of users.',
  'DRYRUN <username> <command> [<arg> ...]',
  '    Returns whether the user can execute the given command without executing the command.',
  'GETUSER <username>',
  "    Get the user's details.",
  'GENPASS [<bits>]',
  '    Generate a secure 256-bit user password. The optional `bits` argument can',
  '    be used to specify a different size.',
  'LIST',
  '    Show users details in config file format.',
  'LOAD',
  '    Reload users from the ACL file.',
  'LOG [<count> | RESET]',
  '    Show the ACL log entries.',
  'SAVE',
  '    Save the current config to the ACL file.',
  'SETUSER <username> <attribute> [<attribute> ...]',
  '    Create or modify a user with the specified attributes.',
  'USERS',
  '    List all the registered usernames.',
  'WHOAMI',
  '    Return the current connection username.',
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

/** ACL CAT [category] */
function cat(ctx: Context): void {
  const { args, argc, engine, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  if (argc === 2) return replyTexts(reply, Object.keys(ACL_CATEGORIES))
  const name = args[2].latin1()
  const category = (ACL_CATEGORIES as { readonly [name: string]: number | undefined })[name.toLowerCase()]
  if (category === undefined) return reply.error(`ERR Unknown category '${name}'`)
  const inIt = engine.table.all.filter(entry => (entry.categories & category) !== 0)
  replyTexts(
    reply,
    inIt.map(entry => entry.fullName),
  )
}

/** ACL DELUSER username ... */
function delUser(ctx: Context): void {
  for (let i = 2; i < ctx.argc; i++) if (ctx.args[i].latin1() === 'default') return ctx.reply.fixedError(DEFAULT_STAYS)
  ctx.reply.integer(0)
}

/** ACL DRYRUN username command [arg ...] */
function dryRun(ctx: Context): void {
  const { args, argc, engine, reply } = ctx
  const user = args[2].latin1()
  if (user !== 'default') return reply.error(`ERR User '${user}' not found`)
  const words = args.slice(3, argc)
  const entry = engine.table.resolve(words, words.length)
  if (entry === undefined) return reply.error(`ERR Command '${args[3].latin1()}' not found`)
  const fits = entry.arity > 0 ? words.length === entry.arity : words.length >= -entry.arity
  if (fits) reply.ok()
  else reply.error(`ERR wrong number of arguments for '${entry.fullName}' command`)
}

/** ACL GENPASS [bits] */
function genPass(ctx: Context): void {
  const { argc, engine, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  const bits = argc === 3 ? ctx.integerOrReply(2) : PASSWORD_BITS
  if (Number.isNaN(bits)) return
  if (bits <= 0 || bits > PASSWORD_BITS_MAX) return reply.fixedError(BAD_BITS)
  const digits = Math.ceil(bits / 4)
  let text = ''
  while (text.length < digits) text += engine.machine.random().toString(16).padStart(8, '0')
  reply.bulkText(text.slice(0, digits))
}

/** ACL GETUSER username */
function getUser(ctx: Context): void {
  const { args, reply } = ctx
  if (args[2].latin1() !== 'default') return reply.null()
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
  const { argc, engine, nowMs, reply } = ctx
  if (argc > 3) return reply.error(unknownSub(ctx))
  if (argc === 3 && ctx.is(2, 'reset')) {
    engine.aclLog.clear()
    return reply.ok()
  }
  const count = argc === 3 ? ctx.longOrReply(2) : LOG_SHOWN
  if (Number.isNaN(count)) return
  const entries = engine.aclLog.newest(Math.max(0, count))
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

/** What Redis says of too many words too. */
function unknownSub(ctx: Context): string {
  const name = ctx.args[1].latin1()
  return `ERR unknown subcommand or wrong number of arguments for '${name}'. Try ACL HELP.`
}
