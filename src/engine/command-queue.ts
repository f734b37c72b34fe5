// CommandQueue: the commands of one transaction, in one buffer.
//
//   bytes    [ SETk1v | GETk1 | … free ]     the arguments, one after the other
//   lengths  [ 3 1 2 | 3 1 | … free ]        of each argument
//   entries  [ SET | GET ]   counts [ 3 | 2 ]
//
// Always: `entry`, `args` and `argc` are the command that next() went to; its slices are valid until the next next(),
// clear() or push().

import { copyBytes } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import type { TableEntry } from './catalog/table.ts'

const BYTES_START = 256
const LENGTHS_START = 32
/** What a queue that is reused retains. */
const BYTES_RETAIN_MAX = 64 * 1024
const COMMANDS_RETAIN_MAX = 4096
const ENTRY_BYTES = 16

export class CommandQueue {
  /** The command that next() went to. */
  entry!: TableEntry
  readonly args: Slice[] = []
  argc = 0
  /** Flags that any of the commands has, and that all have. */
  flagsOfAny = 0
  flagsOfAll = -1
  private entries: TableEntry[] = []
  private counts: number[] = []
  private lengths = new Uint32Array(LENGTHS_START)
  private lengthsEnd = 0
  private u8 = new Uint8Array(BYTES_START)
  private dv = new DataView(this.u8.buffer)
  private bytesEnd = 0
  // Where next() continues.
  private nextCommand = 0
  private nextLength = 0
  private nextByte = 0

  /** Number of commands. */
  get length(): number {
    return this.entries.length
  }

  /** Memory of the commands. */
  get memoryBytes(): number {
    return this.bytesEnd + this.lengthsEnd * 4 + this.entries.length * ENTRY_BYTES
  }

  /** Adds a command. Copies its arguments. */
  push(entry: TableEntry, args: readonly Slice[], argc: number, flags = entry.flags): void {
    this.entries.push(entry)
    this.counts.push(argc)
    this.flagsOfAny |= flags
    this.flagsOfAll &= flags
    if (this.lengthsEnd + argc > this.lengths.length) this.growLengths(argc)
    const { lengths } = this
    let at = this.lengthsEnd
    let end = this.bytesEnd
    for (let i = 0; i < argc; i++) {
      const arg = args[i]
      const { len } = arg
      if (end + len > this.u8.length) this.growBytes(end, len)
      copyBytes(this.u8, this.dv, end, arg.u8, arg.dv, arg.off, len)
      end += len
      lengths[at++] = len
    }
    this.lengthsEnd = at
    this.bytesEnd = end
  }

  private growLengths(more: number): void {
    const grown = new Uint32Array(Math.max(this.lengths.length * 2, this.lengthsEnd + more))
    grown.set(this.lengths.subarray(0, this.lengthsEnd))
    this.lengths = grown
  }

  private growBytes(have: number, more: number): void {
    const grown = new Uint8Array(Math.max(this.u8.length * 2, have + more))
    grown.set(this.u8.subarray(0, have))
    this.u8 = grown
    this.dv = new DataView(grown.buffer)
  }

  /** Goes to the next command. False: there is none. */
  next(): boolean {
    const { u8, dv, args, lengths } = this
    if (this.nextCommand === this.entries.length) return false
    const argc = this.counts[this.nextCommand]
    this.entry = this.entries[this.nextCommand++]
    this.argc = argc
    while (args.length < argc) args.push(new Slice())
    let at = this.nextByte
    for (let i = 0; i < argc; i++) {
      const length = lengths[this.nextLength++]
      args[i].set(u8, dv, at, length)
      at += length
    }
    this.nextByte = at
    return true
  }

  /** Goes back to before the first command. */
  rewind(): void {
    this.nextCommand = this.nextLength = this.nextByte = 0
  }

  /** Whether `test` holds for a command; before the commands run. */
  some(test: (entry: TableEntry, args: Slice[], argc: number) => boolean): boolean {
    this.rewind()
    let found = false
    while (!found && this.next()) found = test(this.entry, this.args, this.argc)
    this.rewind()
    return found
  }

  /** Removes all commands; the queue can be reused. */
  clear(): void {
    if (this.entries.length > COMMANDS_RETAIN_MAX) {
      this.entries = []
      this.counts = []
    } else this.entries.length = this.counts.length = 0
    if (this.args.length > COMMANDS_RETAIN_MAX) this.args.length = 0
    if (this.lengths.length > COMMANDS_RETAIN_MAX) this.lengths = new Uint32Array(LENGTHS_START)
    if (this.u8.length > BYTES_RETAIN_MAX) {
      this.u8 = new Uint8Array(BYTES_START)
      this.dv = new DataView(this.u8.buffer)
      this.args.length = 0
    }
    this.lengthsEnd = this.bytesEnd = 0
    this.flagsOfAny = 0
    this.flagsOfAll = -1
    this.rewind()
  }
}
