// PartialCommand: the arguments so far of a command that comes in pieces. They leave the query buffer as they become
// whole, so that a piece costs what it is long, and what is long is not copied when it is whole.
//
//   *4 … ─▶ lengths [ 3 | 100000 | 1 ]      small [ SETk… free ]      big [ the second ]      bulk [ the fourth …
// free ]
//
// Always: an argument of BIG_ARGUMENT_BYTES or more has a buffer of its own, in `big`; shorter ones stand side by
// side in `small`. `bulk` is the big argument that is coming, with the CR LF behind it.

import { copyBytes } from '../lib/bytes.ts'
import { Slice } from '../lib/slice.ts'

/** As Redis, which makes such an argument an object at once. */
export const BIG_ARGUMENT_BYTES = 32 * 1024
/** An argument that promises more than this gets its room once so much of it has come. */
const PROMISE_BYTES_MAX = 16 * 1024 * 1024

/** Rooms up to this are used again, and so many bytes of them are kept until the next tick(). */
const ROOM_BYTES_MIN = 64 * 1024
const ROOM_BYTES_MAX = 2 * 1024 * 1024
const SPARE_BYTES_MAX = 16 * 1024 * 1024
const SPARE_COMMANDS_MAX = 16
const LENGTHS_START = 64
const SMALL_BYTES_START = 1024

interface Room {
  u8: Uint8Array
  dv: DataView
}

function newRoom(bytes: number): Room {
  const u8 = new Uint8Array(bytes)
  return { u8, dv: new DataView(u8.buffer) }
}

export class PartialCommand {
  /** Arguments that are not whole yet. 0: the command is whole, and held back. */
  argsLeft = 0
  /** Bytes of the arguments that are. */
  argumentBytes = 0
  /** What has come of the big argument that is coming. */
  bulkBytes = 0
  private readonly rooms: Rooms
  private argc = 0
  private lengths = new Uint32Array(LENGTHS_START)
  private small = newRoom(SMALL_BYTES_START)
  private smallEnd = 0
  private readonly big: Room[] = []
  private bulk: Room | undefined
  private bulkLength = 0

  constructor(rooms: Rooms) {
    this.rooms = rooms
  }

  /** Takes an argument that is whole. Copies. */
  add(arg: Slice): void {
    const { len } = arg
    if (len >= BIG_ARGUMENT_BYTES) {
      const room = this.rooms.take(len)
      copyBytes(room.u8, room.dv, 0, arg.u8, arg.dv, arg.off, len)
      this.big.push(room)
    } else {
      if (this.smallEnd + len > this.small.u8.length) {
        const grown = newRoom((this.smallEnd + len) * 2)
        grown.u8.set(this.small.u8.subarray(0, this.smallEnd))
        this.small = grown
      }
      copyBytes(this.small.u8, this.small.dv, this.smallEnd, arg.u8, arg.dv, arg.off, len)
      this.smallEnd += len
    }
    this.noteLength(len)
  }

  private noteLength(bytes: number): void {
    if (this.argc === this.lengths.length) {
      const grown = new Uint32Array(this.argc * 2)
      grown.set(this.lengths)
      this.lengths = grown
    }
    this.lengths[this.argc++] = bytes
    this.argumentBytes += bytes
  }

  /** True while a big argument is coming: the next bytes belong to fill(). */
  get isInBulk(): boolean {
    return this.bulk !== undefined
  }

  /** The next argument is a big one of so many bytes. */
  beginBulk(length: number): void {
    this.bulkLength = length
    this.bulkBytes = 0
    this.bulk = this.rooms.take(Math.min(length + 2, PROMISE_BYTES_MAX))
  }

  /** Takes what belongs to the big argument that is coming from u8[from .. to); how many bytes that was. */
  fill(u8: Uint8Array, from: number, to: number): number {
    const whole = this.bulkLength + 2
    const bytes = Math.min(to - from, whole - this.bulkBytes)
    if (this.bulkBytes + bytes > this.bulk!.u8.length) {
      const grown = newRoom(whole)
      grown.u8.set(this.bulk!.u8.subarray(0, this.bulkBytes))
      this.bulk = grown
    }
    this.bulk!.u8.set(u8.subarray(from, from + bytes), this.bulkBytes)
    this.bulkBytes += bytes
    return bytes
  }

  /** The big argument that is coming becomes an argument, when all of it is there. */
  endBulk(): void {
    if (this.bulkBytes < this.bulkLength + 2) return
    this.big.push(this.bulk!)
    this.noteLength(this.bulkLength)
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

  /** The command has run: this serves for another. */
  clear(): void {
    this.argc = this.smallEnd = this.argumentBytes = 0
    if (this.lengths.length > LENGTHS_START) this.lengths = new Uint32Array(LENGTHS_START)
    if (this.small.u8.length > BIG_ARGUMENT_BYTES) this.small = newRoom(SMALL_BYTES_START)
    for (const room of this.big) this.rooms.give(room)
    this.big.length = 0
  }

  /** What all of it takes. */
  get memoryBytes(): number {
    let bytes = this.small.u8.length + this.lengths.byteLength + this.roomBytes
    for (const room of this.big) bytes += room.u8.length
    return bytes
  }

  /** The room for the big argument that is coming. */
  get roomBytes(): number {
    return this.bulk?.u8.length ?? 0
  }
}

/** Buffers for big arguments, and commands in pieces, that are used again. */
export class Rooms {
  private readonly rooms: Room[] = []
  private roomsBytes = 0
  private readonly commands: PartialCommand[] = []
  private usedLately = false
  /** Bytes of buffers that were not kept. */
  droppedBytes = 0

  /** A command of which so many arguments are to come. */
  begin(argsLeft: number): PartialCommand {
    const command = this.commands.pop() ?? new PartialCommand(this)
    command.argsLeft = argsLeft
    return command
  }

  /** A command has run. */
  end(command: PartialCommand): void {
    command.clear()
    if (this.commands.length < SPARE_COMMANDS_MAX) this.commands.push(command)
  }

  /** A buffer of at least so many bytes; what is in it is left from before. */
  take(bytes: number): Room {
    this.usedLately = true
    if (bytes > ROOM_BYTES_MAX) return newRoom(bytes)
    for (let i = this.rooms.length - 1; i >= 0; i--) {
      const room = this.rooms[i]
      if (room.u8.length < bytes) continue
      this.rooms[i] = this.rooms[this.rooms.length - 1]
      this.rooms.pop()
      this.roomsBytes -= room.u8.length
      return room
    }
    let size = ROOM_BYTES_MIN
    while (size < bytes) size *= 2
    return newRoom(size)
  }

  give(room: Room): void {
    const bytes = room.u8.length
    if (bytes > ROOM_BYTES_MAX || this.roomsBytes + bytes > SPARE_BYTES_MAX) this.droppedBytes += bytes
    else {
      this.rooms.push(room)
      this.roomsBytes += bytes
    }
  }

  /** Called now and then: what nobody has wanted since the last time is let go of. */
  tick(): void {
    if (!this.usedLately) this.rooms.length = this.roomsBytes = 0
    this.usedLately = false
  }
}
