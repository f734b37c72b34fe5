// JSON values as replies: JSON.TYPE, JSON.RESP, and what FORMAT says.
//
//   STRING, STRINGS   the text
//   EXPAND1           arrays and objects as text, other values as themselves
//   EXPAND            as themselves: arrays, maps, doubles, booleans

import { CommandError, type ModuleCommand, type ModuleContext, type ModuleReply, reply } from '../src/module.ts'
import { isContainer, type Json, typeName } from './json-document.ts'
import { select } from './json-path.ts'
import { textOf } from './json-text.ts'
import { missing, pathAt, READS, read } from './json-type.ts'

export type ReplyFormat = 'string' | 'strings' | 'expand1' | 'expand'

/** The format that args[i] names. */
export function formatAt(ctx: ModuleContext, i: number, known: readonly ReplyFormat[]): ReplyFormat {
  const format = known.find(word => ctx.is(i, word))
  if (format === undefined) throw new CommandError('ERR wrong reply format')
  if (ctx.client.protocol === 2) throw new CommandError('ERR FORMAT argument is not supported on RESP2')
  return format
}

export function inFormat(value: Json, format: ReplyFormat): ModuleReply {
  return format === 'expand' || (format === 'expand1' && !isContainer(value)) ? native(value) : textOf(value)
}

/** The value as itself. */
export function native(value: Json): ModuleReply {
  if (typeof value === 'number') return reply.double(value)
  if (Array.isArray(value)) return value.map(native)
  return value instanceof Map ? new Map([...value].map(([name, one]) => [name, native(one)])) : value
}

function typeOf(ctx: ModuleContext): ModuleReply {
  const document = read(ctx, ctx.args[1])
  const path = pathAt(ctx, 2)
  const names = document && select(document.root, path).map(node => typeName(node.value))
  const answer = path.isLegacy ? names?.[0] : names
  return ctx.client.protocol === 3 ? [answer ?? null] : answer
}

/** As RedisJSON spells JSON in RESP: lists that begin with their kind. */
function spelled(value: Json): ModuleReply {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return textOf(value)
  if (Array.isArray(value)) return ['[', ...value.map(spelled)]
  if (value instanceof Map) return ['{', ...[...value].flatMap(([name, one]) => [name, spelled(one)])]
  return value
}

function spell(ctx: ModuleContext): ModuleReply {
  const document = read(ctx, ctx.args[1])
  if (document === undefined) return null
  const path = pathAt(ctx, 2)
  const replies = select(document.root, path).map(node => spelled(node.value))
  if (path.isLegacy && replies.length === 0) throw missing(path)
  return path.isLegacy ? replies[0] : replies
}

export const answers: readonly ModuleCommand[] = [
  { name: 'json.type', arity: -2, ...READS, args: 'key#0 [path]', run: typeOf },
  { name: 'json.resp', arity: -2, ...READS, args: 'key#0 [path]', run: spell },
]
