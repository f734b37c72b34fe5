// BITFIELD and BITFIELD_RO: integers of any width at any bit of a string.
//
// Always: fields and operands of up to 52 bits are computed with numbers, others with bigints; both give the exact
// 64-bit result.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_STRING } from '../../engine/messaging/events.ts'
import type { Options } from '../../engine/options.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { readBits, writeBits } from '../../lib/bits.ts'
import { INT64_MAX, parseBigInt64, parseInt64 } from '../../lib/number.ts'
import { Slice } from '../../lib/slice.ts'
import { NOT_AN_INTEGER, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { BAD_OFFSET, bitOffsetOrReply } from './bit.ts'

const BAD_TYPE = errorBytes(
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
)
const BAD_OVERFLOW = errorBytes('ERR Invalid OVERFLOW type specified')
const ONLY_GET = errorBytes('ERR BITFIELD_RO only supports the GET subcommand')
const SIGNED = 0x69
const UNSIGNED = 0x75
const HASH = 0x23
const NUMBER_BITS_MAX = 52
const NUMBER_MAX = 2 ** 52
/** 2^n at n: how many values n bits have. */
const SPANS = Float64Array.from({ length: NUMBER_BITS_MAX + 1 }, (_, bits) => 2 ** bits)

type Overflow = 'wrap' | 'sat' | 'fail'

interface Operation {
  kind: 'get' | 'set' | 'incrby'
  signed: boolean
  bits: number
  offset: number
  /** A bigint when the field or the operand exceeds 52 bits. */
  operand: number | bigint
  overflow: Overflow
}

const bitField: Command = {
  name: 'bitfield',
  arity: -2,
  flags: 'write denyoom',
  keys: 'RW UPDATE ACCESS VARIABLE_FLAGS @1 (GET only reads, SET and INCRBY write)',
  keyFinder: 'bitfield',
  since: '3.2.0',
  group: 'bitmap',
  summary: 'Read, set and increment integers of any width at any bit of a string.',
  complexity: 'O(1) for each operation given.',
  args:
    'key#0 [operation:(GET get-block:(encoding offset:integer)|write:([OVERFLOW overflow-block:(WRAP|SAT|FAIL)] ' +
    'write-operation:(SET set-block:(encoding offset:integer value:integer)|INCRBY incrby-block:(encoding ' +
    'offset:integer increment:integer))))...]',
  run(ctx) {
    bitFieldGeneric(ctx, false)
  },
}

const bitFieldRo: Command = {
  name: 'bitfield_ro',
  arity: -2,
  flags: 'readonly fast',
  keys: 'RO ACCESS @1',
  since: '6.0.0',
  group: 'bitmap',
  summary: 'Read integers of any width at any bit of a string.',
  complexity: 'O(1) for each operation given.',
  args: 'key#0 [GET... get-block:(encoding offset:integer)...]',
  run(ctx) {
    bitFieldGeneric(ctx, true)
  },
}

function bitFieldGeneric(ctx: Context, readOnly: boolean): void {
  const { args, db, reply } = ctx
  const operations = operationsOrReply(ctx)
  if (operations === undefined) return
  let bitsWritten = 0
  for (const op of operations) if (op.kind !== 'get') bitsWritten = Math.max(bitsWritten, op.offset + op.bits)
  if (bitsWritten === 0) {
    const entry = ctx.readOrReply(args[1], TYPE_STRING)
    if (entry === WRONG) return
    const value = entry === 0 ? new Slice() : db.strings.textOf(entry, ctx.value)
    reply.array(operations.length)
    for (const op of operations) replyField(ctx, readField(value, op))
    return
  }
  if (readOnly) return reply.fixedError(ONLY_GET)
  const entry = ctx.writeOrReply(args[1], TYPE_STRING)
  if (entry === WRONG) return
  const before = entry === 0 ? 0 : db.strings.lengthOf(entry)
  const length = Math.max(before, Math.ceil(bitsWritten / 8))
  const value = db.strings.textOf(db.strings.resize(db, args[1], entry, length), ctx.value)
  const grown = entry === 0 || length > before
  let changes = 0
  reply.array(operations.length)
  for (const op of operations) if (applied(ctx, value, op, grown)) changes++
  if (changes > 0) ctx.touched(args[1], 'setbit', NOTIFY_STRING, changes)
}

/** Undefined after an error reply. */
function operationsOrReply(ctx: Context): Operation[] | undefined {
  const operations: Operation[] = []
  let overflow: Overflow = 'wrap'
  const opt = ctx.options(2)
  while (opt.more()) {
    if (opt.eat('overflow', 1)) {
      if (opt.eat('wrap')) overflow = 'wrap'
      else if (opt.eat('sat')) overflow = 'sat'
      else if (opt.eat('fail')) overflow = 'fail'
      else opt.fail(BAD_OVERFLOW)
    } else if (opt.eat('get', 2)) operations.push(fieldOrReply(ctx, opt, 'get', overflow))
    else if (opt.eat('set', 3)) operations.push(fieldOrReply(ctx, opt, 'set', overflow))
    else if (opt.eat('incrby', 3)) operations.push(fieldOrReply(ctx, opt, 'incrby', overflow))
    else opt.fail(SYNTAX)
    if (opt.failed) return undefined
  }
  return operations
}

function fieldOrReply(ctx: Context, opt: Options, kind: Operation['kind'], overflow: Overflow): Operation {
  const op: Operation = { kind, signed: false, bits: 0, offset: 0, operand: 0, overflow }
  const type = opt.next()
  const letter = type.len > 0 ? type.byte(0) : 0
  op.signed = letter === SIGNED
  op.bits = op.signed || letter === UNSIGNED ? parseInt64(behindFirst(ctx, type)) : Number.NaN
  const fits = op.bits >= 1 && op.bits <= (op.signed ? 64 : 63)
  if (!fits) {
    opt.fail(BAD_TYPE)
    return op
  }
  const where = opt.next()
  const scaled = where.len > 0 && where.byte(0) === HASH
  const offset = scaled ? scaledOffset(behindFirst(ctx, where), op.bits) : parseInt64(where)
  if (Number.isNaN(offset)) opt.fail(BAD_OFFSET)
  else if (Number.isNaN((op.offset = bitOffsetOrReply(ctx, offset)))) opt.failed = true
  else if (kind !== 'get') readOperand(opt, op)
  return op
}

function readOperand(opt: Options, op: Operation): void {
  const text = opt.next()
  const n = parseInt64(text)
  if (Number.isNaN(n)) return opt.fail(NOT_AN_INTEGER)
  const small = op.bits <= NUMBER_BITS_MAX && Math.abs(n) < NUMBER_MAX
  op.operand = small ? n : parseBigInt64(text)
}

/** #N: N fields of `bits` bits. The product wraps around at 64 bits, as in Redis. */
function scaledOffset(text: Slice, bits: number): number {
  const n = parseInt64(text)
  const isExact = Number.isFinite(n) || Number.isNaN(n)
  return isExact ? n * bits : Number(BigInt.asIntN(64, parseBigInt64(text) * BigInt(bits)))
}

/** Valid until the next call. */
function behindFirst(ctx: Context, s: Slice): Slice {
  return ctx.value.set(s.u8, s.dv, s.off + 1, s.len - 1)
}

/** The value of a field, as a number if it has at most 52 bits. */
function readField(value: Slice, op: Operation): number | bigint {
  const end = value.off + value.len
  if (op.bits <= NUMBER_BITS_MAX) {
    const raw = readBits(value.u8, value.off, end, op.offset, op.bits)
    return op.signed && raw >= SPANS[op.bits - 1] ? raw - SPANS[op.bits] : raw
  }
  const high = readBits(value.u8, value.off, end, op.offset, op.bits - 32)
  const low = readBits(value.u8, value.off, end, op.offset + op.bits - 32, 32)
  const raw = (BigInt(high) << 32n) | BigInt(low)
  return op.signed ? BigInt.asIntN(op.bits, raw) : raw
}

function writeField(value: Slice, op: Operation, field: number | bigint): void {
  if (op.bits <= NUMBER_BITS_MAX) {
    const n = Number(field)
    return writeBits(value.u8, value.off, op.offset, op.bits, n < 0 ? n + SPANS[op.bits] : n)
  }
  const raw = BigInt.asUintN(op.bits, BigInt(field))
  writeBits(value.u8, value.off, op.offset, op.bits - 32, Number(raw >> 32n))
  writeBits(value.u8, value.off, op.offset + op.bits - 32, 32, Number(raw & 0xffffffffn))
}

/** Runs one operation and replies; true when it changes the value. */
function applied(ctx: Context, value: Slice, op: Operation, grown: boolean): boolean {
  const before = readField(value, op)
  if (op.kind === 'get') {
    replyField(ctx, before)
    return false
  }
  const after =
    typeof before === 'number' && typeof op.operand === 'number'
      ? overflowed(op, before, op.operand)
      : overflowedExactly(op, BigInt(before), BigInt(op.operand))
  if (after === undefined) {
    ctx.reply.null()
    return false
  }
  replyField(ctx, op.kind === 'set' ? before : after)
  writeField(value, op, after)
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of one value are equal
  return grown || before != after
}

/** The value to store: the exact result, or that of OVERFLOW; undefined: nothing is stored. */
function overflowed(op: Operation, before: number, operand: number): number | undefined {
  const span = SPANS[op.bits]
  const max = op.signed ? span / 2 - 1 : span - 1
  const min = op.signed ? -span / 2 : 0
  const exact = op.kind === 'set' ? operand : before + operand
  if (exact >= min && exact <= max) return exact
  if (op.overflow === 'fail') return undefined
  // SET of a negative number in an unsigned field is the large unsigned number with the same bits.
  if (op.overflow === 'sat') return exact > max || (op.kind === 'set' && !op.signed) ? max : min
  const wrapped = ((exact % span) + span) % span
  return wrapped > max ? wrapped - span : wrapped
}

/** As overflowed(). */
function overflowedExactly(op: Operation, before: bigint, operand: bigint): bigint | undefined {
  const span = 1n << BigInt(op.bits)
  const max = op.signed ? span / 2n - 1n : span - 1n
  const min = op.signed ? -span / 2n : 0n
  const exact = op.kind === 'set' ? operand : before + operand
  if (exact >= min && exact <= max) return exact
  if (op.overflow === 'fail') return undefined
  if (op.overflow === 'sat') {
    // Redis's 64-bit subtraction overflows: a value SET too far below the range appears to be above it.
    const looksAbove = op.kind === 'set' && (!op.signed || (op.bits < 64 && max - exact > INT64_MAX))
    return exact > max || looksAbove ? max : min
  }
  return op.signed ? BigInt.asIntN(op.bits, exact) : BigInt.asUintN(op.bits, exact)
}

function replyField(ctx: Context, field: number | bigint): void {
  if (typeof field === 'number') ctx.reply.integer(field)
  else ctx.reply.bigint(field)
}

export const fieldCommands: readonly Command[] = [bitField, bitFieldRo]
