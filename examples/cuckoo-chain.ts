// Cuckoo filters that grow, as RedisBloom makes them: tables of fingerprints, and the chunks of CF.SCANDUMP.
//
//   table   [ bucket: fingerprint … | bucket | … ]   0: free        an item's two buckets: h, h ^ fingerprint * MIX
//
// A full bucket gives one of its fingerprints to that one's other bucket, and so on; after `iterations` of that the steps
// are taken back, and another table is added, `growth` times as large.
//
// Always: an item that was added is found until it is removed. The number of buckets is a power of two, so that the lower
// 32 bits of a hash tell the bucket.

import { CommandError } from '../src/module.ts'
import { murmur64 } from './bloom-chain.ts'

export interface Options {
  readonly bucketSize: number
  readonly iterations: number
  readonly growth: number
}

export interface Chain extends Options {
  /** Of the first table. */
  readonly buckets: number
  items: number
  deletes: number
  readonly tables: Uint8Array[]
}

export const DEFAULTS: { -readonly [Name in keyof Options]: Options[Name] } = { bucketSize: 2, iterations: 20, growth: 1 }
export const BUCKET_SIZE_MAX = 255
export const SHORT_MAX = 65535
const MIX = 0x5bd1e995
const BYTES_MAX = 2 ** 30
const TABLES_MAX = 1000
const CHAIN_BYTES = 40
const TABLE_BYTES = 16
const HEADER_BYTES = 38
const CHUNK_BYTES = 16 * 1024 * 1024
/** Removals, as a share of the items, after which the tables are made compact. */
const COMPACT_SHARE = 0.1

interface Item {
  readonly fingerprint: number
  readonly hash: number
}

function itemOf(bytes: Uint8Array): Item {
  const hash = murmur64(bytes, 0n)
  return { fingerprint: Number(hash % 255n) + 1, hash: Number(BigInt.asUintN(32, hash)) }
}

function otherOf(fingerprint: number, hash: number): number {
  return (hash ^ Math.imul(fingerprint, MIX)) >>> 0
}

/** Where the bucket of a hash begins in a table. */
function bucketAt(table: Uint8Array, bucketSize: number, hash: number): number {
  return (hash % (table.length / bucketSize)) * bucketSize
}

/** The first place in a bucket with this fingerprint, or -1. */
function find(table: Uint8Array, at: number, bucketSize: number, fingerprint: number): number {
  for (let i = at; i < at + bucketSize; i++) if (table[i] === fingerprint) return i
  return -1
}

function findInEither(table: Uint8Array, bucketSize: number, { fingerprint, hash }: Item, wanted: number): number {
  const first = find(table, bucketAt(table, bucketSize, hash), bucketSize, wanted)
  return first >= 0 ? first : find(table, bucketAt(table, bucketSize, otherOf(fingerprint, hash)), bucketSize, wanted)
}

function nextPowerOf2(n: number): number {
  return n <= 1 ? n : 2 ** Math.ceil(Math.log2(n))
}

function newTable({ buckets, bucketSize, growth }: Pick<Chain, 'buckets' | 'bucketSize' | 'growth'>, index: number): Uint8Array {
  const bytes = buckets * bucketSize * growth ** index
  if (!(bytes <= BYTES_MAX)) throw new CommandError("Couldn't create Cuckoo Filter")
  return new Uint8Array(bytes)
}

export function newChain(capacity: number, { bucketSize, iterations, growth: given }: Options): Chain {
  const growth = nextPowerOf2(given)
  const buckets = nextPowerOf2(Math.floor(capacity / bucketSize)) || 1
  return { bucketSize, iterations, growth, buckets, items: 0, deletes: 0, tables: [newTable({ buckets, bucketSize, growth }, 0)] }
}

// ---- items ----

export function count({ tables, bucketSize }: Chain, bytes: Uint8Array): number {
  const { fingerprint, hash } = itemOf(bytes)
  let sum = 0
  for (const table of tables)
    for (const one of [hash, otherOf(fingerprint, hash)]) {
      const at = bucketAt(table, bucketSize, one)
      for (let i = at; i < at + bucketSize; i++) if (table[i] === fingerprint) sum++
    }
  return sum
}

/** 1: added; -1: full, and the filter does not grow. */
export function add(chain: Chain, bytes: Uint8Array): number {
  const item = itemOf(bytes)
  const { tables, growth } = chain
  for (;;) {
    if (place(chain, item) || displace(chain, item)) break
    if (growth === 0) return -1
    if (tables.length === TABLES_MAX) throw new CommandError('Maximum expansions reached')
    tables.push(newTable(chain, tables.length))
  }
  chain.items++
  return 1
}

/** Puts an item where there is space, in the last table first. */
function place({ tables, bucketSize }: Chain, item: Item): boolean {
  for (let i = tables.length - 1; i >= 0; i--) if (placeIn(tables[i], bucketSize, item)) return true
  return false
}

function placeIn(table: Uint8Array, bucketSize: number, item: Item): boolean {
  const at = findInEither(table, bucketSize, item, 0)
  if (at >= 0) table[at] = item.fingerprint
  return at >= 0
}

/** Makes space in the last table; if it cannot, all is as before. */
function displace({ tables, bucketSize, iterations }: Chain, item: Item): boolean {
  const table = tables[tables.length - 1]
  let { fingerprint, hash } = item
  let victim = 0
  const steps: [at: number, was: number][] = []
  for (let step = 0; step < iterations; step++) {
    const at = bucketAt(table, bucketSize, hash) + victim
    steps.push([at, table[at]])
    const taken = table[at]
    table[at] = fingerprint
    fingerprint = taken
    hash = otherOf(fingerprint, bucketAt(table, bucketSize, hash) / bucketSize)
    const free = find(table, bucketAt(table, bucketSize, hash), bucketSize, 0)
    if (free >= 0) {
      table[free] = fingerprint
      return true
    }
    victim = (victim + 1) % bucketSize
  }
  for (const [at, was] of steps.reverse()) table[at] = was
  return false
}

/** False: it is not there. */
export function remove(chain: Chain, bytes: Uint8Array): boolean {
  const item = itemOf(bytes)
  const { tables, bucketSize } = chain
  for (let i = tables.length - 1; i >= 0; i--) {
    const at = findInEither(tables[i], bucketSize, item, item.fingerprint)
    if (at < 0) continue
    tables[i][at] = 0
    chain.items--
    chain.deletes++
    if (tables.length > 1 && chain.deletes > chain.items * COMPACT_SHARE) compact(chain, false)
    return true
  }
  return false
}

/** Moves fingerprints of later tables to earlier ones; an empty last table goes. `isWhole`: of all tables, in any case. */
export function compact(chain: Chain, isWhole: boolean): void {
  for (let i = chain.tables.length - 1; i > 0; i--) if (!emptied(chain, i) && !isWhole) break
  chain.deletes = 0
}

function emptied({ tables, bucketSize }: Chain, index: number): boolean {
  const table = tables[index]
  let left = 0
  for (let at = 0; at < table.length; at++) {
    if (table[at] === 0) continue
    const item = { fingerprint: table[at], hash: Math.floor(at / bucketSize) }
    if (tables.slice(0, index).some(earlier => placeIn(earlier, bucketSize, item))) table[at] = 0
    else left++
  }
  if (left === 0 && index === tables.length - 1) tables.pop()
  return left === 0
}

/** Throws unless the parts fit each other: they come from files and clients. */
export function checked(chain: Chain): Chain {
  const { buckets, bucketSize, iterations, growth, items, tables } = chain
  const isPower = (n: number) => n >= 1 && Number.isInteger(Math.log2(n))
  const fits = tables.every((table, i) => table.length === buckets * bucketSize * growth ** i && table.length <= BYTES_MAX)
  const isInRange = bucketSize >= 1 && bucketSize <= BUCKET_SIZE_MAX && iterations >= 1 && iterations <= SHORT_MAX
  const isGrowth = growth === 0 || isPower(growth)
  if (tables.length < 1 || tables.length > TABLES_MAX || !isPower(buckets) || !fits || !isInRange || !isGrowth || items < 0)
    throw new CommandError('Invalid header')
  return chain
}

export function bytesOf({ tables }: Chain): number {
  return tables.reduce((sum, { length }) => sum + TABLE_BYTES + length, CHAIN_BYTES)
}

// ---- chunks: [ items u64 | buckets u64 | deletes u64 | tables u64 | bucket size u16 | iterations u16 | growth u16 ], then
// the tables

function headerOf({ items, buckets, deletes, tables, bucketSize, iterations, growth }: Chain): Uint8Array {
  const dv = new DataView(new ArrayBuffer(HEADER_BYTES))
  for (const [i, n] of [items, buckets, deletes, tables.length].entries()) dv.setBigUint64(i * 8, BigInt(n), true)
  for (const [i, n] of [bucketSize, iterations, growth].entries()) dv.setUint16(32 + i * 2, n, true)
  return new Uint8Array(dv.buffer)
}

export function chainOf(header: Uint8Array): Chain {
  if (header.length !== HEADER_BYTES) throw new CommandError('Invalid header')
  const dv = new DataView(header.buffer, header.byteOffset, header.length)
  const [items, buckets, deletes, length] = [0, 8, 16, 24].map(at => Number(dv.getBigUint64(at, true)))
  const [bucketSize, iterations, growth] = [32, 34, 36].map(at => dv.getUint16(at, true))
  if (length < 1 || length > TABLES_MAX) throw new CommandError('Invalid header')
  const empty = { bucketSize, iterations, growth, buckets, items, deletes }
  const bytes = Array.from({ length }, (_, i) => buckets * bucketSize * growth ** i).reduce((sum, n) => sum + n, 0)
  if (!(bytes <= BYTES_MAX)) throw new CommandError("Couldn't create filter!")
  return checked({ ...empty, tables: Array.from({ length }, (_, i) => newTable(empty, i)) })
}

/** The table that has this byte of all tables, and where in it; undefined: beyond the end. */
export function placeOf({ tables }: Chain, at: number): { table: Uint8Array; offset: number } | undefined {
  let offset = at
  for (const table of tables) {
    if (offset < table.length) return { table, offset }
    offset -= table.length
  }
  return undefined
}

export function chunkOf(chain: Chain, at: number): { next: number; data: Uint8Array } {
  if (at === 0) return { next: 1, data: headerOf(chain) }
  const found = placeOf(chain, at - 1)
  if (found === undefined) return { next: 0, data: new Uint8Array(0) }
  const data = found.table.slice(found.offset, found.offset + CHUNK_BYTES)
  return { next: at + data.length, data }
}
