// Text of the configuration: splitting a line into words, quoting a word, numbers as C reads them.
//
// Always: configuration text is a byte string - a JavaScript string with one char (0..255) for every byte - so that
// what came in goes out unchanged. `textOfBytes` and `bytesOfText` go to and from ordinary (UTF-8) text, for paths.

const BLANKS = ' \t\n\v\f\r'
const WORD_ENDS = ' \n\r\t'
const ESCAPES: { [char: string]: string } = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/** The words of a line, with 'single' and "double" quotes; null when quotes do not balance. */
export function splitWords(line: string): string[] | null {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (at < line.length && BLANKS.includes(line[at])) at++
    if (at >= line.length) return words
    const word = readWord(line, at)
    if (!word) return null
    words.push(word.text)
    at = word.end
  }
}

function readWord(line: string, start: number): { text: string; end: number } | null {
  let text = ''
  let at = start
  while (at < line.length && !WORD_ENDS.includes(line[at])) {
    const quote = line[at]
    if (quote !== '"' && quote !== "'") {
      text += line[at++]
      continue
    }
    const quoted = readQuoted(line, at + 1, quote)
    // A closing quote ends the word: only a blank may follow it.
    if (!quoted || (quoted.end < line.length && !BLANKS.includes(line[quoted.end]))) return null
    return { text: text + quoted.text, end: quoted.end }
  }
  return { text, end: at }
}

function readQuoted(line: string, start: number, quote: string): { text: string; end: number } | null {
  let text = ''
  for (let at = start; at < line.length; at++) {
    const char = line[at]
    if (char === quote) return { text, end: at + 1 }
    if (char !== '\\' || at + 1 >= line.length) {
      text += char
      continue
    }
    if (quote === "'") {
      if (line[at + 1] === "'") at++
      text += line[at]
      continue
    }
    const hex = /^x[0-9a-fA-F]{2}/.exec(line.slice(at + 1, at + 4))
    if (hex) {
      text += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 4), 16))
      at += 3
    } else {
      at++
      text += ESCAPES[line[at]] ?? line[at]
    }
  }
  return null
}

/** A word in double quotes, as `splitWords` reads it back. */
export function quoted(word: string): string {
  let text = '"'
  for (const char of word) {
    const code = char.charCodeAt(0)
    if (char === '"' || char === '\\') text += `\\${char}`
    else if (code >= 32 && code < 127) text += char
    else text += SHORT_ESCAPES[char] ?? `\\x${code.toString(16).padStart(2, '0')}`
  }
  return `${text}"`
}

const SHORT_ESCAPES: { [char: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x07': '\\a', '\b': '\\b' }

const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n

/** A whole number written the one canonical way and within 64 bits, else null. */
export function strictInteger(word: string): bigint | null {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(word)) return null
  const value = BigInt(word)
  return value > INT64_MAX || value < -INT64_MAX - 1n ? null : value
}

/** A whole number as C's strtoll takes it, to the end of the word ('' is 0), else null. */
export function looseInteger(word: string): bigint | null {
  if (word === '') return 0n
  const match = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/.exec(word)
  if (!match) return null
  const value = BigInt(match[2])
  const limit = match[1] === '-' ? INT64_MAX + 1n : INT64_MAX
  const clamped = value > limit ? limit : value
  return match[1] === '-' ? -clamped : clamped
}

const UNITS: { [unit: string]: bigint } = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
}

/** Bytes with an optional unit (1k is 1000, 1kb is 1024), modulo 2^64; null when it is no such thing. */
export function memoryAmount(word: string): bigint | null {
  const match = /^(\d{0,127})([a-z]{0,2})$/i.exec(word)
  const unit = match && UNITS[match[2].toLowerCase()]
  if (!match || !unit) return null
  const digits = BigInt(match[1] || '0')
  return BigInt.asUintN(64, (digits > UINT64_MAX ? UINT64_MAX : digits) * unit)
}

/** The shortest exact spelling of an amount of memory: 64mb, 1000. */
export function memoryText(bytes: bigint): string {
  if (bytes !== 0n) {
    if (bytes % UNITS.gb === 0n) return `${bytes / UNITS.gb}gb`
    if (bytes % UNITS.mb === 0n) return `${bytes / UNITS.mb}mb`
    if (bytes % UNITS.kb === 0n) return `${bytes / UNITS.kb}kb`
  }
  return `${bytes}`
}

/** Ordinary text of a byte string that is UTF-8; what is not UTF-8 stays as it is. */
export function textOfBytes(word: string): string {
  if (!/[\x80-\xff]/.test(word)) return word
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(word, char => char.charCodeAt(0)))
  } catch {
    return word
  }
}

/** The byte string (UTF-8) of ordinary text. */
export function bytesOfText(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : latin1(new TextEncoder().encode(text))
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
