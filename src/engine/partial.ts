// PartialCommand: the arguments so far of a command that arrives in pieces. They leave the query buffer as they become
// whole, so that each piece costs its own length, and a big argument is not copied when it is whole.
//
//   *4 … ─▶ lengths [ 3 | 100000 | 1 ]     small [ SETk… free ]     big [ the second ]     bulk [ the fourth … free ]
//
// Always: an argument of BIG_ARGUMENT_BYTES or more has an allocation of its own (memory/lent.ts), in `big`; shorter
// ones are one after the other in `small`. `bulk` is the big argument that is incomplete, with its CR LF.

import { copyBytes } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { LentAllocations } from '../memory/lent.ts'

/** As in Redis (PROTO_MBULK_BIG_ARG). */
export const BIG_ARGUMENT_BYTES = 32 * 1024
/** An argument of so many bytes may be worked on before its command runs. */
export const LARGE_ARGUMENT_BYTES: number = 128 * 1024
/** An argument announced as longer than this is allocated only once so many of its bytes have come. */
const PROMISE_BYTES_MAX = 16 * 1024 * 1024
/** So much room is worth the copy of what has come, which is of no more than PROMISE_BYTES_MAX. */
const SHRINK_BYTES_MIN = 4 * 1024
const SPARE_COMMANDS_MAX = 16
const LENGTHS_START = 64
const SMALL_BYTES_START = 1024

interface Buffer {
  u8: Uint8Array
  dv: DataView
}

function newBuffer(bytes: number): Buffer {
  const u8 = new Uint8Array(bytes)
  return { u8, dv: new DataView(u8.buffer) }
}

export class PartialCommand {
  /** Arguments that are incomplete. 0: the command is whole, and postponed. */
  argsLeft = 0
  /** Bytes of the whole arguments. */
  argumentBytes = 0
  /** Bytes of the incomplete big argument that have come. */
  bulkBytes = 0
  /** Received bytes of the command that are no longer in the query buffer. */
  rawBytes = 0
  /** It has an argument of LARGE_ARGUMENT_BYTES or more. */
  hasLarge = false
  private readonly lent: LentAllocations
  private argc = 0
  private lengths = new Uint32Array(LENGTHS_START)
  private small = newBuffer(SMALL_BYTES_START)
  private smallEnd = 0
  private readonly big: Ref[] = []
  private bigBytes = 0
  /** 0: no big argument is incomplete. */
  private bulk: Ref = 0
  private bulkLength = 0
  /** Bytes allocated for it. */
  bulkCapacity = 0

  constructor(lent: LentAllocations) {
    this.lent = lent
  }

  /** Adds a whole argument. Copies. */
  add(arg: Slice): void {
    const { len } = arg
    if (len >= BIG_ARGUMENT_BYTES) {
      const ref = this.lent.lend(len)
      this.lent.write(ref, 0, arg.view())
      this.big.push(ref)
      this.bigBytes += len
    } else {
      if (this.smallEnd + len > this.small.u8.length) {
        const grown = newBuffer((this.smallEnd + len) * 2)
        grown.u8.set(this.small.u8.subarray(0, this.smallEnd))
        this.small = grown
      }
      copyBytes(this.small.u8, this.small.dv, this.smallEnd, arg.u8, arg.dv, arg.off, len)
      this.smallEnd += len
    }
    this.addLength(len)
  }

  private addLength(bytes: number): void {
    if (this.argc === this.lengths.length) {
      const grown = new Uint32Array(this.argc * 2)
      grown.set(this.lengths)
      this.lengths = grown
    }
    this.lengths[this.argc++] = bytes
    this.argumentBytes += bytes
  }

  /** True while a big argument is incomplete: the next bytes belong to fill(). */
  get isInBulk(): boolean {
    return this.bulk !== 0
  }

  /** The next argument is a big one, of `length` bytes. */
  beginBulk(length: number): void {
    this.bulkLength = length
    this.bulkBytes = 0
    if (length >= LARGE_ARGUMENT_BYTES) this.hasLarge = true
    this.bulkCapacity = Math.min(length + 2, PROMISE_BYTES_MAX)
    this.bulk = this.lent.lend(this.bulkCapacity)
  }

  /** Bytes of the incomplete big argument that have not come, with its CR LF; 0: there is none. */
  get bulkBytesLeft(): number {
    return this.bulk === 0 ? 0 : this.bulkLength + 2 - this.bulkBytes
  }

  /** Where the next bytes of the incomplete big argument belong, up to `bytesMax`; received() follows. */
  room(bytesMax: number): Uint8Array {
    const { bulkBytes } = this
    const end = bulkBytes + Math.min(bytesMax, this.bulkBytesLeft)
    this.reserve(bulkBytes < PROMISE_BYTES_MAX ? Math.min(end, PROMISE_BYTES_MAX) : end)
    return this.lent.view(this.bulk, bulkBytes, Math.min(end, this.bulkCapacity))
  }

  /** So many bytes were written to room(). */
  received(bytes: number): void {
    this.bulkBytes += bytes
  }

  private reserve(bytes: number): void {
    if (bytes <= this.bulkCapacity) return
    const whole = this.bulkLength + 2
    const promised = bytes > PROMISE_BYTES_MAX ? whole : Math.min(whole, PROMISE_BYTES_MAX)
    this.bulk = this.lent.extend(this.bulk, promised, this.bulkBytes)
    this.bulkCapacity = promised
  }

  /** Copies the big argument's bytes from u8[from .. to); returns how many these were. */
  fill(u8: Uint8Array, from: number, to: number): number {
    const bytes = Math.min(to - from, this.bulkBytesLeft)
    this.reserve(this.bulkBytes + bytes)
    this.lent.write(this.bulk, this.bulkBytes, u8.subarray(from, from + bytes))
    this.bulkBytes += bytes
    return bytes
  }

  /** Gives back what was allocated for bytes that have not come, until more of them do. */
  shrinkBulk(): void {
    const { bulkBytes } = this
    if (this.bulkCapacity - bulkBytes <= SHRINK_BYTES_MIN || bulkBytes > PROMISE_BYTES_MAX) return
    this.bulk = this.lent.extend(this.bulk, bulkBytes + 1, bulkBytes)
    this.bulkCapacity = bulkBytes + 1
  }

  /** Turns the big argument into a whole one, when all of it has come. */
  endBulk(): void {
    if (this.bulkBytes < this.bulkLength + 2) return
    this.big.push(this.bulk)
    this.bigBytes += this.bulkLength
    this.addLength(this.bulkLength)
    this.bulk = this.bulkCapacity = this.bulkBytes = 0
    this.argsLeft--
  }

  /** The command, once it is whole; valid until clear(). */
  arguments(): Slice[] {
    const args: Slice[] = []
    let smallAt = 0
    let bigIndex = 0
    for (let i = 0; i < this.argc; i++) {
      const length = this.lengths[i]
      if (length >= BIG_ARGUMENT_BYTES) {
        args.push(this.lent.slice(this.big[bigIndex++], length, new Slice()))
      } else {
        args.push(new Slice(this.small.u8, smallAt, length, this.small.dv))
        smallAt += length
      }
    }
    return args
  }

  /** The allocations of the big arguments, for LentAllocations.offer(). */
  get bigArguments(): Ref[] {
    return this.big
  }

  /** The allocations in the arena that this command has. */
  get allocations(): Ref[] {
    return this.bulk === 0 ? this.big : [...this.big, this.bulk]
  }

  /** Takes its bytes out of the arena, which gets other contents; the result puts them back. */
  leaveArena(): () => void {
    const { lent, big } = this
    const bytes = big.map(ref => lent.takeOut(ref))
    const bulk = this.bulk === 0 ? undefined : lent.takeOut(this.bulk)
    return () => {
      for (const [i, one] of bytes.entries()) big[i] = lent.putBack(one)
      if (bulk !== undefined) this.bulk = lent.putBack(bulk)
    }
  }

  /** The command has run, or never will: frees what no value has taken over; this object is reusable. */
  clear(): void {
    for (const ref of this.big) if (ref !== 0) this.lent.giveBack(ref)
    if (this.bulk !== 0) this.lent.giveBack(this.bulk)
    this.big.length = this.bigBytes = this.bulk = this.bulkCapacity = this.bulkBytes = 0
    this.argc = this.smallEnd = this.argumentBytes = this.rawBytes = 0
    this.hasLarge = false
    if (this.lengths.length > LENGTHS_START) this.lengths = new Uint32Array(LENGTHS_START)
    if (this.small.u8.length > BIG_ARGUMENT_BYTES) this.small = newBuffer(SMALL_BYTES_START)
  }

  /** Memory of all buffers and allocations. */
  get memoryBytes(): number {
    return this.small.u8.length + this.lengths.byteLength + this.bulkCapacity + this.bigBytes
  }
}

/** Reusable PartialCommands. */
export class PartialCommands {
  private readonly lent: LentAllocations
  private readonly spare: PartialCommand[] = []

  constructor(lent: LentAllocations) {
    this.lent = lent
  }

  /** A command with so many arguments to come. */
  begin(argsLeft: number): PartialCommand {
    const command = this.spare.pop() ?? new PartialCommand(this.lent)
    command.argsLeft = argsLeft
    return command
  }

  /** A command has run, or never will. */
  end(command: PartialCommand): void {
    command.clear()
    if (this.spare.length < SPARE_COMMANDS_MAX) this.spare.push(command)
  }
}
