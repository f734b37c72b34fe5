// JSON.TYPE and the commands for parts of a document: numbers, strings, arrays, objects, booleans.

import { CommandError, type ModuleCommand, type ModuleContext, type ModuleReply } from '../src/module.ts'
import { bytesOf, equal, ITEM_BYTES, type Json, textOf, typeName } from './json-document.ts'
import { clamped, type Node, type Path, select } from './json-path.ts'
import { jsonAt, LEGACY_ROOT, missing, opened, pathAt, put, ROOT, type } from './json-type.ts'

type Is<Kind extends Json> = (value: Json) => value is Kind
const isString: Is<string> = value => typeof value === 'string'
const isNumber: Is<number> = value => typeof value === 'number'
const isBoolean: Is<boolean> = value => typeof value === 'boolean'
const isArray: Is<Json[]> = value => Array.isArray(value)
const isObject: Is<Map<string, Json>> = value => value instanceof Map

/** The results of `work` for the matches of one kind; null for others, or an error with an older path. */
function each<Kind extends Json, Result>(
  root: Json,
  path: Path,
  is: Is<Kind>,
  expected: string,
  work: (value: Kind, node: Node) => Result,
): (Result | null)[] {
  const nodes = select(root, path)
  if (!path.isLegacy) return nodes.map(node => (is(node.value) ? work(node.value, node) : null))
  if (nodes.length === 0) throw missing(path)
  const fitting = nodes.filter(node => is(node.value))
  if (fitting.length === 0)
    throw new CommandError(`WRONGTYPE wrong type of path value - expected ${expected} but found ${typeName(nodes[0].value)}`)
  return fitting.map(node => work(node.value as Kind, node))
}

/** With an older path one reply. */
function replyOf(path: Path, replies: ModuleReply[]): ModuleReply {
  return path.isLegacy ? replies.at(-1) : replies
}

/** A command that reads one kind of value: null without the key. */
function reader<Kind extends Json>(is: Is<Kind>, expected: string, work: (value: Kind, ctx: ModuleContext) => ModuleReply) {
  return (ctx: ModuleContext) => {
    const document = ctx.read(type, ctx.args[1])
    if (document === undefined) return null
    const path = pathAt(ctx, 2)
    return replyOf(path, each(document.root, path, is, expected, value => work(value, ctx)))
  }
}

/** What a command does to a value: `next` is in its place then, or it is changed, and larger by `bytes`. */
type Change = { readonly reply: ModuleReply } & (
  | { readonly next: Json }
  | { readonly bytes: number; change(): void }
)

/** A command that changes one kind of value. `work` throws before anything has changed. */
function writer<Kind extends Json>(
  is: Is<Kind>,
  expected: string,
  work: (value: Kind, ctx: ModuleContext) => Change,
  pathFrom: (ctx: ModuleContext) => Path = ctx => pathAt(ctx, 2),
) {
  return (ctx: ModuleContext): ModuleReply => {
    const [key, document] = opened(ctx)
    const path = pathFrom(ctx)
    const changes = each(document.root, path, is, expected, (value, node) => ({ node, done: work(value, ctx) }))
    const replies = changes.map(one => {
      if (one === null) return null
      const { node, done } = one
      if ('next' in done) put(document, node, done.next)
      else {
        done.change()
        document.bytes += done.bytes
      }
      return done.reply
    })
    key.changed()
    return replyOf(path, replies)
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

/** Items are put at `i`: those from args[from] on. */
function insertion(array: Json[], i: number, ctx: ModuleContext, from: number): Change {
  const items = ctx.args.slice(from).map((_, k) => jsonAt(ctx, from + k))
  return {
    reply: array.length + items.length,
    bytes: itemBytes(items),
    change: () => void array.splice(i, 0, ...items),
  }
}

function itemBytes(items: readonly Json[]): number {
  return items.reduce<number>((sum, one) => sum + ITEM_BYTES + bytesOf(one), 0)
}

const arrayAppend = writer(isArray, 'array', (array, ctx) => insertion(array, array.length, ctx, 3))

const arrayInsert = writer(isArray, 'array', (array, ctx) => {
  const at = ctx.integer(3)
  const i = at < 0 ? array.length + at : at
  if (i < 0 || i > array.length) throw new CommandError('ERR index out of bounds')
  return insertion(array, i, ctx, 4)
})

const arrayPop = writer(isArray, 'array', (array, ctx) => {
  if (array.length === 0) return { reply: null, bytes: 0, change: () => {} }
  const at = ctx.argc > 3 ? ctx.integer(3) : -1
  const i = Math.min(array.length - 1, clamped(at, array.length))
  return { reply: textOf(array[i]), bytes: -itemBytes([array[i]]), change: () => void array.splice(i, 1) }
})

const arrayTrim = writer(isArray, 'array', (array, ctx) => {
  const [from, to] = [clamped(ctx.integer(3), array.length), clamped(ctx.integer(4), array.length) + 1]
  const next = array.slice(from, Math.max(from, to))
  return { reply: next.length, next }
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
