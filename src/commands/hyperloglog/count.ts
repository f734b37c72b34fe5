// PFADD, PFCOUNT, PFMERGE. registers.ts has the format of the strings.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STRING } from '../../engine/messaging/events.ts'
import { LOOKUP_WRITE } from '../../keyspace/database.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { copySlice } from '../../lib/bytes.ts'
import { registerAndRun } from '../../lib/murmur.ts'
import { Slice } from '../../lib/slice.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorBytes } from '../../protocol/reply.ts'
import * as hll from './registers.ts'

const NOT_ONE = errorBytes('WRONGTYPE Key is not a valid HyperLogLog string value.')
export const CORRUPT = errorBytes('INVALIDOBJ Corrupted HLL object detected')
export const REGISTER_MASK = hll.REGISTERS - 1
export const REGISTER_BITS = 14

const pfAdd: Command = {
  name: 'pfadd',
  arity: -2,
  flags: 'write denyoom fast',
  keys: 'RW INSERT @1',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Count elements in a HyperLogLog, which is made if the key is missing.',
  complexity: 'O(1) for each element.',
  args: 'key#0 [element...]',
  run(ctx) {
    const { args, argc, db, reply } = ctx
    const key = args[1]
    let entry = ctx.writeOrReply(key, TYPE_STRING)
    let changes = 0
    if (entry === 0) {
      entry = db.strings.resize(db, key, 0, hll.EMPTY_BYTES)
      hll.writeEmpty(db.strings.textOf(entry, ctx.value))
      changes++
    } else if (entry === WRONG || !isValidOrReply(ctx, entry)) return
    for (let i = 2; i < argc; i++) {
      const outcome = add(ctx, key, entry, args[i])
      if (outcome === 'corrupt') return reply.fixedError(CORRUPT)
      if (outcome === 'changed') changes++
      if (outcome !== 'same') entry = db.find(key)
    }
    if (changes > 0) {
      hll.invalidateCardinality(db.strings.textOf(entry, ctx.value))
      ctx.touched(key, 'pfadd', NOTIFY_STRING, changes)
    }
    reply.integer(changes > 0 ? 1 : 0)
  },
}

/** Adds an element to the HyperLogLog in `entry`, which may move unless the outcome is 'same'. */
function add(ctx: Context, key: Slice, entry: Ref, element: Slice): hll.Outcome {
  const { db } = ctx
  const hash = registerAndRun(element)
  const register = hash & REGISTER_MASK
  const run = hash >>> REGISTER_BITS
  const { hllSparseMaxBytes } = ctx.settings
  const value = db.strings.textOf(entry, ctx.value)
  if (hll.encodingOf(value) === hll.DENSE) return hll.raiseRegister(value, register, run, hllSparseMaxBytes)
  if (hll.sparseHolds(value, register, run)) return 'same'
  const length = value.len
  const roomy = db.strings.resize(db, key, entry, length + hll.GROWTH_BYTES)
  db.strings.textOf(roomy, value).len = length
  const outcome = hll.raiseRegister(value, register, run, hllSparseMaxBytes)
  db.strings.resize(db, key, roomy, value.len)
  if (outcome !== 'promote') return outcome
  if (!makeDense(ctx, key, roomy)) return 'corrupt'
  return hll.raiseRegister(ctx.value, register, run, hllSparseMaxBytes)
}

/** Converts a sparse HyperLogLog to dense; ctx.value then points at it. False when it is corrupt. */
export function makeDense(ctx: Context, key: Slice, entry: Ref): boolean {
  const { db } = ctx
  const length = db.strings.lengthOf(entry)
  const roomy = db.strings.resize(db, key, entry, Math.max(length, hll.DENSE_BYTES))
  const value = db.strings.textOf(roomy, ctx.value)
  value.len = length
  const whole = hll.toDense(value)
  db.strings.textOf(db.strings.resize(db, key, roomy, value.len), value)
  return whole
}

export function isValidOrReply(ctx: Context, entry: Ref): boolean {
  if (hll.isHyperLogLog(ctx.db.strings.textOf(entry, ctx.value))) return true
  ctx.reply.fixedError(NOT_ONE)
  return false
}

const pfCount: Command = {
  name: 'pfcount',
  arity: -2,
  flags: 'readonly may_replicate',
  keys: 'RW ACCESS @1..-1 (the cached estimate is stored)',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Estimate how many different elements were counted, in one HyperLogLog or in several together.',
  complexity: 'O(1) for one key, whose estimate is cached; O(N) for N keys, each at some cost.',
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
    if (cached >= 0) return reply.long(cached)
    const cardinality = hll.cardinality(ctx.value)
    if (cardinality < 0) return reply.fixedError(CORRUPT)
    // The cached cardinality is part of the string, so the change is propagated, without a keyspace event.
    hll.cacheCardinality(db.strings.textOf(db.lookup(args[1], LOOKUP_WRITE), ctx.value), cardinality)
    ctx.touched(args[1], 'pfcount', 0)
    reply.integer(cardinality)
  },
}

/** Merges a key's HyperLogLog, if it exists, into `registers`; false after an error reply. */
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
  summary: 'Combine HyperLogLogs into one.',
  complexity: 'O(N), N = HyperLogLogs, each at some cost.',
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
    const entry = db.lookup(args[1], LOOKUP_WRITE)
    const { hllSparseMaxBytes } = ctx.settings
    const result = roomyCopy(entry === 0 ? undefined : db.strings.textOf(entry, ctx.value))
    if (hll.exceedsSparse(registers, hllSparseMaxBytes)) dense = true
    if (dense && hll.encodingOf(result) === hll.SPARSE && !hll.toDense(result)) return reply.fixedError(CORRUPT)
    const cursor = hll.sparseCursor()
    for (let i = 0; i < hll.REGISTERS; i++) {
      if (registers[i] === 0) continue
      if (hll.raiseRegister(result, i, registers[i], hllSparseMaxBytes, cursor) !== 'promote') continue
      hll.toDense(result)
      hll.raiseRegister(result, i, registers[i], hllSparseMaxBytes)
    }
    hll.invalidateCardinality(result)
    const value = db.strings.textOf(db.strings.resize(db, args[1], entry, result.len), ctx.value)
    copySlice(value.u8, value.dv, value.off, result)
    ctx.touched(args[1], 'pfadd', NOTIFY_STRING)
    reply.ok()
  },
}

/** A copy, or an empty HyperLogLog, with capacity for any change. */
export function roomyCopy(value: Slice | undefined): Slice {
  const copy = new Slice(new Uint8Array(Math.max(hll.DENSE_BYTES, value?.len ?? 0) + hll.GROWTH_BYTES))
  if (value === undefined) hll.writeEmpty(copy)
  else {
    copySlice(copy.u8, copy.dv, 0, value)
    copy.len = value.len
  }
  return copy
}

export const countingCommands: readonly Command[] = [pfAdd, pfCount, pfMerge]
