// Bloom filters: BF.RESERVE, ADD, MADD, INSERT, EXISTS, MEXISTS, CARD, INFO with the replies of RedisBloom.
//
// A key holds a string: a header in JSON, padded with blanks, then the bits of one or more filters. When the last filter
// is full, another one is added, `expansion` times as large, with half the error rate.
//
//   {"filters":[{"capacity":100,…}],…}    | bits of filter 0 | bits of filter 1 | …
//   0                                  HEADER_BYTES
//
// Always: an item that was added is found; of others at most about `errorRate` are. The string is not RedisBloom's
// format: BF.SCANDUMP, BF.LOADCHUNK and its RDB type are not here.

import { CommandError, defineModule, type ModuleCommand, type ModuleContext, type ModuleReply, reply } from '../src/module.ts'

const HEADER_BYTES = 2048
const FILTERS_MAX = 16
const STRING_BITS_MAX = 2 ** 32
const CAPACITY_MAX = 2 ** 30
const LN2 = Math.LN2
const TEXT = new TextDecoder()

interface Filter {
  readonly capacity: number
  /** Offset of its first bit in the string. */
  readonly at: number
  readonly bits: number
  readonly hashes: number
  items: number
}

interface Bloom {
  readonly errorRate: number
  /** 0: it does not grow. */
  readonly expansion: number
  readonly filters: Filter[]
}

interface Options {
  readonly errorRate: number
  readonly capacity: number
  readonly expansion: number
}

const DEFAULTS: Options = { errorRate: 0.01, capacity: 100, expansion: 2 }

function newFilter(capacity: number, errorRate: number, at: number): Filter {
  const bitsPerItem = -Math.log(errorRate) / (LN2 * LN2)
  const bits = Math.ceil((capacity * bitsPerItem) / 8) * 8
  if (at + bits > STRING_BITS_MAX) throw new CommandError('ERR the filter does not fit a string')
  return { capacity, at, bits, hashes: Math.ceil(bitsPerItem * LN2), items: 0 }
}

function read(ctx: ModuleContext): Bloom | undefined {
  const header = String(ctx.call('GETRANGE', ctx.args[1], 0, HEADER_BYTES - 1))
  if (header === '') return undefined
  if (!header.startsWith('{"errorRate":') || header.length !== HEADER_BYTES)
    throw new CommandError('WRONGTYPE Operation against a key holding the wrong kind of value')
  return JSON.parse(header) as Bloom
}

function write(ctx: ModuleContext, bloom: Bloom): void {
  ctx.call('SETRANGE', ctx.args[1], 0, JSON.stringify(bloom).padEnd(HEADER_BYTES))
}

function create(ctx: ModuleContext, { errorRate, capacity, expansion }: Options): Bloom {
  const bloom = { errorRate, expansion, filters: [newFilter(capacity, errorRate, HEADER_BYTES * 8)] }
  write(ctx, bloom)
  return bloom
}

/** MurmurHash3 of 32 bits. */
function murmur(bytes: Uint8Array, seed: number): number {
  let h = seed
  const mixed = (word: number) => {
    const k = Math.imul(word, 0xcc9e2d51)
    return Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  }
  const whole = bytes.length & ~3
  for (let i = 0; i < whole; i += 4) {
    h ^= mixed(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64
  }
  let rest = 0
  for (let i = bytes.length - 1; i >= whole; i--) rest = (rest << 8) | bytes[i]
  h ^= mixed(rest) ^ bytes.length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The bits of an item in a filter, by double hashing. */
function positions(item: Uint8Array, { at, bits, hashes }: Filter): number[] {
  const [a, b] = [murmur(item, 0x9747b28c), murmur(item, 0x2f0b4c47) | 1]
  return Array.from({ length: hashes }, (_, i) => at + ((a + i * (b >>> 0)) % bits))
}

function has(ctx: ModuleContext, bloom: Bloom, item: Uint8Array): boolean {
  return bloom.filters.some(filter => {
    const words = positions(item, filter).flatMap(bit => ['GET', 'u1', bit])
    return (ctx.call('BITFIELD_RO', ctx.args[1], ...words) as number[]).every(bit => bit === 1)
  })
}

/** 1: added; 0: it was (or seemed to be) there. */
function add(ctx: ModuleContext, bloom: Bloom, item: Uint8Array): number {
  if (has(ctx, bloom, item)) return 0
  const { filters, expansion, errorRate } = bloom
  let last = filters[filters.length - 1]
  if (last.items >= last.capacity) {
    if (expansion === 0) throw new CommandError('ERR non scaling filter is full')
    if (filters.length === FILTERS_MAX) throw new CommandError('ERR the filter has grown too often')
    last = newFilter(last.capacity * expansion, errorRate / 2 ** filters.length, last.at + last.bits)
    filters.push(last)
  }
  ctx.call('BITFIELD', ctx.args[1], ...positions(item, last).flatMap(bit => ['SET', 'u1', bit, 1]))
  last.items++
  return 1
}

function addAll(ctx: ModuleContext, bloom: Bloom, from: number): ModuleReply[] {
  const replies: ModuleReply[] = []
  for (const item of ctx.args.slice(from)) {
    try {
      replies.push(add(ctx, bloom, item))
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      replies.push(reply.error(error.message))
    }
  }
  write(ctx, bloom)
  return replies
}

/** The options from args[from] on, up to the end or the word ITEMS; returns where it stopped. */
function options(ctx: ModuleContext, from: number, into: { -readonly [Name in keyof Options]: Options[Name] }): number {
  let i = from
  for (; i < ctx.argc && !ctx.is(i, 'ITEMS'); i++) {
    if (ctx.is(i, 'NONSCALING')) into.expansion = 0
    else if (ctx.is(i, 'EXPANSION')) into.expansion = positive(ctx, ++i, 'ERR bad expansion')
    else if (ctx.is(i, 'CAPACITY')) into.capacity = positive(ctx, ++i, 'ERR bad capacity')
    else if (ctx.is(i, 'ERROR')) into.errorRate = rate(ctx, ++i)
    else if (!ctx.is(i, 'NOCREATE')) throw new CommandError('ERR Unknown argument received')
  }
  return i
}

function positive(ctx: ModuleContext, i: number, error: string): number {
  const n = ctx.integer(i, error)
  if (n < 1 || n > CAPACITY_MAX) throw new CommandError(i === 3 ? 'ERR (capacity should be larger than 0)' : error)
  return n
}

function rate(ctx: ModuleContext, i: number): number {
  const errorRate = ctx.double(i, 'ERR bad error rate')
  if (!(errorRate > 0 && errorRate < 1)) throw new CommandError('ERR (0 < error rate range < 1)')
  return errorRate
}

function reserve(ctx: ModuleContext): ModuleReply {
  const given = { errorRate: rate(ctx, 2), capacity: positive(ctx, 3, 'ERR bad capacity'), expansion: 2 }
  options(ctx, 4, given)
  if (read(ctx) !== undefined) throw new CommandError('ERR item exists')
  create(ctx, given)
  return reply.simple('OK')
}

function insert(ctx: ModuleContext): ModuleReply {
  const given = { ...DEFAULTS }
  const at = options(ctx, 2, given)
  if (at >= ctx.argc - 1) throw new CommandError("ERR wrong number of arguments for 'bf.insert' command")
  const known = read(ctx)
  if (known === undefined && ctx.args.slice(2, at).some(word => TEXT.decode(word).toUpperCase() === 'NOCREATE'))
    throw new CommandError('ERR not found')
  return addAll(ctx, known ?? create(ctx, given), at + 1)
}

function addOne(ctx: ModuleContext): ModuleReply {
  return addAll(ctx, read(ctx) ?? create(ctx, DEFAULTS), 2)[0]
}

function exists(ctx: ModuleContext): number[] {
  const bloom = read(ctx)
  return ctx.args.slice(2).map(item => (bloom !== undefined && has(ctx, bloom, item) ? 1 : 0))
}

function sum(bloom: Bloom, of: 'capacity' | 'items'): number {
  return bloom.filters.reduce((total, filter) => total + filter[of], 0)
}

function info(ctx: ModuleContext): ModuleReply {
  const bloom = read(ctx)
  if (bloom === undefined) throw new CommandError('ERR not found')
  const last = bloom.filters[bloom.filters.length - 1]
  const fields = new Map<string, ModuleReply>([
    ['Capacity', sum(bloom, 'capacity')],
    ['Size', (last.at + last.bits) / 8],
    ['Number of filters', bloom.filters.length],
    ['Number of items inserted', sum(bloom, 'items')],
    ['Expansion rate', bloom.expansion === 0 ? null : bloom.expansion],
  ])
  if (ctx.argc === 2) return fields
  const words = new Map([...fields.keys()].map((name, i) => [['CAPACITY', 'SIZE', 'FILTERS', 'ITEMS', 'EXPANSION'][i], name]))
  const name = words.get(ctx.text(2).toUpperCase())
  if (name === undefined) throw new CommandError('ERR Invalid information value')
  return [fields.get(name)]
}

const WRITES = { flags: 'write denyoom', keys: 'RW UPDATE @1' }
const READS = { flags: 'readonly', keys: 'RO ACCESS @1' }

const commands: readonly ModuleCommand[] = [
  {
    name: 'bf.reserve',
    arity: -4,
    ...WRITES,
    summary: 'Make an empty filter.',
    args: 'key#0 error_rate:double capacity:integer [EXPANSION expansion:integer] [NONSCALING]',
    run: reserve,
  },
  { name: 'bf.add', arity: 3, ...WRITES, summary: 'Add an item.', args: 'key#0 item', run: addOne },
  { name: 'bf.madd', arity: -3, ...WRITES, args: 'key#0 item...', run: c => addAll(c, read(c) ?? create(c, DEFAULTS), 2) },
  { name: 'bf.insert', arity: -4, ...WRITES, summary: 'Add items, to a filter with these options.', run: insert },
  { name: 'bf.exists', arity: 3, ...READS, summary: 'Whether an item may be there.', run: ctx => exists(ctx)[0] },
  { name: 'bf.mexists', arity: -3, ...READS, args: 'key#0 item...', run: exists },
  {
    name: 'bf.card',
    arity: 2,
    ...READS,
    args: 'key#0',
    run: ctx => {
      const bloom = read(ctx)
      return bloom === undefined ? 0 : sum(bloom, 'items')
    },
  },
  { name: 'bf.info', arity: -2, ...READS, summary: 'The figures of a filter.', run: info },
]

export default defineModule({ name: 'bloom', version: 1, apiVersion: 1, commands })
