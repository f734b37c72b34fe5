// Whole RDB files: saved synchronously, and read in slices.

import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Ref } from '../memory/arena.ts'
import { attempt, DiskError, type FileSystem } from '../system/system.ts'
import { type ByteSink, DirectSink, folderOf } from './file-sink.ts'
import { endOfFile, RdbError } from './rdb/input.ts'
import { DONE, NEED, RdbReader, type RdbTarget, type ReaderTable } from './rdb/reader.ts'
import { type RdbOptions, SnapshotWriter } from './snapshot-writer.ts'

const WINDOW_BYTES = 1 << 20

/** The step of saving that failed, for the log. */
export interface SaveFailure {
  step: 'open' | 'write' | 'rename' | 'fsync'
  error: DiskError
}

/** Saves all databases under `path`, written first to `temporary`. */
export function saveRdb(
  space: Keyspace,
  disk: FileSystem,
  temporary: string,
  path: string,
  options: RdbOptions,
): SaveFailure | undefined {
  let fd = -1
  const opening = attempt(() => {
    fd = disk.open(temporary, 'w')
  })
  if (opening !== undefined) return { step: 'open', error: opening }
  const sink = new DirectSink(disk, fd)
  const writing = writeAll(space, new SnapshotWriter(space, sink, options), sink) ?? attempt(() => disk.fsync(fd))
  const closing = attempt(() => disk.close(fd))
  let failure: SaveFailure | undefined
  if (writing ?? closing) failure = { step: 'write', error: (writing ?? closing)! }
  else {
    const renaming = attempt(() => disk.rename(temporary, path))
    if (renaming !== undefined) failure = { step: 'rename', error: renaming }
  }
  if (failure !== undefined) {
    attempt(() => disk.unlink(temporary))
    return failure
  }
  const syncing = attempt(() => disk.fsyncDir(folderOf(disk.resolve(path))))
  return syncing === undefined ? undefined : { step: 'fsync', error: syncing }
}

/** An RDB file in memory. */
export function rdbBytes(space: Keyspace, options: RdbOptions): Uint8Array {
  const chunks: Uint8Array[] = []
  const sink: ByteSink = {
    write: (u8, length) => chunks.push(u8.subarray(0, length)),
    release: () => {},
    ready: true,
    onDrain: () => {},
    error: undefined,
  }
  const failure = writeAll(space, new SnapshotWriter(space, sink, options), sink)
  if (failure !== undefined) throw failure
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Reads a whole RDB file in memory. Throws RdbError. */
export function readRdb(bytes: Uint8Array, readers: ReaderTable, target: RdbTarget): void {
  const reader = new RdbReader(readers, target, true)
  reader.input.total = bytes.length
  try {
    reader.add(bytes)
    if (reader.run(Number.POSITIVE_INFINITY) !== DONE) throw new RdbError('the file is not whole', bytes.length)
  } catch (error) {
    reader.discard()
    throw error
  }
}

/** Returns why what is written is not whole. */
function writeAll(space: Keyspace, writer: SnapshotWriter, sink: ByteSink): DiskError | undefined {
  for (const db of space.databases) {
    const visit = (entry: Ref) => {
      writer.begin(entry, db.index)
      while (!writer.step());
    }
    let cursor = 0
    do {
      cursor = db.scan(cursor, visit)
    } while (cursor !== 0 && sink.error === undefined)
  }
  writer.end()
  const { failure } = writer
  return failure === undefined ? sink.error : new DiskError('EIO', '', failure.message)
}

/** Reads a file whose RDB begins at `from`. */
export class RdbFileReader {
  readonly reader: RdbReader
  readonly sizeBytes: number
  private readonly disk: FileSystem
  private readonly fd: number
  private readAt: number

  constructor(disk: FileSystem, fd: number, from: number, readers: ReaderTable, target: RdbTarget, checks: boolean) {
    this.disk = disk
    this.fd = fd
    this.readAt = from
    this.sizeBytes = disk.fstat(fd).sizeBytes
    this.reader = new RdbReader(readers, target, checks)
    this.reader.input.base = from
    this.reader.input.total = this.sizeBytes
  }

  /** Bytes of the file read so far. */
  get offset(): number {
    return this.reader.input.offset
  }

  /** Reads about `budget` bytes; true at the end of the RDB. Throws RdbError, and what the disk throws. */
  slice(budget: number): boolean {
    const { reader } = this
    const until = this.offset + budget
    let filled = 0
    for (;;) {
      const outcome = reader.run(budget)
      if (outcome !== NEED) return outcome === DONE
      filled += this.fill()
      if (this.offset >= until || filled > budget + WINDOW_BYTES) return false
    }
  }

  /** Reads one more window; returns its size. The buffer grows at once for a long string, which arrives in windows. */
  private fill(): number {
    const { reader, disk, fd } = this
    const { input } = reader
    const bytes = WINDOW_BYTES
    reader.reserve(Math.max(bytes, input.wanted - input.available))
    const got = disk.read(fd, input.u8, input.end, bytes, this.readAt)
    // Unexpected end of the file.
    if (got === 0) throw endOfFile(this.readAt)
    input.end += got
    this.readAt += got
    return got
  }
}
