// The kinds of directives: how words are parsed to a value, and a value is formatted to words.
//
//   words of the line --parse--> stored value --field--> what the server reads in `config.maxmemory`
//                                   |--print--> the answer of CONFIG GET
//                                   '--lines--> lines of the configuration file
//
// Always: parse(print(value)) is value. Integers are stored as bigint, because their bounds reach 2^64 and clients
// read them back; the field is the nearest number.

import { spacesEnd } from '../lib/strtod.ts'
import { quoted } from '../lib/words.ts'
import type { FileSystem } from '../system/system.ts'
import { bytesOfText, memoryAmount, memoryText, strictInteger, textOfBytes } from './words.ts'

/** The words are no valid value. `message` is Redis's text after the dash. */
export class Refusal extends Error {}

/** What a directive may use while it parses its words. */
export interface Reading {
  disk: FileSystem
  /** Names that occurred in this configuration file; null for CONFIG SET. */
  seenInFile: Set<string> | null
  warn(text: string): void
}

/** A line for the configuration file; when not `needed`, only written over a line that was there. */
export interface ConfigLine {
  text: string
  needed: boolean
}

interface Kind<Stored, Field> {
  readonly initial: Stored
  /** Any number of words; the others have exactly one. */
  readonly manyWords: boolean
  parse(words: readonly string[], now: Stored, reading: Reading): Stored
  field(value: Stored): Field
  print(value: Stored): string
  lines(name: string, value: Stored): ConfigLine[]
}

export interface Flags {
  /** Another, older name. */
  readonly alias?: string
  /** Only at start: CONFIG SET is refused. */
  readonly immutable?: true
  /** Not matched by patterns. */
  readonly hidden?: true
  /** A secret: logs must not show it. */
  readonly sensitive?: true
  /** Changed at run time only as enable-protected-configs says. */
  readonly protected?: true
  readonly notWhileLoading?: true
  /** Counts as changed even when set to its old value: it names something that may have changed itself. */
  readonly volatile?: true
  /** The words a value consists of, where these are known. */
  readonly names?: readonly string[]
}

export type Directive<Stored, Field> = Kind<Stored, Field> & Flags
// biome-ignore lint/suspicious/noExplicitAny: a table holds directives of all value types
export type AnyDirective = Directive<any, any>

export function yesNo(
  initial: boolean,
  flags: Flags = {},
  check?: (value: boolean) => void,
): Directive<boolean, boolean> {
  const print = (value: boolean) => (value ? 'yes' : 'no')
  return {
    ...flags,
    ...oneLine(initial, print),
    initial,
    manyWords: false,
    parse([word]) {
      const lower = word.toLowerCase()
      if (lower !== 'yes' && lower !== 'no') throw new Refusal("argument must be 'yes' or 'no'")
      check?.(lower === 'yes')
      return lower === 'yes'
    },
    field: value => value,
    print,
  }
}

interface TextOptions extends Flags {
  /** '' means: not set, and not written to the file. */
  readonly emptyIsUnset?: true
  /** May contain bytes of value 0; in the others they end the text, as in C. */
  readonly binary?: true
  readonly check?: (value: string) => void
}

/** A byte string. */
export function text(initial: string, options: TextOptions = {}): Directive<string, string> {
  const { check, emptyIsUnset, binary, ...flags } = options
  return {
    ...flags,
    initial,
    manyWords: false,
    parse([word]) {
      const end = binary ? -1 : word.indexOf('\0')
      const value = end < 0 ? word : word.slice(0, end)
      check?.(value)
      return value
    },
    field: value => value,
    print: value => value,
    lines: (name, value) =>
      value === '' && emptyIsUnset
        ? []
        : [{ text: `${name} ${quoted(value)}`, needed: emptyIsUnset === true || value !== initial }],
  }
}

/** A path or file name: the field is ordinary text. */
export function path(initial: string, options: TextOptions = {}): Directive<string, string> {
  return { ...text(initial, options), field: textOfBytes }
}

/** One of some names, in any case. `same` maps some to the one that is printed for them. */
export function choice<const Name extends string>(
  names: readonly Name[],
  initial: Name,
  flags: Flags = {},
  same: ReadonlyMap<string, Name> = new Map(),
): Directive<Name, Name> {
  const print = (value: Name) => value
  return {
    ...flags,
    ...oneLine(initial, print),
    initial,
    names,
    manyWords: false,
    parse([word]) {
      const lower = word.toLowerCase()
      const found = same.get(lower) ?? names.find(name => name === lower)
      if (!found) throw new Refusal(oneOf(names))
      return found
    },
    field: value => value,
    print,
  }
}

/** Any of some names together; none of them is shown as `empty`. The field lists the names that are on. */
export function choices<const Name extends string>(
  empty: string,
  names: readonly Name[],
  flags: Flags = {},
  check?: (value: readonly Name[]) => void,
): Directive<readonly Name[], readonly Name[]> {
  const initial: readonly Name[] = []
  const print = (value: readonly Name[]) => value.join(' ') || empty
  return {
    ...flags,
    ...oneLine(initial, print),
    initial,
    names: [empty, ...names],
    manyWords: true,
    parse(words) {
      const lower = words.map(word => word.toLowerCase())
      const known = lower.every(word => word === empty || (names as readonly string[]).includes(word))
      if (!known || words.length === 0) throw new Refusal(oneOf([empty, ...names]))
      const value = names.filter(name => lower.includes(name))
      check?.(value)
      return value
    },
    field: value => value,
    print,
  }
}

function oneOf(names: readonly string[]): string {
  return `argument(s) must be one of the following: ${names.join(', ')}`
}

interface IntegerOptions extends Flags {
  readonly min?: number | bigint
  readonly max?: number | bigint
  /** Values outside of these are clamped silently. */
  readonly clampMin?: number
  readonly clampMax?: number
}

const INT_MAX = 2n ** 31n - 1n
export const INT_MIN = -(2n ** 31n)
export const UINT_MAX = 2n ** 32n - 1n
export const LONG_MAX = 2n ** 63n - 1n
export const ULONG_MAX = 2n ** 64n - 1n

/** A whole number, by default 0 .. 2^31-1. */
export function integer(initial: number, options: IntegerOptions = {}): Directive<bigint, number> {
  const { min = 0n, max = INT_MAX, clampMin, clampMax, ...flags } = options
  return {
    ...flags,
    ...oneLine(BigInt(initial), String),
    initial: BigInt(initial),
    manyWords: false,
    parse([word]) {
      const value = strictInteger(word)
      if (value === null) throw new Refusal("argument couldn't be parsed into an integer")
      checkBounds(value, BigInt(min), BigInt(max))
      if (clampMin !== undefined && value < clampMin) return BigInt(clampMin)
      if (clampMax !== undefined && value > clampMax) return BigInt(clampMax)
      return value
    },
    field: Number,
    print: String,
  }
}

interface MemoryOptions extends IntegerOptions {
  /** Redis's field is a signed 64-bit number: amounts from 2^63 on wrap. */
  readonly signed?: true
  /** Also takes N%, 0..100: stored, and seen in the field, as the negative number. */
  readonly percent?: true
}

/** An amount of memory in bytes, by default up to 2^63-1. */
export function memory(initial: number, options: MemoryOptions = {}): Directive<bigint, number> {
  const { min = 0n, max = LONG_MAX, signed, percent, clampMin = 0, clampMax: _, ...flags } = options
  const isPercent = (value: bigint) => percent === true && value < 0n
  const print = (value: bigint) => (isPercent(value) ? `${-value}%` : String(value))
  return {
    ...flags,
    initial: BigInt(initial),
    manyWords: false,
    parse([word]) {
      const amount = memoryAmount(word)
      if (amount !== null) {
        const value = signed || percent ? BigInt.asIntN(64, amount) : amount
        if (isPercent(value)) checkPercentage(-value)
        else checkBounds(value, percent ? 0n : BigInt(min), BigInt(max))
        return value >= 0n && value < clampMin ? BigInt(clampMin) : value
      }
      const percentage = percent && word.endsWith('%') ? strictInteger(word.slice(0, -1)) : null
      if (percentage === null || percentage < 0n)
        throw new Refusal(percent ? 'argument must be a memory or percent value' : 'argument must be a memory value')
      checkPercentage(percentage)
      return -percentage
    },
    field: Number,
    print,
    lines: (name, value) => [
      {
        text: `${name} ${isPercent(value) ? print(value) : memoryText(value)}`,
        needed: value !== BigInt(initial),
      },
    ],
  }
}

/** Permission bits in octal. */
export function octal(initial: number, options: IntegerOptions = {}): Directive<bigint, number> {
  const { min = 0n, max = INT_MAX, clampMin: _, clampMax: __, ...flags } = options
  const print = (value: bigint) => value.toString(8)
  return {
    ...flags,
    ...oneLine(BigInt(initial), print),
    initial: BigInt(initial),
    manyWords: false,
    parse([word]) {
      if (!isOctal(word)) throw new Refusal("argument couldn't be parsed as an octal number")
      const value = BigInt(Math.min(Number.parseInt(word || '0', 8), Number.MAX_SAFE_INTEGER))
      checkBounds(value, BigInt(min), BigInt(max), 8)
      return value
    },
    field: Number,
    print,
  }
}

const OCTAL_DIGITS_MAX = 21

function isOctal(word: string): boolean {
  let at = spacesEnd(word, 0)
  if (word[at] === '+' || word[at] === '-') at++
  if (word.length - at > OCTAL_DIGITS_MAX || (at === word.length && word !== '')) return false
  for (; at < word.length; at++) if (word[at] < '0' || word[at] > '7') return false
  return true
}

function checkBounds(value: bigint, min: bigint, max: bigint, radix = 10): void {
  if (value < min || value > max)
    throw new Refusal(`argument must be between ${min.toString(radix)} and ${max.toString(radix)} inclusive`)
}

function checkPercentage(value: bigint): void {
  if (value > 100n) throw new Refusal('percentage argument must be less or equal to 100')
}

/** A list of words without further meaning. */
export function wordList(
  initial: readonly string[],
  countMax: number,
  tooMany: string,
  flags: Flags = {},
): Directive<readonly string[], readonly string[]> {
  return {
    ...flags,
    initial,
    manyWords: true,
    parse(words) {
      if (words.length > countMax) throw new Refusal(tooMany)
      return words.length === 1 && words[0] === '' ? [] : [...words]
    },
    field: value => value,
    print: value => value.join(' '),
    lines: (name, value) =>
      value.join(' ') === initial.join(' ') ? [] : [{ text: `${name} ${value.join(' ') || '""'}`, needed: true }],
  }
}

/** The usual form in the file: the name and what CONFIG GET prints, needed when it is not the default. */
function oneLine<Stored>(initial: Stored, print: (value: Stored) => string): Pick<Kind<Stored, unknown>, 'lines'> {
  return {
    lines: (name, value) => [{ text: `${name} ${print(value)}`, needed: print(value) !== print(initial) }],
  }
}

/** The working directory: setting it changes to it. */
export function folder(flags: Flags): Directive<string, string> {
  return {
    ...flags,
    initial: '',
    manyWords: false,
    parse([word], _now, reading) {
      try {
        reading.disk.chdir(textOfBytes(word))
      } catch (error) {
        throw new Refusal((error as Error).message)
      }
      return reading.disk.cwd()
    },
    field: value => value,
    print: bytesOfText,
    lines: (name, value) => [{ text: `${name} ${quoted(bytesOfText(value))}`, needed: true }],
  }
}
