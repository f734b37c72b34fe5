// CommandFilters: what modules put before commands and after them; implemented by modules/filters.ts.

import type { Slice } from '../../lib/slice.ts'
import type { Client } from '../client.ts'

/** An error reply, or other words; undefined: the command passes. */
type Judge = (client: Client, args: Slice[], argc: number) => Uint8Array | Slice[] | undefined

export interface CommandFilters {
  /** Before a command of a client. */
  readonly judge: Judge
  /** Before a command that a script or a module calls for a client; absent: they pass. */
  readonly judgeCall?: (origin: 'script' | 'module', ...command: Parameters<Judge>) => ReturnType<Judge>
  /** After a command of a client: its reply, which is in the buffer from `from` on, may be replaced. */
  readonly judgeReply?: (client: Client, from: number) => void
}
