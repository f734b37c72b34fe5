// Errors for words that name no command, and requests that are not Redis's.

import type { Slice } from '../lib/slice.ts'
import { cText } from '../lib/text.ts'

const ERROR_ARGS_CHARS_MAX = 128

/** POST and Host:, whatever follows. A command's name ends at a NUL byte, as in Redis. */
export function isHttp(name: Slice): boolean {
  let len = 0
  while (len < name.len && len < 6 && name.u8[name.off + len] !== 0) len++
  if (len !== 4 && len !== 5) return false
  const text = String.fromCharCode(...name.u8.subarray(name.off, name.off + len)).toLowerCase()
  return text === 'post' || text === 'host:'
}

export function unknownCommand(args: Slice[], argc: number): string {
  let list = ''
  for (let i = 1; i < argc && list.length < ERROR_ARGS_CHARS_MAX; i++) {
    list += `'${clipped(args[i], ERROR_ARGS_CHARS_MAX - list.length)}' `
  }
  return `ERR unknown command '${clipped(args[0], ERROR_ARGS_CHARS_MAX)}', with args beginning with: ${list}`
}

export function unknownSubcommand(args: Slice[]): string {
  const container = clipped(args[0], ERROR_ARGS_CHARS_MAX)
  return `ERR unknown subcommand '${clipped(args[1], ERROR_ARGS_CHARS_MAX)}'. Try ${container.toUpperCase()} HELP.`
}

function clipped(s: Slice, chars: number): string {
  return cText(s.latin1Prefix(chars))
}
