// MIGRATE.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import type { Slice } from '../../lib/slice.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { peek } from './peek.ts'

export const migrateCommands: readonly Command[] = [
  {
    name: 'migrate',
    arity: -6,
    flags: 'write',
    keys: 'RW ACCESS DELETE @3; RW ACCESS DELETE INCOMPLETE @KEYS:-2..-1',
    keyFinder: 'migrate',
    since: '2.6.0',
    group: 'generic',
    summary: 'Move or copy keys to another server, so that each is always on at least one of the two.',
    complexity: 'That of DUMP and DEL here and of RESTORE there, and O(N) for sending N bytes.',
    args:
      'host port:integer key-selector:(key#0|empty-string="") destination-db:integer timeout:integer [COPY@3.0.0] ' +
      '[REPLACE@3.0.0] [authentication:(AUTH auth=password@4.0.7|AUTH2 auth2:(username password)@6.0.0)] ' +
      '[KEYS keys=key#1@3.0.6...]',
    history: [
      ['3.0.0', 'New options `COPY` and `REPLACE`.'],
      ['3.0.6', 'New option `KEYS`.'],
      ['4.0.7', 'New option `AUTH`.'],
      ['6.0.0', 'New option `AUTH2`.'],
    ],
    tips: 'nondeterministic_output',
    acl: 'keyspace dangerous',
    run: migrate,
  },
]

const KEY_NOT_EMPTY = errorBytes('ERR When using MIGRATE KEYS option, the key argument must be set to the empty string')
const CANNOT_WAIT = errorBytes('ERR MIGRATE cannot wait for its target inside a transaction or a script')
const TIMEOUT_MS = 1000

/**
 * MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key
 * ...]
 */
function migrate(ctx: Context): void {
  const { args, client, server, reply } = ctx
  const options = optionsOrReply(ctx)
  if (options === undefined) return
  const timeoutMs = ctx.longOrReply(5)
  if (Number.isNaN(timeoutMs)) return
  const index = ctx.longOrReply(4)
  if (Number.isNaN(index)) return
  const keys = options.keys.filter(key => peek(ctx, key) !== 0)
  if (keys.length === 0) return reply.simple('NOKEY')
  if (!ctx.canBlock) return reply.fixedError(CANNOT_WAIT)
  ctx.waitForAnswer()
  server.migration.start(client, {
    host: args[1].latin1(),
    port: args[2].latin1(),
    index,
    timeoutMs: timeoutMs <= 0 ? TIMEOUT_MS : timeoutMs,
    copy: options.copy,
    replace: options.replace,
    credentials: options.credentials.map(word => word.copy()),
    from: ctx.db,
    keys: keys.map(key => key.copy()),
  })
}

interface MigrateOptions {
  copy: boolean
  replace: boolean
  credentials: readonly Slice[]
  keys: readonly Slice[]
}

function optionsOrReply(ctx: Context): MigrateOptions | undefined {
  const { args, argc, reply } = ctx
  const options: MigrateOptions = { copy: false, replace: false, credentials: [], keys: [args[3]] }
  for (let i = 6; i < argc; i++) {
    const more = argc - 1 - i
    if (ctx.is(i, 'copy')) options.copy = true
    else if (ctx.is(i, 'replace')) options.replace = true
    else if (ctx.is(i, 'auth') && more >= 1) options.credentials = [args[++i]]
    else if (ctx.is(i, 'auth2') && more >= 2) options.credentials = [args[++i], args[++i]]
    else if (ctx.is(i, 'keys')) {
      if (args[3].len !== 0) return void reply.fixedError(KEY_NOT_EMPTY)
      options.keys = args.slice(i + 1, argc)
      break
    } else return void reply.fixedError(SYNTAX)
  }
  return options
}
