// Character classes of Lua patterns, in the C locale.

const ALPHA = 1
const DIGIT = 2
const LOWER = 4
const SPACE = 8
const UPPER = 16
const CONTROL = 32
const PUNCTUATION = 64
const HEX = 128

const FLAGS = Uint8Array.from({ length: 256 }, (_, c) => {
  const text = String.fromCharCode(c)
  const isAlpha = c < 128 && /[A-Za-z]/.test(text)
  const isDigit = c >= 48 && c <= 57
  return (
    (isAlpha ? ALPHA : 0) |
    (isDigit ? DIGIT : 0) |
    (isAlpha && c >= 97 ? LOWER : 0) |
    (c === 32 || (c >= 9 && c <= 13) ? SPACE : 0) |
    (isAlpha && c < 97 ? UPPER : 0) |
    (c < 32 || c === 127 ? CONTROL : 0) |
    (c > 32 && c < 127 && !isAlpha && !isDigit ? PUNCTUATION : 0) |
    (c < 128 && /[0-9A-Fa-f]/.test(text) ? HEX : 0)
  )
})

/** Flags by class letter; 0: not a class. %z is handled separately. */
const CLASS_FLAGS = new Uint8Array(256)
const CLASSES: [string, number][] = [
  ['a', ALPHA],
  ['c', CONTROL],
  ['d', DIGIT],
  ['l', LOWER],
  ['p', PUNCTUATION],
  ['s', SPACE],
  ['u', UPPER],
  ['w', ALPHA | DIGIT],
  ['x', HEX],
]
for (const [letter, flags] of CLASSES) {
  CLASS_FLAGS[letter.charCodeAt(0)] = flags
  CLASS_FLAGS[letter.toUpperCase().charCodeAt(0)] = flags
}
const LOWER_Z = 122
const UPPER_Z = 90

/** Whether character `c` is in class %`letter`; a letter without a class matches itself. */
export function isInClass(c: number, letter: number): boolean {
  const flags = CLASS_FLAGS[letter]
  if (flags !== 0) return ((FLAGS[c] & flags) !== 0) === letter >= 97
  if (letter === LOWER_Z) return c === 0
  if (letter === UPPER_Z) return c !== 0
  return c === letter
}
