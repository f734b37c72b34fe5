// Encodes a Lua value as MessagePack in the shortest form. Unsupported types and too deeply nested tables become nil.

import { INT_MAX } from '../../lib/bits.ts'
import { toInteger } from '../lua/stdlib/arguments.ts'
import { LuaTable } from '../lua/table.ts'
import type { LuaValue } from '../lua/value.ts'

const NESTING_MAX = 16
const INT64_LIMIT = 2 ** 63
const NIL = '\xc0'
/** 0/0 as computed on x86. */
const NAN = '\xcb\xff\xf8\0\0\0\0\0\0'
const view = new DataView(new ArrayBuffer(8))

export function packed(value: LuaValue, level: number): string {
  if (typeof value === 'string') return stringHead(value.length) + value
  if (typeof value === 'number') return packedNumber(value)
  if (typeof value === 'boolean') return value ? '\xc3' : '\xc2'
  if (!(value instanceof LuaTable) || level === NESTING_MAX) return NIL
  return isArray(value) ? packedArray(value, level) : packedMap(value, level)
}

function bytes(...codes: number[]): string {
  return String.fromCharCode(...codes)
}

/** `code` and a big-endian unsigned integer of `size` bytes. */
function head(code: number, n: number, size: number): string {
  if (size === 1) return bytes(code, n & 255)
  if (size === 2) return bytes(code, (n >>> 8) & 255, n & 255)
  return bytes(code, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
}

function viewed(code: number, size: number): string {
  let out = bytes(code)
  for (let i = 0; i < size; i++) out += bytes(view.getUint8(i))
  return out
}

function stringHead(length: number): string {
  if (length < 32) return bytes(0xa0 | length)
  if (length <= 0xff) return head(0xd9, length, 1)
  return length <= 0xffff ? head(0xda, length, 2) : head(0xdb, length, 4)
}

function packedNumber(n: number): string {
  if (n === toInteger(n) && n < INT64_LIMIT) return packedInteger(n)
  if (n !== n) return NAN
  if (Math.fround(n) === n) {
    view.setFloat32(0, n)
    return viewed(0xca, 4)
  }
  view.setFloat64(0, n)
  return viewed(0xcb, 8)
}

function packedInteger(n: number): string {
  if (n >= 0) {
    if (n <= 127) return bytes(n)
    if (n <= 0xff) return head(0xcc, n, 1)
    if (n <= 0xffff) return head(0xcd, n, 2)
    if (n <= 0xffffffff) return head(0xce, n, 4)
  } else {
    if (n >= -32) return bytes(n & 255)
    if (n >= -128) return head(0xd0, n, 1)
    if (n >= -32768) return head(0xd1, n, 2)
    if (n >= -2147483648) return head(0xd2, n, 4)
  }
  view.setBigInt64(0, BigInt(n))
  return viewed(n >= 0 ? 0xcf : 0xd3, 8)
}

/** The keys are 1 to n; true for an empty table. */
function isArray(table: LuaTable): boolean {
  let count = 0
  let max = 0
  for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) {
    const key = table.keyAt(at)
    if (typeof key !== 'number' || key <= 0 || key > INT_MAX || !Number.isInteger(key)) return false
    if (key > max) max = key
    count++
  }
  return max === count
}

function packedArray(table: LuaTable, level: number): string {
  const length = table.length()
  let out = length <= 15 ? bytes(0x90 | length) : length <= 0xffff ? head(0xdc, length, 2) : head(0xdd, length, 4)
  for (let i = 1; i <= length; i++) out += packed(table.getInt(i), level + 1)
  return out
}

function packedMap(table: LuaTable, level: number): string {
  let count = 0
  let out = ''
  for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) {
    out += packed(table.keyAt(at), level + 1) + packed(table.valueAt(at), level + 1)
    count++
  }
  return (count <= 15 ? bytes(0x80 | count) : count <= 0xffff ? head(0xde, count, 2) : head(0xdf, count, 4)) + out
}
