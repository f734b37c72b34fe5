// The commands for parts of a document: strings, arrays, objects, booleans. json-numbers.ts has those for numbers.

import { CommandError, type ModuleCommand, type ModuleContext, type ModuleReply } from '../src/module.ts'
import { bytesOf, equal, isContainer, ITEM_BYTES, type Json, sizeOf, typeName } from './json-document.ts'
import { clamped, type Node, type Path, select } from './json-path.ts'
import { type Document, fits, jsonAt, LEGACY_ROOT, missing, NO_KEY, opened, pathAt, put, READS, read, ROOT, tooDeep, WRITES } from './json-type.ts'
import { formatAt, inFormat, type ReplyFormat } from './json-replies.ts'

/** A kind of values, and the error for an older path that selects another one, or none. */
interface Kind<Value extends Json> {
  is(value: Json): value is Value
  error(path: Path, found?: Json): string
}

/** The error of commands that read a length or an index. */
function expected(name: string): Kind<never>['error'] {
  return (path, found) =>
    found === undefined
      ? missing(path).message
      : `WRONGTYPE wrong type of path value - expected ${name} but found ${typeName(found)}`
}

/** The error of the others. */
function or(what: string): Kind<never>['error'] {
  return path => `ERR Path '${path.text}' does not exist or ${what}`
}

const isString = (value: Json): value is string => typeof value === 'string'
const isArray = (value: Json): value is Json[] => Array.isArray(value)
const isObject = (value: Json): value is Map<string, Json> => value instanceof Map
const MEASURED_STRING = { is: isString, error: expected('string') }
const MEASURED_OBJECT = { is: isObject, error: expected('object') }
const SEARCHED_ARRAY = { is: isArray, error: expected('array') }
const STRING = { is: isString, error: or('not a string') }
const OBJECT = { is: isObject, error: or('not an object') }
const ARRAY = { is: isArray, error: or('not an array') }
export const NUMBER: Kind<number | bigint> = {
  is: value => typeof value === 'number' || typeof value === 'bigint',
  error: or('does not contains a number'),
}
const BOOLEAN: Kind<boolean> = { is: value => typeof value === 'boolean', error: or('not a bool') }
/** The results of `work` for the matches of one kind; null for others, or an error with an older path. */
function each<Value extends Json, Result>(
  root: Json,
  path: Path,
  kind: Kind<Value>,
  work: (value: Value, node: Node) => Result,
): (Result | null)[] {
  const nodes = select(root, path)
  if (!path.isLegacy) return nodes.map(node => (kind.is(node.value) ? work(node.value, node) : null))
  const fitting = nodes.filter(node => kind.is(node.value))
  if (fitting.length === 0) throw new CommandError(kind.error(path, nodes[0]?.value))
  return fitting.map(node => work(node.value as Value, node))
}

// ---- reading ----

/** A command that reads one kind of value. With an older path it replies with that of the first match. `without`: the key. */
function reader<Value extends Json>(
  kind: Kind<Value>,
  work: (value: Value, ctx: ModuleContext) => ModuleReply,
  without: (path: Path) => null = keyUnlessLegacy,
) {
  return (ctx: ModuleContext): ModuleReply => {
    const document = read(ctx, ctx.args[1])
    const path = pathAt(ctx, 2)
    if (document === undefined) return without(path)
    const replies = each(document.root, path, kind, value => work(value, ctx))
    return path.isLegacy ? replies[0] : replies
  }
}

function pathUnlessLegacy(path: Path): null {
  if (path.isLegacy) return null
  throw missing(path)
}

function keyUnlessLegacy(path: Path): null {
  if (path.isLegacy) return null
  throw new CommandError(NO_KEY)
}

function neverWithout(path: Path): never {
  throw missing(path)
}

/** As reader(), for objects: null where an older path selects nothing. */
function objectReader(kind: Kind<Map<string, Json>>, work: (value: Map<string, Json>) => ModuleReply, without = keyUnlessLegacy) {
  const run = reader(kind, work, without)
  return (ctx: ModuleContext): ModuleReply => {
    const [path, document] = [pathAt(ctx, 2), read(ctx, ctx.args[1])]
    return document !== undefined && path.isLegacy && select(document.root, path).length === 0 ? null : run(ctx)
  }
}

function arrayIndex(array: Json[], ctx: ModuleContext): number {
  const wanted = jsonAt(ctx, 3)
  const from = clamped(ctx.argc > 4 ? ctx.integer(4) : 0, array.length)
  const stop = ctx.argc > 5 ? ctx.integer(5) : 0
  const to = stop === 0 ? array.length : clamped(stop, array.length)
  return array.findIndex((one, i) => i >= from && i < to && equal(one, wanted))
}

// ---- changing ----

/** What a command does to a value: `next` takes its place, or it is changed; change() returns the bytes it then has more. */
type Change = { readonly reply: ModuleReply } & ({ readonly next: Json } | { change(): number })

/** Makes changes, in inner values first: an outer one may remove them. */
function make(document: Document, changes: readonly { readonly node: Node; readonly done: Change }[]): void {
  for (const { node, done } of changes.toSorted((a, b) => b.node.depth - a.node.depth)) {
    if ('next' in done) put(document, node, done.next)
    else document.bytes += done.change()
  }
}

/** A command that changes one kind of value. `work` throws before anything has changed; null: this value stays. */
export function writer<Value extends Json>(
  kind: Kind<Value>,
  work: (value: Value, ctx: ModuleContext, node: Node, path: Path) => Change | null,
  pathFrom: (ctx: ModuleContext) => Path = ctx => pathAt(ctx, 2),
) {
  return (ctx: ModuleContext): ModuleReply => {
    const [key, document] = opened(ctx)
    const path = pathFrom(ctx)
    const found = each(document.root, path, kind, (value, node) => {
      const done = work(value, ctx, node, path)
      return done === null ? null : { node, done }
    })
    const changes = found.filter(one => one !== null)
    make(document, changes)
    if (changes.length > 0) key.changed()
    const replies = found.map(one => (one === null ? null : one.done.reply))
    return path.isLegacy ? replies.at(-1) : replies
  }
}

function append(ctx: ModuleContext): ModuleReply {
  const text = jsonAt(ctx, ctx.argc - 1)
  if (!STRING.is(text)) throw new CommandError(STRING.error(LEGACY_ROOT, text))
  const change = writer(
    STRING,
    value => ({ next: value + text, reply: Buffer.byteLength(value + text) }),
    () => (ctx.argc === 4 ? pathAt(ctx, 2) : LEGACY_ROOT),
  )
  return change(ctx)
}

/** Items are put at `i`: those from args[from] on. */
function insertion(array: Json[], i: number, ctx: ModuleContext, from: number, { depth }: Node): Change {
  const items = ctx.args.slice(from).map((_, k) => jsonAt(ctx, from + k))
  if (!items.every(one => fits(depth + 1, one))) throw tooDeep()
  return { reply: array.length + items.length, change: () => (array.splice(i, 0, ...items), itemBytes(items)) }
}

function itemBytes(items: readonly Json[]): number {
  return items.reduce<number>((sum, one) => sum + ITEM_BYTES + bytesOf(one), 0)
}

const arrayAppend = writer(ARRAY, (array, ctx, node) => insertion(array, array.length, ctx, 3, node))

const arrayInsert = writer(ARRAY, (array, ctx, node) => {
  const at = ctx.integer(3)
  const i = at < 0 ? array.length + at : at
  if (i < 0 || i > array.length) throw new CommandError('ERR index out of bounds')
  return insertion(array, i, ctx, 4, node)
})

const arrayPop = writer(
  ARRAY,
  (array, ctx) => {
    if (array.length === 0) return null
    const at = popIndexAt(ctx)
    const i = Math.min(array.length - 1, clamped(at < ctx.argc ? ctx.integer(at) : -1, array.length))
    return { reply: inFormat(array[i], popFormat(ctx) ?? 'strings'), change: () => -itemBytes(array.splice(i, 1)) }
  },
  ctx => {
    const format = popFormat(ctx)
    const path = pathAt(ctx, popIndexAt(ctx) - 1)
    if (format !== undefined && path.isLegacy) throw new CommandError('ERR wrong reply format')
    return path
  },
)

/** FORMAT of JSON.ARRPOP key [FORMAT format] [path [index]], where a word follows it. */
function popFormat(ctx: ModuleContext): ReplyFormat | undefined {
  return ctx.argc > 3 && ctx.is(2, 'FORMAT') ? formatAt(ctx, 3, ['strings', 'expand1', 'expand']) : undefined
}

function popIndexAt(ctx: ModuleContext): number {
  return popFormat(ctx) === undefined ? 3 : 5
}

const arrayTrim = writer(ARRAY, (array, ctx) => {
  const [from, to] = [clamped(ctx.integer(3), array.length), clamped(ctx.integer(4), array.length) + 1]
  const kept = Math.max(0, Math.min(to, array.length) - from)
  return { reply: kept, change: () => -itemBytes([...array.splice(from + kept), ...array.splice(0, from)]) }
})

const toggle = writer(BOOLEAN, (value, _ctx, _node, path) => ({
  next: !value,
  reply: path.isLegacy ? String(!value) : value ? 0 : 1,
}))

function clear(ctx: ModuleContext): ModuleReply {
  const [key, document] = opened(ctx)
  if (ctx.argc > 3) throw new CommandError("ERR wrong number of arguments for 'json.clear' command")
  let count = 0
  for (const node of select(document.root, pathAt(ctx, 2, ROOT)).reverse()) {
    const { value } = node
    if (isContainer(value) ? sizeOf(value) === 0 : !NUMBER.is(value) || value === 0n || value === 0) continue
    put(document, node, Array.isArray(value) ? [] : value instanceof Map ? new Map() : 0n)
    count++
  }
  if (count > 0) key.changed()
  return count
}


export const parts: readonly ModuleCommand[] = [
  { name: 'json.strappend', arity: -3, ...WRITES, args: 'key#0 [path] value', run: append },
  { name: 'json.strlen', arity: -2, ...READS, args: 'key#0 [path]', run: reader(MEASURED_STRING, value => Buffer.byteLength(value)) },
  { name: 'json.arrappend', arity: -4, ...WRITES, args: 'key#0 path value...', run: arrayAppend },
  { name: 'json.arrindex', arity: -4, ...READS, args: 'key#0 path value [start:integer] [stop:integer]', run: reader(SEARCHED_ARRAY, arrayIndex, neverWithout) },
  { name: 'json.arrinsert', arity: -5, ...WRITES, args: 'key#0 path index:integer value...', run: arrayInsert },
  { name: 'json.arrlen', arity: -2, ...READS, args: 'key#0 [path]', run: reader(ARRAY, array => array.length) },
  { name: 'json.arrpop', arity: -2, ...WRITES, args: 'key#0 [FORMAT format] [path] [index:integer]', run: arrayPop },
  { name: 'json.arrtrim', arity: 5, ...WRITES, args: 'key#0 path start:integer stop:integer', run: arrayTrim },
  { name: 'json.objkeys', arity: -2, ...READS, args: 'key#0 [path]', run: objectReader(OBJECT, object => [...object.keys()]) },
  { name: 'json.objlen', arity: -2, ...READS, args: 'key#0 [path]', run: objectReader(MEASURED_OBJECT, object => object.size, pathUnlessLegacy) },
  { name: 'json.toggle', arity: -2, ...WRITES, args: 'key#0 [path]', run: toggle },
  { name: 'json.clear', arity: -2, ...WRITES, args: 'key#0 [path]', run: clear },
]
