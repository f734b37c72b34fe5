// JSON documents: values, their text, what they are called and what they take.
//
// Always: objects are Maps, so that no name of a field means anything else.

export type Json = null | boolean | number | string | Json[] | Map<string, Json>

const DEPTH_MAX = 128

export function typeName(value: Json): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'object') return Array.isArray(value) ? 'array' : 'object'
  return typeof value
}

export function equal(a: Json, b: Json): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, i) => equal(one, b[i]))
  if (!(a instanceof Map)) return a === b
  return b instanceof Map && a.size === b.size && [...a].every(([key, one]) => b.has(key) && equal(one, b.get(key)!))
}

/** Throws an Error for what is no JSON. */
export function parsed(text: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`ERR ${(error as Error).message}`)
  }
  return taken(value, 0)
}

function taken(value: unknown, depth: number): Json {
  if (depth > DEPTH_MAX) throw new Error('ERR recursion limit exceeded')
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('ERR number out of range')
  if (Array.isArray(value)) return value.map(one => taken(one, depth + 1))
  if (typeof value !== 'object' || value === null) return value as Json
  return new Map(Object.entries(value).map(([key, one]) => [key, taken(one, depth + 1)]))
}

export interface Format {
  indent: string
  newline: string
  space: string
}

export function textOf(value: Json, format: Format = { indent: '', newline: '', space: '' }, depth = 1): string {
  if (!Array.isArray(value) && !(value instanceof Map)) return JSON.stringify(value)
  const { indent, newline, space } = format
  const items = Array.isArray(value)
    ? value.map(one => textOf(one, format, depth + 1))
    : [...value].map(([key, one]) => `${JSON.stringify(key)}:${space}${textOf(one, format, depth + 1)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (items.length === 0) return open + close
  const before = newline + indent.repeat(depth)
  return `${open}${before}${items.join(`,${before}`)}${newline}${indent.repeat(depth - 1)}${close}`
}

/** Besides the item. */
export const ITEM_BYTES = 8
/** Besides the name and the value. */
export const FIELD_BYTES = 56

/** About the bytes that a value takes. */
export function bytesOf(value: Json): number {
  if (typeof value === 'string') return 24 + value.length
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + bytesOf(one), 32 + ITEM_BYTES * value.length)
  if (!(value instanceof Map)) return 16
  let bytes = 64
  for (const [key, one] of value) bytes += FIELD_BYTES + key.length + bytesOf(one)
  return bytes
}
