// The HyperLogLog commands. The strings they work on are described in registers.ts.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STRING } from '../../engine/events.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { copySlice } from '../../lib/bytes.ts'
import { registerAndRun } from '../../lib/murmur.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorBytes } from '../../protocol/reply.ts'
import * as hll from './registers.ts'

const NOT_ONE = errorBytes('WRONGTYPE Key is not a valid HyperLogLog string value.')
const CORRUPT = errorBytes('INVALIDOBJ Corrupted HLL object detected')
const NO_SUCH_KEY = errorBytes('ERR The specified key does not exist')
const NOT_SPARSE = errorBytes('ERR HLL encoding is not sparse')
const REGISTER_MASK = hll.REGISTERS - 1
const REGISTER_BITS = 14

const pfAdd: Command = {
  name: 'pfadd',
  arity: -2,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: "Adds elements to a HyperLogLog key. Creates the key if it doesn't exist.",
  complexity: 'O(1) to add every element.',
  args: 'key#0 [element...]',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const key = args[1]
    let entry = ctx.writeOrReply(key, TYPE_STRING)
    let changes = 0
    if (entry === 0) {
      entry = db.resizeString(key, 0, hll.EMPTY_BYTES)
      hll.writeEmpty(db.stringOf(entry, ctx.value))
      changes++
    } else if (entry === WRONG || !isValidOrReply(ctx, entry)) return
    for (let i = 2; i < argc; i++) {
      const outcome = add(ctx, key, entry, args[i])
      if (outcome === 'corrupt') return reply.fixedError(CORRUPT)
      if (outcome === 'changed') changes++
      if (outcome !== 'same') entry = db.find(key)
    }
    if (changes > 0) {
      hll.invalidateCardinality(db.stringOf(entry, ctx.value))
      ctx.touched(key, 'pfadd', NOTIFY_STRING, changes)
    }
    reply.integer(changes > 0 ? 1 : 0)
  },
}

/** Adds one element to the HyperLogLog in `entry`, which may move unless the outcome is 'same'. */
function add(ctx: Context, key: Slice, entry: Ref, element: Slice): hll.Outcome {
  const { db } = ctx
  const hash = registerAndRun(element)
  const register = hash & REGISTER_MASK
  const run = hash >>> REGISTER_BITS
  const { hllSparseMaxBytes } = ctx.settings
  const value = db.stringOf(entry, ctx.value)
  if (hll.encodingOf(value) === hll.DENSE) return hll.raiseRegister(value, register, run, hllSparseMaxBytes)
  if (hll.sparseHolds(value, register, run)) return 'same'
  const length = value.len
  const roomy = db.resizeString(key, entry, length + hll.GROWTH_BYTES)
  db.stringOf(roomy, value).len = length
  const outcome = hll.raiseRegister(value, register, run, hllSparseMaxBytes)
  db.resizeString(key, roomy, value.len)
  if (outcome !== 'promote') return outcome
  if (!makeDense(ctx, key, roomy)) return 'corrupt'
  return hll.raiseRegister(ctx.value, register, run, hllSparseMaxBytes)
}

/** Makes the sparse HyperLogLog of a key dense; ctx.value then is it. False when it is corrupt. */
function makeDense(ctx: Context, key: Slice, entry: Ref): boolean {
  const { db } = ctx
  const length = db.stringLength(entry)
  const roomy = db.resizeString(key, entry, Math.max(length, hll.DENSE_BYTES))
  const value = db.stringOf(roomy, ctx.value)
  value.len = length
  const whole = hll.toDense(value)
  db.stringOf(db.resizeString(key, roomy, value.len), value)
  return whole
}

function isValidOrReply(ctx: Context, entry: Ref): boolean {
  if (hll.isHyperLogLog(ctx.db.stringOf(entry, ctx.value))) return true
  ctx.reply.fixedError(NOT_ONE)
  return false
}

const pfCount: Command = {
  name: 'pfcount',
  arity: -2,
  flags: 'readonly may_replicate',
  keys: 'RW ACCESS @1..-1 (RW because it may change the internal representation of the key, and propagate to replicas)',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Returns the approximated cardinality of the set(s) observed by the HyperLogLog key(s).',
  complexity:
    'O(1) with a very small average constant time when called with a single key. O(N) with N being the number of ' +
    'keys, and much bigger constant times, when called with multiple keys.',
  args: 'key#0...',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    if (argc > 2) {
      const registers = new Uint8Array(hll.REGISTERS)
      for (let i = 1; i < argc; i++) if (!mergedOrReply(ctx, args[i], registers)) return
      return reply.integer(hll.cardinalityOf(registers))
    }
    const entry = ctx.readOrReply(args[1], TYPE_STRING)
    if (entry === 0) return reply.integer(0)
    if (entry === WRONG || !isValidOrReply(ctx, entry)) return
    const cached = hll.cachedCardinality(ctx.value)
    if (cached >= 0) return Number.isSafeInteger(cached) ? reply.integer(cached) : reply.bigint(BigInt(cached))
    const cardinality = hll.cardinality(ctx.value)
    if (cardinality < 0) return reply.fixedError(CORRUPT)
    // What is cached is part of the string, so that replicas must hear of it; no event says so.
    hll.cacheCardinality(db.stringOf(db.lookupWrite(args[1]), ctx.value), cardinality)
    ctx.touched(args[1], 'pfcount', 0)
    reply.integer(cardinality)
  },
}

/** Raises `registers` to those of a key's HyperLogLog, if there is one; false after an error reply. */
function mergedOrReply(ctx: Context, key: Slice, registers: Uint8Array): boolean {
  const entry = ctx.readOrReply(key, TYPE_STRING)
  if (entry === 0) return true
  if (entry === WRONG || !isValidOrReply(ctx, entry)) return false
  if (hll.mergeInto(registers, ctx.value)) return true
  ctx.reply.fixedError(CORRUPT)
  return false
}

const pfMerge: Command = {
  name: 'pfmerge',
  arity: -2,
  flags: 'write denyoom',
  keys: 'RW ACCESS INSERT @1; RO ACCESS @2..-1',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Merges one or more HyperLogLog values into a single key.',
  complexity: 'O(N) to merge N HyperLogLogs, but with high constant times.',
  args: 'destkey#0 [sourcekey#1...]',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const registers = new Uint8Array(hll.REGISTERS)
    let dense = false
    for (let i = 1; i < argc; i++) {
      ctx.value.len = 0
      if (!mergedOrReply(ctx, args[i], registers)) return
      if (ctx.value.len > 0 && hll.encodingOf(ctx.value) === hll.DENSE) dense = true
    }
    const entry = db.lookupWrite(args[1])
    const result = roomyCopy(entry === 0 ? undefined : db.stringOf(entry, ctx.value))
    if (dense && hll.encodingOf(result) === hll.SPARSE && !hll.toDense(result)) return reply.fixedError(CORRUPT)
    const { hllSparseMaxBytes } = ctx.settings
    for (let i = 0; i < hll.REGISTERS; i++) {
      if (registers[i] === 0) continue
      if (hll.raiseRegister(result, i, registers[i], hllSparseMaxBytes) !== 'promote') continue
      hll.toDense(result)
      hll.raiseRegister(result, i, registers[i], hllSparseMaxBytes)
    }
    hll.invalidateCardinality(result)
    const value = db.stringOf(db.resizeString(args[1], entry, result.len), ctx.value)
    copySlice(value.u8, value.dv, value.off, result)
    ctx.touched(args[1], 'pfadd', NOTIFY_STRING)
    reply.ok()
  },
}

/** A copy, or an empty HyperLogLog, with room for every change. */
function roomyCopy(value: Slice | undefined): Slice {
  const copy = new Slice(new Uint8Array(Math.max(hll.DENSE_BYTES, value?.len ?? 0) + hll.GROWTH_BYTES))
  if (value === undefined) hll.writeEmpty(copy)
  else {
    copySlice(copy.u8, copy.dv, 0, value)
    copy.len = value.len
  }
  return copy
}

const pfDebug: Command = {
  name: 'pfdebug',
  arity: 3,
  flags: 'write denyoom admin',
  keys: 'RW ACCESS @2',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Internal commands for debugging HyperLogLog values.',
  complexity: 'N/A',
  args: 'subcommand key#0',
  syscmd: true,
  run(ctx) {
    const { args, db, reply } = ctx
    const entry = ctx.writeOrReply(args[2], TYPE_STRING)
    if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
    if (entry === WRONG || !isValidOrReply(ctx, entry)) return
    const sparse = hll.encodingOf(ctx.value) === hll.SPARSE
    if (ctx.is(1, 'encoding')) return reply.simple(sparse ? 'sparse' : 'dense')
    if (ctx.is(1, 'decode')) {
      return sparse ? reply.bulkText(decoded(ctx.value)) : reply.fixedError(NOT_SPARSE)
    }
    const getRegisters = ctx.is(1, 'getreg')
    if (!getRegisters && !ctx.is(1, 'todense')) {
      return reply.error(`ERR Unknown PFDEBUG subcommand '${args[1].latin1()}'`)
    }
    if (sparse) {
      if (!makeDense(ctx, args[2], entry)) return reply.fixedError(CORRUPT)
      ctx.keyspace.dirty++
    }
    if (!getRegisters) return reply.integer(sparse ? 1 : 0)
    db.stringOf(db.find(args[2]), ctx.value)
    reply.array(hll.REGISTERS)
    for (let i = 0; i < hll.REGISTERS; i++) reply.integer(hll.denseRegister(ctx.value, i))
  },
}

/** The opcodes of a sparse string: z and Z are zeros in one and two bytes, v is a value and how often. */
function decoded(value: Slice): string {
  const words: string[] = []
  hll.forEachRun(value, (_first, length, run) => {
    words.push(run > 0 ? `v:${run},${length}` : `${length > 64 ? 'Z' : 'z'}:${length}`)
  })
  return words.join(' ')
}

const SELF_TEST_ROUNDS = 20
const SELF_TEST_ELEMENTS = 1_000_000
const STANDARD_ERROR = 1.04 / Math.sqrt(hll.REGISTERS)

const pfSelfTest: Command = {
  name: 'pfselftest',
  arity: 1,
  flags: 'admin',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'An internal command for testing HyperLogLog values.',
  complexity: 'N/A',
  syscmd: true,
  run(ctx) {
    const failure = registersFail(ctx.keyspace.random) ?? estimatesFail(ctx)
    if (failure === undefined) ctx.reply.ok()
    else ctx.reply.error(`ERR TESTFAILED ${failure}`)
  },
}

function registersFail(random: () => number): string | undefined {
  const dense = roomyCopy(undefined)
  hll.toDense(dense)
  const expected = new Uint8Array(hll.REGISTERS)
  for (let round = 0; round < SELF_TEST_ROUNDS; round++) {
    for (let i = 0; i < hll.REGISTERS; i++) hll.setDense(dense, i, (expected[i] = random() & 63))
    for (let i = 0; i < hll.REGISTERS; i++) {
      const value = hll.denseRegister(dense, i)
      if (value !== expected[i]) return `Register ${i} should be ${expected[i]} but is ${value}`
    }
  }
  return undefined
}

/** Sparse and dense must agree, and neither may be off by more than six standard errors. */
function estimatesFail(ctx: Context): string | undefined {
  const { hllSparseMaxBytes } = ctx.settings
  const sparse = roomyCopy(undefined)
  const dense = roomyCopy(undefined)
  hll.toDense(dense)
  const element = new Slice(new Uint8Array(8), 0, 8)
  element.dv.setUint32(4, ctx.keyspace.random())
  let checkpoint = 1
  for (let i = 1; i <= SELF_TEST_ELEMENTS; i++) {
    element.dv.setUint32(0, i)
    const hash = registerAndRun(element)
    hll.raiseRegister(dense, hash & REGISTER_MASK, hash >>> REGISTER_BITS, hllSparseMaxBytes)
    if (hll.raiseRegister(sparse, hash & REGISTER_MASK, hash >>> REGISTER_BITS, hllSparseMaxBytes) === 'promote') {
      hll.toDense(sparse)
      hll.raiseRegister(sparse, hash & REGISTER_MASK, hash >>> REGISTER_BITS, hllSparseMaxBytes)
    }
    if (i !== checkpoint) continue
    if (i < hllSparseMaxBytes / 2 && hll.encodingOf(sparse) !== hll.SPARSE) return 'sparse encoding not used'
    const counted = hll.cardinality(dense)
    if (counted !== hll.cardinality(sparse)) return 'dense/sparse disagree'
    const error = Math.abs(counted - checkpoint)
    // Of ten elements two may fall to one register now and then.
    if (error > (i === 10 ? 1 : Math.ceil(STANDARD_ERROR * 6 * checkpoint))) {
      return `Too big error. card:${checkpoint} abserr:${error}`
    }
    checkpoint *= 10
  }
  return undefined
}

export const hyperloglogCommands: readonly Command[] = [pfAdd, pfCount, pfMerge, pfDebug, pfSelfTest]
