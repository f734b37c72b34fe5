// Text of the configuration: numbers as C reads them, amounts of memory, bytes and text. Words are in lib/words.ts.
//
// Always: configuration text is a byte string - a JavaScript string with one char (0..255) for every byte - so that
// bytes are preserved. `textOfBytes` and `bytesOfText` convert to and from ordinary (UTF-8) text, for paths.

import { digitsEnd, spacesEnd } from '../lib/strtod.ts'
import { cText, isAscii } from '../lib/text.ts'

/** Trimmed from both ends of a line. */
export const LINE_BLANKS = ' \t\r\n'

const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n
const INT64_DIGITS = 19

/** An integer in canonical form and within 64 bits, else null. */
export function strictInteger(word: string): bigint | null {
  const first = word[0] === '-' ? 1 : 0
  const isCanonical = word === '0' || (word[first] >= '1' && word[first] <= '9')
  if (!isCanonical || word.length > first + INT64_DIGITS || digitsEnd(word, first) < word.length) return null
  const value = BigInt(word)
  return value > INT64_MAX || value < -INT64_MAX - 1n ? null : value
}

/** An integer as C's strtoll parses it, to the end of the word ('' is 0), else null. */
export function looseInteger(word: string): bigint | null {
  if (word === '') return 0n
  let at = spacesEnd(word, 0)
  const isNegative = word[at] === '-'
  if (isNegative || word[at] === '+') at++
  if (at === word.length || digitsEnd(word, at) < word.length) return null
  while (word[at] === '0') at++
  const limit = isNegative ? INT64_MAX + 1n : INT64_MAX
  const value = word.length - at > INT64_DIGITS ? limit : BigInt(word.slice(at))
  const clamped = value > limit ? limit : value
  return isNegative ? -clamped : clamped
}

const AMOUNT_DIGITS_MAX = 127
const GB = 1024n ** 3n
const MB = 1024n ** 2n
const KB = 1024n
const UNITS = new Map([
  ['', 1n],
  ['b', 1n],
  ['k', 1000n],
  ['kb', KB],
  ['m', 1000n ** 2n],
  ['mb', MB],
  ['g', 1000n ** 3n],
  ['gb', GB],
])

/** Bytes with an optional unit (1k is 1000, 1kb is 1024), modulo 2^64; null when malformed. */
export function memoryAmount(text: string): bigint | null {
  const word = cText(text)
  if (word.length > AMOUNT_DIGITS_MAX + 2) return null
  const end = digitsEnd(word, 0)
  if (end > AMOUNT_DIGITS_MAX || word.length > end + 2) return null
  const unit = UNITS.get(word.slice(end).toLowerCase())
  if (unit === undefined) return null
  const digits = BigInt(word.slice(0, end))
  return BigInt.asUintN(64, (digits > UINT64_MAX ? UINT64_MAX : digits) * unit)
}

/** The shortest exact spelling of an amount of memory: 64mb, 1000. */
export function memoryText(bytes: bigint): string {
  if (bytes !== 0n) {
    if (bytes % GB === 0n) return `${bytes / GB}gb`
    if (bytes % MB === 0n) return `${bytes / MB}mb`
    if (bytes % KB === 0n) return `${bytes / KB}kb`
  }
  return `${bytes}`
}

/** Ordinary text of a UTF-8 byte string; invalid UTF-8 stays as it is. */
export function textOfBytes(word: string): string {
  if (isAscii(word)) return word
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(word, char => char.charCodeAt(0)))
  } catch {
    return word
  }
}

/** The byte string (UTF-8) of ordinary text. */
export function bytesOfText(text: string): string {
  return isAscii(text) ? text : latin1(new TextEncoder().encode(text))
}

/** One char a byte. (TextDecoder's latin1 is windows-1252, which changes 0x80..0x9f.) */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return text
}

export function bytesOfLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0))
}
