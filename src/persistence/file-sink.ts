// FileSink: writes a temporary file and renames it once all its bytes are fsynced.
//
//   OPEN ─ write … ─▶ finish ─▶ [all written] ─▶ fsync ─▶ close ─▶ rename ─▶ fsync of the folder ─▶ done(null)
//     └── a write fails, or abort() ─▶ closed, the temporary file removed ─▶ done(error), if finish() was called
//
// Always: chunks are written in order, one at a time, off the main thread; the sink owns a chunk until `release`.

import { attempt, type DiskError, type Done, type FileSystem } from '../system/system.ts'

/** With so many bytes pending the producer should pause. */
const PENDING_BYTES_MAX = 4 << 20
const SYNC_BYTES = 4 << 20

/** A consumer of bytes: a file or sockets. */
export interface ByteSink {
  /** Takes u8[0 .. length); the buffer is given back through `release`. */
  write(u8: Uint8Array, length: number): void
  /** Returns buffers to the producer. */
  release: (u8: Uint8Array) => void
  /** False: the producer should wait for `onDrain`. */
  readonly ready: boolean
  onDrain: () => void
  /** Why writing failed. */
  readonly error: DiskError | undefined
}

/** The sink of a whole snapshot. */
export interface JobSink extends ByteSink {
  /** End of input. `done` is called when all is written (and in place), never before this returns. */
  finish(done: (error: DiskError | null) => void): void
  /** Cancels. */
  abort(reason: DiskError): void
}

interface Chunk {
  u8: Uint8Array
  length: number
}

interface FileSinkNames {
  temporary: string
  path: string
  /** rdb-save-incremental-fsync, aof-rewrite-incremental-fsync: fsync now and then, so that the last is short. */
  incrementalSync: boolean
}

export class FileSink implements JobSink {
  error: DiskError | undefined
  release: (u8: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  bytes = 0
  private readonly disk: FileSystem
  private readonly temporary: string
  private readonly path: string
  private readonly incrementalSync: boolean
  private fd = -1
  private readonly queue: Chunk[] = []
  private queuedBytes = 0
  private unsyncedBytes = 0
  private busy = false
  private finishing: (() => void) | undefined

  /** Creates the temporary file. */
  constructor(disk: FileSystem, { temporary, path, incrementalSync }: FileSinkNames) {
    this.disk = disk
    this.temporary = temporary
    this.path = path
    this.incrementalSync = incrementalSync
    this.error = attempt(() => {
      this.fd = disk.open(temporary, 'w')
    })
  }

  get ready(): boolean {
    return this.queuedBytes < PENDING_BYTES_MAX
  }

  write(u8: Uint8Array, length: number): void {
    if (this.error !== undefined) return this.release(u8)
    this.queue.push({ u8, length })
    this.queuedBytes += length
    this.next()
  }

  private next(): void {
    if (this.busy || this.fd < 0) return
    const chunk = this.queue[0]
    if (chunk === undefined || this.error !== undefined) {
      if (this.finishing !== undefined) this.finishing()
      return
    }
    this.busy = true
    this.disk.writeLater(this.fd, chunk.u8, 0, chunk.length, null, error => {
      this.busy = false
      this.queue.shift()
      this.queuedBytes -= chunk.length
      this.bytes += chunk.length
      this.unsyncedBytes += chunk.length
      this.release(chunk.u8)
      if (error !== null) this.error ??= error
      if (this.incrementalSync && this.error === undefined && this.unsyncedBytes >= SYNC_BYTES) this.sync()
      else this.next()
      if (this.ready) this.onDrain()
    })
  }

  private sync(): void {
    this.unsyncedBytes = 0
    this.busy = true
    this.disk.fdatasyncLater(this.fd, error => {
      this.busy = false
      if (error !== null) this.error ??= error
      this.next()
    })
  }

  /** Fsyncs the file and renames it. `done` is not called before this returns. */
  finish(done: (error: DiskError | null) => void): void {
    this.finishing = () => {
      this.finishing = undefined
      if (this.error !== undefined) return this.fail(this.error, done)
      this.busy = true
      this.disk.fsyncLater(this.fd, error => {
        this.busy = false
        const failure = error ?? this.error
        if (failure) this.fail(failure, done)
        else this.install(done)
      })
    }
    if (!this.busy && (this.queue.length === 0 || this.error !== undefined)) this.finishing()
  }

  /** Off the main thread: replacing an older file frees its blocks, which can take long. */
  private install(done: Done): void {
    const { disk, fd, temporary, path } = this
    this.fd = -1
    const folder = folderOf(disk.resolve(path))
    disk.closeLater(fd, closing => {
      if (closing !== null || this.error !== undefined) return this.drop(closing ?? this.error!, done)
      disk.renameLater(temporary, path, renaming => {
        if (renaming !== null) this.drop(renaming, done)
        else disk.fsyncDirLater(folder, done)
      })
    })
  }

  private drop(error: DiskError, done: Done): void {
    this.error = error
    this.disk.unlinkLater(this.temporary, () => done(error))
  }

  private fail(error: DiskError, done: (error: DiskError | null) => void): void {
    this.error = error
    this.remove()
    done(error)
  }

  /** Cancels and removes the temporary file. */
  abort(reason: DiskError): void {
    this.error ??= reason
    if (!this.busy) this.remove()
    else if (this.finishing === undefined) this.finishing = () => this.remove()
  }

  private remove(): void {
    const { disk, fd } = this
    this.finishing = undefined
    this.fd = -1
    this.queue.length = 0
    this.queuedBytes = 0
    if (fd < 0) return
    attempt(() => disk.close(fd))
    attempt(() => disk.unlink(this.temporary))
  }
}

/** Synchronous writes to an open file. */
export class DirectSink implements ByteSink {
  error: DiskError | undefined
  release: (u8: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  readonly ready = true
  private readonly disk: FileSystem
  private readonly fd: number

  constructor(disk: FileSystem, fd: number) {
    this.disk = disk
    this.fd = fd
  }

  write(u8: Uint8Array, length: number): void {
    this.error ??= attempt(() => void this.disk.write(this.fd, u8, 0, length, null))
    this.release(u8)
  }
}

export function folderOf(path: string): string {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  return slash <= 0 ? path.slice(0, slash + 1) || '.' : path.slice(0, slash)
}
