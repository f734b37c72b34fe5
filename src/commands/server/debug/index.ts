// DEBUG: for tests and diagnosis. Guarded by enable-debug-command.

import { Panic } from '../../../engine/boundary.ts'
import type { Command } from '../../../engine/catalog/command.ts'
import type { Context } from '../../../engine/context.ts'
import { LOOKUP_EXPIRED } from '../../../keyspace/database.ts'
import { datasetDigest, valueDigest } from '../../../keyspace/digest.ts'
import { ENC_HASHTABLE, ENC_LISTPACK, ENC_QUICKLIST, ENC_SKIPLIST } from '../../../keyspace/types.ts'
import { bytesOf } from '../../../lib/bytes.ts'
import { globMatch } from '../../../lib/glob.ts'
import { writeInt } from '../../../lib/number.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'
import { MUST_BE_POSITIVE, NO_SUCH_KEY } from '../../../protocol/errors.ts'
import { replyHelp } from '../../../protocol/help.ts'
import { errorBytes } from '../../../protocol/reply.ts'
import { ERROR_NAME_BYTES_MAX, errorText } from '../../shared/arguments.ts'
import { referencesTo } from '../../shared/references.ts'
import { isLocal } from '../config.ts'
import { dropPackets, killLinks } from './cluster.ts'
import { DEBUG_HELP } from './help.ts'
import { replyExample } from './protocol.ts'
import { quicklistFacts, setPackedThreshold } from './quicklist.ts'
import { loadAof, reload, setFlushSleep, setSkipChecksum } from './saving.ts'
import { valuePlace } from './storage.ts'

export const debugCommands: readonly Command[] = [
  {
    name: 'debug',
    arity: -2,
    flags: 'admin noscript loading stale protected',
    since: '1.0.0',
    group: 'server',
    summary: 'Look inside the server and provoke special situations, for tests.',
    complexity: 'Differs by subcommand.',
    syscmd: true,
    run: debug,
  },
]

interface Subcommand {
  /** Minimal and maximal number of arguments, DEBUG and the subcommand included. */
  words: readonly [least: number, most: number]
  run(ctx: Context): void
}

/** By lower-case name. */
const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map(
  Object.entries<Subcommand>({
    help: { words: [2, 2], run: ctx => replyHelp(ctx.reply, ctx.args[0], DEBUG_HELP) },
    sleep: { words: [3, 3], run: sleep },
    'set-active-expire': { words: [3, 3], run: ctx => switched(ctx, on => ctx.server.host.setActiveExpire(on)) },
    'pause-cron': { words: [3, 3], run: ctx => switched(ctx, on => ctx.server.host.pauseCron(on)) },
    digest: { words: [2, 2], run: ctx => ctx.reply.simple(datasetDigest(ctx.keyspace)) },
    'digest-value': { words: [2, Number.POSITIVE_INFINITY], run: digestValue },
    populate: { words: [3, 5], run: populate },
    error: { words: [3, 3], run: ctx => ctx.reply.error(ctx.args[2].latin1()) },
    log: { words: [3, 3], run: log },
    object: { words: [3, 3], run: object },
    protocol: { words: [3, 3], run: replyExample },
    htstats: { words: [3, Number.POSITIVE_INFINITY], run: tableStatistics },
    'htstats-key': { words: [3, Number.POSITIVE_INFINITY], run: tableStatisticsOfKey },
    listpack: { words: [3, 3], run: ctx => printed(ctx, ENC_LISTPACK, 'Listpack') },
    quicklist: { words: [3, 4], run: ctx => printed(ctx, ENC_QUICKLIST, 'Quicklist') },
    'quicklist-packed-threshold': { words: [3, 3], run: setPackedThreshold },
    reload: { words: [2, Number.POSITIVE_INFINITY], run: reload },
    loadaof: { words: [2, 2], run: loadAof },
    'set-skip-checksum-validation': { words: [3, 3], run: setSkipChecksum },
    'aof-flush-sleep': { words: [3, 3], run: setFlushSleep },
    replybuffer: { words: [4, 4], run: replyBuffer },
    storage: { words: [3, 3], run: valuePlace },
    'stringmatch-test': { words: [2, 2], run: matchStrings },
    'config-rewrite-force-all': { words: [2, 2], run: rewriteAll },
    'client-eviction': { words: [2, 2], run: clientEviction },
    'set-disable-deny-scripts': {
      words: [3, 3],
      run: ctx => switched(ctx, on => ctx.server.scripting.allowEverything(on)),
    },
    replicate: { words: [3, Number.POSITIVE_INFINITY], run: replicate },
    clusterlink: { words: [5, 5], run: killLinks },
    'drop-cluster-packet-filter': { words: [3, 3], run: dropPackets },
    'change-repl-id': { words: [2, 2], run: changeReplId },
    leak: { words: [3, 3], run: ctx => ctx.reply.ok() },
    oom: {
      words: [2, Number.POSITIVE_INFINITY],
      run: () => crash('Out Of Memory allocating 9223372036854775807 bytes!'),
    },
    panic: { words: [2, 2], run: () => crash('DEBUG PANIC was called') },
    assert: { words: [2, 2], run: () => crash('DEBUG ASSERT was called') },
    segfault: { words: [2, 2], run: () => crash('crashed by signal: 11, for DEBUG SEGFAULT was called') },
  }),
)

const NOT_ALLOWED = errorBytes(
  'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local ' +
    'connection, otherwise you need to set this option in the configuration file, and then restart the server.',
)
const NOT_HASHED = errorBytes('ERR The value stored at the specified key is not represented using an hash table')
const NO_SUCH_DB = errorBytes('ERR Out of range database')
const NO_CLIENT_LIMIT = errorBytes('ERR maxmemory-clients is disabled.')
const TOO_MUCH = errorBytes('ERR DEBUG POPULATE would need more memory than can be addressed')
const PREFIX_BYTES_MAX = 128
/** The capacity of the arena, and the least that a small key takes of it. */
const ADDRESSABLE_BYTES = 64 * 2 ** 30
const KEYS_MAX = ADDRESSABLE_BYTES / 48

function debug(ctx: Context): void {
  const { args, argc, client, reply, settings } = ctx
  const allowed = settings.enableDebugCommand
  if (allowed !== 'yes' && !(allowed === 'local' && isLocal(client))) return reply.fixedError(NOT_ALLOWED)
  const found = SUBCOMMANDS.get(args[1].latin1Prefix(ERROR_NAME_BYTES_MAX).toLowerCase())
  if (found === undefined || argc < found.words[0] || argc > found.words[1]) return unknown(ctx)
  found.run(ctx)
}

function unknown(ctx: Context): void {
  const name = errorText(ctx.args[1], ERROR_NAME_BYTES_MAX)
  ctx.reply.error(`ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`)
}

/** Of a number, what can matter. */
const NUMBER_BYTES_MAX = 1024

/** The number at the beginning of a word, by C's atoi and strtod. */
function looseNumber(s: Slice): number {
  return Number.parseFloat(s.latin1Prefix(NUMBER_BYTES_MAX)) || 0
}

function switched(ctx: Context, set: (on: boolean) => void): void {
  set(Math.trunc(looseNumber(ctx.args[2])) !== 0)
  ctx.reply.ok()
}

function sleep(ctx: Context): void {
  ctx.server.host.sleepMs(looseNumber(ctx.args[2]) * 1000)
  ctx.reply.ok()
}

function log(ctx: Context): void {
  ctx.server.log?.('warning', `DEBUG LOG: ${ctx.args[2].latin1()}`)
  ctx.reply.ok()
}

function digestValue(ctx: Context): void {
  ctx.reply.array(ctx.argc - 2)
  for (let i = 2; i < ctx.argc; i++) ctx.reply.simple(valueDigest(ctx.keyspace, ctx.db.find(ctx.args[i])))
}

/** DEBUG POPULATE count [prefix] [size] */
function populate(ctx: Context): void {
  const { args, argc, db, reply } = ctx
  const count = ctx.longOrReply(2, MUST_BE_POSITIVE)
  if (Number.isNaN(count)) return
  if (count < 0) return reply.fixedError(MUST_BE_POSITIVE)
  const size = argc === 5 ? ctx.longOrReply(4, MUST_BE_POSITIVE) : 0
  if (Number.isNaN(size)) return
  if (size < 0) return reply.fixedError(MUST_BE_POSITIVE)
  if ((size > ctx.settings.protoMaxBulkLen && count > 0) || count > KEYS_MAX || count * size > ADDRESSABLE_BYTES)
    return reply.fixedError(TOO_MUCH)
  if (count === 0) return reply.ok()
  const prefix = argc === 3 ? 'key' : args[3].latin1Prefix(PREFIX_BYTES_MAX)
  // Used for millions of keys: allocates no strings.
  const key = new Numbered(`${prefix}:`, 0)
  const value = new Numbered('value:', size)
  for (let i = 0; i < count; i++) {
    if (db.find(key.number(i)) !== 0) continue
    db.strings.set(db, key.slice, value.number(i))
    ctx.signalModified(key.slice)
  }
  reply.ok()
}

const DIGITS_MAX = 20

/** A text followed by a number, truncated or zero-padded to `size` bytes unless that is 0. */
class Numbered {
  readonly slice: Slice
  private readonly textBytes: number
  private readonly size: number

  constructor(text: string, size: number) {
    this.slice = new Slice(new Uint8Array(Math.max(text.length + DIGITS_MAX, size)))
    this.slice.u8.set(bytesOf(text))
    this.textBytes = text.length
    this.size = size
  }

  number(n: number): Slice {
    const { slice, textBytes, size } = this
    const end = textBytes + writeInt(slice.u8, textBytes, n)
    if (size > end) slice.u8.fill(0, end, size)
    slice.len = size === 0 ? end : size
    return slice
  }
}

function object(ctx: Context): void {
  const { db, keyspace, reply } = ctx
  const entry = db.find(ctx.args[2], LOOKUP_EXPIRED)
  if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
  const access = db.entries.accessOf(entry)
  const idle = keyspace.lfu ? 0 : db.entries.idleSecondsOf(entry)
  const encoding = keyspace.types.encodingName(db.entries, entry)
  reply.simple(
    `Value at:0x${entry.toString(16)} refcount:${referencesTo(ctx, entry)} encoding:${encoding} ` +
      `serializedlength:${serializedLength(ctx, entry)} lru:${access} lru_seconds_idle:${idle}${quicklistFacts(ctx, entry)}`,
  )
}

/** Of DUMP's payload: the type before the value, version and checksum behind. */
const PAYLOAD_FRAME_BYTES = 1 + 2 + 8

/** Of the value alone; 0 for one that cannot be saved. */
function serializedLength(ctx: Context, entry: Ref): number {
  const payload = ctx.server.payloads.dump(entry)
  return payload === undefined ? 0 : payload.len - PAYLOAD_FRAME_BYTES
}

function tableStatistics(ctx: Context): void {
  const index = ctx.longOrReply(2)
  if (Number.isNaN(index)) return
  const db = ctx.keyspace.databases[index]
  if (db === undefined) return ctx.reply.fixedError(NO_SUCH_DB)
  const { tables } = ctx.keyspace
  const main = statistics(tables.count(db.mainTable), tables.buckets(db.mainTable))
  const expires = statistics(tables.count(db.expiryTable), tables.buckets(db.expiryTable))
  ctx.reply.verbatim('txt', `[Dictionary HT]\n${main}[Expires HT]\n${expires}`)
}

function tableStatisticsOfKey(ctx: Context): void {
  const { db, keyspace, reply } = ctx
  const entry = db.find(ctx.args[2])
  if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
  const encoding = db.entries.encodingOf(entry)
  if (encoding !== ENC_HASHTABLE && encoding !== ENC_SKIPLIST) return reply.fixedError(NOT_HASHED)
  const count = keyspace.types.of(db.entries.typeOf(entry)).freeEffort(encoding, db.entries.valueOf(entry))
  reply.verbatim('txt', statistics(count, Math.ceil(count / 8)))
}

/** Buckets have up to twelve entries here, so there are no chains to report. */
function statistics(count: number, buckets: number): string {
  const title = 'Hash table 0 stats (main hash table):\n'
  if (count === 0) return `${title}No stats available for empty dictionaries\n`
  return `${title} table size: ${buckets}\n number of elements: ${count}\n`
}

/** Redis prints the structure on its standard output; here its measures are logged. The reply is Redis's. */
function printed(ctx: Context, encoding: number, name: string): void {
  const { db, keyspace, server } = ctx
  const entry = db.find(ctx.args[2])
  if (entry === 0) ctx.reply.fixedError(NO_SUCH_KEY)
  else if (ctx.db.entries.encodingOf(entry) !== encoding)
    ctx.reply.error(`ERR Not a ${name.toLowerCase()} encoded object.`)
  else {
    const count = keyspace.types.of(db.entries.typeOf(entry)).freeEffort(encoding, db.entries.valueOf(entry))
    server.log?.('warning', `${name}: ${db.entries.memoryOf(entry, 0)} bytes, ${count} to free`)
    ctx.reply.simple(`${name} structure printed on stdout`)
  }
}

/** DEBUG REPLYBUFFER PEAK-RESET-TIME never | reset | ms; RESIZING 0 | 1 */
function replyBuffer(ctx: Context): void {
  const { server, reply } = ctx
  if (ctx.is(2, 'peak-reset-time')) {
    const ms = ctx.is(3, 'never') ? -1 : ctx.is(3, 'reset') ? 5000 : ctx.longOrReply(3)
    if (Number.isNaN(ms)) return
    server.host.setReplyPeakReset(ms)
  } else if (!ctx.is(2, 'resizing')) return unknown(ctx)
  else server.host.setReplyResizing(Math.trunc(looseNumber(ctx.args[3])) !== 0)
  reply.ok()
}

const MATCH_ROUNDS = 10_000
const MATCH_BYTES_MAX = 32

/** DEBUG STRINGMATCH-LEN: runs the glob matcher on random input. */
function matchStrings(ctx: Context): void {
  const { server } = ctx
  const noise = () => {
    const s = new Slice(new Uint8Array(MATCH_BYTES_MAX), 0, server.random() % MATCH_BYTES_MAX)
    for (let i = 0; i < s.len; i++) s.u8[i] = server.random() % 128
    return s
  }
  for (let i = 0; i < MATCH_ROUNDS; i++) globMatch(noise(), noise(), false)
  ctx.reply.simple('Apparently Redis did not crash: test passed')
}

function rewriteAll(ctx: Context): void {
  const error = ctx.server.configuration?.rewrite(true) ?? null
  if (error === null) ctx.reply.ok()
  else ctx.reply.error(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${error.replace(/^ERR Rewriting config file: /, '')}`)
}

function clientEviction(ctx: Context): void {
  if (ctx.settings.maxmemoryClients === 0) return ctx.reply.fixedError(NO_CLIENT_LIMIT)
  ctx.reply.verbatim('txt', `evicted: ${ctx.server.stats.evictedClients}\n`)
}

/** DEBUG REPLICATE word [word ...]: puts a command into the replication stream. */
function replicate(ctx: Context): void {
  ctx.server.replicas.feed(ctx.args.slice(2, ctx.argc))
  ctx.reply.ok()
}

function changeReplId(ctx: Context): void {
  ctx.server.log?.('notice', 'Changing replication IDs after receiving change-repl-id')
  ctx.server.replicas.changeId()
  ctx.reply.ok()
}

function crash(why: string): never {
  throw new Panic(why)
}
