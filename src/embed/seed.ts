// SeedData: a dataset as plain values, in both directions: createServer({ data }), and toJSON().
//
//   'text', 7, bytes         string
//   ['a', 'b']               list
//   { field: 'value' }       hash; { $hash: { … } } when a field has the name of a mark
//   { $set: ['a'] }          set, or a Set
//   { $zset: { a: 1 } }      sorted set, or a Map of numbers
//   { $stream: [['1-1', { field: 'value' }]] }
//   { $value: …, $ttl: ms }  any of these with a time to live
//   { $base64: '…' }         bytes that are not UTF-8, wherever a text may be
//
// Always: what toJSON() returns is JSON, has its keys in order, and seeds an equal dataset (consumer groups excepted).

import { latin1Text } from '../lib/bytes.ts'
import { globMatch } from '../lib/glob.ts'
import { Slice } from '../lib/slice.ts'
import type { Value } from '../protocol/value.ts'
import type { Word } from './arguments.ts'
import type { ServerCaller } from './caller.ts'

/** A text, or bytes. */
export type SeedText = string | number | bigint | Uint8Array | { readonly $base64: string }

export type SeedValue =
  | SeedText
  | readonly SeedText[]
  | ReadonlySet<SeedText>
  | ReadonlyMap<string, number>
  | { readonly $set: readonly SeedText[] }
  | { readonly $zset: Readonly<Record<string, number | string>> | readonly (readonly [SeedText, number | string])[] }
  | { readonly $stream: readonly (readonly [id: string, fields: Readonly<Record<string, SeedText>>])[] }
  | { readonly $hash: Readonly<Record<string, SeedText>> | readonly (readonly [SeedText, SeedText])[] }
  | { readonly $value: SeedValue; readonly $ttl?: number }
  | { readonly [field: string]: SeedText }

/** The keys of database 0. */
export interface SeedData {
  readonly [key: string]: SeedValue
}

export interface JsonOptions {
  /** The database; default 0. */
  readonly db?: number
  /** Only keys that match this pattern, as in KEYS. */
  readonly match?: string
  /** Whether keys with an expiry are printed with what is left of it. */
  readonly ttl?: boolean
}

const MARKS = ['$set', '$zset', '$stream', '$hash', '$value', '$base64']
/** Begins the name of a key that is not UTF-8. */
const BYTES_NAME = '$base64:'
/** Words of one command that adds elements. */
const WORDS_MAX = 1000

/** Sets the keys of `data` in database 0. */
export function seed(caller: ServerCaller, data: SeedData): void {
  for (const [key, value] of Object.entries(data)) seedKey(caller, key, value)
}

function seedKey(caller: ServerCaller, key: string, value: SeedValue): void {
  const name = key.startsWith(BYTES_NAME) ? bytesOfBase64(key.slice(BYTES_NAME.length)) : key
  const add = (command: string, words: readonly Word[], group = 1) => {
    const step = WORDS_MAX - (WORDS_MAX % group)
    for (let i = 0; i < words.length; i += step) caller.call(0, command, name, ...words.slice(i, i + step))
  }
  const words = (values: readonly unknown[]) => values.map(one => wordOf(key, one))
  if (isText(value)) return void caller.call(0, 'SET', name, wordOf(key, value))
  if (Array.isArray(value)) return add('RPUSH', words(value))
  if (value instanceof Set) return add('SADD', words([...value]))
  if (value instanceof Map) return add('ZADD', scores(key, [...value]), 2)
  if (typeof value !== 'object' || value === null) throw notSeed(key, value)
  const marked = value as { readonly [mark: string]: unknown }
  if (has(marked, '$set')) return add('SADD', words(marked.$set as SeedText[]))
  if (has(marked, '$zset')) return add('ZADD', scores(key, pairs(marked.$zset)), 2)
  if (has(marked, '$stream')) {
    for (const [id, fields] of marked.$stream as [string, Record<string, SeedText>][])
      caller.call(0, 'XADD', name, id, ...words(pairs(fields).flat()))
    return
  }
  if (has(marked, '$value')) {
    seedKey(caller, key, marked.$value as SeedValue)
    if (marked.$ttl !== undefined) caller.call(0, 'PEXPIRE', name, Number(marked.$ttl))
    return
  }
  const fields = has(marked, '$hash') ? marked.$hash : marked
  add('HSET', words(pairs(fields).flat()), 2)
}

function has(value: object, mark: string): boolean {
  return mark in value && isNotText((value as Record<string, unknown>)[mark], mark)
}

/** A hash may have a field of this name: its value is a text then. */
function isNotText(value: unknown, mark: string): boolean {
  return mark === '$value' || (typeof value === 'object' && value !== null && !isText(value))
}

function isText(value: unknown): value is SeedText {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return true
  if (value instanceof Uint8Array) return true
  return typeof value === 'object' && value !== null && '$base64' in value && Object.keys(value).length === 1
}

function wordOf(key: string, value: unknown): Word {
  if (!isText(value)) throw notSeed(key, value)
  return typeof value === 'object' && !(value instanceof Uint8Array) ? bytesOfBase64(value.$base64) : value
}

function pairs(value: unknown): [unknown, unknown][] {
  return Array.isArray(value) ? (value as [unknown, unknown][]) : Object.entries(value as object)
}

function scores(key: string, members: readonly (readonly [unknown, unknown])[]): Word[] {
  return members.flatMap(([member, score]) => [wordOf(key, score), wordOf(key, member)])
}

function notSeed(key: string, value: unknown): TypeError {
  return new TypeError(`data: the value of '${key}' contains what no type of Redis is: ${String(value)}`)
}

function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), c => c.charCodeAt(0))
}

// ---- toJSON ----

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The dataset, or one database of it. */
export function toJson(caller: ServerCaller, keys: readonly Slice[], options: JsonOptions): SeedData {
  const { db = 0, match, ttl = false } = options
  const pattern = match === undefined ? undefined : Slice.of(match)
  const found: [string, SeedValue][] = []
  for (const key of keys) {
    if (pattern !== undefined && !globMatch(pattern, key, false)) continue
    const bytes = key.view()
    const value = valueOf(caller, db, bytes)
    if (value === undefined) continue
    const leftMs = ttl ? Number(caller.look(db, 'PTTL', bytes)) : -1
    found.push([nameOf(textOf(bytes)), leftMs < 0 ? value : { $value: value, $ttl: leftMs }])
  }
  return Object.fromEntries(found.sort(([a], [b]) => compare(a, b)))
}

function valueOf(caller: ServerCaller, db: number, key: Uint8Array): SeedValue | undefined {
  const look = (...words: Word[]) => caller.look(db, words[0], key, ...words.slice(1)) as Value[]
  switch (String(caller.look(db, 'TYPE', key))) {
    case 'string':
      return textOf(caller.look(db, 'GET', key))
    case 'list':
      return look('LRANGE', 0, -1).map(textOf)
    case 'set':
      return {
        $set: look('SMEMBERS')
          .map(textOf)
          .sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b))),
      }
    case 'hash':
      return hashOf(twos(look('HGETALL')))
    case 'zset':
      return { $zset: scoresOf(twos(look('ZRANGE', 0, -1, 'WITHSCORES'))) }
    case 'stream':
      return { $stream: look('XRANGE', '-', '+').map(entry => entryOf(entry as Value[])) }
    default:
      return undefined
  }
}

function entryOf([id, fields]: Value[]): [string, Record<string, SeedText>] {
  const named = twos(fields as Value[]).map(([name, value]): [string, SeedText] => [
    nameOf(textOf(name)),
    textOf(value),
  ])
  return [nameOf(textOf(id)), Object.fromEntries(named)]
}

function hashOf(fields: [Value, Value][]): SeedValue {
  const texts = fields.map(([name, value]): [SeedText, SeedText] => [textOf(name), textOf(value)])
  if (texts.some(([name]) => typeof name !== 'string')) return { $hash: texts }
  const ordered = (texts as [string, SeedText][]).sort(([a], [b]) => compare(a, b))
  const hash = Object.fromEntries(ordered)
  return ordered.some(([name]) => MARKS.includes(name)) ? { $hash: hash } : hash
}

/** In the order of scores; numbers as keys of an object would not stay in it. */
function scoresOf(members: [Value, Value][]): Record<string, number | string> | [SeedText, number | string][] {
  const read = members.map(([member, score]): [SeedText, number | string] => {
    const text = nameOf(textOf(score))
    return [textOf(member), Number.isFinite(Number(text)) ? Number(text) : text]
  })
  const plain = read.every(([member]) => typeof member === 'string' && String(Number(member)) !== member)
  return plain ? (Object.fromEntries(read) as Record<string, number | string>) : read
}

function twos(list: Value[]): [Value, Value][] {
  const found: [Value, Value][] = []
  for (let i = 0; i + 1 < list.length; i += 2) found.push([list[i], list[i + 1]])
  return found
}

function textOf(value: Value): SeedText {
  if (!(value instanceof Uint8Array)) return String(value)
  try {
    return UTF8.decode(value)
  } catch {
    return { $base64: btoa(latin1Text(value)) }
  }
}

/** The name of a key or field; bytes are written as in a text. */
function nameOf(text: SeedText): string {
  return typeof text === 'object' && '$base64' in text ? `${BYTES_NAME}${text.$base64}` : String(text)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
