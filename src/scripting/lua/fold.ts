// Constant folding, exactly where Lua 5.1 folds: it decides which constants a function has.

import { modulo, power } from './arithmetic.ts'
import type { Expression } from './ast.ts'

/** The number an expression is written as, or folded to. */
export function numberConstant(e: Expression): number | undefined {
  if (e.type === 'paren') return numberConstant(e.inner)
  return e.type === 'number' ? e.value : undefined
}

/** The result of an operator on two numbers; undefined when it is left for later. */
export function foldBinary(operator: string, left: Expression, right: Expression): Expression | undefined {
  const a = numberConstant(left)
  const b = numberConstant(right)
  if (a === undefined || b === undefined) return undefined
  const value = compute(operator, a, b)
  return value === undefined || value !== value ? undefined : { type: 'number', value }
}

function compute(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return b === 0 ? undefined : a / b
    case '%':
      return b === 0 ? undefined : modulo(a, b)
    case '^':
      return power(a, b)
    default:
      return undefined
  }
}
