// The type of JSON documents, whose RDB files are RedisJSON's (ReJSON-RL): one text for each document.

import { CommandError, defineType, type ModuleContext, type TypedKey } from '../src/module.ts'
import { bytesOf, type Json, parsed, textOf } from './json-document.ts'
import { type Node, type Path, pathOf } from './json-path.ts'

/** A document; `bytes` is kept as it changes. */
export interface Document {
  root: Json
  bytes: number
}

const NO_KEY = "ERR could not perform this operation on a key that doesn't exist"
export const ROOT = pathOf('$')
export const LEGACY_ROOT = pathOf('.')

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
function checked<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new CommandError((error as Error).message)
  }
}

/** The path at args[i], or another. */
export function pathAt(ctx: ModuleContext, i: number, absent: Path = LEGACY_ROOT): Path {
  return i < ctx.argc ? checked(() => pathOf(ctx.text(i))) : absent
}

export function jsonAt(ctx: ModuleContext, i: number): Json {
  return checked(() => parsed(ctx.text(i)))
}

export function missing(path: Path): CommandError {
  return new CommandError(`ERR Path '${path.text}' does not exist`)
}

/** Puts a value where a node is, and counts its bytes. */
export function put(document: Document, { parent, key, value }: Node, next: Json): void {
  document.bytes += bytesOf(next) - bytesOf(value)
  if (parent === undefined) document.root = next
  else if (Array.isArray(parent)) parent[key as number] = next
  else parent.set(key as string, next)
}

export function opened(ctx: ModuleContext, i = 1): [TypedKey<Document>, Document] {
  const key = ctx.write(type, ctx.args[i])
  if (key.value === undefined) throw new CommandError(NO_KEY)
  return [key, key.value]
}
