// JSON documents: JSON.SET, GET, MGET, MSET, MERGE, DEL, FORGET, TYPE, RESP, NUMINCRBY, NUMMULTBY, NUMPOWBY, STRAPPEND,
// STRLEN, ARRAPPEND, ARRINDEX, ARRINSERT, ARRLEN, ARRPOP, ARRTRIM, OBJKEYS, OBJLEN, TOGGLE, CLEAR, with RedisJSON's
// replies. json-path.ts has the paths, json-parts.ts, json-numbers.ts and json-replies.ts other commands.
//
// Always: with a path from `$` the reply is a list with one item for each match; with an older path it is that of the
// first match, and none is an error. A command of which one part could not be done replies null; the others are done.

import { CommandError, defineModule, type ModuleCommand, type ModuleContext, type ModuleReply, reply, type TypedKey } from '../src/module.ts'
import { bytesOf, FIELD_BYTES, ITEM_BYTES, isContainer, type Json, sizeOf } from './json-document.ts'
import { numbers } from './json-numbers.ts'
import { parts } from './json-parts.ts'
import { type Node, type Path, select } from './json-path.ts'
import { answers, formatAt, inFormat, type ReplyFormat } from './json-replies.ts'
import { type Format, textOf } from './json-text.ts'
import { type Document, documentOf, fits, jsonAt, LEGACY_ROOT, missing, pathAt, put, READS, read, ROOT, type, WRITES, write } from './json-type.ts'

type Condition = 'nx' | 'xx' | undefined

/** What becomes of the values that a path selects, or of the field that it adds. */
type Change = (before: Json | undefined) => Json

/** Sets what the path selects or adds. False: a part of it, or all, cannot be set or does not meet the condition. */
function update(key: TypedKey<Document>, path: Path, change: Change, condition?: Condition): boolean {
  const document = key.value
  if (document === undefined || path.steps.length === 0) {
    if (document === undefined && path.steps.length > 0) throw new CommandError('ERR new objects must be created at the root')
    if (condition === (document === undefined ? 'xx' : 'nx')) return false
    key.set(documentOf(change(document?.root)))
    return true
  }
  const nodes = select(document.root, path)
  if (nodes.length > 0 && condition === 'nx') return false
  const places = nodes.length > 0 || condition === 'xx' ? nodes : added(document, path)
  let count = 0
  // Inner values first: an outer one may replace them.
  for (const node of places.toSorted((a, b) => b.depth - a.depth)) {
    const isNew = nodes.length === 0
    const next = change(isNew ? undefined : node.value)
    if (!fits(node.depth, next)) continue
    put(document, node, next)
    if (isNew) document.bytes += FIELD_BYTES + String(node.key).length + bytesOf(node.value)
    count++
  }
  if (count > 0) key.changed()
  return count > 0 && count === places.length
}

/** The fields that do not exist yet: the last name of a path in the objects that the rest of it selects. */
function added(document: Document, path: Path): Node[] {
  const last = path.steps.at(-1)!
  if (last.isDeep || last.kind !== 'keys' || last.keys.length > 1) throw new CommandError('ERR wrong static path')
  const [key] = last.keys
  const parents = select(document.root, { ...path, steps: path.steps.slice(0, -1) })
  if (typeof key === 'number' && parents.length > 0) throw new CommandError('ERR array index out of range')
  return parents.filter(({ value }) => value instanceof Map).map(up => ({ value: null, up, key, depth: up.depth + 1 }))
}

function set(ctx: ModuleContext): ModuleReply {
  const condition = ctx.argc < 5 ? undefined : ctx.is(4, 'NX') ? 'nx' : ctx.is(4, 'XX') ? 'xx' : 'bad'
  if (condition === 'bad' || ctx.argc > 5) throw new CommandError('ERR syntax error')
  const [path, value] = [pathAt(ctx, 2), jsonAt(ctx, 3)]
  return done(update(write(ctx, ctx.args[1]), path, () => structuredClone(value), condition))
}

function done(isWhole: boolean): ModuleReply {
  return isWhole ? reply.simple('OK') : null
}

function setMany(ctx: ModuleContext): ModuleReply {
  if (ctx.argc % 3 !== 1) throw new CommandError("ERR wrong number of arguments for 'json.mset' command")
  const sets: [at: number, path: Path, value: Json][] = []
  for (let i = 1; i < ctx.argc; i += 3) {
    const path = pathAt(ctx, i + 1)
    const isNew = read(ctx, ctx.args[i]) === undefined && !sets.some(([at]) => ctx.text(at) === ctx.text(i))
    if (isNew && path.steps.length > 0) throw new CommandError('ERR new objects must be created at the root')
    sets.push([i, path, jsonAt(ctx, i + 2)])
  }
  const areDone = sets.map(([i, path, value]) => update(write(ctx, ctx.args[i]), path, () => structuredClone(value)))
  return done(areDone.every(Boolean))
}

function merged(value: Json | undefined, patch: Json): Json {
  if (!(patch instanceof Map)) return structuredClone(patch)
  const result = new Map(value instanceof Map ? value : [])
  for (const [name, one] of patch) {
    if (one === null) result.delete(name)
    else result.set(name, merged(result.get(name), one))
  }
  return result
}

function merge(ctx: ModuleContext): ModuleReply {
  const [path, patch] = [pathAt(ctx, 2), jsonAt(ctx, 3)]
  return done(update(write(ctx, ctx.args[1]), path, before => merged(before, patch)))
}

function get(ctx: ModuleContext): ModuleReply {
  const layout: Format = { indent: '', newline: '', space: '' }
  let format: ReplyFormat = 'string'
  const at: number[] = []
  for (let i = 2; i < ctx.argc; i++) {
    const word = (['indent', 'newline', 'space'] as const).find(one => ctx.is(i, one))
    const hasNext = i + 1 < ctx.argc
    if (word !== undefined && hasNext) layout[word] = ctx.text(++i)
    else if (ctx.is(i, 'FORMAT') && hasNext) {
      // Behind a path RESP2 does not mind it.
      if (at.length === 0 || ctx.client.protocol === 3) format = formatAt(ctx, i + 1, ['string', 'expand1', 'expand'])
      i++
    } else if (!ctx.is(i, 'NOESCAPE')) at.push(i)
  }
  const document = read(ctx, ctx.args[1])
  if (document === undefined) return null
  const paths = at.length > 0 ? at.map(i => pathAt(ctx, i)) : [LEGACY_ROOT]
  const selected = paths.map(path => select(document.root, path).map(node => node.value))
  if (format !== 'string') return selected.map(values => values.map(value => inFormat(value, format)))
  const areLegacy = paths.every(path => path.isLegacy)
  const results = selected.map((values, k) => {
    if (areLegacy && values.length === 0) throw missing(paths[k])
    return [at.length > 0 ? ctx.text(at[k]) : '.', areLegacy ? values[0] : values] as const
  })
  return textOf(results.length === 1 ? results[0][1] : new Map(results), layout)
}

/** null for keys of other types too. */
function getMany(ctx: ModuleContext): ModuleReply {
  const path = pathAt(ctx, ctx.argc - 1)
  return ctx.args.slice(1, -1).map(name => {
    const document = ofType(ctx, name)
    const values = document === undefined ? [] : select(document.root, path).map(node => node.value)
    if (document === undefined || (path.isLegacy && values.length === 0)) return null
    return textOf(path.isLegacy ? values[0] : values)
  })
}

function ofType(ctx: ModuleContext, name: Uint8Array): Document | undefined {
  try {
    return read(ctx, name)
  } catch {
    return undefined
  }
}

function remove(ctx: ModuleContext): number {
  const key = write(ctx, ctx.args[1])
  const document = key.value
  if (document === undefined) return 0
  const nodes = select(document.root, pathAt(ctx, 2, ROOT))
  const isWhole = nodes.some(node => node.up === undefined)
  const count = isWhole ? 1 : removeParts(document, nodes)
  if (isWhole || (count > 0 && isContainer(document.root) && sizeOf(document.root) === 0)) key.delete()
  else if (count > 0) key.changed('json.del')
  return count
}

function keepOnly(array: Json[], keeps: (i: number) => boolean): void {
  let kept = 0
  for (let i = 0; i < array.length; i++) if (keeps(i)) array[kept++] = array[i]
  array.length = kept
}

/** Removes values, of values within one another the outer one; the number of those removed. */
function removeParts(document: Document, nodes: readonly Node[]): number {
  const removed = new Set(nodes.map(node => node.value).filter(isContainer))
  const isInside = (node: Node): boolean =>
    node.up !== undefined && ((isContainer(node.up.value) && removed.has(node.up.value)) || isInside(node.up))
  const keys = new Map<Json, Set<number | string>>()
  for (const node of nodes.filter(one => !isInside(one))) {
    const parent = node.up!.value
    keys.set(parent, (keys.get(parent) ?? new Set()).add(node.key))
  }
  let count = 0
  for (const [parent, set] of keys) {
    count += set.size
    for (const key of set) {
      const value = Array.isArray(parent) ? parent[key as number] : (parent as Map<string, Json>).get(key as string)!
      document.bytes -= bytesOf(value) + (Array.isArray(parent) ? ITEM_BYTES : FIELD_BYTES + String(key).length)
      if (parent instanceof Map) parent.delete(key as string)
    }
    if (Array.isArray(parent)) keepOnly(parent, i => !set.has(i))
  }
  return count
}

function memory(ctx: ModuleContext): ModuleReply {
  const document = read(ctx, ctx.args[2])
  const path = pathAt(ctx, 3)
  if (document === undefined) return path.isLegacy ? 0 : []
  const bytes = select(document.root, path).map(node => bytesOf(node.value))
  if (path.isLegacy && bytes.length === 0) throw missing(path)
  return path.isLegacy ? bytes[0] : bytes
}

const commands: readonly ModuleCommand[] = [
  ...parts,
  ...numbers,
  ...answers,
  { name: 'json.set', arity: -4, ...WRITES, summary: 'Set a value.', args: 'key#0 path value [condition:(NX|XX)]', run: set },
  { name: 'json.mset', arity: -4, ...WRITES, keys: 'RW UPDATE @1..-1/3', args: 'triplet:(key#0 path value)...', run: setMany },
  { name: 'json.merge', arity: 4, ...WRITES, summary: 'Merge a value (RFC 7396).', args: 'key#0 path value', run: merge },
  { name: 'json.get', arity: -2, ...READS, summary: 'Values as text.', run: get },
  { name: 'json.mget', arity: -3, ...READS, keys: 'RO ACCESS @1..-2', args: 'key#0... path', run: getMany },
  {
    name: 'json.debug',
    arity: -2,
    flags: 'readonly',
    subcommands: [{ name: 'memory', arity: -3, flags: 'readonly', keys: 'RO ACCESS @2', args: 'key#0 [path]', run: memory }],
  },
  ...['json.del', 'json.forget'].map(name => ({ name, arity: -2, ...WRITES, args: 'key#0 [path]', run: remove })),
]

export default defineModule({ name: 'ReJSON', version: 20600, apiVersion: 1, types: [type], commands })
