// Slow paths of compiled code: metamethods, conversions, errors, calls that suspend.
//
// Always: `site` is the current position; it is set before anything that may fail or call. Generators here yield only
// what value.ts lists. Calls and loops over tables are in calls.ts and walkers.ts; compiled code gets all as R.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import { modulo, power } from './arithmetic.ts'
import { attempt, callable, callMetamethod, finishMetamethod, startMetamethod } from './calls.ts'
import { formatNumber, parseNumber } from './number.ts'
import { type LuaState, typeName } from './state.ts'
import { hashString, LuaTable } from './table.ts'
import { first, LuaFunction, LuaUserdata, type LuaValue, multi, PENDING } from './value.ts'

export * from './calls.ts'
export { walker } from './walkers.ts'
export { first, formatNumber, modulo, multi, PENDING, power }

/** Limit of a chain of tables as __index or __newindex. */
const META_LOOPS_MAX = 100
const ARITHMETIC_EVENTS = ['__add', '__sub', '__mul', '__div', '__mod', '__pow']
const INDEX_HASH = hashString('__index')

type Steps<T> = Generator<number, T, unknown>

// Calls.

/** The function at object[key]; `value` is the raw value if it is not nil. */
export function* callee(
  S: LuaState,
  object: LuaValue,
  key: LuaValue,
  value: LuaValue,
  site: number,
  lookup: number,
): Steps<LuaFunction> {
  if (value === undefined) value = yield* index(S, object, key, lookup)
  return callable(S, value, site)
}

export function stringMethod(S: LuaState, key: string, hash: number): LuaValue {
  const methods = S.stringMeta?.getStr('__index', INDEX_HASH)
  return methods instanceof LuaTable ? methods.getStr(key, hash) : undefined
}

// Tables.

export function* index(S: LuaState, object: LuaValue, key: LuaValue, site: number): Steps<LuaValue> {
  S.site = site
  for (let loop = 0; loop < META_LOOPS_MAX; loop++) {
    let handler: LuaValue
    if (object instanceof LuaTable) {
      const value = object.get(key)
      if (value !== undefined || object.mt === undefined) return value
      handler = object.mt.getStr('__index', INDEX_HASH)
      if (handler === undefined) return undefined
    } else {
      handler = S.metafield(object, '__index')
      if (handler === undefined) throw attempt(S, 'index', object, site, loop === 0)
    }
    if (handler instanceof LuaFunction) {
      const result = startMetamethod(S, handler, [object, key])
      return first(result === PENDING ? yield* finishMetamethod(S) : result)
    }
    object = handler
  }
  throw S.error('loop in gettable')
}

export function* setIndex(S: LuaState, object: LuaValue, key: LuaValue, value: LuaValue, site: number): Steps<void> {
  S.site = site
  for (let loop = 0; loop < META_LOOPS_MAX; loop++) {
    let handler: LuaValue
    if (object instanceof LuaTable) {
      if (object.readonly) throw S.error('Attempt to modify a readonly table')
      const old = object.get(key)
      handler = old === undefined ? object.mt?.getName('__newindex') : undefined
      if (handler === undefined || old === undefined) {
        // Lua allocates the key even when a metamethod takes the value.
        if (key === undefined || key !== key) badKey(S, key, site)
        if (handler === undefined) object.set(key, value)
        else object.set(key, undefined)
      }
      if (handler === undefined) return
    } else {
      handler = S.metafield(object, '__newindex')
      if (handler === undefined) throw attempt(S, 'index', object, site, loop === 0)
    }
    if (handler instanceof LuaFunction) {
      yield* callMetamethod(S, handler, [object, key, value])
      return
    }
    object = handler
  }
  throw S.error('loop in settable')
}

export function badKey(S: LuaState, key: LuaValue, site: number): never {
  S.site = site
  throw S.error(key === undefined ? 'table index is nil' : 'table index is NaN')
}

export function nils(count: number): LuaValue[] {
  const list: LuaValue[] = []
  for (let i = 0; i < count; i++) list.push(undefined)
  return list
}

/** A constructor with list items only, the last of them open; `size` is the array size that Lua allocates. */
export function tableOf(S: LuaState, values: LuaValue[], size: number): LuaTable {
  while (values.length < size) values.push(undefined)
  return new LuaTable(S, values)
}

export function append(to: LuaValue[], values: LuaValue[]): void {
  for (let i = 0; i < values.length; i++) to.push(values[i])
}

/** Stores a constructor's list items. */
export function fill(table: LuaTable, values: LuaValue[]): void {
  table.reserveArray(values.length)
  for (let i = 0; i < values.length; i++) table.arr[i] = values[i]
}

/** The local `arg` of a vararg function, as in Lua 5.0. */
export function argTable(S: LuaState, values: LuaValue[]): LuaTable {
  const table = new LuaTable(S, values.slice(), 1)
  table.set('n', values.length)
  return table
}

export function* length(S: LuaState, value: LuaValue, site: number): Steps<LuaValue> {
  S.site = site
  const handler = S.metafield(value, '__len')
  if (handler !== undefined) return first(yield* callMetamethod(S, handler, [value, undefined]))
  throw attempt(S, 'get length of', value, site)
}

// Arithmetic.

/** Converts an operand to a number: undefined when that is not possible. */
export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? parseNumber(value) : undefined
}

function compute(event: number, a: number, b: number): number {
  switch (event) {
    case 0:
      return a + b
    case 1:
      return a - b
    case 2:
      return a * b
    case 3:
      return a / b
    case 4:
      return modulo(a, b)
    default:
      return power(a, b)
  }
}

/** `site` describes the left operand, the next site the right one. */
export function* arithmetic(S: LuaState, event: number, a: LuaValue, b: LuaValue, site: number): Steps<LuaValue> {
  const x = toNumber(a)
  const y = toNumber(b)
  if (x !== undefined && y !== undefined) return compute(event, x, y)
  S.site = site
  const name = ARITHMETIC_EVENTS[event]
  const handler = S.metafield(a, name) ?? S.metafield(b, name)
  if (handler !== undefined) return first(yield* callMetamethod(S, handler, [a, b]))
  if (x === undefined) throw attempt(S, 'perform arithmetic on', a, site)
  throw attempt(S, 'perform arithmetic on', b, site + 1)
}

export function* negate(S: LuaState, a: LuaValue, site: number): Steps<LuaValue> {
  const x = toNumber(a)
  if (x !== undefined) return -x
  S.site = site
  const handler = S.metafield(a, '__unm')
  if (handler !== undefined) return first(yield* callMetamethod(S, handler, [a, a]))
  throw attempt(S, 'perform arithmetic on', a, site)
}

export function limited(S: LuaState, text: string): string {
  if (text.length > S.stringBytesMax) throw S.error('not enough memory')
  return text
}

/** a .. b .. c, from the right; each operand has a site. */
export function* concat(S: LuaState, operands: LuaValue[], site: number): Steps<LuaValue> {
  let last = operands.length - 1
  let right = operands[last]
  while (last > 0) {
    const left = operands[last - 1]
    if (isText(left) && isText(right)) right = limited(S, text(left) + text(right))
    else {
      S.site = site + last - 1
      const handler = S.metafield(left, '__concat') ?? S.metafield(right, '__concat')
      if (handler !== undefined) right = first(yield* callMetamethod(S, handler, [left, right]))
      else if (!isText(left)) throw attempt(S, 'concatenate', left, site + last - 1)
      else throw attempt(S, 'concatenate', right, site + last)
    }
    last--
  }
  return right
}

function isText(value: LuaValue): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function text(value: string | number): string {
  return typeof value === 'string' ? value : formatNumber(value)
}

// Comparison.

/** For two different objects. */
export function* equal(S: LuaState, a: LuaValue, b: LuaValue, site: number): Steps<boolean> {
  const bothTables = a instanceof LuaTable && b instanceof LuaTable
  const bothUserdata = a instanceof LuaUserdata && b instanceof LuaUserdata && !a.light && !b.light
  if (!bothTables && !bothUserdata) return false
  const handler = sharedHandler(a.mt, b.mt, '__eq')
  if (handler === undefined) return false
  S.site = site
  return isTrue(first(yield* callMetamethod(S, handler, [a, b])))
}

/** A comparison uses a metamethod only if both metatables have the same one. */
function sharedHandler(m: LuaTable | undefined, n: LuaTable | undefined, event: string): LuaValue {
  const handler = m?.getName(event)
  if (handler === undefined || m === n) return handler
  return n?.getName(event) === handler ? handler : undefined
}

export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false
}

export function* less(S: LuaState, a: LuaValue, b: LuaValue, site: number): Steps<boolean> {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  if (typeof a === 'string' && typeof b === 'string') return a < b
  S.site = site
  const handler = orderHandler(S, a, b, '__lt')
  if (handler !== undefined) return isTrue(first(yield* callMetamethod(S, handler, [a, b])))
  throw orderError(S, a, b)
}

export function* lessOrEqual(S: LuaState, a: LuaValue, b: LuaValue, site: number): Steps<boolean> {
  if (typeof a === 'number' && typeof b === 'number') return a <= b
  if (typeof a === 'string' && typeof b === 'string') return a <= b
  S.site = site
  const handler = orderHandler(S, a, b, '__le')
  if (handler !== undefined) return isTrue(first(yield* callMetamethod(S, handler, [a, b])))
  const reverse = orderHandler(S, b, a, '__lt')
  if (reverse !== undefined) return !isTrue(first(yield* callMetamethod(S, reverse, [b, a])))
  throw orderError(S, a, b)
}

function orderHandler(S: LuaState, a: LuaValue, b: LuaValue, event: string): LuaValue {
  if (typeName(a) !== typeName(b)) return undefined
  const handler = S.metafield(a, event)
  return handler !== undefined && S.metafield(b, event) === handler ? handler : undefined
}

function orderError(S: LuaState, a: LuaValue, b: LuaValue): unknown {
  const x = typeName(a)
  const y = typeName(b)
  // Lua compares the third letters of the type names here.
  if (x[2] === y[2]) return S.error(`attempt to compare two ${x} values`)
  return S.error(`attempt to compare ${x} with ${y}`)
}

// Loops.

export function forNumbers(S: LuaState, start: LuaValue, limit: LuaValue, step: LuaValue, site: number): number[] {
  S.site = site
  const numbers = [start, limit, step].map(toNumber)
  const names = ['initial value', 'limit', 'step']
  numbers.forEach((n, i) => {
    if (n === undefined) throw S.error(`'for' ${names[i]} must be a number`)
  })
  return numbers as number[]
}

export function iterator(S: LuaState, f: LuaValue, site: number): LuaFunction {
  if (f instanceof LuaFunction) return f
  // Lua calls an unnamed copy of the variable.
  const meta = S.metafield(f, '__call')
  if (meta !== undefined) return callable(S, f, site)
  S.site = site
  throw S.error(`attempt to call a ${typeName(f)} value`)
}

// The same for chunks that cannot set metamethods (see compile.ts): nothing here may suspend. If a metamethod from
// elsewhere does, it is an error.

function now<T>(S: LuaState, steps: Steps<T>): T {
  const step = steps.next()
  if (step.done) return step.value
  throw S.error('attempt to yield across metamethod/C-call boundary')
}

export function indexSync(S: LuaState, object: LuaValue, key: LuaValue, site: number): LuaValue {
  if (object instanceof LuaTable && object.mt === undefined) return object.get(key)
  return now(S, index(S, object, key, site))
}

export function setIndexSync(S: LuaState, object: LuaValue, key: LuaValue, value: LuaValue, site: number): void {
  now(S, setIndex(S, object, key, value, site))
}

export function calleeSync(
  S: LuaState,
  object: LuaValue,
  key: LuaValue,
  value: LuaValue,
  site: number,
  lookup: number,
): LuaFunction {
  return now(S, callee(S, object, key, value, site, lookup))
}

export function lengthSync(S: LuaState, value: LuaValue, site: number): LuaValue {
  return now(S, length(S, value, site))
}

export function arithmeticSync(S: LuaState, event: number, a: LuaValue, b: LuaValue, site: number): LuaValue {
  return now(S, arithmetic(S, event, a, b, site))
}

export function negateSync(S: LuaState, a: LuaValue, site: number): LuaValue {
  return now(S, negate(S, a, site))
}

export function concatSync(S: LuaState, operands: LuaValue[], site: number): LuaValue {
  return now(S, concat(S, operands, site))
}

export function equalSync(S: LuaState, a: LuaValue, b: LuaValue, site: number): boolean {
  return now(S, equal(S, a, b, site))
}

export function lessSync(S: LuaState, a: LuaValue, b: LuaValue, site: number): boolean {
  return now(S, less(S, a, b, site))
}

export function lessOrEqualSync(S: LuaState, a: LuaValue, b: LuaValue, site: number): boolean {
  return now(S, lessOrEqual(S, a, b, site))
}
