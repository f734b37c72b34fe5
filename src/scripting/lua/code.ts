// Helpers for emitted JavaScript, and static facts about expressions.
//
// Always: text of the script enters the emitted source only through `literal`, as a quoted string; variables are named
// by number.

import { cText } from '../../lib/text.ts'
import type { Expression, LocalVariable } from './ast.ts'

/** A byte string as a JavaScript literal. */
export function literal(text: string): string {
  let out = '"'
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c >= 32 && c < 127 && c !== 34 && c !== 92) out += text[i]
    else out += '\\x' + (c < 16 ? '0' : '') + c.toString(16)
  }
  return out + '"'
}

export function numberLiteral(n: number): string {
  if (n === Number.POSITIVE_INFINITY) return '(1/0)'
  return n < 0 || 1 / n < 0 ? `(-${-n})` : String(n)
}

/** The JavaScript expression for a local's value, readable and assignable. */
export function localName(variable: LocalVariable): string {
  return isBoxed(variable) ? `l${variable.id}.v` : `l${variable.id}`
}

/** The JavaScript variable of a local: its value or its box. */
export function localSlot(variable: LocalVariable): string {
  return `l${variable.id}`
}

/** The JavaScript variable of a hoisted function; see hoisted.ts. */
export function hoistedName(variable: LocalVariable): string {
  return `K${variable.id}`
}

/** Captured variables are passed to functions by value, so an assigned one is in a box. */
export function isBoxed(variable: LocalVariable): boolean {
  return variable.captured && variable.assigned
}

/** Declares a local. */
export function declaration(variable: LocalVariable, value?: string): string {
  if (isBoxed(variable)) return `let l${variable.id}={v:${value ?? 'undefined'}};`
  return value === undefined ? `let l${variable.id};` : `let l${variable.id}=${value};`
}

/** How an error message names the operand at fault. */
export function describe(e: Expression): { what: string; name: string } {
  switch (e.type) {
    case 'local':
      return { what: e.isUpvalue ? 'upvalue' : 'local', name: e.variable.name }
    case 'global':
      return { what: 'global', name: e.name }
    case 'index': {
      const key = decided(e.key)
      return { what: 'field', name: key.type === 'string' && !e.isFar ? cText(key.value) : '?' }
    }
    case 'paren':
      return describe(e.inner)
    case 'and':
    case 'or':
      return describeLast(e, nameless, nameless, undefined)
    default:
      return NAMELESS
  }
}

type Description = ReturnType<typeof describe>

const NAMELESS = { what: '', name: '' }
const nameless = () => NAMELESS

/**
 * The operand that Lua takes for the last load of an `and`/`or` expression: its symbolic execution assumes that every
 * jump is taken. An operand followed by a jump goes to `ifTrue` or `ifFalse`, by `jumpsOn`; undefined: it is the last.
 */
function describeLast(
  e: Expression,
  ifTrue: () => Description,
  ifFalse: () => Description,
  jumpsOn: boolean | undefined,
): Description {
  if (e.type === 'paren') return describeLast(e.inner, ifTrue, ifFalse, jumpsOn)
  if (e.type === 'and' || e.type === 'or') {
    const left = decided(e.left)
    const right = () => describeLast(e.right, ifTrue, ifFalse, jumpsOn)
    if (isOmitted(e.type, left)) return right()
    return e.type === 'and' ? describeLast(left, right, ifFalse, false) : describeLast(left, ifTrue, right, true)
  }
  if (jumpsOn === undefined) return describe(e)
  return jumpsOn ? ifTrue() : ifFalse()
}

/** A constant left operand that does not decide the result: Lua emits no code for it. */
export function isOmitted(type: 'and' | 'or', left: Expression): boolean {
  const constant = decided(left)
  return type === 'and' ? isTrueConstant(constant) : constant.type === 'nil' || constant.type === 'false'
}

function isTrueConstant(e: Expression): boolean {
  return e.type === 'number' || e.type === 'string' || e.type === 'true'
}

/** The value is always a JavaScript boolean. */
export function isBoolean(e: Expression): boolean {
  switch (e.type) {
    case 'true':
    case 'false':
    case 'not':
      return true
    case 'binary':
      return comparisons.has(e.operator)
    case 'paren':
      return isBoolean(e.inner)
    case 'and':
    case 'or':
      return isBoolean(e.left) && isBoolean(e.right)
    default:
      return false
  }
}

export const comparisons: ReadonlySet<string> = new Set(['==', '~=', '<', '<=', '>', '>='])

/** Lua's folding of `not` before a constant. */
function negated(e: Expression): Expression | undefined {
  if (e.type === 'nil' || e.type === 'false') return { type: 'true' }
  return isTrueConstant(e) ? { type: 'false' } : undefined
}

/** The operand that remains after folding constants. */
function decided(e: Expression): Expression {
  for (;;) {
    if (e.type === 'paren') e = e.inner
    else if (e.type === 'not') return negated(decided(e.operand)) ?? e
    else if (e.type !== 'and' && e.type !== 'or') return e
    else {
      if (!isOmitted(e.type, e.left)) return e
      e = e.right
    }
  }
}

/** A local that is always the same Lua function. */
export function isLuaFunction(e: Expression): boolean {
  return e.type === 'local' && !e.variable.assigned && e.variable.initial?.type === 'function'
}

/** Evaluating it has no effects and gives the same value at any time. */
export function isConstant(e: Expression): boolean {
  return e.type === 'number' || e.type === 'string' || e.type === 'nil' || e.type === 'true' || e.type === 'false'
}

export function stripParens(e: Expression): Expression {
  while (e.type === 'paren' && e.inner.type !== 'vararg' && e.inner.type !== 'call' && e.inner.type !== 'method')
    e = e.inner
  return e
}

/** 'name' or 'name.field' of a global, also by way of locals that are never assigned. */
export function nameOf(e: Expression): string | undefined {
  if (e.type === 'global') return e.name
  if (e.type === 'local') return e.variable.assigned || !e.variable.initial ? undefined : nameOf(e.variable.initial)
  if (e.type !== 'index' || e.key.type !== 'string') return undefined
  const table = nameOf(e.object)
  return table === undefined ? undefined : `${table}.${e.key.value}`
}

/** A call's result in `g` as one value, as an array, and as it is. */
export const finishings = {
  single: 'Array.isArray(g)?g[0]:g',
  open: 'Array.isArray(g)?g:[g]',
  statement: 'g',
}
