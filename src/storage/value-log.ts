// ValueLog: values on disk, in append-only segments. Its records hold a value in its RDB encoding under its key.
//
//   segment   value-<number>.log   [ record | record | … ]   sealed when full
//                [nothing in it is live] ─▶ unlinked; with a checkpoint that refers to it: held until there is another
//
//   append ─▶ chunk in memory ─▶ writeLater, one write at a time ─▶ file       read: from the chunk until then
//
// Always: a record is in one chunk and is readable from the moment append() returns; a failed write loses nothing: its
// chunk stays in memory and is written again later. A segment's file stays open while a read of it is under way.
// Numbers of segments are not used twice, and nothing is appended to a segment of an earlier run.

import { UnreadableValue, type ValuePlace } from '../keyspace/cold.ts'
import { TWO_32 } from '../lib/bits.ts'
import { Crc64 } from '../lib/crc64.ts'
import type { Slice } from '../lib/slice.ts'
import { attempt, type DiskError, type Done, type FileSystem } from '../system/system.ts'
import { Buffers } from './buffers.ts'
import { LogWriter } from './log-writer.ts'
import { faultOf, payloadOf, RECORD_HEAD, writeRecord } from './record.ts'
import { CHUNK_BYTES, type Chunk, chunkFor, inMemory, Segment, unwritten } from './segment.ts'

// A segment holds a sixteenth of what is live, between these bounds: a small log has small ones, so that little of it
// is dead.
const SEGMENT_BYTES_MIN = 4 * 1024 * 1024
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024
/** Of the bytes of the log; where more is dead, it is compacted. */
const LIVE_SHARE = 0.78
const NAME_BEGIN = 'value-'

export interface ValueLogFigures {
  segments: number
  bytes: number
  /** Of segments without live records that a checkpoint refers to. */
  heldBytes: number
  liveBytes: number
  pendingBytes: number
  writtenBytes: number
  readBytes: number
  writeErrors: number
}

export class ValueLog {
  readonly figures: ValueLogFigures = {
    segments: 0,
    bytes: 0,
    heldBytes: 0,
    liveBytes: 0,
    pendingBytes: 0,
    writtenBytes: 0,
    readBytes: 0,
    writeErrors: 0,
  }
  /** Where append() has put the last record. */
  readonly last: ValuePlace = { segment: 0, offset: 0, bytes: 0 }
  /** A write has ended; the error of one that failed. */
  onWritten: (error: DiskError | null) => void = () => {}
  private readonly disk: FileSystem
  readonly folder: string
  /** Bytes of a segment; 0: by what is live. */
  private readonly fixedBytes: number
  private readonly segments = new Map<number, Segment>()
  private current: Segment | undefined
  private nextId = 1
  /** Where the next record in pieces is appended; one that is being appended has a segment for itself. */
  private idle: Segment | undefined
  private readonly writer: LogWriter
  private readonly crc = new Crc64()
  readonly buffers = new Buffers()
  /** Files of an earlier run to which nothing refers so far. */
  private readonly leftovers = new Set<string>()
  /** Segments that a checkpoint refers to. */
  private pinned: ReadonlySet<number> = new Set()
  /** No segment goes: one may be in the checkpoint that is being loaded or written. */
  private holding = true

  /** Nothing is removed before settle(): the dataset that is loaded may refer to segments of an earlier run. */
  constructor(disk: FileSystem, folder: string, segmentBytes = 0) {
    this.disk = disk
    this.folder = folder
    this.fixedBytes = segmentBytes
    const written = (segment: Segment) => this.dropIfDead(segment)
    const ended = (error: DiskError | null) => this.onWritten(error)
    this.writer = new LogWriter({
      disk,
      segments: this.segments,
      buffers: this.buffers,
      figures: this.figures,
      written,
      ended,
    })
    if (disk.stat(folder) === null) disk.mkdir(folder)
    for (const name of disk.readdir(folder)) {
      if (!name.startsWith(NAME_BEGIN)) continue
      this.leftovers.add(name)
      this.nextId = Math.max(this.nextId, Number.parseInt(name.slice(NAME_BEGIN.length), 10) + 1 || 0)
    }
  }

  private get segmentBytes(): number {
    const share = Math.max(SEGMENT_BYTES_MIN, this.figures.liveBytes / 16)
    return this.fixedBytes > 0 ? this.fixedBytes : Math.min(share, SEGMENT_BYTES_MAX)
  }

  /** Appends a record; `last` is its place. Throws a DiskError when a new segment cannot be made. */
  append(key: Slice, u8: Uint8Array, payloadBytes: number): void {
    const bytes = RECORD_HEAD + key.len + payloadBytes
    const chunk = this.reserve(bytes)
    writeRecord(chunk.u8, chunk.used, key, u8, payloadBytes, this.crc)
    this.added(chunk, bytes)
  }

  /** Appends a record that was read, as it is. */
  appendRecord(record: Uint8Array): void {
    const chunk = this.reserve(record.length)
    chunk.u8.set(record, chunk.used)
    this.added(chunk, record.length)
  }

  private reserve(bytes: number): Chunk {
    return chunkFor(this.segmentFor(bytes), bytes, this.buffers)
  }

  private added(chunk: Chunk, bytes: number): void {
    const segment = this.current!
    chunk.used += bytes
    this.placeAt(segment, segment.bytes, bytes)
    this.grow(segment, bytes)
  }

  private placeAt(segment: Segment, offset: number, bytes: number): void {
    this.last.segment = segment.id
    this.last.offset = offset
    this.last.bytes = bytes
    segment.live += bytes
    this.figures.liveBytes += bytes
  }

  private grow(segment: Segment, bytes: number): void {
    const { figures } = this
    segment.bytes += bytes
    figures.bytes += bytes
    figures.pendingBytes += bytes
    if (figures.pendingBytes >= CHUNK_BYTES) this.flush()
  }

  private segmentFor(bytes: number): Segment {
    const { current } = this
    const isFull = current === undefined || (current.bytes > 0 && current.bytes + bytes > this.segmentBytes)
    if (current !== undefined && !isFull && !current.doubtful) return current
    const segment = this.newSegment()
    this.current = segment
    this.seal(current)
    return segment
  }

  private newSegment(): Segment {
    const { disk } = this
    const path = `${this.folder}/${nameOf(this.nextId)}`
    const writeFd = disk.open(path, 'w')
    const segment = new Segment(this.nextId++, path, writeFd, disk.open(path, 'r'))
    this.segments.set(segment.id, segment)
    this.figures.segments++
    return segment
  }

  private seal(segment: Segment | undefined): void {
    if (segment === undefined) return
    segment.sealed = true
    this.dropIfDead(segment)
  }

  /** Writes what is in memory, in the background. */
  flush(): void {
    this.writer.flush()
  }

  // ---- large values ----

  /** A segment for a record that is appended in pieces, and for no other until endLarge(). Throws a DiskError. */
  beginLarge(): Segment {
    const { idle } = this
    this.idle = undefined
    if (idle !== undefined && !idle.doubtful && idle.bytes < this.segmentBytes) return idle
    const segment = this.newSegment()
    this.seal(idle)
    return segment
  }

  /** The next bytes of such a record: u8[0 .. bytes) of a buffer from `buffers`. */
  addPiece(segment: Segment, u8: Uint8Array, bytes: number): void {
    segment.chunks.push({ u8, from: segment.bytes, used: bytes })
    this.grow(segment, bytes)
  }

  /** The record ends here; `last` is its place. */
  endLarge(segment: Segment, bytes: number): void {
    this.placeAt(segment, segment.bytes - bytes, bytes)
    const other = this.idle
    this.idle = segment
    this.seal(other)
  }

  // ---- reading ----

  has({ segment }: ValuePlace): boolean {
    return this.segments.has(segment)
  }

  /** The payload of a record, for which the process may wait for the disk. */
  read(place: ValuePlace): Uint8Array {
    return payloadOf(this.readRecord(place))
  }

  /** A record that is sound; the process may wait for the disk. */
  readRecord(place: ValuePlace): Uint8Array {
    return this.sound(this.readNow(place))
  }

  /** Bytes of a segment; the process may wait for the disk. Throws UnreadableValue. */
  readNow({ segment: id, offset, bytes }: ValuePlace): Uint8Array {
    const segment = this.segmentOf(id)
    const { disk } = this
    const buffer = new Uint8Array(bytes)
    for (let at = 0; at < bytes; ) {
      const part = unwritten(segment, offset + at)
      let got = Math.min(part?.length ?? 0, bytes - at)
      if (part !== undefined) buffer.set(part.subarray(0, got), at)
      const error =
        part === undefined
          ? attempt(() => {
              got = disk.read(segment.readFd, buffer, at, bytes - at, offset + at)
            })
          : undefined
      if (error !== undefined || got === 0)
        throw new UnreadableValue(`${segment.path} at ${offset}: ${error?.message ?? 'the file has ended'}`)
      at += got
    }
    this.figures.readBytes += bytes
    return buffer
  }

  /**
   * Reads a record in the background; `done` gets undefined when it could not be read. One that is in memory is
   * returned instead, and `done` is not called. discard() takes what `done` got.
   */
  readLater(place: ValuePlace, done: (record: Uint8Array | undefined) => void): Uint8Array | undefined {
    const segment = this.segmentOf(place.segment)
    const kept = inMemory(segment, place)
    if (kept !== undefined) return kept
    const { bytes, offset } = place
    const buffer = this.buffers.take(bytes)
    segment.readers++
    this.disk.readLater(segment.readFd, buffer, 0, bytes, offset, (error, got) => {
      segment.readers--
      this.figures.readBytes += bytes
      this.dropIfDead(segment)
      done(error === null && got === bytes ? buffer : undefined)
    })
    return undefined
  }

  /** A record from readLater() is in no use any more. */
  discard(record: Uint8Array): void {
    this.buffers.give(record)
  }

  /** The segment of a record stays until unhold(). Throws UnreadableValue. */
  holdFor({ segment }: ValuePlace): void {
    this.segmentOf(segment).readers++
  }

  unhold({ segment: id }: ValuePlace): void {
    const segment = this.segments.get(id)
    if (segment === undefined) return
    segment.readers--
    this.dropIfDead(segment)
  }

  /** Fills a buffer from a segment that is written, in the background. */
  readRange(id: number, offset: number, buffer: Uint8Array, done: (isWhole: boolean) => void): void {
    const segment = this.segments.get(id)!
    segment.readers++
    this.disk.readLater(segment.readFd, buffer, 0, buffer.length, offset, (error, got) => {
      segment.readers--
      this.figures.readBytes += buffer.length
      this.dropIfDead(segment)
      done(error === null && got === buffer.length)
    })
  }

  /** The payload of a record; throws when the record is not sound. Its key may have been renamed since. */
  checked(record: Uint8Array): Uint8Array {
    return payloadOf(this.sound(record))
  }

  isSound(record: Uint8Array): boolean {
    return faultOf(record, this.crc) === undefined
  }

  private sound(record: Uint8Array): Uint8Array {
    const fault = faultOf(record, this.crc)
    if (fault !== undefined) throw new UnreadableValue(fault)
    return record
  }

  private segmentOf(id: number): Segment {
    const segment = this.segments.get(id)
    if (segment === undefined) throw new UnreadableValue(`no segment ${id}`)
    return segment
  }

  // ---- checkpoints ----

  /** A loaded entry refers to a record of an earlier run. Throws UnreadableValue, and what the disk throws. */
  adopt(place: ValuePlace): void {
    const segment = this.segments.get(place.segment) ?? this.reopen(place.segment)
    if (!this.adoptIn(segment, place))
      throw new UnreadableValue(`${segment.path} has no record at ${place.offset}: it is too short`)
  }

  /** adopt() where the segment is open and long enough; false: nothing has happened. */
  adopts(place: ValuePlace): boolean {
    const segment = this.segments.get(place.segment)
    return segment !== undefined && this.adoptIn(segment, place)
  }

  private adoptIn(segment: Segment, { offset, bytes }: ValuePlace): boolean {
    const end = offset + bytes
    const isLonger = end > segment.bytes
    if (isLonger && end > segment.sizeBytes) return false
    if (segment.held) {
      segment.held = false
      this.figures.heldBytes -= segment.bytes
    }
    if (isLonger) {
      this.figures.bytes += end - segment.bytes
      segment.bytes = segment.written = segment.synced = end
    }
    segment.live += bytes
    this.figures.liveBytes += bytes
    return true
  }

  private reopen(id: number): Segment {
    const { disk, figures } = this
    const path = `${this.folder}/${nameOf(id)}`
    if (!this.leftovers.delete(nameOf(id))) throw new UnreadableValue(`${path} is missing`)
    const fd = disk.open(path, 'r')
    const segment = new Segment(id, path, fd, fd)
    segment.sizeBytes = disk.fstat(fd).sizeBytes
    segment.sealed = true
    this.segments.set(id, segment)
    figures.segments++
    return segment
  }

  /** The dataset is loaded, or a checkpoint durable: only what is live, or in `pinned`, is needed. */
  settle(pinned: ReadonlySet<number>): void {
    this.pinned = pinned
    this.holding = false
    for (const name of this.leftovers) this.disk.unlinkLater(`${this.folder}/${name}`, () => {})
    this.leftovers.clear()
    this.tidy()
  }

  /** A checkpoint begins: no segment goes until settle(). */
  hold(): void {
    this.holding = true
  }

  get pins(): ReadonlySet<number> {
    return this.pinned
  }

  /** Segments with live records. */
  get liveSegments(): ReadonlySet<number> {
    return new Set([...this.segments.values()].filter(({ live }) => live > 0).map(({ id }) => id))
  }

  /** Whether a record may be lost with the power even after an fsync. */
  isDoubtful(id: number): boolean {
    return this.segments.get(id)?.doubtful === true
  }

  /** Writes and fsyncs all records that are there now. `done` is not called before this returns. */
  secure(done: Done): void {
    this.writer.secure(error => {
      if (error !== null) done(error)
      else this.disk.fsyncDirLater(this.folder, done)
    })
  }

  // ---- liveness ----

  /** Whether more of the log is dead than its share, beside the segments that cannot be compacted. */
  get isSparse(): boolean {
    const { bytes, heldBytes, liveBytes, segments } = this.figures
    return segments > 2 && (bytes - heldBytes - this.segmentBytes) * LIVE_SHARE > liveBytes
  }

  /** The segment with the smallest share of live bytes of those that are sealed and written, 0 for none. */
  sparsest(isLeftOut: (id: number) => boolean): number {
    let best = 0
    let least = 1
    for (const { id, sealed, written, bytes, live } of this.segments.values()) {
      if (!sealed || live === 0 || written < bytes || live >= least * bytes || isLeftOut(id)) continue
      best = id
      least = live / bytes
    }
    return best
  }

  bytesOf(id: number): number {
    return this.segments.get(id)?.bytes ?? 0
  }

  /** Live bytes of a segment, 0 when it is gone. */
  liveBytesOf(id: number): number {
    return this.segments.get(id)?.live ?? 0
  }

  /** A record is not needed any more. */
  release(segmentId: number, bytes: number): void {
    const segment = this.segments.get(segmentId)
    if (segment === undefined) return
    segment.live -= bytes
    this.figures.liveBytes -= bytes
    this.dropIfDead(segment)
  }

  private dropIfDead(segment: Segment): void {
    // It may be a large file.
    if (segment === this.idle && segment.live === 0) {
      this.idle = undefined
      segment.sealed = true
    }
    if (segment.live > 0 || !segment.sealed || segment.readers > 0 || segment.dropped) return
    const isNeeded = this.holding || this.pinned.has(segment.id)
    if (isNeeded !== segment.held) {
      segment.held = isNeeded
      this.figures.heldBytes += isNeeded ? segment.bytes : -segment.bytes
    }
    if (isNeeded || this.writer.segment === segment) return
    segment.dropped = true
    this.segments.delete(segment.id)
    const { figures, disk } = this
    figures.segments--
    figures.bytes -= segment.bytes
    figures.pendingBytes -= segment.bytes - segment.written
    disk.closeLater(segment.readFd, () => {})
    if (segment.writeFd !== segment.readFd) disk.closeLater(segment.writeFd, () => {})
    disk.unlinkLater(segment.path, () => {})
  }

  /** Removes all files, at the end of a server to which no other can be of use. A file in use stays open. */
  remove(): void {
    for (const segment of this.segments.values()) {
      const { readFd, writeFd, path, readers } = segment
      const isIdle = readers === 0 && this.writer.segment !== segment
      if (isIdle) for (const fd of new Set([readFd, writeFd])) attempt(() => this.disk.close(fd))
      attempt(() => this.disk.unlink(path))
    }
    this.segments.clear()
    attempt(() => this.disk.rmdir(this.folder))
  }

  /** Drops segments whose last record was released while something was under way. */
  tidy(): void {
    for (const segment of [...this.segments.values()]) this.dropIfDead(segment)
  }
}

/** A number for each place. */
export function idOf({ segment, offset }: ValuePlace): number {
  return segment * TWO_32 + offset
}

function nameOf(id: number): string {
  return `${NAME_BEGIN}${id}.log`
}
