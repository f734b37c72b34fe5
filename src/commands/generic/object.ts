// OBJECT: how a value is held.

import type { Command } from '../../engine/command.ts'
import type { Context } from '../../engine/context.ts'
import { lfuDecayed } from '../../keyspace/lfu.ts'
import { ENC_INT } from '../../keyspace/types.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { peekSilently } from './peek.ts'

const LRU_CLOCK_MASK = 0xffffff
const SHARED_INTEGERS = 10000
const SHARED_REFERENCES = 0x7fffffff
const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
const IS_LFU = errorBytes(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`)
const IS_NOT_LFU = errorBytes(`ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`)

const object: Command = {
  name: 'object',
  arity: -2,
  flags: '',
  since: '2.2.3',
  group: 'generic',
  summary: 'A container for object introspection commands.',
  complexity: 'Depends on subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'encoding',
      arity: 3,
      flags: 'readonly',
      keys: 'RO @2',
      since: '2.2.3',
      group: 'generic',
      summary: 'Returns the internal encoding of a Redis object.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const entry = entryOrReply(ctx)
        if (entry !== 0) ctx.reply.bulkText(ctx.keyspace.types.encodingName(ctx.db.entries, entry))
      },
    },
    {
      name: 'freq',
      arity: 3,
      flags: 'readonly',
      keys: 'RO @2',
      since: '4.0.0',
      group: 'generic',
      summary: 'Returns the logarithmic access frequency counter of a Redis object.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const { db, keyspace, reply } = ctx
        const entry = entryOrReply(ctx)
        if (entry === 0) return
        if (!keyspace.lfu) return reply.fixedError(IS_NOT_LFU)
        const access = db.entries.accessOf(entry)
        const minutes = Math.floor(ctx.nowMs / 60000)
        reply.integer(lfuDecayed(access & 0xff, access >>> 8, minutes, keyspace.lfuDecayMinutes))
      },
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '6.2.0',
      group: 'generic',
      summary: 'Returns helpful text about the different subcommands.',
      complexity: 'O(1)',
      run({ args, reply }) {
        replyHelp(reply, args[0], HELP)
      },
    },
    {
      name: 'idletime',
      arity: 3,
      flags: 'readonly',
      keys: 'RO @2',
      since: '2.2.3',
      group: 'generic',
      summary: 'Returns the time since the last access to a Redis object.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const { db, keyspace, reply } = ctx
        const entry = entryOrReply(ctx)
        if (entry === 0) return
        if (keyspace.lfu) return reply.fixedError(IS_LFU)
        reply.integer((keyspace.lruClock - db.entries.accessOf(entry)) & LRU_CLOCK_MASK)
      },
    },
    {
      name: 'refcount',
      arity: 3,
      flags: 'readonly',
      keys: 'RO @2',
      since: '2.2.3',
      group: 'generic',
      summary: 'Returns the reference count of a value of a key.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const entry = entryOrReply(ctx)
        if (entry !== 0) ctx.reply.integer(isSharedInteger(ctx, entry) ? SHARED_REFERENCES : 1)
      },
    },
  ],
}

const HELP = [
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
]

function entryOrReply(ctx: Context): Ref {
  const entry = peekSilently(ctx, ctx.args[2])
  if (entry === 0) ctx.reply.null()
  return entry
}

/** Values of ours are never shared; clients are told what Redis tells of the small integers that it shares. */
function isSharedInteger(ctx: Context, entry: Ref): boolean {
  if (ctx.db.entries.encodingOf(entry) !== ENC_INT) return false
  const n = ctx.db.strings.integerOf(entry)
  const { maxmemory, maxmemoryPolicy } = ctx.settings
  return n >= 0 && n < SHARED_INTEGERS && (maxmemory === 0 || !/lru|lfu/.test(maxmemoryPolicy))
}

export const objectCommands: readonly Command[] = [object]
