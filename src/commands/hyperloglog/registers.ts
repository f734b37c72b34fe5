// HyperLogLog: an estimate of the number of different elements with a standard error of 0.81 %, in at most 12 KiB. The
// strings are byte for byte those of Redis.
//
//   0        "HYLL"
//   4        encoding: 0 dense, 1 sparse; three zero bytes
//   8        cached cardinality u64, little-endian; its highest bit set: not valid
//   16       dense: 16384 registers of 6 bits, from the lowest bit of each byte up
//            sparse: runs of registers, in order, 16384 altogether
//              00llllll            l + 1 zeros
//              01llllll llllllll   l + 1 zeros
//              1vvvvvll            l + 1 times the value v + 1
//
// A register has the longest run of zeros in the hashes assigned to it. Estimator: Otmar Ertl, "New cardinality
// estimation algorithms for HyperLogLog sketches", arXiv:1702.01284.
//
// Always: a Slice to be written has GROWTH_BYTES of free capacity after its end, DENSE_BYTES in all where it may be
// promoted; its `len` is updated.

import { bytesOf } from '../../lib/bytes.ts'
import { type Long, longOf } from '../../lib/long-field.ts'
import type { Slice } from '../../lib/slice.ts'

export const REGISTERS = 16384
export const DENSE = 0
export const SPARSE = 1
const HEAD_BYTES = 16
export const DENSE_BYTES = HEAD_BYTES + (REGISTERS * 6) / 8
export const EMPTY_BYTES = HEAD_BYTES + 2
/** The most that one setRegister() adds to a sparse string. */
export const GROWTH_BYTES = 4

const ENCODING_AT = 4
const CARDINALITY_AT = 8
const STALE = 0x80
const MAGIC = bytesOf('HYLL')

const REGISTER_MAX = 63
const XZERO = 0x40
const VALUE = 0x80
const ZERO_LENGTH_MAX = 64
const VALUE_MAX = 32
const VALUE_LENGTH_MAX = 4
const MERGE_STEPS = 5 // opcodes that one change can have made equal to a neighbour

/** An opcode before the one that was changed last: registers are raised in ascending order. */
export interface SparseCursor {
  offset: number
  /** Its first register. */
  first: number
}

export function sparseCursor(): SparseCursor {
  return { offset: HEAD_BYTES, first: 0 }
}

export type Outcome = 'same' | 'changed' | 'corrupt' | 'promote'

/** Writes an empty sparse HyperLogLog of EMPTY_BYTES. */
export function writeEmpty(s: Slice): void {
  const { u8, off } = s
  u8.fill(0, off, off + EMPTY_BYTES)
  u8.set(MAGIC, off)
  u8[off + ENCODING_AT] = SPARSE
  u8[off + HEAD_BYTES] = XZERO | ((REGISTERS - 1) >>> 8)
  u8[off + HEAD_BYTES + 1] = (REGISTERS - 1) & 0xff
  s.len = EMPTY_BYTES
}

/** Checks the header. A sparse one can still turn out corrupt when it is read. */
export function isHyperLogLog(s: Slice): boolean {
  if (s.len < HEAD_BYTES) return false
  for (let i = 0; i < MAGIC.length; i++) if (s.byte(i) !== MAGIC[i]) return false
  const encoding = s.byte(ENCODING_AT)
  return encoding === SPARSE || (encoding === DENSE && s.len === DENSE_BYTES)
}

export function encodingOf(s: Slice): number {
  return s.byte(ENCODING_AT)
}

// ---- the cached cardinality ----

/** The cached cardinality, or -1 when it must be recomputed. */
export function cachedCardinality(s: Slice): Long {
  if ((s.byte(CARDINALITY_AT + 7) & STALE) !== 0) return -1
  const at = s.off + CARDINALITY_AT
  const high = s.dv.getUint32(at + 4, true)
  return high === 0 ? s.dv.getUint32(at, true) : longOf(s.dv.getBigUint64(at, true))
}

export function cacheCardinality(s: Slice, cardinality: number): void {
  const at = s.off + CARDINALITY_AT
  s.dv.setUint32(at, cardinality % 0x100000000, true)
  s.dv.setUint32(at + 4, Math.floor(cardinality / 0x100000000), true)
}

export function invalidateCardinality(s: Slice): void {
  s.u8[s.off + CARDINALITY_AT + 7] |= STALE
}

// ---- registers ----

/**
 * Raises a register to `run` if it is lower. 'promote': it needs the dense form, and nothing is changed yet. With a
 * cursor, registers are raised in ascending order, and the search continues where the last one ended.
 */
export function raiseRegister(
  s: Slice,
  register: number,
  run: number,
  sparseBytesMax: number,
  cursor?: SparseCursor,
): Outcome {
  return encodingOf(s) === DENSE ? raiseDense(s, register, run) : raiseSparse(s, register, run, sparseBytesMax, cursor)
}

function raiseDense(s: Slice, register: number, run: number): Outcome {
  if (denseRegister(s, register) >= run) return 'same'
  setDense(s, register, run)
  return 'changed'
}

/** The value of a register of a dense string. */
export function denseRegister(s: Slice, register: number): number {
  const bit = register * 6
  const at = s.off + HEAD_BYTES + (bit >>> 3)
  const shift = bit & 7
  const low = s.u8[at] >>> shift
  return (shift > 2 ? low | (s.u8[at + 1] << (8 - shift)) : low) & REGISTER_MAX
}

export function setDense(s: Slice, register: number, value: number): void {
  const { u8 } = s
  const bit = register * 6
  const at = s.off + HEAD_BYTES + (bit >>> 3)
  const shift = bit & 7
  u8[at] = (u8[at] & ~(REGISTER_MAX << shift)) | (value << shift)
  if (shift > 2) u8[at + 1] = (u8[at + 1] & ~(REGISTER_MAX >>> (8 - shift))) | (value >>> (8 - shift))
}

/** True when a register of a sparse string is `run` or more: raising it would change nothing. */
export function sparseHolds(s: Slice, register: number, run: number): boolean {
  const { u8 } = s
  const end = s.off + s.len
  let at = s.off + HEAD_BYTES
  for (let first = 0; at < end; at += bytesAt(u8, at)) {
    first += lengthAt(u8, at, end)
    if (register < first) return (u8[at] & VALUE) !== 0 && valueAt(u8, at) >= run
  }
  return false
}

function raiseSparse(
  s: Slice,
  register: number,
  run: number,
  sparseBytesMax: number,
  cursor: SparseCursor | undefined,
): Outcome {
  if (run > VALUE_MAX) return 'promote'
  const { u8 } = s
  const end = s.off + s.len
  let previous = -1
  let at = s.off + (cursor?.offset ?? HEAD_BYTES)
  let first = cursor?.first ?? 0
  let previousFirst = first
  while (at < end && register >= first + lengthAt(u8, at, end)) {
    // What follows can only change opcodes from `previous` on.
    if (previous >= 0 && cursor !== undefined) {
      cursor.offset = previous - s.off
      cursor.first = previousFirst
    }
    previousFirst = first
    first += lengthAt(u8, at, end)
    previous = at
    at += bytesAt(u8, at)
  }
  if (at >= end) return 'corrupt'
  const length = lengthAt(u8, at, end)
  const isValue = (u8[at] & VALUE) !== 0
  const before = isValue ? valueAt(u8, at) : 0
  if (before >= run) return 'same'
  if (length === 1 && (u8[at] & 0xc0) !== XZERO) u8[at] = valueOpcode(run, 1)
  else if (!split(s, at, register - first, length, before, run, sparseBytesMax)) return 'promote'
  mergeValues(s, previous < 0 ? s.off + HEAD_BYTES : previous)
  invalidateCardinality(s)
  return 'changed'
}

/**
 * Replaces the opcode at `at` by the part of its run before register `index`, the register's new value, and the part
 * after it. False, and nothing is done, when the string would become too long.
 */
function split(
  s: Slice,
  at: number,
  index: number,
  length: number,
  before: number,
  run: number,
  sparseBytesMax: number,
): boolean {
  const { u8 } = s
  const behind = length - index - 1
  const oldBytes = bytesAt(u8, at)
  const grown = runBytes(before, index) + 1 + runBytes(before, behind) - oldBytes
  if (grown > 0 && s.len + grown > sparseBytesMax) return false
  u8.copyWithin(at + oldBytes + grown, at + oldBytes, s.off + s.len)
  s.len += grown
  at = writeRun(u8, at, before, index)
  u8[at] = valueOpcode(run, 1)
  writeRun(u8, at + 1, before, behind)
  return true
}

function runBytes(value: number, length: number): number {
  return length === 0 ? 0 : value === 0 && length > ZERO_LENGTH_MAX ? 2 : 1
}

function writeRun(u8: Uint8Array, at: number, value: number, length: number): number {
  if (length === 0) return at
  if (value > 0) u8[at++] = valueOpcode(value, length)
  else if (length <= ZERO_LENGTH_MAX) u8[at++] = length - 1
  else {
    u8[at++] = XZERO | ((length - 1) >>> 8)
    u8[at++] = (length - 1) & 0xff
  }
  return at
}

/** Merges equal neighbours from `at` on, as far as a change can have made them equal. */
function mergeValues(s: Slice, at: number): void {
  const { u8 } = s
  let end = s.off + s.len
  for (let steps = MERGE_STEPS; at < end && steps > 0; steps--) {
    if ((u8[at] & VALUE) === 0) {
      at += bytesAt(u8, at)
      continue
    }
    if (at + 1 < end && (u8[at + 1] & VALUE) !== 0 && valueAt(u8, at) === valueAt(u8, at + 1)) {
      const length = lengthAt(u8, at, end) + lengthAt(u8, at + 1, end)
      if (length <= VALUE_LENGTH_MAX) {
        u8[at + 1] = valueOpcode(valueAt(u8, at), length)
        u8.copyWithin(at, at + 1, end)
        end--
        s.len--
        continue
      }
    }
    at++
  }
}

function valueOpcode(value: number, length: number): number {
  return VALUE | ((value - 1) << 2) | (length - 1)
}

function valueAt(u8: Uint8Array, at: number): number {
  return ((u8[at] >>> 2) & 0x1f) + 1
}

/** Registers of the opcode at `at`. The missing byte of a truncated XZERO counts as 0, as in Redis. */
function lengthAt(u8: Uint8Array, at: number, end: number): number {
  const opcode = u8[at]
  if ((opcode & VALUE) !== 0) return (opcode & 3) + 1
  if ((opcode & XZERO) === 0) return (opcode & 0x3f) + 1
  return (((opcode & 0x3f) << 8) | (at + 1 < end ? u8[at + 1] : 0)) + 1
}

function bytesAt(u8: Uint8Array, at: number): number {
  return (u8[at] & 0xc0) === XZERO ? 2 : 1
}

// ---- whole strings ----

/**
 * Calls `visit` for each run of equal registers of a sparse string; false when it is corrupt. As in Redis a value after
 * the last register ends the loop, and is an error only in cardinality().
 */
export function forEachRun(
  s: Slice,
  visit: (first: number, length: number, value: number) => void,
  mayEndEarly = true,
): boolean {
  const { u8 } = s
  const end = s.off + s.len
  let first = 0
  for (let at = s.off + HEAD_BYTES; at < end; at += bytesAt(u8, at)) {
    const length = lengthAt(u8, at, end)
    const value = (u8[at] & VALUE) === 0 ? 0 : valueAt(u8, at)
    if (value > 0 && first + length > REGISTERS) return mayEndEarly && first === REGISTERS
    visit(first, length, value)
    first += length
  }
  return first === REGISTERS
}

/** Converts a sparse HyperLogLog to dense in place; false when it is corrupt. */
export function toDense(s: Slice): boolean {
  const dense = s.copy()
  const bytes = new Uint8Array(DENSE_BYTES)
  bytes.set(dense.u8.subarray(0, HEAD_BYTES))
  bytes[ENCODING_AT] = DENSE
  const target = s.copy().set(bytes, new DataView(bytes.buffer), 0, DENSE_BYTES)
  const whole = forEachRun(dense, (first, length, value) => {
    if (value > 0) for (let i = first; i < first + length; i++) setDense(target, i, value)
  })
  if (!whole) return false
  s.u8.set(bytes, s.off)
  s.len = DENSE_BYTES
  return true
}

/** Raises each of `registers` (one byte each) to the value in `s`; false when `s` is corrupt. */
export function mergeInto(registers: Uint8Array, s: Slice): boolean {
  if (encodingOf(s) === DENSE) {
    mergeDense(registers, s)
    return true
  }
  // forEachRun() written out, each opcode read once: a call for each run takes longer than the merge.
  const { u8 } = s
  const end = s.off + s.len
  let first = 0
  for (let at = s.off + HEAD_BYTES; at < end; ) {
    const opcode = u8[at++]
    if (opcode < XZERO) first += opcode + 1
    else if (opcode < VALUE) first += (((opcode & 0x3f) << 8) | (at < end ? u8[at++] : 0)) + 1
    else {
      const more = opcode & 3
      if (first + more >= REGISTERS) return first === REGISTERS
      const value = ((opcode >>> 2) & 0x1f) + 1
      // Most runs are of one register.
      registers[first] = Math.max(registers[first], value)
      first++
      for (const behind = first + more; first < behind; first++) registers[first] = Math.max(registers[first], value)
    }
  }
  return first === REGISTERS
}

/** Four registers are in three bytes. */
function mergeDense(registers: Uint8Array, s: Slice): void {
  const { u8 } = s
  let at = s.off + HEAD_BYTES
  for (let i = 0; i < REGISTERS; i += 4, at += 3) {
    const bits = u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16)
    const a = bits & REGISTER_MAX
    const b = (bits >>> 6) & REGISTER_MAX
    const c = (bits >>> 12) & REGISTER_MAX
    const d = bits >>> 18
    if (a > registers[i]) registers[i] = a
    if (b > registers[i + 1]) registers[i + 1] = b
    if (c > registers[i + 2]) registers[i + 2] = c
    if (d > registers[i + 3]) registers[i + 3] = d
  }
}

/** Whether a sparse string of so many bytes cannot have these registers. */
export function exceedsSparse(registers: Uint8Array, bytesMax: number): boolean {
  let bytes = HEAD_BYTES
  for (let i = 0; i < REGISTERS; ) {
    const value = registers[i]
    const lengthMax = value === 0 ? REGISTERS : VALUE_LENGTH_MAX
    let length = 1
    while (length < lengthMax && i + length < REGISTERS && registers[i + length] === value) length++
    if (value > VALUE_MAX) return true
    bytes += runBytes(value, length)
    i += length
  }
  return bytes > bytesMax
}

// ---- counting ----

/** The estimated cardinality, or -1 when `s` is corrupt. */
export function cardinality(s: Slice): number {
  if (encodingOf(s) === DENSE) {
    const registers = new Uint8Array(REGISTERS)
    mergeDense(registers, s)
    return cardinalityOf(registers)
  }
  const histogram = new Int32Array(REGISTER_MAX + 1)
  const count = (_first: number, length: number, value: number) => {
    histogram[value] += length
  }
  const whole = forEachRun(s, count, false)
  return whole ? estimate(histogram) : -1
}

/** The estimated cardinality of registers of one byte each. */
export function cardinalityOf(registers: Uint8Array): number {
  const histogram = new Int32Array(REGISTER_MAX + 1)
  for (let i = 0; i < REGISTERS; i++) histogram[registers[i]]++
  return estimate(histogram)
}

const RUN_MAX = 50
const ALPHA = 0.7213475204444817 // 0.5 / ln 2

function estimate(histogram: Int32Array): number {
  const m = REGISTERS
  let z = m * tau((m - histogram[RUN_MAX + 1]) / m)
  for (let run = RUN_MAX; run >= 1; run--) z = (z + histogram[run]) * 0.5
  z += m * sigma(histogram[0] / m)
  return Math.round((ALPHA * m * m) / z)
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY
  let z = x
  let before: number
  let y = 1
  do {
    x *= x
    before = z
    z += x * y
    y += y
  } while (before !== z)
  return z
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let z = 1 - x
  let before: number
  let y = 1
  do {
    x = Math.sqrt(x)
    before = z
    y *= 0.5
    z -= (1 - x) * (1 - x) * y
  } while (before !== z)
  return z / 3
}
