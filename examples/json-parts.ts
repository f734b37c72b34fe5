// JSON.TYPE and the commands for parts of a document: numbers, strings, arrays, objects, booleans.

import { CommandError, type ModuleCommand, type ModuleContext, type ModuleReply } from '../src/module.ts'
import { bytesOf, equal, type Json, textOf, typeName } from './json-document.ts'
import { clamped, type Node, type Path, select } from './json-path.ts'
import { jsonAt, LEGACY_ROOT, missing, opened, pathAt, put, ROOT, type } from './json-type.ts'

type Is<Kind extends Json> = (value: Json) => value is Kind
const isString: Is<string> = value => typeof value === 'string'
const isNumber: Is<number> = value => typeof value === 'number'
const isBoolean: Is<boolean> = value => typeof value === 'boolean'
const isArray: Is<Json[]> = value => Array.isArray(value)
const isObject: Is<Map<string, Json>> = value => value instanceof Map

/** The replies of `work` for the matches of one kind; null for others, or an error with an older path. */
function each<Kind extends Json>(
  root: Json,
  path: Path,
  is: Is<Kind>,
  expected: string,
  work: (value: Kind, node: Node) => ModuleReply,
): ModuleReply {
  const nodes = select(root, path)
  if (!path.isLegacy) return nodes.map(node => (is(node.value) ? work(node.value, node) : null))
  if (nodes.length === 0) throw missing(path)
  const fitting = nodes.filter(node => is(node.value))
  if (fitting.length === 0)
    throw new CommandError(`WRONGTYPE wrong type of path value - expected ${expected} but found ${typeName(nodes[0].value)}`)
  return fitting.map(node => work(node.value as Kind, node)).at(-1)
}

/** A command that reads one kind of value: null without the key. */
function reader<Kind extends Json>(is: Is<Kind>, expected: string, work: (value: Kind, ctx: ModuleContext) => ModuleReply) {
  return (ctx: ModuleContext) => {
    const document = ctx.read(type, ctx.args[1])
    return document === undefined ? null : each(document.root, pathAt(ctx, 2), is, expected, value => work(value, ctx))
  }
}

/** A command that changes one kind of value in place, or puts the one that is returned. */
function writer<Kind extends Json>(
  is: Is<Kind>,
  expected: string,
  work: (value: Kind, ctx: ModuleContext) => { next?: Json; reply: ModuleReply },
  pathFrom: (ctx: ModuleContext) => Path = ctx => pathAt(ctx, 2),
) {
  return (ctx: ModuleContext): ModuleReply => {
    const [key, document] = opened(ctx)
    const answer = each(document.root, pathFrom(ctx), is, expected, (value, node) => {
      const before = bytesOf(value)
      const { next, reply: said } = work(value, ctx)
      if (next === undefined) document.bytes += bytesOf(value) - before
      else put(document, node, next)
      return said
    })
    key.changed()
    return answer
  }
}

function typeOf(ctx: ModuleContext): ModuleReply {
  const document = ctx.read(type, ctx.args[1])
  if (document === undefined) return null
  const path = pathAt(ctx, 2)
  const names = select(document.root, path).map(node => typeName(node.value))
  return path.isLegacy ? names[0] : names
}

function arithmetic(compute: (a: number, b: number) => number) {
  return (ctx: ModuleContext): ModuleReply => {
    const operand = jsonAt(ctx, 3)
    if (!isNumber(operand)) throw new CommandError('ERR the value is not a number')
    const change = writer(isNumber, 'number', value => {
      const next = compute(value, operand)
      if (!Number.isFinite(next)) throw new CommandError('ERR result is not a number')
      return { next, reply: next }
    })
    const answer = change(ctx)
    return textOf(answer as Json)
  }
}

function append(ctx: ModuleContext): ModuleReply {
  const text = jsonAt(ctx, ctx.argc - 1)
  if (!isString(text)) throw new CommandError('ERR wrong type of value - expected string')
  const change = writer(
    isString,
    'string',
    value => ({ next: value + text, reply: Buffer.byteLength(value + text) }),
    () => (ctx.argc === 4 ? pathAt(ctx, 2) : LEGACY_ROOT),
  )
  return change(ctx)
}

const arrayAppend = writer(isArray, 'array', (array, ctx) => {
  for (let i = 3; i < ctx.argc; i++) array.push(jsonAt(ctx, i))
  return { reply: array.length }
})

const arrayInsert = writer(isArray, 'array', (array, ctx) => {
  const at = ctx.integer(3)
  const i = at < 0 ? array.length + at : at
  if (i < 0 || i > array.length) throw new CommandError('ERR index out of bounds')
  array.splice(i, 0, ...ctx.args.slice(4).map((_, k) => jsonAt(ctx, 4 + k)))
  return { reply: array.length }
})

const arrayPop = writer(isArray, 'array', (array, ctx) => {
  if (array.length === 0) return { reply: null }
  const at = ctx.argc > 3 ? ctx.integer(3) : -1
  const i = Math.min(array.length - 1, clamped(at, array.length))
  return { reply: textOf(array.splice(i, 1)[0]) }
})

const arrayTrim = writer(isArray, 'array', (array, ctx) => {
  const [from, to] = [clamped(ctx.integer(3), array.length), clamped(ctx.integer(4), array.length) + 1]
  array.splice(0, array.length, ...array.slice(from, Math.max(from, to)))
  return { reply: array.length }
})

function arrayIndex(array: Json[], ctx: ModuleContext): number {
  const wanted = jsonAt(ctx, 3)
  const from = clamped(ctx.argc > 4 ? ctx.integer(4) : 0, array.length)
  const stop = ctx.argc > 5 ? ctx.integer(5) : 0
  const to = stop === 0 ? array.length : clamped(stop, array.length)
  return array.findIndex((one, i) => i >= from && i < to && equal(one, wanted))
}

const toggle = writer(isBoolean, 'boolean', value => ({ next: !value, reply: value ? 0 : 1 }))

function clear(ctx: ModuleContext): ModuleReply {
  const [key, document] = opened(ctx)
  let count = 0
  for (const node of select(document.root, pathAt(ctx, 2, ROOT))) {
    const { value } = node
    const isContainer = isArray(value) || isObject(value)
    if (isContainer ? (isArray(value) ? value.length : value.size) === 0 : !isNumber(value) || value === 0) continue
    put(document, node, isArray(value) ? [] : isObject(value) ? new Map() : 0)
    count++
  }
  if (count > 0) key.changed()
  return count
}

export const WRITES = { flags: 'write denyoom', keys: 'RW ACCESS UPDATE @1', propagation: 'verbatim' } as const
export const READS = { flags: 'readonly', keys: 'RO ACCESS @1' } as const
const length = reader(isArray, 'array', array => array.length)

export const parts: readonly ModuleCommand[] = [
  { name: 'json.type', arity: -2, ...READS, args: 'key#0 [path]', run: typeOf },
  { name: 'json.numincrby', arity: 4, ...WRITES, args: 'key#0 path value:double', run: arithmetic((a, b) => a + b) },
  { name: 'json.nummultby', arity: 4, ...WRITES, args: 'key#0 path value:double', run: arithmetic((a, b) => a * b) },
  { name: 'json.strappend', arity: -3, ...WRITES, args: 'key#0 [path] value', run: append },
  { name: 'json.strlen', arity: -2, ...READS, args: 'key#0 [path]', run: reader(isString, 'string', value => Buffer.byteLength(value)) },
  { name: 'json.arrappend', arity: -4, ...WRITES, args: 'key#0 path value...', run: arrayAppend },
  { name: 'json.arrindex', arity: -4, ...READS, args: 'key#0 path value [start:integer] [stop:integer]', run: reader(isArray, 'array', arrayIndex) },
  { name: 'json.arrinsert', arity: -5, ...WRITES, args: 'key#0 path index:integer value...', run: arrayInsert },
  { name: 'json.arrlen', arity: -2, ...READS, args: 'key#0 [path]', run: length },
  { name: 'json.arrpop', arity: -2, ...WRITES, args: 'key#0 [path] [index:integer]', run: arrayPop },
  { name: 'json.arrtrim', arity: 5, ...WRITES, args: 'key#0 path start:integer stop:integer', run: arrayTrim },
  { name: 'json.objkeys', arity: -2, ...READS, args: 'key#0 [path]', run: reader(isObject, 'object', object => [...object.keys()]) },
  { name: 'json.objlen', arity: -2, ...READS, args: 'key#0 [path]', run: reader(isObject, 'object', object => object.size) },
  { name: 'json.toggle', arity: -2, ...WRITES, args: 'key#0 [path]', run: toggle },
  { name: 'json.clear', arity: -2, ...WRITES, args: 'key#0 [path]', run: clear },
]
