// Key specs: the positions of keys among a command's arguments. Reads the `keys` string of a Command once, at
// table build, and finds the keys of actual arguments for ACL, cluster, tracking and COMMAND GETKEYS.
//
//   keys  := spec ('; ' spec)*
//   spec  := FLAG+ '@' begin find ' (' note ')'?
//   begin := index                   the first key is args[index]
//          | KEYWORD ':' start       just after KEYWORD, searched from args[start]; from the end when negative
//          | '?'                     not known
//   find  := ('..' last)? ('/' step)? ('%' limit)?
//                                    up to: +n after the first, -n from the end; limit 2: the first half of the rest
//          | '#' at '+' first ('/' step)?
//                                    their number is `at` after begin, the first of them `first` after begin
//
//   'RW UPDATE @1'   'OW UPDATE @1..-1/2'   'RO ACCESS @STREAMS:1..-1%2'   'OW UPDATE @1; RO ACCESS @2#0+1'
//
// Keys that a spec cannot describe (SORT's STORE, SET's GET) are found by a procedure, named by Command.keyFinder.

import { equalsNoCase } from '../../lib/bytes.ts'
import type { Slice } from '../../lib/slice.ts'
import { digitsEnd, spacesEnd } from '../../lib/strtod.ts'
import type { KeyFinderName } from './command.ts'

export const KEY_RO = 1 << 0
const KEY_RW = 1 << 1
export const KEY_OW = 1 << 2
export const KEY_RM = 1 << 3
export const KEY_ACCESS = 1 << 4
export const KEY_UPDATE = 1 << 5
const KEY_INSERT = 1 << 6
const KEY_DELETE = 1 << 7
const KEY_NOT_KEY = 1 << 8
export const KEY_INCOMPLETE = 1 << 9
export const KEY_VARIABLE_FLAGS = 1 << 10

/** What needs a user's permission to read the key, and to write it. */
export const KEY_READS = KEY_ACCESS
export const KEY_WRITES = KEY_UPDATE | KEY_INSERT | KEY_DELETE

/** Flag words as COMMAND INFO prints them, in its order. */
const KEY_FLAGS: readonly (readonly [name: string, bit: number])[] = [
  ['RO', KEY_RO],
  ['RW', KEY_RW],
  ['OW', KEY_OW],
  ['RM', KEY_RM],
  ['access', KEY_ACCESS],
  ['update', KEY_UPDATE],
  ['insert', KEY_INSERT],
  ['delete', KEY_DELETE],
  ['not_key', KEY_NOT_KEY],
  ['incomplete', KEY_INCOMPLETE],
  ['variable_flags', KEY_VARIABLE_FLAGS],
]

export interface KeySpec {
  flags: number
  notes: string | undefined
  begin: 'index' | 'keyword' | 'unknown'
  /** index: of the first argument; keyword: where the search starts. */
  from: number
  /** Lower case, '' unless begin is 'keyword'. */
  keyword: string
  find: 'range' | 'keynum' | 'unknown'
  lastKey: number
  step: number
  limit: number
  keyNumIndex: number
  firstKey: number
}

/** A command's key specs, as its table entry has them. */
interface KeyFacts {
  readonly keySpecs: readonly KeySpec[]
  readonly keyFinder: KeyFinderName | undefined
}

/** The keys of one command; reused from command to command. */
export class KeyPositions {
  /** Indexes into the arguments. */
  positions = new Int32Array(16)
  /** KEY_ bits, parallel to positions. */
  flags = new Int32Array(16)
  count = 0

  add(position: number, flags: number): void {
    if (this.count === this.positions.length) this.grow()
    this.positions[this.count] = position
    this.flags[this.count++] = flags
  }

  private grow(): void {
    const positions = new Int32Array(this.count * 2)
    const flags = new Int32Array(this.count * 2)
    positions.set(this.positions)
    flags.set(this.flags)
    this.positions = positions
    this.flags = flags
  }
}

const SPEC =
  /^([A-Z_ ]+) @(\d+|\?|[A-Z]+:-?\d+)(?:#(\d+)\+(\d+))?(?:\.\.([+-]\d+))?(?:\/(\d+))?(?:%(\d+))?(?: \((.*)\))?$/

export function parseKeySpecs(text: string): KeySpec[] {
  return text.split('; ').map(parseKeySpec)
}

function parseKeySpec(text: string): KeySpec {
  const match = SPEC.exec(text)
  if (match === null) throw new Error(`key spec '${text}' cannot be read`)
  const [, flags, begin, keyNumIndex, firstKey, lastKey = '0', step = '1', limit = '0', notes] = match
  const [keyword, start] = begin.includes(':') ? begin.split(':') : ['', begin]
  const unknown = begin === '?'
  return {
    flags: flags.split(' ').reduce((bits, word) => bits | keyFlag(word), 0),
    notes,
    begin: unknown ? 'unknown' : keyword === '' ? 'index' : 'keyword',
    from: unknown ? 0 : Number(start),
    keyword: keyword.toLowerCase(),
    find: unknown ? 'unknown' : keyNumIndex === undefined ? 'range' : 'keynum',
    lastKey: Number(lastKey),
    step: Number(step),
    limit: Number(limit),
    keyNumIndex: Number(keyNumIndex ?? 0),
    firstKey: Number(firstKey ?? 0),
  }
}

function keyFlag(word: string): number {
  const found = KEY_FLAGS.find(([name]) => name.toUpperCase() === word)
  if (found === undefined) throw new Error(`no key flag '${word}'`)
  return found[1]
}

/** The words of KEY_ bits. */
export function keyFlagNames(flags: number): string[] {
  return KEY_FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name)
}

/** Whether the command can have keys at all; channels of the sharded pubsub commands do not count. */
export function hasKeys(facts: KeyFacts): boolean {
  return facts.keyFinder !== undefined || facts.keySpecs.some(spec => (spec.flags & KEY_NOT_KEY) === 0)
}

/** The KEY_ bits of a command that always has one key, its first argument; 0 of any other. */
export function flagsOfOnlyKey({ keySpecs }: KeyFacts): number {
  if (keySpecs.length !== 1) return 0
  const [{ begin, from, find, lastKey, flags }] = keySpecs
  const isFirst = begin === 'index' && from === 1 && find === 'range' && lastKey === 0
  return isFirst && (flags & (KEY_NOT_KEY | KEY_INCOMPLETE)) === 0 ? flags : 0
}

/**
 * Puts the keys of a command into `out` and returns their number. 0 also when the arguments make no sense: the
 * handler reports that. With `withNotKeys`, shard channels count as keys (they have a slot too).
 */
export function getKeys(facts: KeyFacts, args: Slice[], argc: number, out: KeyPositions, withNotKeys = false): number {
  out.count = 0
  const specs = facts.keySpecs
  let reliable = false
  for (let i = 0; i < specs.length; i++) {
    if ((specs[i].flags & KEY_VARIABLE_FLAGS) !== 0) {
      reliable = false
      break
    }
    if (withNotKeys || (specs[i].flags & KEY_NOT_KEY) === 0) reliable = true
  }
  if (reliable) {
    let i = 0
    while (i < specs.length && applySpec(specs[i], args, argc, out, withNotKeys)) i++
    if (i === specs.length) return out.count
    out.count = 0
  }
  return facts.keyFinder === undefined ? 0 : applyFinder(facts.keyFinder, args, argc, out)
}

/** As getKeys(), by the command's own finder if it has one: specs find keys behind mistaken options, it none. */
export function findKeys(facts: KeyFacts, args: Slice[], argc: number, out: KeyPositions): number {
  if (facts.keyFinder === undefined) return getKeys(facts, args, argc, out)
  out.count = 0
  return applyFinder(facts.keyFinder, args, argc, out)
}

/** False: the spec does not describe the keys, or the arguments do not fit it. */
function applySpec(spec: KeySpec, args: Slice[], argc: number, out: KeyPositions, withNotKeys: boolean): boolean {
  if ((spec.flags & KEY_NOT_KEY) !== 0 && !withNotKeys) return true
  if (spec.begin === 'unknown') return false
  let first = spec.from
  if (spec.begin === 'keyword') {
    first = afterKeyword(spec, args, argc)
    if (first === 0) return true
  }
  let last: number
  if (spec.find === 'keynum') {
    if (first + spec.keyNumIndex >= argc) return false
    const keyCount = countOrNegative(args[first + spec.keyNumIndex])
    if (keyCount < 0) return false
    first += spec.firstKey
    last = first + (keyCount - 1) * spec.step
  } else if (spec.lastKey >= 0) last = first + spec.lastKey
  else if (spec.limit === 0) last = argc + spec.lastKey
  else last = first + Math.trunc((argc - first) / spec.limit) + spec.lastKey
  if (last >= argc || last < first || first >= argc) return false
  for (let i = first; i <= last; i += spec.step) out.add(i, spec.flags)
  return (spec.flags & KEY_INCOMPLETE) === 0
}

/** Index of the argument after the keyword, or 0. */
function afterKeyword(spec: KeySpec, args: Slice[], argc: number): number {
  const forward = spec.from > 0
  const end = forward ? argc - 1 : 1
  let i = forward ? spec.from : argc + spec.from
  for (const step = i <= end ? 1 : -1; i !== end && i >= 1 && i < argc; i += step)
    if (equalsNoCase(args[i], spec.keyword)) return i + 1
  return 0
}

/** A plain decimal number of at most nine digits (more keys than that no command has), else -1. */
function countOrNegative(arg: Slice): number {
  if (arg.len > 9) return countOfLong(arg)
  if (arg.len === 0 || (arg.len > 1 && arg.byte(0) === 0x30)) return -1
  let n = 0
  for (let i = 0; i < arg.len; i++) {
    const digit = arg.byte(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    n = n * 10 + digit
  }
  return n
}

/** Redis reads 64 bits, and takes the low 32 as a signed number. */
function countOfLong(arg: Slice): number {
  if (arg.len > 19) return -1
  const text = arg.latin1()
  if (text.startsWith('0') || digitsEnd(text, 0) < text.length) return -1
  const n = BigInt(text)
  return n < 2n ** 63n ? Number(BigInt.asIntN(32, n)) : -1
}

function applyFinder(finder: KeyFinderName, args: Slice[], argc: number, out: KeyPositions): number {
  if (finder === 'set') setKeys(args, argc, out)
  else if (finder === 'bitfield') bitfieldKeys(args, argc, out)
  else if (finder === 'numkeys1') countedKeys(1, 0, args, argc, out)
  else if (finder === 'numkeys2') countedKeys(2, 0, args, argc, out)
  else if (finder === 'store-numkeys') countedKeys(2, 1, args, argc, out)
  else if (finder === 'sort') sortKeys(args, argc, out)
  else if (finder === 'sort-ro') out.add(1, KEY_RO | KEY_ACCESS)
  else if (finder === 'migrate') migrateKeys(args, argc, out)
  else if (finder === 'georadius') georadiusKeys(args, argc, out)
  else xreadKeys(args, argc, out)
  return out.count
}

/** SET key value ...: with GET the old value is read. */
function setKeys(args: Slice[], argc: number, out: KeyPositions): void {
  let flags = KEY_OW | KEY_UPDATE
  for (let i = 3; i < argc; i++) if (equalsNoCase(args[i], 'get')) flags = KEY_RW | KEY_ACCESS | KEY_UPDATE
  out.add(1, flags)
}

/** BITFIELD key ...: read only while nothing but GET and OVERFLOW is asked for. */
function bitfieldKeys(args: Slice[], argc: number, out: KeyPositions): void {
  let readonly = true
  for (let i = 2; i < argc && readonly; i++) {
    const after = argc - i - 1
    if (equalsNoCase(args[i], 'get') && after >= 2) i += 2
    else if (equalsNoCase(args[i], 'overflow') && after >= 1) i++
    else readonly = false // SET, INCRBY, or a mistake: assume the worst
  }
  out.add(1, readonly ? KEY_RO | KEY_ACCESS : KEY_RW | KEY_ACCESS | KEY_UPDATE)
}

/** A count at `countAt`, then that many keys; `store` is the index of a destination key, or 0. */
function countedKeys(countAt: number, store: number, args: Slice[], argc: number, out: KeyPositions): void {
  const keyCount = leadingInteger(args[countAt])
  const first = countAt + 1
  if (keyCount < 1 || keyCount > argc - first) return
  for (let i = 0; i < keyCount; i++) out.add(first + i, 0)
  if (store !== 0) out.add(store, 0)
}

const INT_DIGITS_SAFE = 9
const LONG_DIGITS_MAX = 19

/** What C's atoi reads, 0 when there is nothing to read: a 64-bit integer of which the lower 32 bits remain. */
function leadingInteger(arg: Slice): number {
  const text = arg.latin1()
  const from = spacesEnd(text, 0)
  const digits = text[from] === '-' || text[from] === '+' ? from + 1 : from
  const end = digitsEnd(text, digits)
  if (end - digits <= INT_DIGITS_SAFE) return end === digits ? 0 : Number(text.slice(from, end))
  const negative = text[from] === '-'
  let start = digits
  while (text[start] === '0' && start < end) start++
  // Beyond 64 bits it is the greatest or the least integer.
  if (end - start > LONG_DIGITS_MAX) return negative ? 0 : -1
  const n = BigInt(text.slice(start, end)) * (negative ? -1n : 1n)
  if (n !== BigInt.asIntN(64, n)) return negative ? 0 : -1
  return Number(BigInt.asIntN(32, n))
}

/** SORT key ... STORE destination: the last STORE counts. */
function sortKeys(args: Slice[], argc: number, out: KeyPositions): void {
  out.add(1, KEY_RO | KEY_ACCESS)
  for (let i = 2; i < argc; i++) {
    if (equalsNoCase(args[i], 'limit')) i += 2
    else if (equalsNoCase(args[i], 'get') || equalsNoCase(args[i], 'by')) i++
    else if (equalsNoCase(args[i], 'store') && i + 1 < argc) {
      out.count = 1
      out.add(i + 1, KEY_OW | KEY_UPDATE)
    }
  }
}

/** MIGRATE host port key|"" db timeout ... [KEYS key ...] */
function migrateKeys(args: Slice[], argc: number, out: KeyPositions): void {
  let first = 3
  let end = 4
  for (let i = 6; i < argc; i++) {
    if (equalsNoCase(args[i], 'keys')) {
      if (args[3].len > 0) return // both forms at once: a syntax error, no keys
      first = i + 1
      end = argc
      break
    }
    if (equalsNoCase(args[i], 'auth')) i++
    else if (equalsNoCase(args[i], 'auth2')) i += 2
  }
  for (let i = first; i < end; i++) out.add(i, KEY_RW | KEY_ACCESS | KEY_DELETE)
}

/** GEORADIUS and GEORADIUSBYMEMBER: of STORE and STOREDIST the last one counts. */
function georadiusKeys(args: Slice[], argc: number, out: KeyPositions): void {
  out.add(1, 0)
  for (let i = 5; i + 1 < argc; i++) {
    if (!equalsNoCase(args[i], 'store') && !equalsNoCase(args[i], 'storedist')) continue
    i++
    out.count = 1
    out.add(i, 0)
  }
}

/** XREAD and XREADGROUP: half of what follows the STREAMS that is not an option's value. */
function xreadKeys(args: Slice[], argc: number, out: KeyPositions): void {
  let i = 1
  for (; i < argc && !equalsNoCase(args[i], 'streams'); i++) {
    if (equalsNoCase(args[i], 'block') || equalsNoCase(args[i], 'count')) i++
    else if (equalsNoCase(args[i], 'group')) i += 2
    else if (!equalsNoCase(args[i], 'noack')) return
  }
  const left = argc - i - 1
  if (left <= 0 || left % 2 !== 0) return
  for (let at = i + 1; at < i + 1 + left / 2; at++) out.add(at, 0)
}
