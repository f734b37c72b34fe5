// Line breaks, blanks and words of client text, read character by character.
//
// Always: each takes time linear in the text.

import { CR, LF, SPACE } from './ascii.ts'

/** The text without these characters at its beginning and end. */
export function withoutOuter(text: string, characters: string): string {
  let from = 0
  let end = text.length
  while (from < end && characters.includes(text[from])) from++
  while (end > from && characters.includes(text[end - 1])) end--
  return from === 0 && end === text.length ? text : text.slice(from, end)
}

/** The text without line breaks at its beginning and end. */
export function withoutOuterBreaks(text: string): string {
  return withoutOuter(text, '\r\n')
}

/** The text without CRs and LFs at its end. */
export function withoutLastBreaks(text: string): string {
  let end = text.length
  while (end > 0 && (text.charCodeAt(end - 1) === CR || text.charCodeAt(end - 1) === LF)) end--
  return text.slice(0, end)
}

const CHUNK_CHARS = 4096

/** The text with a space for every line break. */
export function oneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? withSpaces(text, true) : text
}

/** The text with a space for every CR, so that it contains no line end of the protocol. */
export function withoutCr(text: string): string {
  return text.includes('\r') ? withSpaces(text, false) : text
}

/** Replaces every CR, and every LF if `alsoLf`, by a space. */
function withSpaces(text: string, alsoLf: boolean): string {
  // String concatenation is slow with many replacements.
  const codes = new Uint16Array(Math.min(text.length, CHUNK_CHARS))
  let out = ''
  for (let from = 0; from < text.length; from += CHUNK_CHARS) {
    const count = Math.min(CHUNK_CHARS, text.length - from)
    for (let i = 0; i < count; i++) {
      const c = text.charCodeAt(from + i)
      codes[i] = c === CR || (c === LF && alsoLf) ? SPACE : c
    }
    out += String.fromCharCode.apply(null, codes.subarray(0, count) as unknown as number[])
  }
  return out
}

/** The text up to its first NUL, a C string. */
export function cText(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/** Only characters below 128. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
