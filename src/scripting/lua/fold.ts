// Constant folding, exactly where Lua 5.1 folds, since that decides the constants of a function.

import { modulo, power } from './arithmetic.ts'
import type { Expression } from './ast.ts'

/** The value of a number literal or folded expression. */
export function numberConstant(e: Expression): number | undefined {
  if (e.type === 'paren') return numberConstant(e.inner)
  return e.type === 'number' ? e.value : undefined
}

/** The result of an operator on two numbers; undefined when Lua does not fold it. */
export function foldBinary(operator: string, left: Expression, right: Expression): Expression | undefined {
  const a = numberConstant(left)
  const b = numberConstant(right)
  if (a === undefined || b === undefined) return undefined
  const value = compute(operator, a, b)
  return value === undefined || value !== value ? undefined : { type: 'number', value }
}

/** undefined: a division by zero. */
export function compute(operator: string, a: number, b: number): number | undefined {
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
