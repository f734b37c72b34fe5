// Help: the reply to <CONTAINER> HELP, an array of lines.

import type { Slice } from '../lib/slice.ts'
import type { Reply } from './reply.ts'

/** `container` as the client wrote it; `lines` without the first line and HELP's own, which are the same for all. */
export function replyHelp(reply: Reply, container: Slice, lines: readonly string[]): void {
  reply.array(lines.length + 3)
  reply.simple(`${container.latin1().toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`)
  for (const line of lines) reply.simple(line)
  reply.simple('HELP')
  reply.simple('    Show these lines.')
}
