// JSON.NUMINCRBY, NUMMULTBY, NUMPOWBY.
//
// Always: integers of 64 bits with a sign stay such, and overflow is an error; with others the result is a double.

import { CommandError, type ModuleCommand, type ModuleContext, type ModuleReply } from '../src/module.ts'
import type { Json } from './json-document.ts'
import { NUMBER, writer } from './json-parts.ts'
import { native } from './json-replies.ts'
import { textOf } from './json-text.ts'
import { jsonAt, LEGACY_ROOT, pathAt, WRITES } from './json-type.ts'

const INTEGER_MIN = -(2n ** 63n)
const INTEGER_MAX = 2n ** 63n - 1n
/** Any integer to a higher power overflows, but for -1, 0 and 1. */
const POWER_MAX = 63n

interface Arithmetic {
  integers(a: bigint, b: bigint): bigint
  doubles(a: number, b: number): number
}

const ADDING: Arithmetic = { integers: (a, b) => a + b, doubles: (a, b) => a + b }
const MULTIPLYING: Arithmetic = { integers: (a, b) => a * b, doubles: (a, b) => a * b }
const RAISING: Arithmetic = {
  integers: (a, b) => (b <= POWER_MAX ? a ** b : a === 0n || a === 1n ? a : a === -1n ? (b % 2n === 0n ? 1n : -1n) : INTEGER_MAX + 1n),
  doubles: (a, b) => a ** b,
}

function computed(a: bigint | number, b: bigint | number, by: Arithmetic): bigint | number {
  if (typeof a === 'bigint' && typeof b === 'bigint' && a <= INTEGER_MAX && b <= INTEGER_MAX && (by !== RAISING || b >= 0n)) {
    const result = by.integers(a, b)
    if (result < INTEGER_MIN || result > INTEGER_MAX) throw new CommandError('ERR numeric overflow')
    return result
  }
  const result = by.doubles(Number(a), Number(b))
  if (!Number.isFinite(result)) throw new CommandError('ERR result is not a number')
  return result
}

function arithmetic(by: Arithmetic) {
  return (ctx: ModuleContext): ModuleReply => {
    const operand = jsonAt(ctx, 3)
    if (!NUMBER.is(operand)) throw new CommandError(NUMBER.error(LEGACY_ROOT, operand))
    const change = writer(NUMBER, value => {
      const next = computed(value, operand, by)
      return { next, reply: next }
    })
    const result = change(ctx) as Json
    return ctx.client.protocol === 3 && !pathAt(ctx, 2).isLegacy ? native(result) : textOf(result)
  }
}

const facts = { arity: 4, ...WRITES, args: 'key#0 path value:double' } as const

export const numbers: readonly ModuleCommand[] = [
  { name: 'json.numincrby', ...facts, run: arithmetic(ADDING) },
  { name: 'json.nummultby', ...facts, run: arithmetic(MULTIPLYING) },
  { name: 'json.numpowby', ...facts, run: arithmetic(RAISING) },
]
