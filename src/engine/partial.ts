// PartialCommand: the arguments so far of a command that arrives in pieces. They leave the query buffer as they become
// whole, so that each piece costs its own length, and a big argument is not copied when it is whole.
//
//   *4 … ─▶ lengths [ 3 | 100000 | 1 ]     small [ SETk… free ]     big [ the second ]     bulk [ the fourth … free ]
//
// Always: an argument of BIG_ARGUMENT_BYTES or more has a buffer of its own, in `big`; shorter ones are one after the
// other in `small`. `bulk` is the big argument that is incomplete, with its CR LF.

import { copyBytes } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'

/** As in Redis (PROTO_MBULK_BIG_ARG). */
export const BIG_ARGUMENT_BYTES = 32 * 1024
/** An argument announced as longer than this is allocated only once so many of its bytes have come. */
const PROMISE_BYTES_MAX = 16 * 1024 * 1024

/** Buffers up to this are reused; those of up to so many bytes in all are retained until the next tick(). */
const POOLED_BYTES_MIN = 64 * 1024
const POOLED_BYTES_MAX = 2 * 1024 * 1024
const SPARE_BYTES_MAX = 16 * 1024 * 1024
const SPARE_COMMANDS_MAX = 16
/** A client's memory counts its whole buffer: one that is longer than wanted by more than this is not taken. */
const SLACK_MAX = 1.25
const LENGTHS_START = 64
const SMALL_BYTES_START = 1024

interface PooledBuffer {
  u8: Uint8Array
  dv: DataView
}

function newBuffer(bytes: number): PooledBuffer {
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
  private readonly pool: BufferPool
  private argc = 0
  private lengths = new Uint32Array(LENGTHS_START)
  private small = newBuffer(SMALL_BYTES_START)
  private smallEnd = 0
  private readonly big: PooledBuffer[] = []
  private bulk: PooledBuffer | undefined
  private bulkLength = 0

  constructor(rooms: BufferPool) {
    this.pool = rooms
  }

  /** Adds a whole argument. Copies. */
  add(arg: Slice): void {
    const { len } = arg
    if (len >= BIG_ARGUMENT_BYTES) {
      const room = this.pool.take(len)
      copyBytes(room.u8, room.dv, 0, arg.u8, arg.dv, arg.off, len)
      this.big.push(room)
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
    return this.bulk !== undefined
  }

  /** The next argument is a big one, of `length` bytes. */
  beginBulk(length: number): void {
    this.bulkLength = length
    this.bulkBytes = 0
    this.bulk = this.pool.take(Math.min(length + 2, PROMISE_BYTES_MAX))
  }

  /** Copies the big argument's bytes from u8[from .. to); returns how many these were. */
  fill(u8: Uint8Array, from: number, to: number): number {
    const whole = this.bulkLength + 2
    const bytes = Math.min(to - from, whole - this.bulkBytes)
    if (this.bulkBytes + bytes > this.bulk!.u8.length) {
      const grown = newBuffer(whole)
      grown.u8.set(this.bulk!.u8.subarray(0, this.bulkBytes))
      this.bulk = grown
    }
    this.bulk!.u8.set(u8.subarray(from, from + bytes), this.bulkBytes)
    this.bulkBytes += bytes
    return bytes
  }

  /** Turns the big argument into a whole one, when all of it has come. */
  endBulk(): void {
    if (this.bulkBytes < this.bulkLength + 2) return
    this.big.push(this.bulk!)
    this.addLength(this.bulkLength)
    this.bulk = undefined
    this.bulkBytes = 0
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
        const { u8, dv } = this.big[bigIndex++]
        args.push(new Slice(u8, 0, length, dv))
      } else {
        args.push(new Slice(this.small.u8, smallAt, length, this.small.dv))
        smallAt += length
      }
    }
    return args
  }

  /** The command has run: makes this object reusable. */
  clear(): void {
    this.argc = this.smallEnd = this.argumentBytes = this.rawBytes = 0
    if (this.lengths.length > LENGTHS_START) this.lengths = new Uint32Array(LENGTHS_START)
    if (this.small.u8.length > BIG_ARGUMENT_BYTES) this.small = newBuffer(SMALL_BYTES_START)
    for (const room of this.big) this.pool.recycle(room)
    this.big.length = 0
  }

  /** Memory of all buffers. */
  get memoryBytes(): number {
    let bytes = this.small.u8.length + this.lengths.byteLength + this.bulkCapacity
    for (const room of this.big) bytes += room.u8.length
    return bytes
  }

  /** Capacity for the incomplete big argument. */
  get bulkCapacity(): number {
    return this.bulk?.u8.length ?? 0
  }
}

/** Reusable buffers for big arguments, and reusable PartialCommands. */
export class BufferPool {
  private readonly buffers: PooledBuffer[] = []
  private pooledBytes = 0
  private readonly commands: PartialCommand[] = []
  private usedLately = false
  /** Bytes of buffers that were dropped, ever. */
  droppedBytes = 0

  /** A command with so many arguments to come. */
  begin(argsLeft: number): PartialCommand {
    const command = this.commands.pop() ?? new PartialCommand(this)
    command.argsLeft = argsLeft
    return command
  }

  /** A command has run: its object and buffers are reused. */
  end(command: PartialCommand): void {
    command.clear()
    if (this.commands.length < SPARE_COMMANDS_MAX) this.commands.push(command)
  }

  /** A buffer of at least so many bytes; its content is undefined. */
  take(bytes: number): PooledBuffer {
    this.usedLately = true
    if (bytes > POOLED_BYTES_MAX) return newBuffer(bytes)
    const size = pooledBytes(bytes)
    for (let i = this.buffers.length - 1; i >= 0; i--) {
      const room = this.buffers[i]
      if (room.u8.length < bytes || room.u8.length > size * SLACK_MAX) continue
      this.buffers[i] = this.buffers[this.buffers.length - 1]
      this.buffers.pop()
      this.pooledBytes -= room.u8.length
      return room
    }
    return newBuffer(size)
  }

  recycle(room: PooledBuffer): void {
    const bytes = room.u8.length
    if (bytes > POOLED_BYTES_MAX || this.pooledBytes + bytes > SPARE_BYTES_MAX) this.droppedBytes += bytes
    else {
      this.buffers.push(room)
      this.pooledBytes += bytes
    }
  }

  /** Called by the cron: drops the buffers that were not used since the last call. */
  tick(): void {
    if (!this.usedLately) this.buffers.length = this.pooledBytes = 0
    this.usedLately = false
  }
}

/** The size of a buffer for so many bytes: sizes are at most an eighth apart. */
function pooledBytes(bytes: number): number {
  if (bytes <= POOLED_BYTES_MIN) return POOLED_BYTES_MIN
  const step = 2 ** (28 - Math.clz32(bytes))
  return Math.ceil(bytes / step) * step
}
