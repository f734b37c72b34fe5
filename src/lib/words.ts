// Splits a line into words with quotes, in the syntax of redis.conf, AOF manifests and script shebangs, and back.
//
//   save 900 1 → save│900│1     "a b" 'c d' → a b│c d     "\x41\n" → A and a line feed     x="y" → x=y     "a"b → none
//
// Always: text is a byte string, one char (0..255) per byte, and ends at a NUL. splitWords(quoted(word)) is [word].

import { isHexDigit } from './strtod.ts'

const BLANKS = ' \t\n\v\f\r'
const WORD_ENDS = ' \n\r\t'
const ESCAPES: { readonly [char: string]: string } = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

/** The words of a line; undefined when a quote is not closed, or something follows a closing quote directly. */
export function splitWords(text: string): string[] | undefined {
  const nul = text.indexOf('\0')
  const line = nul < 0 ? text : text.slice(0, nul)
  const words: string[] = []
  let at = 0
  for (;;) {
    while (at < line.length && BLANKS.includes(line[at])) at++
    if (at >= line.length) return words
    const word = readWord(line, at)
    if (word === undefined) return undefined
    words.push(word.text)
    at = word.end
  }
}

interface Read {
  text: string
  end: number
}

function readWord(line: string, start: number): Read | undefined {
  let text = ''
  let at = start
  while (at < line.length && !WORD_ENDS.includes(line[at])) {
    const quote = line[at]
    if (quote !== '"' && quote !== "'") {
      text += line[at++]
      continue
    }
    const inside = readQuoted(line, at + 1, quote)
    // A closing quote ends the word: only a blank may follow it.
    if (inside === undefined || (inside.end < line.length && !BLANKS.includes(line[inside.end]))) return undefined
    return { text: text + inside.text, end: inside.end }
  }
  return { text, end: at }
}

function readQuoted(line: string, start: number, quote: string): Read | undefined {
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
    if (line[at + 1] === 'x' && isHexDigit(line.charCodeAt(at + 2)) && isHexDigit(line.charCodeAt(at + 3))) {
      text += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 4), 16))
      at += 3
    } else {
      at++
      text += ESCAPES[line[at]] ?? line[at]
    }
  }
  return undefined
}

const SHORT_ESCAPES: { readonly [char: string]: string } = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
}

/** A word in double quotes, with unprintable bytes escaped. */
export function quoted(word: string): string {
  const inside = word.replace(
    /[\\"\x00-\x1f\x7f-\xff]/g,
    char => SHORT_ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `"${inside}"`
}

/** A word unquoted if it reads back the same; else in quotes. */
export function quotedIfNeeded(word: string): string {
  return /^[!#-[\]-~]+$/.test(word) ? word : quoted(word)
}
