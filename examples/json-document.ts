// JSON documents: values, what they are called and what they take. json-text.ts has their text.
//
// Always: objects are Maps, so that no name of a field means anything else. Integers are bigints, of 64 bits with or
// without a sign; numbers with a fraction or an exponent are doubles: 1 and 1.0 are two values, as in RedisJSON.

export type Json = null | boolean | bigint | number | string | Json[] | Map<string, Json>

/** Containers within one another, the value's own path included. */
export const DEPTH_MAX = 127

export function isContainer(value: Json): value is Json[] | Map<string, Json> {
  return Array.isArray(value) || value instanceof Map
}

export function sizeOf(value: Json[] | Map<string, Json>): number {
  return Array.isArray(value) ? value.length : value.size
}

export function typeName(value: Json): string {
  if (value === null) return 'null'
  if (typeof value === 'bigint') return 'integer'
  if (typeof value === 'object') return Array.isArray(value) ? 'array' : 'object'
  return typeof value
}

export function equal(a: Json, b: Json): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, i) => equal(one, b[i]))
  if (!(a instanceof Map)) return a === b
  return b instanceof Map && a.size === b.size && [...a].every(([key, one]) => b.has(key) && equal(one, b.get(key)!))
}

/** The values of an array or an object. */
export function valuesOf(value: Json): Iterable<Json> {
  return isContainer(value) ? value.values() : []
}

/** Containers within one another: 0 for a scalar. */
export function depthOf(value: Json): number {
  if (!isContainer(value)) return 0
  let deepest = 0
  for (const one of valuesOf(value)) deepest = Math.max(deepest, depthOf(one))
  return deepest + 1
}

/** Besides the item. */
export const ITEM_BYTES = 8
/** Besides the name and the value. */
export const FIELD_BYTES = 56

/** About the bytes that a value takes. */
export function bytesOf(value: Json): number {
  if (typeof value === 'string') return 24 + value.length
  if (typeof value === 'bigint') return 24
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + bytesOf(one), 32 + ITEM_BYTES * value.length)
  if (!(value instanceof Map)) return 16
  let bytes = 64
  for (const [key, one] of value) bytes += FIELD_BYTES + key.length + bytesOf(one)
  return bytes
}
