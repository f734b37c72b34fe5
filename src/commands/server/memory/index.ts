// MEMORY. doctor.ts has the advice of MEMORY DOCTOR.

import type { Command } from '../../../engine/catalog/command.ts'
import type { Context } from '../../../engine/context.ts'
import { LOOKUP_KEY } from '../../../keyspace/database.ts'
import { MEMORY_SAMPLES } from '../../../keyspace/entries.ts'
import { replyHelp } from '../../../protocol/help.ts'
import { diagnosis } from './doctor.ts'

export const memoryCommands: readonly Command[] = [
  {
    name: 'memory',
    arity: -2,
    flags: '',
    since: '4.0.0',
    group: 'server',
    summary: 'Where memory goes.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'doctor',
        arity: 2,
        flags: '',
        since: '4.0.0',
        group: 'server',
        summary: 'Judge the figures of memory and say what may be done.',
        complexity: 'O(1)',
        tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
        run: doctor,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '4.0.0',
        group: 'server',
        summary: 'Explain the subcommands of MEMORY.',
        complexity: 'O(1)',
        run: help,
      },
      {
        name: 'malloc-stats',
        arity: 2,
        flags: '',
        since: '4.0.0',
        group: 'server',
        summary: 'Return the statistics of the allocator, as far as there are any.',
        complexity: 'Grows with the memory allocated.',
        tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
        run: mallocStats,
      },
      {
        name: 'purge',
        arity: 2,
        flags: '',
        since: '4.0.0',
        group: 'server',
        summary: 'Give free memory back to the operating system.',
        complexity: 'Grows with the memory allocated.',
        tips: 'request_policy:all_shards response_policy:all_succeeded',
        run: purge,
      },
      {
        name: 'stats',
        arity: 2,
        flags: '',
        since: '4.0.0',
        group: 'server',
        summary: 'Return the figures of memory, by use.',
        complexity: 'O(1)',
        tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
        run: stats,
      },
      {
        name: 'usage',
        arity: -3,
        flags: 'readonly',
        keys: 'RO @2',
        since: '4.0.0',
        group: 'server',
        summary: 'Estimate the bytes that a key and its value take.',
        complexity: 'O(N), N = elements sampled.',
        args: 'key#0 [SAMPLES count:integer]',
        run: usage,
      },
    ],
  },
]

/** MEMORY USAGE key [SAMPLES count] */
function usage(ctx: Context): void {
  const { db, reply } = ctx
  let samples = MEMORY_SAMPLES
  const opt = ctx.options(3)
  while (opt.more()) {
    if (opt.eat('samples', 1)) {
      samples = opt.longOrReply()
      if (samples < 0) opt.syntaxError()
    } else opt.syntaxError()
    if (opt.failed) return
  }
  const entry = db.find(ctx.args[2], LOOKUP_KEY)
  if (entry === 0) reply.null()
  else reply.integer(db.entries.memoryOf(entry, samples))
}

function stats(ctx: Context): void {
  const { reply } = ctx
  const m = ctx.server.host.memory()
  const integer = (name: string, value: number) => {
    reply.bulkText(name)
    reply.integer(value)
  }
  const double = (name: string, value: number) => {
    reply.bulkText(name)
    reply.double(value)
  }
  reply.map(27 + m.databases.length)
  integer('peak.allocated', m.peakBytes)
  integer('total.allocated', m.usedBytes)
  integer('startup.allocated', m.startupBytes)
  integer('replication.backlog', m.backlogBytes)
  integer('clients.slaves', m.clientsReplicaBytes)
  integer('clients.normal', m.clientsNormalBytes)
  integer('cluster.links', 0)
  integer('aof.buffer', m.aofBufferBytes)
  integer('lua.caches', m.scriptBytes)
  integer('functions.caches', m.functionBytes)
  for (const { index, mainBytes, expiresBytes } of m.databases) {
    reply.bulkText(`db.${index}`)
    reply.map(3)
    integer('overhead.hashtable.main', mainBytes)
    integer('overhead.hashtable.expires', expiresBytes)
    integer('overhead.hashtable.slot-to-keys', 0)
  }
  integer('overhead.total', m.overheadBytes)
  integer('keys.count', m.keys)
  const net = Math.max(1, m.usedBytes - m.startupBytes)
  integer('keys.bytes-per-key', m.keys === 0 ? 0 : Math.floor(net / m.keys))
  integer('dataset.bytes', m.datasetBytes)
  double('dataset.percentage', (m.datasetBytes * 100) / net)
  double('peak.percentage', (m.usedBytes * 100) / m.peakBytes)
  integer('allocator.allocated', m.allocatedBytes)
  integer('allocator.active', m.activeBytes)
  integer('allocator.resident', m.residentBytes)
  double('allocator-fragmentation.ratio', m.activeBytes / m.allocatedBytes)
  integer('allocator-fragmentation.bytes', m.activeBytes - m.allocatedBytes)
  double('allocator-rss.ratio', m.residentBytes / m.activeBytes)
  integer('allocator-rss.bytes', m.residentBytes - m.activeBytes)
  const processBytes = m.rssBytes - m.baseBytes
  double('rss-overhead.ratio', processBytes / m.residentBytes)
  integer('rss-overhead.bytes', processBytes - m.residentBytes)
  double('fragmentation', processBytes / m.allocatedBytes)
  integer('fragmentation.bytes', processBytes - m.allocatedBytes)
}

function doctor(ctx: Context): void {
  const { server } = ctx
  const clients = server.clients.size - server.replicas.list().length
  const cachedScripts = server.scripting.scripts.size
  ctx.reply.verbatim('txt', diagnosis({ m: server.host.memory(), clients, cachedScripts }))
}

/** MEMORY MALLOC-STATS: the arena has no statistics of jemalloc's kind; the reply is Redis's without jemalloc. */
function mallocStats(ctx: Context): void {
  ctx.reply.bulkText('Stats not supported for the current allocator')
}

function purge(ctx: Context): void {
  ctx.server.host.purgeMemory()
  ctx.reply.ok()
}

function help(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], HELP)
}

const HELP = [
  'DOCTOR',
  '    A report on the use of memory, with advice.',
  'MALLOC-STATS',
  '    Statistics of the allocator.',
  'PURGE',
  '    Give free memory back to the operating system.',
  'STATS',
  '    What memory is used for, in bytes.',
  'USAGE <key> [SAMPLES <count>]',
  '    The bytes of <key> and its value. Of a collection, <count> elements',
  '    are measured (5 unless given, 0 for all).',
]
