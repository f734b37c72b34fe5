// Slowlog: the most recent slow commands, newest first.
//
// Always: at most slowlog-max-len entries after one was added (a lowered limit trims then), each with at most ARGS_MAX
// arguments of at most ARG_BYTES_MAX bytes.

import { Slice } from '../../lib/slice.ts'
import type { Client } from '../client.ts'

export const ARGS_MAX = 32
const ARG_BYTES_MAX = 128

interface SlowEntry {
  id: number
  unixSeconds: number
  durationUs: number
  args: Slice[]
  peer: string
  name: string
}

export class Slowlog {
  private entries: SlowEntry[] = []
  private nextId = 0

  get length(): number {
    return this.entries.length
  }

  /** `args`: the first ARGS_MAX of `argc` arguments. */
  add(
    client: Client,
    args: readonly Slice[],
    argc: number,
    durationUs: number,
    unixSeconds: number,
    lengthMax: number,
  ): void {
    this.entries.unshift({
      id: this.nextId++,
      unixSeconds,
      durationUs,
      args: trimmed(args, argc),
      peer: client.connection.peer,
      name: client.name,
    })
    if (this.entries.length > lengthMax) this.entries.length = lengthMax
  }

  newest(count: number): readonly SlowEntry[] {
    return this.entries.slice(0, count)
  }

  reset(): void {
    this.entries = []
  }
}

function trimmed(args: readonly Slice[], argc: number): Slice[] {
  const tooMany = argc > ARGS_MAX
  const clipped = args.slice(0, tooMany ? ARGS_MAX - 1 : ARGS_MAX).map(arg => {
    if (arg.len <= ARG_BYTES_MAX) return arg.copy()
    const head = new Slice(arg.u8, arg.off, ARG_BYTES_MAX, arg.dv)
    return Slice.of(`${head.latin1()}... (${arg.len - ARG_BYTES_MAX} more bytes)`)
  })
  if (tooMany) clipped.push(Slice.of(`... (${argc - ARGS_MAX + 1} more arguments)`))
  return clipped
}
