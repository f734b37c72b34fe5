// Bloom filters: BF.RESERVE, ADD, MADD, INSERT, EXISTS, MEXISTS, CARD, INFO, DEBUG, SCANDUMP, LOADCHUNK, as RedisBloom's,
// whose RDB files, payloads and chunks are read and written. bloom-chain.ts has the filters.
//
// Always: the same commands make the same bits, here and on replicas, as they do in RedisBloom.

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
  BAD_DATA,
  bytesOf,
  type Chain,
  chainOf,
  checked,
  chunkOf,
  DEFAULTS,
  FIXED,
  has,
  type Link,
  LINKS_MAX,
  linesOf,
  newChain,
  type Options,
  placeOf,
} from './bloom-chain.ts'

const NOT_FOUND = 'ERR not found'

function loadLink(input: TypeInput, version: number): Link {
  const [capacity, error, hashes, bitsPerItem] = [input.unsigned(), input.double(), input.unsigned(), input.double()]
  if (version > 0) input.unsigned()
  const n2 = version > 0 ? input.unsigned() : 0
  return { capacity, error, hashes, bitsPerItem, n2, bits: input.bytes(), items: input.unsigned() }
}

const type = defineType<Chain>({
  name: 'MBbloom--',
  encodingVersion: 4,
  save({ items, options, growth, links }, out) {
    for (const n of [items, links.length, options, growth]) out.unsigned(n)
    for (const link of links) {
      out.unsigned(link.capacity)
      out.double(link.error)
      out.unsigned(link.hashes)
      out.double(link.bitsPerItem)
      out.unsigned(link.bits.length * 8)
      out.unsigned(link.n2)
      out.string(link.bits)
      out.unsigned(link.items)
    }
  },
  load(input, version) {
    if (version > 4) throw new Error(`encoding version ${version}`)
    const [items, count] = [input.unsigned(), input.unsigned()]
    if (count > LINKS_MAX) throw new Error(BAD_DATA)
    const options = version >= 2 ? input.unsigned() : 0
    const growth = version >= 4 ? input.unsigned() : 2
    return checked({ items, options, growth, links: Array.from({ length: count }, () => loadLink(input, version)) })
  },
  *rewrite(chain) {
    for (let at = 0; ; ) {
      const { next, data } = chunkOf(chain, at)
      if (next === 0) return
      yield ['BF.LOADCHUNK', next, data]
      at = next
    }
  },
  copy: chain => ({ ...chain, links: chain.links.map(link => ({ ...link, bits: link.bits.slice() })) }),
  memory: bytesOf,
})

function loadChunk(ctx: ModuleContext): ModuleReply {
  const key = ctx.write(type, ctx.args[1])
  const at = ctx.integer(2, 'ERR Second argument must be numeric')
  const data = ctx.args[3]
  if (key.value === undefined && at === 1) key.set(chainOf(data))
  else {
    if (key.value === undefined) throw new CommandError(NOT_FOUND)
    const place = at <= data.length ? undefined : placeOf(key.value, at - data.length - 1)
    if (place === undefined) throw new CommandError(BAD_DATA)
    if (data.length > place.link.bits.length - place.offset)
      throw new CommandError('ERR invalid chunk - Too big for current filter')
    place.link.bits.set(data, place.offset)
    key.changed()
  }
  return reply.simple('OK')
}

// ---- commands ----

function addAll(ctx: ModuleContext, given: Options, from: number, mayCreate = true): ModuleReply[] {
  const key = ctx.write(type, ctx.args[1])
  if (key.value === undefined && !mayCreate) throw new CommandError(NOT_FOUND)
  const chain = key.value ?? newChain(given)
  const replies: ModuleReply[] = []
  try {
    for (const item of ctx.args.slice(from)) replies.push(add(chain, item))
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    replies.push(reply.error(error.message))
  }
  if (key.value === undefined) key.set(chain)
  else key.changed()
  return replies
}

/** The options from args[from] on, up to the end or the word ITEMS; returns where it stopped. */
function options(ctx: ModuleContext, from: number, into: { -readonly [Name in keyof Options]: Options[Name] }): number {
  let i = from
  for (; i < ctx.argc && !ctx.is(i, 'ITEMS'); i++) {
    if (ctx.is(i, 'NONSCALING')) into.isFixed = true
    else if (ctx.is(i, 'EXPANSION')) into.growth = positive(ctx, ++i, 'ERR bad expansion')
    else if (ctx.is(i, 'CAPACITY')) into.capacity = positive(ctx, ++i, 'ERR bad capacity')
    else if (ctx.is(i, 'ERROR')) into.error = rate(ctx, ++i)
    else if (!ctx.is(i, 'NOCREATE')) throw new CommandError('ERR Unknown argument received')
  }
  return i
}

function positive(ctx: ModuleContext, i: number, error: string): number {
  const n = ctx.integer(i, error)
  if (n < 1) throw new CommandError(i === 3 ? 'ERR (capacity should be larger than 0)' : error)
  return n
}

function rate(ctx: ModuleContext, i: number): number {
  const error = ctx.double(i, 'ERR bad error rate')
  if (!(error > 0 && error < 1)) throw new CommandError('ERR (0 < error rate range < 1)')
  return error
}

function reserve(ctx: ModuleContext): ModuleReply {
  const given = { ...DEFAULTS, error: rate(ctx, 2), capacity: positive(ctx, 3, 'ERR bad capacity') }
  if (options(ctx, 4, given) !== ctx.argc || ctx.argc > 7) throw new CommandError("ERR wrong number of arguments for 'bf.reserve' command")
  if (given.isFixed && ctx.args.some((_, i) => i > 3 && ctx.is(i, 'EXPANSION'))) throw new CommandError('ERR Nonscaling filters cannot expand')
  const key = ctx.write(type, ctx.args[1])
  if (key.value !== undefined) throw new CommandError('ERR item exists')
  key.set(newChain(given))
  return reply.simple('OK')
}

function insert(ctx: ModuleContext): ModuleReply {
  const given = { ...DEFAULTS }
  const at = options(ctx, 2, given)
  if (at >= ctx.argc - 1) throw new CommandError("ERR wrong number of arguments for 'bf.insert' command")
  const mayCreate = !ctx.args.slice(2, at).some((_, i) => ctx.is(i + 2, 'NOCREATE'))
  return addAll(ctx, given, at + 1, mayCreate)
}

function exists(ctx: ModuleContext): number[] {
  const chain = ctx.read(type, ctx.args[1])
  return ctx.args.slice(2).map(item => (chain !== undefined && has(chain, item) ? 1 : 0))
}

function existing(ctx: ModuleContext): Chain {
  const chain = ctx.read(type, ctx.args[1])
  if (chain === undefined) throw new CommandError(NOT_FOUND)
  return chain
}

function info(ctx: ModuleContext): ModuleReply {
  const chain = existing(ctx)
  const isFixed = (chain.options & FIXED) !== 0
  const fields = new Map<string, ModuleReply>([
    ['Capacity', chain.links.reduce((sum, { capacity }) => sum + capacity, 0)],
    ['Size', bytesOf(chain)],
    ['Number of filters', chain.links.length],
    ['Number of items inserted', chain.items],
    ['Expansion rate', isFixed ? null : chain.growth],
  ])
  if (ctx.argc === 2) return fields
  if (ctx.argc > 3) throw new CommandError("ERR wrong number of arguments for 'bf.info' command")
  const words = new Map([...fields.keys()].map((name, i) => [['CAPACITY', 'SIZE', 'FILTERS', 'ITEMS', 'EXPANSION'][i], name]))
  const name = words.get(ctx.text(2).toUpperCase())
  if (name === undefined) throw new CommandError('ERR Invalid information value')
  return [fields.get(name)]
}

function scanDump(ctx: ModuleContext): ModuleReply {
  const chain = existing(ctx)
  const { next, data } = chunkOf(chain, ctx.integer(2, 'ERR Second argument must be numeric'))
  return [next, data]
}

const WRITES = { flags: 'write denyoom', keys: 'RW UPDATE @1', propagation: 'verbatim' } as const
const READS = { flags: 'readonly fast', keys: 'RO ACCESS @1' } as const

const commands: readonly ModuleCommand[] = [
  {
    name: 'bf.reserve',
    arity: -4,
    ...WRITES,
    summary: 'Make an empty filter.',
    args: 'key#0 error-rate:double capacity:integer [EXPANSION expansion:integer] [NONSCALING]',
    run: reserve,
  },
  { name: 'bf.add', arity: 3, ...WRITES, summary: 'Add an item.', args: 'key#0 item', run: ctx => addAll(ctx, DEFAULTS, 2)[0] },
  { name: 'bf.madd', arity: -3, ...WRITES, args: 'key#0 item...', run: ctx => addAll(ctx, DEFAULTS, 2) },
  { name: 'bf.insert', arity: -4, ...WRITES, summary: 'Add items, to a filter with these options.', run: insert },
  { name: 'bf.exists', arity: 3, ...READS, summary: 'Whether an item may be there.', run: ctx => exists(ctx)[0] },
  { name: 'bf.mexists', arity: -3, ...READS, args: 'key#0 item...', run: exists },
  { name: 'bf.card', arity: 2, ...READS, args: 'key#0', run: ctx => ctx.read(type, ctx.args[1])?.items ?? 0 },
  { name: 'bf.info', arity: -2, ...READS, summary: 'The figures of a filter.', run: info },
  { name: 'bf.debug', arity: 2, ...READS, args: 'key#0', run: ctx => linesOf(existing(ctx)) },
  { name: 'bf.scandump', arity: 3, ...READS, summary: 'A part of a filter.', args: 'key#0 iterator:integer', run: scanDump },
  { name: 'bf.loadchunk', arity: 4, ...WRITES, args: 'key#0 iterator:integer data', run: loadChunk },
]

export default defineModule({ name: 'bf', version: 20600, apiVersion: 1, types: [type], commands })
