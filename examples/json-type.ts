// The type of JSON documents, whose RDB files are RedisJSON's (ReJSON-RL): one text for each document.

import { CommandError, defineType, type ModuleContext, type ModuleWord, type TypedKey } from '../src/module.ts'
import { bytesOf, DEPTH_MAX, depthOf, type Json } from './json-document.ts'
import { type Node, type Path, pathOf } from './json-path.ts'
import { parsed, textOf } from './json-text.ts'

/** A document; `bytes` is kept as it changes. */
export interface Document {
  root: Json
  bytes: number
}

export const NO_KEY = "ERR could not perform this operation on a key that doesn't exist"
const OTHER_TYPE = 'ERR Existing key has wrong Redis type'
const TOO_DEEP = 'ERR recursion limit exceeded'
export const ROOT = pathOf('$')
export const LEGACY_ROOT = pathOf('.')

/** Facts of commands. */
export const WRITES = { flags: 'write denyoom', keys: 'RW ACCESS UPDATE @1', propagation: 'verbatim' } as const
export const READS = { flags: 'readonly', keys: 'RO ACCESS @1' } as const

export const type = defineType<Document>({
  name: 'ReJSON-RL',
  encodingVersion: 3,
  save: ({ root }, out) => out.string(textOf(root)),
  load: (input, version) => {
    if (version !== 3) throw new Error(`encoding version ${version}`)
    return documentOf(parsed(input.text()))
  },
  rewrite: ({ root }) => [['JSON.SET', '$', textOf(root)]],
  memory: ({ bytes }) => bytes,
  freeEffort: ({ bytes }) => bytes / 64,
})

export function documentOf(root: Json): Document {
  return { root, bytes: bytesOf(root) }
}

/** Errors of paths and texts are error replies. */
function checked<Result>(work: () => Result, text?: string): Result {
  try {
    return work()
  } catch (error) {
    throw new CommandError(text ?? (error as Error).message)
  }
}

/** The path at args[i], or another. */
export function pathAt(ctx: ModuleContext, i: number, absent: Path = LEGACY_ROOT): Path {
  return i < ctx.argc ? checked(() => pathOf(ctx.text(i))) : absent
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function jsonAt(ctx: ModuleContext, i: number): Json {
  const text = checked(() => UTF8.decode(ctx.args[i]), "ERR Couldn't parse as UTF-8 string")
  return checked(() => parsed(text))
}

export function missing(path: Path): CommandError {
  return new CommandError(`ERR Path '${path.text}' does not exist`)
}

/** Whether a value so many containers deep may have `value` in it. */
export function fits(depth: number, value: Json): boolean {
  return depth + depthOf(value) <= DEPTH_MAX
}

export function tooDeep(): CommandError {
  return new CommandError(TOO_DEEP)
}

/** Puts a value where a node is, and counts its bytes. */
export function put(document: Document, { up, key, value }: Node, next: Json): void {
  document.bytes += bytesOf(next) - bytesOf(value)
  const parent = up?.value
  if (Array.isArray(parent)) parent[key as number] = next
  else if (parent instanceof Map) parent.set(key as string, next)
  else document.root = next
}

/** The document to read; undefined: no such key. */
export function read(ctx: ModuleContext, key: ModuleWord): Document | undefined {
  return checked(() => ctx.read(type, key), OTHER_TYPE)
}

export function write(ctx: ModuleContext, key: ModuleWord): TypedKey<Document> {
  return checked(() => ctx.write(type, key), OTHER_TYPE)
}

/** The key and its document to change; an error without it. */
export function opened(ctx: ModuleContext): [TypedKey<Document>, Document] {
  const key = write(ctx, ctx.args[1])
  if (key.value === undefined) throw new CommandError(NO_KEY)
  return [key, key.value]
}
