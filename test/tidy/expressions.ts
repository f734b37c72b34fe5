// Finds pattern matching in sources: regular expressions, and calls that split a text.

import type { SourceFile } from './source.ts'

/** After these a slash begins a regular expression, not a division. */
const BEFORE = new Set('(,=:[!&|?{};+>~')
const CALLS = /\.(?:split|match|matchAll|search)\(\s*(?=[ '"`])|\bnew RegExp\(/g

/** Each regular expression literally, and each call: '.split(' with its argument. */
export function expressionsOf(file: SourceFile): string[] {
  const { found, rest } = takeLiterals(file.text)
  for (const call of rest.matchAll(CALLS)) {
    const open = call.index + call[0].indexOf('(')
    found.push(file.text.slice(call.index, closing(file.text, open) + 1).replace(/\s+/g, ' '))
  }
  return found
}

/** The literals, and the text with spaces for literals, quoted text and comments. */
function takeLiterals(text: string): { found: string[]; rest: string } {
  const found: string[] = []
  let rest = ''
  let last = '('
  for (let at = 0; at < text.length; ) {
    const c = text[at]
    let end = at
    if (text.startsWith('//', at)) end = endOfLine(text, at)
    else if (text.startsWith('/*', at)) end = text.indexOf('*/', at) + 2
    else if (c === "'" || c === '"' || c === '`') end = quoteEnd(text, at)
    else if (c === '/' && (BEFORE.has(last) || /\breturn$/.test(rest.trimEnd().slice(-7)))) {
      end = literalEnd(text, at)
      found.push(text.slice(at, end))
    }
    if (end === at) {
      rest += c
      if (c.trim() !== '') last = c
      at++
      continue
    }
    if (c !== '/' || found.at(-1) === text.slice(at, end)) last = ')'
    rest += text.slice(at, end).replace(/[^\n]/g, ' ')
    at = end
  }
  return { found, rest }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

function quoteEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === text[open]) return at + 1
  }
  return text.length
}

/** The offset after the flags of the regular expression that begins here. */
function literalEnd(text: string, open: number): number {
  let isInSet = false
  for (let at = open + 1; at < text.length; at++) {
    const c = text[at]
    if (c === '\\') at++
    else if (c === '[') isInSet = true
    else if (c === ']') isInSet = false
    else if (c === '/' && !isInSet) {
      at++
      while (/[a-z]/.test(text[at])) at++
      return at
    }
  }
  return text.length
}

/** The parenthesis that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === "'" || text[at] === '"' || text[at] === '`') at = quoteEnd(text, at) - 1
    else if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at
  }
  return text.length
}
