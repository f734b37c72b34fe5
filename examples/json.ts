// JSON documents: JSON.SET, GET, MGET, MSET, MERGE, DEL, FORGET, TYPE, NUMINCRBY, NUMMULTBY, STRAPPEND, STRLEN, ARRAPPEND,
// ARRINDEX, ARRINSERT, ARRLEN, ARRPOP, ARRTRIM, OBJKEYS, OBJLEN, TOGGLE, CLEAR, with RedisJSON's replies. json-path.ts
// has the paths, json-parts.ts the commands for parts.
//
// Always: with a path from `$` the reply is a list with one item for each match; with an older path it is that of the
// first match, and none is an error. Numbers are doubles: 1.0 is the integer 1.

import { CommandError, defineModule, type ModuleCommand, type ModuleContext, type ModuleReply, reply } from '../src/module.ts'
import { bytesOf, FIELD_BYTES, type Format, ITEM_BYTES, type Json, textOf } from './json-document.ts'
import { parts, READS, WRITES } from './json-parts.ts'
import { type Path, select } from './json-path.ts'
import { type Document, documentOf, jsonAt, LEGACY_ROOT, missing, pathAt, put, ROOT, type } from './json-type.ts'

/** False: the condition does not hold. */
function setAt(ctx: ModuleContext, i: number, path: Path, value: Json, condition: 'nx' | 'xx' | undefined): boolean {
  const key = ctx.write(type, ctx.args[i])
  const document = key.value
  if (document === undefined) {
    if (path.steps.length > 0) throw new CommandError('ERR new objects must be created at the root')
    if (condition === 'xx') return false
    key.set(documentOf(value))
    return true
  }
  const nodes = select(document.root, path)
  if (nodes.length > 0 ? condition === 'nx' : condition === 'xx') return false
  for (const node of nodes) put(document, node, structuredClone(value))
  const isSet = nodes.length > 0 || add(document, path, value)
  if (isSet) key.changed()
  return isSet
}

/** The last name of the path is a new field of what the rest of it selects. */
function add(document: Document, path: Path, value: Json): boolean {
  const last = path.steps.at(-1)
  if (last?.kind !== 'keys' || last.isDeep || last.keys.length > 1 || typeof last.keys[0] !== 'string') return false
  const name = last.keys[0]
  const parents = select(document.root, { ...path, steps: path.steps.slice(0, -1) })
  let isSet = false
  for (const { value: parent } of parents)
    if (parent instanceof Map) {
      parent.set(name, structuredClone(value))
      document.bytes += bytesOf(value) + FIELD_BYTES + name.length
      isSet = true
    }
  return isSet
}

function set(ctx: ModuleContext): ModuleReply {
  const condition = ctx.argc < 5 ? undefined : ctx.is(4, 'NX') ? 'nx' : ctx.is(4, 'XX') ? 'xx' : 'bad'
  if (condition === 'bad' || ctx.argc > 5) throw new CommandError('ERR syntax error')
  return setAt(ctx, 1, pathAt(ctx, 2), jsonAt(ctx, 3), condition) ? reply.simple('OK') : null
}

function setMany(ctx: ModuleContext): ModuleReply {
  if (ctx.argc % 3 !== 1) throw new CommandError("ERR wrong number of arguments for 'json.mset' command")
  const sets: [at: number, path: Path, value: Json][] = []
  for (let i = 1; i < ctx.argc; i += 3) {
    const path = pathAt(ctx, i + 1)
    const isNew = ctx.read(type, ctx.args[i]) === undefined && !sets.some(([at]) => ctx.text(at) === ctx.text(i))
    if (isNew && path.steps.length > 0) throw new CommandError('ERR new objects must be created at the root')
    sets.push([i, path, jsonAt(ctx, i + 2)])
  }
  for (const [i, path, value] of sets) setAt(ctx, i, path, value, undefined)
  return reply.simple('OK')
}

function merged(value: Json | undefined, patch: Json): Json {
  if (!(patch instanceof Map)) return patch
  const result = new Map(value instanceof Map ? value : [])
  for (const [name, one] of patch) {
    if (one === null) result.delete(name)
    else result.set(name, merged(result.get(name), one))
  }
  return result
}

function merge(ctx: ModuleContext): ModuleReply {
  const [path, patch] = [pathAt(ctx, 2), jsonAt(ctx, 3)]
  const key = ctx.write(type, ctx.args[1])
  const nodes = key.value === undefined ? [] : select(key.value.root, path)
  if (nodes.length === 0) return setAt(ctx, 1, path, merged(undefined, patch), undefined) ? reply.simple('OK') : null
  for (const node of nodes) put(key.value!, node, merged(node.value, patch))
  key.changed()
  return reply.simple('OK')
}

function get(ctx: ModuleContext): ModuleReply {
  const format: Format = { indent: '', newline: '', space: '' }
  let i = 2
  for (; i + 1 < ctx.argc; i += 2) {
    const word = (['indent', 'newline', 'space'] as const).find(one => ctx.is(i, one))
    if (word === undefined) break
    format[word] = ctx.text(i + 1)
  }
  const document = ctx.read(type, ctx.args[1])
  if (document === undefined) return null
  const paths = i < ctx.argc ? ctx.args.slice(i).map((_, k) => pathAt(ctx, i + k)) : [LEGACY_ROOT]
  const areLegacy = paths.every(path => path.isLegacy)
  const results = paths.map((path, k) => {
    const values = select(document.root, path).map(node => node.value)
    if (areLegacy && values.length === 0) throw missing(path)
    return [i < ctx.argc ? ctx.text(i + k) : '.', areLegacy ? values[0] : values] as const
  })
  return textOf(results.length === 1 ? results[0][1] : new Map(results), format)
}

function getMany(ctx: ModuleContext): ModuleReply {
  const path = pathAt(ctx, ctx.argc - 1)
  return ctx.args.slice(1, -1).map(name => {
    const document = ctx.read(type, name)
    const values = document === undefined ? [] : select(document.root, path).map(node => node.value)
    if (document === undefined || (path.isLegacy && values.length === 0)) return null
    return textOf(path.isLegacy ? values[0] : values)
  })
}

function remove(ctx: ModuleContext): number {
  const key = ctx.write(type, ctx.args[1])
  const document = key.value
  if (document === undefined) return 0
  const nodes = select(document.root, pathAt(ctx, 2, ROOT))
  if (nodes.some(node => node.parent === undefined)) {
    key.delete()
    return 1
  }
  // From the end, so that indexes stay right.
  for (const { parent, key: at, value } of nodes.reverse()) {
    document.bytes -= bytesOf(value) + (Array.isArray(parent) ? ITEM_BYTES : FIELD_BYTES + String(at).length)
    if (Array.isArray(parent)) parent.splice(at as number, 1)
    else parent?.delete(at as string)
  }
  if (nodes.length > 0) key.changed()
  return nodes.length
}

const commands: readonly ModuleCommand[] = [
  ...parts,
  { name: 'json.set', arity: -4, ...WRITES, summary: 'Set a value.', args: 'key#0 path value [condition:(NX|XX)]', run: set },
  { name: 'json.mset', arity: -4, ...WRITES, keys: 'RW UPDATE @1..-1/3', args: 'triplet:(key#0 path value)...', run: setMany },
  { name: 'json.merge', arity: 4, ...WRITES, summary: 'Merge a value (RFC 7396).', args: 'key#0 path value', run: merge },
  { name: 'json.get', arity: -2, ...READS, summary: 'Values as text.', run: get },
  { name: 'json.mget', arity: -3, ...READS, keys: 'RO ACCESS @1..-2', args: 'key#0... path', run: getMany },
  ...['json.del', 'json.forget'].map(name => ({ name, arity: -2, ...WRITES, args: 'key#0 [path]', run: remove })),
]

export default defineModule({ name: 'ReJSON', version: 20600, apiVersion: 1, types: [type], commands })
