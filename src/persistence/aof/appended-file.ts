// AppendedFile: a file opened for appending, with fsync either synchronous or in the background.
//
// Always: its descriptor is not closed while an fsync of it is running.

import { attempt, type DiskError, type FileSystem } from '../../system/system.ts'

export class AppendedFile {
  readonly fd: number
  private readonly disk: FileSystem
  private syncs = 0
  private closing = false

  constructor(disk: FileSystem, fd: number) {
    this.disk = disk
    this.fd = fd
  }

  /** Throws DiskError. */
  write(u8: Uint8Array, length: number): void {
    this.disk.write(this.fd, u8, 0, length, null)
  }

  truncate(sizeBytes: number): DiskError | undefined {
    return attempt(() => this.disk.truncate(this.fd, sizeBytes))
  }

  sync(): DiskError | undefined {
    return attempt(() => this.disk.fdatasync(this.fd))
  }

  syncLater(done: (error: DiskError | null) => void): void {
    this.syncs++
    this.disk.fdatasyncLater(this.fd, error => {
      this.syncs--
      if (this.closing) this.close()
      done(error)
    })
  }

  close(): void {
    this.closing = true
    if (this.syncs === 0) attempt(() => this.disk.close(this.fd))
  }
}
