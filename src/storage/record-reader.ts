// RecordReader: reads the payload of a record piece by piece, the next one in the background meanwhile.
//
//   [request] ─▶ isReady, onReady ─▶ next(): checked, and the one behind it requested ─▶ … ─▶ undefined ─▶ close
//
// A piece is a frame; a record without frames is one piece.
//
// Always: no byte is handed over before its checksum was seen. The segment stays until close(). next() where the piece
// has not arrived reads it at once: the process waits.

import { UnreadableValue, type ValuePieces, type ValuePlace } from '../keyspace/cold.ts'
import { Crc64 } from '../lib/crc64.ts'
import {
  FRAME_BYTES,
  FRAME_HEAD,
  frameFaultOf,
  headFaultOf,
  isLargeRecord,
  RECORD_HEAD,
  recordKeyBytes,
} from './record.ts'
import type { ValueLog } from './value-log.ts'

/** A record of more has frames, or is of a value that was taken for a small one. */
export const PIECE_BYTES: number = RECORD_HEAD + FRAME_HEAD + FRAME_BYTES

/** Where the first piece of a large record is. */
export function firstPieceOf({ segment, offset, bytes }: ValuePlace): ValuePlace {
  return { segment, offset, bytes: Math.min(bytes, PIECE_BYTES) }
}

export class RecordReader implements ValuePieces {
  onReady: () => void = () => {}
  private readonly log: ValueLog
  private readonly place: ValuePlace
  private readonly crc = new Crc64()
  private readonly range: ValuePlace
  /** Bytes of the record that were handed over. */
  private done = 0
  private keyLeft = 0
  private isWhole = false
  private isOpen = true
  /** What was requested, when it has arrived. */
  private arrived: Uint8Array | undefined
  /** The number of the request that has not arrived; 0: none. */
  private awaits = 0
  private requests = 0
  /** What was handed over last. */
  private given: Uint8Array | undefined

  /** `first`: what firstPieceOf(place) was read beforehand. Throws UnreadableValue. */
  constructor(log: ValueLog, place: ValuePlace, first?: Uint8Array) {
    this.log = log
    this.place = { ...place }
    log.holdFor(place)
    this.range = firstPieceOf(place)
    if (first === undefined) this.request(this.range.bytes)
    else this.arrived = first
  }

  get isReady(): boolean {
    return this.awaits === 0
  }

  /** The next bytes of the payload, valid until the next call; undefined: that was all. Throws UnreadableValue. */
  next(): Uint8Array | undefined {
    const { place } = this
    this.recycle()
    while (this.done < place.bytes) {
      const isFirst = this.done === 0
      let piece = this.take()
      if (isFirst && piece.length < place.bytes && !isLargeRecord(piece, 0)) {
        this.log.discard(piece)
        this.request(place.bytes)
        piece = this.take()
      }
      const from = this.check(piece)
      this.done += piece.length
      if (this.done < place.bytes) this.request(Math.min(place.bytes - this.done, FRAME_HEAD + FRAME_BYTES))
      const skipped = Math.min(this.keyLeft, piece.length - from)
      this.keyLeft -= skipped
      this.given = piece
      if (from + skipped < piece.length) return piece.subarray(from + skipped)
      this.recycle()
    }
    if (!this.isWhole) throw new UnreadableValue('the record is torn')
    return undefined
  }

  /** Where the bytes of the piece begin, which is sound. */
  private check(piece: Uint8Array): number {
    const { crc, place, done } = this
    const isFirst = done === 0
    if (isFirst && piece.length < RECORD_HEAD) throw new UnreadableValue('the record is torn')
    if (isFirst) this.keyLeft = recordKeyBytes(piece, 0)
    if (isFirst && !isLargeRecord(piece, 0)) {
      this.log.checked(piece)
      this.isWhole = true
      return RECORD_HEAD
    }
    const at = isFirst ? RECORD_HEAD : 0
    const isLast = piece.length - at < FRAME_HEAD + FRAME_BYTES
    const fault = (isFirst ? headFaultOf(piece, crc) : undefined) ?? frameFaultOf(piece, at, piece.length, isLast, crc)
    if (fault !== undefined) throw new UnreadableValue(fault)
    this.isWhole = isLast && done + piece.length === place.bytes
    return at + FRAME_HEAD
  }

  private request(bytes: number): void {
    const { log, range } = this
    range.offset = this.place.offset + this.done
    range.bytes = bytes
    const awaited = ++this.requests
    this.awaits = awaited
    this.arrived = log.readLater(range, piece => {
      if (this.awaits !== awaited || !this.isOpen) {
        if (piece !== undefined) log.discard(piece)
        return
      }
      this.awaits = 0
      this.arrived = piece
      this.onReady()
    })
    if (this.arrived !== undefined) this.awaits = 0
  }

  private take(): Uint8Array {
    const { arrived } = this
    this.arrived = undefined
    this.awaits = 0
    return arrived ?? this.log.readNow(this.range)
  }

  private recycle(): void {
    if (this.given !== undefined) this.log.discard(this.given)
    this.given = undefined
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.recycle()
    this.log.unhold(this.place)
  }
}
