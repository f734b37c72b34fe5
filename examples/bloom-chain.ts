// Bloom filters that grow, as RedisBloom makes them: hashes, bits and the chunks of BF.SCANDUMP.
//
//   Chain   { items, options, growth, links [ { capacity, error, hashes, bits, items } ] }
//
// When the last link is full, another one is added, `growth` times as large, with half the error rate.
//
// Always: an item that was added is found; of others at most about the error rate are. Bit i is bit i % 8 of byte i / 8.

import { CommandError } from '../src/module.ts'

export interface Link {
  readonly capacity: number
  readonly error: number
  readonly hashes: number
  readonly bitsPerItem: number
  /** As the format has it; with `n2` the positions are modulo 2^n2, else modulo the bits. */
  readonly n2: number
  readonly bits: Uint8Array
  items: number
}

export interface Chain {
  items: number
  readonly options: number
  readonly growth: number
  readonly links: Link[]
}

export interface Options {
  readonly error: number
  readonly capacity: number
  readonly growth: number
  readonly isFixed: boolean
}

const NO_ROUND = 1
const HASH_64 = 4
export const FIXED = 8
const BYTES_MAX = 2 ** 30
export const LINKS_MAX = 1000
const CHAIN_BYTES = 32
const LINK_BYTES = 64
const HEADER_BYTES = 20
const LINK_HEADER_BYTES = 53
const CHUNK_BYTES = 16 * 1024 * 1024
const TIGHTENING = 0.5
export const DEFAULTS: Options = { error: 0.01, capacity: 100, growth: 2, isFixed: false }
export const BAD_DATA = 'ERR received bad data'

// ---- hashes ----

const MASK = (1n << 64n) - 1n
const M64 = 0xc6a4a7935bd1e995n

/** MurmurHash64A. */
export function murmur64(bytes: Uint8Array, seed: bigint): bigint {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const whole = bytes.length & ~7
  let h = seed ^ ((BigInt(bytes.length) * M64) & MASK)
  for (let i = 0; i < whole; i += 8) {
    let k = (dv.getBigUint64(i, true) * M64) & MASK
    k = ((k ^ (k >> 47n)) * M64) & MASK
    h = ((h ^ k) * M64) & MASK
  }
  if (whole < bytes.length) {
    let rest = 0n
    for (let i = bytes.length - 1; i >= whole; i--) rest = (rest << 8n) | BigInt(bytes[i])
    h = ((h ^ rest) * M64) & MASK
  }
  h = ((h ^ (h >> 47n)) * M64) & MASK
  return h ^ (h >> 47n)
}

/** MurmurHash2 of 32 bits: of filters that old versions made. */
function murmur32(bytes: Uint8Array, seed: number): number {
  const m = 0x5bd1e995
  const whole = bytes.length & ~3
  let h = seed ^ bytes.length
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  if (whole < bytes.length) {
    let rest = 0
    for (let i = bytes.length - 1; i >= whole; i--) rest = (rest << 8) | bytes[i]
    h = Math.imul(h ^ rest, m)
  }
  h = Math.imul(h ^ (h >>> 13), m)
  return (h ^ (h >>> 15)) >>> 0
}

function hashesOf({ options }: Chain, item: Uint8Array): [bigint, bigint] {
  if ((options & HASH_64) !== 0) {
    const a = murmur64(item, M64)
    return [a, murmur64(item, a)]
  }
  const a = murmur32(item, 0x9747b28c)
  return [BigInt(a), BigInt(murmur32(item, a))]
}

/** Whether all bits of an item are set; `sets`: they are afterwards. */
function test({ hashes, bits, n2 }: Link, { options }: Chain, [a, b]: [bigint, bigint], sets: boolean): boolean {
  const modulus = n2 > 0 ? 1n << BigInt(n2) : BigInt(bits.length * 8)
  const width = (options & HASH_64) !== 0 || n2 === 0 || n2 > 31 ? 64 : 32
  let all = true
  for (let i = 0; i < hashes; i++) {
    const at = Number(BigInt.asUintN(width, a + BigInt(i) * b) % modulus)
    const mask = 1 << (at & 7)
    const byte = Math.floor(at / 8)
    if ((bits[byte] & mask) !== 0) continue
    all = false
    if (!sets) return false
    bits[byte] |= mask
  }
  return all
}

// ---- chains ----

function newLink(capacity: number, error: number): Link {
  const bitsPerItem = -Math.log(error) / 0.480453013918201
  const bytes = Math.ceil(Math.max(1, Math.floor(capacity * bitsPerItem)) / 64) * 8
  if (!(bytes <= BYTES_MAX)) throw new CommandError('ERR could not create filter')
  const hashes = Math.ceil(0.693147180559945 * bitsPerItem)
  return { capacity, error, hashes, bitsPerItem, n2: 0, bits: new Uint8Array(bytes), items: 0 }
}

export function newChain({ error, capacity, growth, isFixed }: Options): Chain {
  const options = NO_ROUND | HASH_64 | (isFixed ? FIXED : 0)
  return { items: 0, options, growth, links: [newLink(capacity, isFixed ? error : error * TIGHTENING)] }
}

export function has(chain: Chain, item: Uint8Array): boolean {
  return hasHashes(chain, hashesOf(chain, item))
}

function hasHashes(chain: Chain, hashes: [bigint, bigint]): boolean {
  return chain.links.some(link => test(link, chain, hashes, false))
}

/** 1: added; 0: it was (or seemed to be) there. Throws a CommandError for a full filter that does not grow. */
export function add(chain: Chain, item: Uint8Array): number {
  const hashes = hashesOf(chain, item)
  if (hasHashes(chain, hashes)) return 0
  const { links } = chain
  let last = links[links.length - 1]
  if (last.items >= last.capacity) {
    if ((chain.options & FIXED) !== 0) throw new CommandError('ERR non scaling filter is full')
    if (links.length === LINKS_MAX) throw new CommandError('ERR could not create filter')
    last = newLink(last.capacity * chain.growth, last.error * TIGHTENING)
    links.push(last)
  }
  test(last, chain, hashes, true)
  last.items++
  chain.items++
  return 1
}

/** Throws unless the parts fit each other: they come from files and clients. */
export function checked(chain: Chain): Chain {
  const sum = chain.links.reduce((total, { items }) => total + items, 0)
  const fits = chain.links.every(
    ({ error, hashes, bits, n2 }) =>
      error > 0 && error < 1 && hashes > 0 && hashes < LINKS_MAX && bits.length > 0 && bits.length * 8 >= 2 ** n2,
  )
  if (chain.links.length === 0 || !fits || sum !== chain.items) throw new CommandError(BAD_DATA)
  return chain
}

export function bytesOf({ links }: Chain): number {
  return links.reduce((sum, { bits }) => sum + LINK_BYTES + bits.length, CHAIN_BYTES)
}

// ---- chunks: [ size u64 | links u32 | options u32 | growth u32 | headers of links … ], then the bits of all links ----

function headerOf({ items, options, growth, links }: Chain): Uint8Array {
  const dv = new DataView(new ArrayBuffer(HEADER_BYTES + LINK_HEADER_BYTES * links.length))
  dv.setBigUint64(0, BigInt(items), true)
  for (const [i, n] of [links.length, options, growth].entries()) dv.setUint32(8 + i * 4, n, true)
  for (const [i, link] of links.entries()) {
    const at = HEADER_BYTES + LINK_HEADER_BYTES * i
    const { length } = link.bits
    for (const [j, n] of [length, length * 8, link.items].entries()) dv.setBigUint64(at + j * 8, BigInt(n), true)
    dv.setFloat64(at + 24, link.error, true)
    dv.setFloat64(at + 32, link.bitsPerItem, true)
    dv.setUint32(at + 40, link.hashes, true)
    dv.setBigUint64(at + 44, BigInt(link.capacity), true)
    dv.setUint8(at + 52, link.n2)
  }
  return new Uint8Array(dv.buffer)
}

export function chainOf(header: Uint8Array): Chain {
  const dv = new DataView(header.buffer, header.byteOffset, header.length)
  const count = header.length < HEADER_BYTES ? 0 : dv.getUint32(8, true)
  if (count === 0 || header.length !== HEADER_BYTES + count * LINK_HEADER_BYTES) throw new CommandError(BAD_DATA)
  const links = Array.from({ length: count }, (_, i): Link => {
    const at = HEADER_BYTES + LINK_HEADER_BYTES * i
    const long = (offset: number) => Number(dv.getBigUint64(at + offset, true))
    if (long(0) > BYTES_MAX || long(8) !== long(0) * 8) throw new CommandError(BAD_DATA)
    const [error, bitsPerItem, hashes] = [dv.getFloat64(at + 24, true), dv.getFloat64(at + 32, true), dv.getUint32(at + 40, true)]
    const n2 = dv.getUint8(at + 52)
    return { capacity: long(44), error, hashes, bitsPerItem, n2, bits: new Uint8Array(long(0)), items: long(16) }
  })
  const [options, growth] = [dv.getUint32(12, true), dv.getUint32(16, true)]
  return checked({ items: Number(dv.getBigUint64(0, true)), options, growth, links })
}

/** The link that has this byte of all bits, and where in it; undefined: beyond the end. */
export function placeOf({ links }: Chain, at: number): { link: Link; offset: number } | undefined {
  let offset = at
  for (const link of links) {
    if (offset < link.bits.length) return { link, offset }
    offset -= link.bits.length
  }
  return undefined
}

export function chunkOf(chain: Chain, at: number): { next: number; data: Uint8Array } {
  if (at === 0) return { next: 1, data: headerOf(chain) }
  const place = at < 1 ? undefined : placeOf(chain, at - 1)
  if (place === undefined) return { next: 0, data: new Uint8Array(0) }
  const data = place.link.bits.slice(place.offset, place.offset + CHUNK_BYTES)
  return { next: at + data.length, data }
}

/** As BF.DEBUG has it. */
export function linesOf({ items, options, links }: Chain): string[] {
  const width = (options & HASH_64) === 0 ? 32 : 64
  const lines = links.map(({ bits, hashes, capacity, items: size, error }) => {
    const sizes = `bytes:${bits.length} bits:${bits.length * 8} hashes:${hashes} hashwidth:${width}`
    return `${sizes} capacity:${capacity} size:${size} ratio:${shown(error)}`
  })
  return [`size:${items}`, ...lines]
}

/** As printf's %g. */
function shown(n: number): string {
  const rounded = Number(n.toPrecision(6))
  return rounded >= 1e-4 ? String(rounded) : rounded.toExponential().replace('e-', rounded >= 1e-9 ? 'e-0' : 'e-')
}
