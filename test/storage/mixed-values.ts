// A dataset of mixed values, made from the number of a key alone: of 20 keys 12 are strings (100 B to 100 KB), and two
// each hashes, sorted sets, lists and streams.
//
// Always: keys whose numbers are the same modulo KINDS have values of the same sizes, so that commands are templates.

import { encodeCommand, type Word } from '../harness/resp.ts'

const KINDS = 5000
const STRING_BYTES_MIN = 100
/** Of the longest to the shortest. */
const STRING_RATIO = 1000
/** The larger, the fewer long strings. */
const STRING_POWER = 3.2
const TEXT = Buffer.alloc(STRING_BYTES_MIN * STRING_RATIO + 4096)
for (let i = 0, x = 1; i < TEXT.length; i++) {
  x = (Math.imul(x, 1103515245) + 12345) >>> 0
  TEXT[i] = 32 + ((x >>> 16) % 95)
}

/** A number of [0, 1) for each key. */
function fraction(key: number, salt: number): number {
  let x = Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
  return ((x ^ (x >>> 15)) >>> 0) / 4294967296
}

function text(key: number, salt: number, bytes: number): Uint8Array {
  const from = Math.floor(fraction(key, salt) * 4096)
  return TEXT.subarray(from, from + bytes)
}

export function nameOf(key: number): string {
  return `key:${String(key).padStart(10, '0')}`
}

/** Bytes of a key's string; 0: it is none. */
export function stringBytes(key: number): number {
  return key % 20 < 12 ? Math.round(STRING_BYTES_MIN * STRING_RATIO ** (fraction(key % KINDS, 0) ** STRING_POWER)) : 0
}

/** Fields of a hash, elements of a list and the like: 8 to 50, one in a hundred times 1000. */
function elements(key: number): number {
  return fraction(key, 1) < 0.01 ? 1000 : 8 + Math.floor(fraction(key, 2) * 43)
}

/** Commands that make the value of a key; `version` changes it. */
function commandsOf(key: number, version: number): Word[][] {
  const name = nameOf(key)
  const bytes = stringBytes(key)
  if (bytes > 0) return [['SET', name, text(key, version, bytes)]]
  const count = elements(key)
  const kind = Math.floor((key % 20) / 2)
  const before: Word[][] = version > 0 ? [['DEL', name]] : []
  if (kind === 9)
    return [...before, ...Array.from({ length: count }, (_, i) => ['XADD', name, `${i + 1}-${version}`, 'f', `v${i}`])]
  const words: Word[] = [kind === 6 ? 'HSET' : kind === 7 ? 'ZADD' : 'RPUSH', name]
  for (let i = 0; i < count; i++) {
    if (kind === 6) words.push(`field:${i}`, text(key, i + version, 40))
    else if (kind === 7) words.push(i * 1.5, `member:${version}:${i}`)
    else words.push(text(key, i + version, 50))
  }
  return [...before, words]
}

interface Template {
  bytes: Uint8Array
  replies: number
  /** Where the number of the key is. */
  numbersAt: number[]
}

const templates = new Map<number, Template>()

function templateOf(kind: number, version: number): Template {
  const commands = commandsOf(kind, version).map(words => encodeCommand(words))
  const numbersAt: number[] = []
  let at = 0
  for (const bytes of commands) {
    numbersAt.push(at + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('key:') + 4)
    at += bytes.length
  }
  return { bytes: Buffer.concat(commands), replies: commands.length, numbersAt }
}

/** What makes the value of a key, and how many replies there are. */
export function writeOf(key: number, version = 0): { bytes: Uint8Array; replies: number } {
  const kind = key % KINDS
  const id = kind + KINDS * version
  let template = templates.get(id)
  if (template === undefined) templates.set(id, (template = templateOf(kind, version)))
  const bytes = Buffer.from(template.bytes)
  const number = nameOf(key).slice(4)
  for (const at of template.numbersAt) bytes.write(number, at, 'latin1')
  return { bytes, replies: template.replies }
}

/** Bytes of the commands that make a key, on average. */
export function meanBytes(): number {
  let sum = 0
  for (let kind = 0; kind < KINDS; kind++) sum += writeOf(kind).bytes.length
  return sum / KINDS
}

/** The whole value of a key. */
export function readOf(key: number): Word[] {
  const name = nameOf(key)
  const kind = Math.floor((key % 20) / 2)
  if (kind < 6) return ['GET', name]
  if (kind === 6) return ['HGETALL', name]
  if (kind === 7) return ['ZRANGE', name, 0, -1]
  if (kind === 8) return ['LRANGE', name, 0, -1]
  return ['XRANGE', name, '-', '+']
}

/** Keys by Zipf's law with the exponent 1; popular ones are spread over all. */
export function zipf(keys: number, random: () => number): number {
  const rank = Math.min(keys - 1, Math.floor((keys + 1) ** random()) - 1)
  return (rank * 2654435761) % keys
}
