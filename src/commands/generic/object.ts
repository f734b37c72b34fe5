// OBJECT ENCODING, FREQ, IDLETIME, REFCOUNT.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyHelp } from '../../protocol/help.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { referencesTo } from '../shared/references.ts'
import { peekSilently } from './peek.ts'

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
  summary: 'How a value is stored, and when it was last used.',
  complexity: 'Differs by subcommand.',
  acl: '',
  subcommands: [
    {
      name: 'encoding',
      arity: 3,
      flags: 'readonly',
      keys: 'RO @2',
      since: '2.2.3',
      group: 'generic',
      summary: 'Name the encoding of a value.',
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
      summary: 'Return the access counter of a key, under an LFU policy.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const { db, keyspace, reply } = ctx
        const entry = entryOrReply(ctx)
        if (entry === 0) return
        if (!keyspace.lfu) return reply.fixedError(IS_NOT_LFU)
        reply.integer(db.entries.frequencyOf(entry))
      },
    },
    {
      name: 'help',
      arity: 2,
      flags: 'loading stale',
      since: '6.2.0',
      group: 'generic',
      summary: 'Explain the subcommands of OBJECT.',
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
      summary: 'Return for how many seconds a key has not been used.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const { db, keyspace, reply } = ctx
        const entry = entryOrReply(ctx)
        if (entry === 0) return
        if (keyspace.lfu) return reply.fixedError(IS_LFU)
        reply.integer(db.entries.idleSecondsOf(entry))
      },
    },
    {
      name: 'refcount',
      arity: 3,
      flags: 'readonly',
      keys: 'RO @2',
      since: '2.2.3',
      group: 'generic',
      summary: 'Return how many references to a value there are.',
      complexity: 'O(1)',
      args: 'key#0',
      tips: 'nondeterministic_output',
      run(ctx) {
        const entry = entryOrReply(ctx)
        if (entry !== 0) ctx.reply.integer(referencesTo(ctx, entry))
      },
    },
  ],
}

const HELP = [
  'ENCODING <key>',
  '    In which encoding the value of <key> is stored.',
  'FREQ <key>',
  '    The access counter of <key>, which grows with the logarithm',
  '    of the accesses. Only under an LFU maxmemory-policy.',
  'IDLETIME <key>',
  '    Seconds since <key> was last used.',
  'REFCOUNT <key>',
  '    How many references to the value of <key> there are.',
]

function entryOrReply(ctx: Context): Ref {
  const entry = peekSilently(ctx, ctx.args[2])
  if (entry === 0) ctx.reply.null()
  return entry
}

export const objectCommands: readonly Command[] = [object]
