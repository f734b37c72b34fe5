// The shebang of a script or library: `#!lua name=mylib flags=no-writes,allow-stale`, quoted like redis.conf.

import { isWordCharacter } from '../lib/strtod.ts'
import { splitWords } from '../lib/words.ts'
import { SCRIPT_FLAGS, SCRIPT_UNDECLARED } from './script-engine.ts'

interface ScriptHead {
  /** SCRIPT_ bits. */
  flags: number
  /** Chars of the shebang without its line feed: the code begins there, so line numbers stay the same. */
  codeFrom: number
}

/** Parses a script's shebang; a string is an error message. */
export function readScriptHead(body: string): ScriptHead | string {
  if (!body.startsWith('#!')) return { flags: SCRIPT_UNDECLARED, codeFrom: 0 }
  const codeFrom = lineEnd(body)
  if (codeFrom < 0) return 'Invalid script shebang'
  const words = splitWords(body.slice(0, codeFrom))
  if (words === undefined || words.length === 0) return 'Invalid engine in script shebang'
  if (words[0] !== '#!lua') return `Unexpected engine in script shebang: ${words[0]}`
  let flags = 0
  for (const word of words.slice(1)) {
    if (!word.startsWith('flags=')) return `Unknown lua shebang option: ${word}`
    const names = word.slice(6)
    for (const name of names === '' ? [] : names.split(',')) {
      const bit = SCRIPT_FLAGS.get(name)
      if (bit === undefined) return `Unexpected flag in script shebang: ${name}`
      flags |= bit
    }
  }
  return { flags, codeFrom }
}

interface LibraryHead {
  engineName: string
  name: string
  codeFrom: number
}

/** Parses a library's shebang; a string is an error message. */
export function readLibraryHead(code: string): LibraryHead | string {
  if (!code.startsWith('#!')) return 'Missing library metadata'
  const codeFrom = lineEnd(code)
  const words = codeFrom < 0 ? undefined : splitWords(code.slice(0, codeFrom))
  if (words === undefined || words.length === 0) return 'Invalid library metadata'
  let name: string | undefined
  for (const word of words.slice(1)) {
    if (!word.toLowerCase().startsWith('name=')) return `Invalid metadata value given: ${word}`
    if (name !== undefined) return 'Invalid metadata value, name argument was given multiple times'
    name = word.slice(5)
  }
  if (name === undefined) return 'Library name was not given'
  return { engineName: words[0].slice(2), name, codeFrom }
}

/** Where the first line ends; -1: the text ends there, or at a NUL before. */
function lineEnd(text: string): number {
  const end = text.indexOf('\n')
  return end >= 0 && text.lastIndexOf('\0', end) >= 0 ? -1 : end
}

/** Names of libraries and functions: letters, digits and underscores. */
export function isName(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (!isWordCharacter(name.charCodeAt(at))) return false
  return name !== ''
}
