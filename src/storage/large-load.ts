// LargeLoad: builds a large value from its record, in steps between which other commands run.
//
//   pieces [RecordReader] ─▶ window ─▶ TYPE ─┬▶ elements [ValueReader] ─▶ DONE ─▶ take, or drop
//                                            └▶ a string: its bytes ─────┘
//
// Always: the value is in no database before it was taken. What throws has freed it.

import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { TYPE_MODULE, TYPE_STRING } from '../keyspace/types.ts'
import type { Ref } from '../memory/arena.ts'
import { STRING_INT8 } from '../persistence/rdb/format.ts'
import { NEED_MORE, RdbError, RdbInput } from '../persistence/rdb/input.ts'
import type { ValueReader } from '../persistence/values/value-codec.ts'
import type { ValueReaders } from '../persistence/values/value-codecs.ts'
import { RecordReader } from './record-reader.ts'
import type { ValueLog } from './value-log.ts'

/** Of the encoding, in a step. */
const BUILT_BYTES = 4096

export interface LoadedValue {
  /** 0: a string. */
  value: Ref
  encoding: number
  /** The allocation of a string, and its length. */
  text: Ref
  textBytes: number
}

export class LargeLoad {
  isDone = false
  private readonly space: Keyspace
  private readonly type: number
  private readonly readers: ValueReaders
  private readonly pieces: RecordReader
  /** Of the record. */
  private readonly bytes: number
  private readonly input = new RdbInput()
  /** The next piece is wanted before anything else. */
  private isStarved = true
  private reader: ValueReader | undefined
  /** A string: its allocation, its length, and how much of it is there. */
  private text: Ref = 0
  private textBytes = 0
  private filled = 0

  /** Throws UnreadableValue. */
  constructor(space: Keyspace, type: number, readers: ValueReaders, log: ValueLog, place: ValuePlace) {
    this.space = space
    this.type = type
    this.readers = readers
    this.bytes = place.bytes
    this.pieces = new RecordReader(log, place)
  }

  /** False: a step would wait for the disk. */
  get isReady(): boolean {
    return !this.isStarved || this.pieces.isReady
  }

  set onReady(onReady: () => void) {
    this.pieces.onReady = onReady
  }

  /** Reads a piece, or builds a few kilobytes; true when the value is there. Throws UnreadableValue. */
  step(): boolean {
    try {
      if (this.isStarved) this.feed()
      else this.build()
    } catch (error) {
      if (error === NEED_MORE) {
        this.input.pos = this.input.checkpoint
        this.isStarved = true
        return false
      }
      this.drop()
      if (error instanceof RdbError) throw new UnreadableValue(error.message)
      throw error
    }
    if (this.isDone) this.pieces.close()
    return this.isDone
  }

  private feed(): void {
    const piece = this.pieces.next()
    if (piece === undefined) throw new UnreadableValue('the value has no end')
    if (this.text !== 0) return this.fill(piece)
    const { input } = this
    // A long element is there once, and not again for each time that the window grows.
    input.reserve(Math.max(piece.length, Math.min(input.wanted, this.bytes) - input.available))
    input.wanted = 0
    input.u8.set(piece, input.end)
    input.end += piece.length
    this.isStarved = false
  }

  private build(): void {
    const { input } = this
    if (this.reader === undefined) this.begin()
    else if (this.reader.step(input, input.pos + BUILT_BYTES)) this.isDone = true
  }

  private begin(): void {
    const { input } = this
    const rdbType = input.byte()
    if (this.type === TYPE_STRING) return this.beginText()
    const reader = this.readers.of(rdbType)
    if (reader === undefined) throw new UnreadableValue(`RDB type ${rdbType} is unknown`)
    reader.begin(rdbType, input)
    this.reader = reader
    input.checkpoint = input.pos
  }

  private beginText(): void {
    const { input } = this
    input.need(1)
    if (input.u8[input.pos] >= STRING_INT8) throw new UnreadableValue('a long string is encoded')
    this.textBytes = input.length()
    this.text = this.space.arena.alloc(this.textBytes)
    this.fill(input.u8.subarray(input.pos, input.end))
  }

  private fill(piece: Uint8Array): void {
    if (this.filled + piece.length > this.textBytes) throw new UnreadableValue('a string is longer than its length')
    const { arena } = this.space
    arena.u8(this.text).set(piece, arena.at(this.text) + this.filled)
    this.filled += piece.length
    this.isStarved = true
    this.isDone = this.filled === this.textBytes
  }

  /** The value becomes the caller's. */
  take(): LoadedValue {
    const { text, textBytes, reader } = this
    this.text = 0
    this.reader = undefined
    if (text !== 0) return { value: 0, encoding: 0, text, textBytes }
    return { value: reader!.value, encoding: reader!.encoding, text: 0, textBytes: 0 }
  }

  /** Nobody wants the value. */
  drop(): void {
    const { space, type, text, reader } = this
    this.pieces.close()
    this.text = 0
    this.reader = undefined
    if (text !== 0) space.arena.free(text)
    if (reader === undefined) return
    if (type === TYPE_MODULE || reader.value === 0) reader.discard()
    else space.freeValue(type, reader.encoding, reader.value)
  }
}
