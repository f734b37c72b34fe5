// Copies of commands, which outlive their query buffer: of blocked clients, and of transactions that are replayed.

import { Slice } from '../lib/slice.ts'
import type { TableEntry } from './catalog/table.ts'
import type { QueuedCommand } from './client.ts'

/** A copy of a command's arguments, one buffer for all. */
export function copyCommand(entry: TableEntry, args: Slice[], argc: number): QueuedCommand {
  let bytes = 0
  for (let i = 0; i < argc; i++) bytes += args[i].len
  const u8 = new Uint8Array(bytes)
  const dv = new DataView(u8.buffer)
  const kept: Slice[] = []
  let at = 0
  for (let i = 0; i < argc; i++) {
    u8.set(args[i].view(), at)
    kept.push(new Slice(u8, at, args[i].len, dv))
    at += args[i].len
  }
  return { entry, args: kept, bytes: bytes + 64 + argc * 48 }
}
