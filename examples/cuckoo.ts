// Cuckoo filters: CF.RESERVE, ADD, ADDNX, INSERT, INSERTNX, EXISTS, MEXISTS, COUNT, DEL, COMPACT, INFO, DEBUG, SCANDUMP,
// LOADCHUNK, as RedisBloom's, whose RDB files, payloads and chunks are read and written. cuckoo-chain.ts has the filters.
//
// Always: the same commands make the same filters, here and on replicas, as they do in RedisBloom.

import {
  CommandError,
  defineModule,
  defineType,
  type ModuleCommand,
  type ModuleContext,
  type ModuleReply,
  reply,
  type TypeInput,
} from '../src/module.ts'
import {
  add,
  BUCKET_SIZE_MAX,
  bytesOf,
  type Chain,
  chainOf,
  checked,
  chunkOf,
  compact,
  count,
  DEFAULTS,
  newChain,
  type Options,
  placeOf,
  remove,
  SHORT_MAX,
} from './cuckoo-chain.ts'

const NOT_FOUND = 'ERR not found'
const FILTERS_MAX = 32
const CAPACITY = 1024

function loadOptions(input: TypeInput, version: number): Options & { deletes: number } {
  if (version < 4) return { ...DEFAULTS, deletes: 0 }
  const [deletes, bucketSize, iterations, growth] = Array.from({ length: 4 }, () => input.unsigned())
  return { deletes, bucketSize, iterations, growth }
}

const type = defineType<Chain>({
  name: 'MBbloomCF',
  encodingVersion: 4,
  save({ buckets, items, deletes, bucketSize, iterations, growth, tables }, out) {
    for (const n of [tables.length, buckets, items, deletes, bucketSize, iterations, growth]) out.unsigned(n)
    for (const table of tables) {
      out.unsigned(table.length / bucketSize)
      out.string(table)
    }
  },
  load(input, version) {
    if (version < 3 || version > 4) throw new Error(`encoding version ${version}`)
    const [length, buckets, items] = [input.unsigned(), input.unsigned(), input.unsigned()]
    const options = loadOptions(input, version)
    const tables: Uint8Array[] = []
    for (let i = 0; i < length; i++) {
      if (version >= 4) input.unsigned()
      tables.push(input.bytes())
    }
    return checked({ ...options, buckets, items, tables })
  },
  *rewrite(chain) {
    for (let at = 0; ; ) {
      const { next, data } = chunkOf(chain, at)
      if (next === 0) return
      yield ['CF.LOADCHUNK', next, data]
      at = next
    }
  },
  copy: chain => ({ ...chain, tables: chain.tables.map(table => table.slice()) }),
  memory: bytesOf,
})

// ---- commands ----

function numberOf(ctx: ModuleContext, i: number, name: string, min: number, max: number): number {
  const n = ctx.integer(i, `Couldn't parse ${name}`)
  const kind = min === 0 ? 'a non-negative' : 'a positive'
  if (n < min) throw new CommandError(`${name} parameter needs to be ${kind} integer`)
  if (n > max) throw new CommandError(`${name} is at most ${max}`)
  return n
}

function capacityOf(ctx: ModuleContext, i: number, bucketSize: number): number {
  const capacity = ctx.integer(i, 'Bad capacity')
  if (bucketSize * 2 > capacity) throw new CommandError('Capacity must be at least (BucketSize * 2)')
  return capacity
}

function reserve(ctx: ModuleContext): ModuleReply {
  const given = { ...DEFAULTS }
  if (ctx.argc % 2 === 0) throw new CommandError("ERR wrong number of arguments for 'cf.reserve' command")
  for (let i = 3; i < ctx.argc; i += 2) {
    if (ctx.is(i, 'MAXITERATIONS')) given.iterations = numberOf(ctx, i + 1, 'MAXITERATIONS', 1, SHORT_MAX)
    else if (ctx.is(i, 'BUCKETSIZE')) given.bucketSize = numberOf(ctx, i + 1, 'BUCKETSIZE', 1, BUCKET_SIZE_MAX)
    else if (ctx.is(i, 'EXPANSION')) given.growth = numberOf(ctx, i + 1, 'EXPANSION', 0, (SHORT_MAX + 1) / 2)
    else throw new CommandError('ERR Unknown argument received')
  }
  const capacity = capacityOf(ctx, 2, given.bucketSize)
  const key = ctx.write(type, ctx.args[1])
  if (key.value !== undefined) throw new CommandError('ERR item exists')
  key.set(newChain(capacity, given))
  return reply.simple('OK')
}

interface Insertion {
  readonly items: readonly Uint8Array[]
  readonly isUnique: boolean
  readonly capacity: number
  readonly mayCreate: boolean
}

function insertAll(ctx: ModuleContext, { items, isUnique, capacity, mayCreate }: Insertion): number[] {
  const key = ctx.write(type, ctx.args[1])
  if (key.value === undefined && !mayCreate) throw new CommandError(NOT_FOUND)
  const chain = key.value ?? newChain(capacity, DEFAULTS)
  if (chain.tables.length >= FILTERS_MAX) throw new CommandError('Maximum expansions reached')
  const results = items.map(item => (isUnique && count(chain, item) > 0 ? 0 : add(chain, item)))
  if (key.value === undefined) key.set(chain)
  else if (results.includes(1)) key.changed()
  return results
}

function addOne(isUnique: boolean): (ctx: ModuleContext) => number {
  return ctx => {
    const [result] = insertAll(ctx, { items: [ctx.args[2]], isUnique, capacity: CAPACITY, mayCreate: true })
    if (result < 0) throw new CommandError('Filter is full')
    return result
  }
}

function insert(isUnique: boolean): (ctx: ModuleContext) => number[] {
  return ctx => {
    let [i, capacity, mayCreate] = [2, CAPACITY, true]
    for (; i < ctx.argc && !ctx.is(i, 'ITEMS'); i++) {
      if (ctx.is(i, 'CAPACITY') && i + 1 < ctx.argc) capacity = capacityOf(ctx, ++i, DEFAULTS.bucketSize)
      else if (ctx.is(i, 'NOCREATE')) mayCreate = false
      else throw new CommandError('Unknown argument received')
    }
    const items = ctx.args.slice(i + 1)
    if (items.length === 0) throw new CommandError(`ERR wrong number of arguments for '${ctx.text(0).toLowerCase()}' command`)
    return insertAll(ctx, { items, isUnique, capacity, mayCreate })
  }
}

function counts(ctx: ModuleContext): number[] {
  const chain = ctx.read(type, ctx.args[1])
  return ctx.args.slice(2).map(item => (chain === undefined ? 0 : count(chain, item)))
}

function del(ctx: ModuleContext): number {
  const key = ctx.write(type, ctx.args[1])
  if (key.value === undefined) throw new CommandError('Not found')
  if (!remove(key.value, ctx.args[2])) return 0
  key.changed()
  return 1
}

function compactAll(ctx: ModuleContext): ModuleReply {
  const key = ctx.write(type, ctx.args[1])
  if (key.value === undefined) throw new CommandError('Cuckoo filter was not found')
  compact(key.value, true)
  key.changed()
  return reply.simple('OK')
}

function existing(ctx: ModuleContext): Chain {
  const chain = ctx.read(type, ctx.args[1])
  if (chain === undefined) throw new CommandError(NOT_FOUND)
  return chain
}

function info(ctx: ModuleContext): ModuleReply {
  const chain = existing(ctx)
  return new Map<string, number>([
    ['Size', bytesOf(chain)],
    ['Number of buckets', chain.buckets],
    ['Number of filters', chain.tables.length],
    ['Number of items inserted', chain.items],
    ['Number of items deleted', chain.deletes],
    ['Bucket size', chain.bucketSize],
    ['Expansion rate', chain.growth],
    ['Max iterations', chain.iterations],
  ])
}

function debug(ctx: ModuleContext): string {
  const { bucketSize, buckets, items, deletes, tables, iterations, growth } = existing(ctx)
  const sizes = `bktsize:${bucketSize} buckets:${buckets} items:${items} deletes:${deletes} filters:${tables.length}`
  return `${sizes} max_iterations:${iterations} expansion:${growth}`
}

function scanDump(ctx: ModuleContext): ModuleReply {
  const chain = existing(ctx)
  const at = ctx.integer(2, 'Invalid position')
  if (at < 0) throw new CommandError('Invalid position')
  const { next, data } = chain.items === 0 ? { next: 0, data: null } : chunkOf(chain, at)
  return next === 0 ? [0, null] : [next, data]
}

function loadChunk(ctx: ModuleContext): ModuleReply {
  const key = ctx.write(type, ctx.args[1])
  const [at, data] = [ctx.integer(2, 'Invalid position'), ctx.args[3]]
  if (at === 1) {
    if (key.value !== undefined) throw new CommandError('ERR item exists')
    key.set(chainOf(data))
    return reply.simple('OK')
  }
  if (key.value === undefined) throw new CommandError(NOT_FOUND)
  const place = data.length === 0 || at <= data.length ? undefined : placeOf(key.value, at - data.length - 1)
  if (place === undefined || place.offset + data.length > place.table.length)
    throw new CommandError("Couldn't load chunk!")
  place.table.set(data, place.offset)
  key.changed()
  return reply.simple('OK')
}

const WRITES = { flags: 'write denyoom', keys: 'RW UPDATE @1', propagation: 'verbatim' } as const
const FREES = { flags: 'write', keys: 'RW UPDATE @1', propagation: 'verbatim' } as const
const READS = { flags: 'readonly fast', keys: 'RO ACCESS @1' } as const
const OPTIONS = '[BUCKETSIZE bucketsize:integer] [MAXITERATIONS maxiterations:integer] [EXPANSION expansion:integer]'
const ITEMS = 'key#0 [CAPACITY capacity:integer] [NOCREATE] items=ITEMS item...'

const commands: readonly ModuleCommand[] = [
  { name: 'cf.reserve', arity: -3, ...WRITES, summary: 'Make an empty filter.', args: `key#0 capacity:integer ${OPTIONS}`, run: reserve },
  { name: 'cf.add', arity: 3, ...WRITES, summary: 'Add an item.', args: 'key#0 item', run: addOne(false) },
  { name: 'cf.addnx', arity: 3, ...WRITES, summary: 'Add an item that is not there.', args: 'key#0 item', run: addOne(true) },
  { name: 'cf.insert', arity: -4, ...WRITES, summary: 'Add items, to a filter of this capacity.', args: ITEMS, run: insert(false) },
  { name: 'cf.insertnx', arity: -4, ...WRITES, summary: 'Add those items that are not there.', args: ITEMS, run: insert(true) },
  { name: 'cf.exists', arity: 3, ...READS, args: 'key#0 item', run: ctx => Math.min(1, counts(ctx)[0]) },
  { name: 'cf.mexists', arity: -3, ...READS, args: 'key#0 item...', run: ctx => counts(ctx).map(n => Math.min(1, n)) },
  { name: 'cf.count', arity: 3, ...READS, summary: 'How often an item may be there.', args: 'key#0 item', run: ctx => counts(ctx)[0] },
  { name: 'cf.del', arity: 3, ...FREES, summary: 'Remove an item once.', args: 'key#0 item', run: del },
  { name: 'cf.compact', arity: 2, ...FREES, summary: 'Move items to the first tables.', args: 'key#0', run: compactAll },
  { name: 'cf.info', arity: 2, ...READS, summary: 'The figures of a filter.', args: 'key#0', run: info },
  { name: 'cf.debug', arity: 2, ...READS, args: 'key#0', run: debug },
  { name: 'cf.scandump', arity: 3, ...READS, summary: 'A part of a filter.', args: 'key#0 iterator:integer', run: scanDump },
  { name: 'cf.loadchunk', arity: 4, ...WRITES, args: 'key#0 iterator:integer data', run: loadChunk },
]

export default defineModule({ name: 'cf', version: 20600, apiVersion: 1, types: [type], commands })
