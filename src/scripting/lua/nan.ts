// The sign of a NaN, as far as the source shows it. x86 sets the sign of a NaN that an operation makes (`0/0` prints
// `-nan`), a unary minus turns it, and operations on a NaN keep it; JavaScript hides it from a running program, which
// prints every NaN as `-nan`. So the compiler gives the text `nan` itself to what would print such a value.
//
// Always: only the printed text differs; where the source does not decide the sign, nothing is changed.

import type { CallExpression, Expression, LocalVariable, MethodExpression } from './ast.ts'
import { nameOf } from './code.ts'
import { compute } from './fold.ts'
import { isNegativeText, parseNumber } from './number.ts'

/** Host functions that use the text of a number in the place of the number. */
const PRINTING: ReadonlySet<string> = new Set([
  ...['tostring', 'error', 'redis.call', 'redis.pcall', 'redis.log', 'redis.sha1hex'],
  ...['string.format', 'string.len', 'string.lower', 'string.rep', 'string.reverse', 'string.sub', 'string.upper'],
])

/** C's functions; out of their domain those of `setsNoSign` give a NaN without the sign. */
const MATH = new Map<string, { of: (x: number) => number; setsNoSign?: true }>([
  ['math.sqrt', { of: Math.sqrt }],
  ['math.log', { of: Math.log }],
  ['math.log10', { of: Math.log10, setsNoSign: true }],
  ['math.acos', { of: Math.acos, setsNoSign: true }],
  ['math.asin', { of: Math.asin, setsNoSign: true }],
])

const NAN_TEXT: Expression = { type: 'string', value: 'nan' }

interface Known {
  value: number
  /** Of a NaN: its sign is set. */
  isNegative: boolean
}

const known = (value: number, isNegative = true): Known => ({ value, isNegative })

export class NanSigns {
  private readonly isSealed: boolean
  /** Of each local once: a chain of locals that use the one before twice is looked at in linear time. */
  private readonly locals = new Map<LocalVariable, Known | undefined>()

  /** `isSealed`: the names of globals mean what they say. */
  constructor(isSealed: boolean) {
    this.isSealed = isSealed
  }

  /** An expression whose value is printed, or what prints the same. */
  printed(e: Expression): Expression {
    const number = this.number(e)
    return number !== undefined && number.value !== number.value && !number.isNegative ? NAN_TEXT : e
  }

  /** The arguments of a call. */
  argumentsOf(e: CallExpression | MethodExpression): Expression[] {
    if (!this.isSealed || e.type === 'method' || e.args.length === 0) return e.args
    const name = nameOf(e.callee)
    if (name === undefined || !PRINTING.has(name) || (name === 'error' && e.args.length > 1)) return e.args
    return e.args.map(arg => this.printed(arg))
  }

  /** The number that an expression always is. */
  private number(e: Expression): Known | undefined {
    switch (e.type) {
      case 'number':
        return known(e.value)
      case 'paren':
        return this.number(e.inner)
      case 'local':
        return this.local(e.variable)
      case 'index':
        return this.isSealed && nameOf(e) === 'math.huge' ? known(Number.POSITIVE_INFINITY) : undefined
      case 'negate': {
        const operand = this.operand(e.operand)
        return operand && known(-operand.value, !operand.isNegative)
      }
      case 'binary':
        return this.binary(e.operator, e.left, e.right)
      case 'call':
        return this.isSealed && e.args.length === 1 ? this.called(nameOf(e.callee), e.args[0]) : undefined
      default:
        return undefined
    }
  }

  private local(variable: LocalVariable): Known | undefined {
    if (variable.assigned || variable.initial === undefined) return undefined
    if (this.locals.has(variable)) return this.locals.get(variable)
    const number = this.number(variable.initial)
    this.locals.set(variable, number)
    return number
  }

  /** A string is converted. */
  private operand(e: Expression): Known | undefined {
    if (e.type === 'paren') return this.operand(e.inner)
    if (e.type !== 'string') return this.number(e)
    const value = parseNumber(e.value)
    return value === undefined ? undefined : known(value, isNegativeText(e.value))
  }

  private binary(operator: string, left: Expression, right: Expression): Known | undefined {
    if (!'+-*/%^'.includes(operator)) return undefined
    const a = this.operand(left)
    const b = a && this.operand(right)
    if (a === undefined || b === undefined) return undefined
    const value = compute(operator, a.value, b.value) ?? (operator === '/' ? a.value / b.value : Number.NaN)
    const first = a.value !== a.value ? a : b.value !== b.value ? b : undefined
    return known(value, first === undefined || first.isNegative)
  }

  private called(name: string | undefined, arg: Expression): Known | undefined {
    if (name === undefined) return undefined
    const math = MATH.get(name)
    if (math === undefined && name !== 'tonumber' && name !== 'math.abs') return undefined
    const x = this.operand(arg)
    if (x === undefined || name === 'tonumber') return x
    if (math === undefined) return known(Math.abs(x.value), false)
    return known(math.of(x.value), x.value !== x.value ? x.isNegative : math.setsNoSign !== true)
  }
}
