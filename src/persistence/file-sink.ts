// FileSink: bytes on their way into a file that gets its name only when all of them are on the disk.
//
//   OPEN ─ write … ─▶ finish ─▶ [all written] ─▶ fsync ─▶ close ─▶ rename ─▶ fsync of the folder ─▶ done(null)
//     └── a write fails, or abort() ─▶ closed, the temporary file removed ─▶ done(error), if finish() was called
//
// Always: chunks are written in order, one at a time, off the main thread; a chunk belongs to the sink until `release`
// gives it back.

import { attempt, type DiskError, type Done, type FileSystem } from '../system/system.ts'

/** So many bytes may wait before the producer should pause. */
const PENDING_BYTES_MAX = 4 << 20
const SYNC_BYTES = 4 << 20

/** Takes bytes away: a file, or later a socket. */
export interface ByteSink {
  /** Takes u8[0 .. length); the buffer is given back through `release`. */
  write(u8: Uint8Array, length: number): void
  /** Gets buffers back. */
  release: (u8: Uint8Array) => void
  /** False: it is better to wait for `onDrain` before writing more. */
  readonly ready: boolean
  onDrain: () => void
  /** Why it takes no more bytes. */
  readonly error: DiskError | undefined
}

/** A sink that a whole dataset goes to. */
export interface JobSink extends ByteSink {
  /** All is written. `done` is called when it has arrived, not before this returns. */
  finish(done: (error: DiskError | null) => void): void
  /** Nothing more comes. */
  abort(reason: DiskError): void
}

interface Chunk {
  u8: Uint8Array
  length: number
}

interface FileSinkNames {
  temporary: string
  path: string
  /** The disk is made to keep up, so that the last fsync is short. */
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

  /** Gives the file its name once every byte is on the disk. `done` is not called before this returns. */
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

  /** None of it on the main thread: to take the name from an older file is to delete that, and its blocks. */
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

  /** Gives up: nothing of the file remains. */
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

/** Bytes straight into a file that is open already, for the one who can wait. */
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
