// Commands of a debugging client: RESP arrays of bulk strings, of limited sizes, one at a time.
//
// Always: nothing is consumed of a command that is not whole. Source of the limits: Redis 7.2's eval.c.

import { CR, DOLLAR, LF, STAR, ZERO } from '../../lib/ascii.ts'
import { latin1Text } from '../../lib/bytes.ts'

const WORDS_MAX = 1024
const WORD_BYTES_MAX = 1024
const COMMAND_BYTES_MAX = 1 << 20

/** The words of the command at the start of `bytes`, byte strings; why there is none; undefined: it is not whole. */
type CommandRead = { readonly words: string[]; readonly end: number } | { readonly error: string } | undefined

export function readCommand(bytes: Uint8Array): CommandRead {
  if (bytes.length === 0) return undefined
  if (bytes.length > COMMAND_BYTES_MAX) return { error: 'max client buffer reached' }
  if (bytes[0] !== STAR) return PROTOCOL_ERROR
  let at = lineEnd(bytes, 0)
  if (at < 0) return undefined
  const count = countAt(bytes, 1, at)
  if (!(count > 0 && count <= WORDS_MAX)) return PROTOCOL_ERROR
  const words: string[] = []
  for (at += 2; words.length < count; ) {
    if (at >= bytes.length) return undefined
    if (bytes[at] !== DOLLAR) return PROTOCOL_ERROR
    const end = lineEnd(bytes, at)
    if (end < 0) return undefined
    const length = countAt(bytes, at + 1, end)
    if (!(length > 0 && length <= WORD_BYTES_MAX)) return PROTOCOL_ERROR
    const from = end + 2
    if (from + length + 2 > bytes.length) return undefined
    if (bytes[from + length] !== CR || bytes[from + length + 1] !== LF) return PROTOCOL_ERROR
    words.push(latin1Text(bytes, from, from + length))
    at = from + length + 2
  }
  return { words, end: at }
}

const PROTOCOL_ERROR = { error: 'protocol error' }

function lineEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) if (bytes[at] === CR && bytes[at + 1] === LF) return at
  return -1
}

function countAt(bytes: Uint8Array, from: number, end: number): number {
  let n = 0
  for (let at = from; at < end && n <= COMMAND_BYTES_MAX; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return -1
    n = n * 10 + digit
  }
  return n
}
