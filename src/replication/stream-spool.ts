// StreamSpool: a file of blocks of the replication stream that wait for replicas in a full synchronisation.
//
//   begin of the file ─▶ [ block ][ block ][ block ] …        in the order of the stream, without gaps
//
// Always: the file has no name any more while it is used, where the system allows that, so that nothing is left when
// the process ends; after a failed write nothing more is written until the file is given up.

import { attempt, type DiskError, type FileSystem } from '../system/system.ts'

interface StreamSpoolParts {
  readonly disk: FileSystem
  readonly log: { warning(text: string): void }
  readonly pid: number
}

export class StreamSpool {
  private readonly parts: StreamSpoolParts
  private fd = -1
  /** The offset in the stream of the file's first byte. */
  private base = 0
  private isBroken = false
  private isWriting = false
  /** It ends when the write has ended. */
  private isEnding = false

  constructor(parts: StreamSpoolParts) {
    this.parts = parts
  }

  private get path(): string {
    return `temp-stream-${this.parts.pid}.spool`
  }

  get isReady(): boolean {
    return !this.isWriting && !this.isBroken
  }

  /** Writes a block that nobody changes meanwhile. `done` comes later; false: it could not be written. */
  write(block: Uint8Array, offset: number, done: (isWritten: boolean) => void): void {
    const failure = this.fd < 0 ? attempt(() => this.open(offset)) : undefined
    if (failure !== undefined) {
      this.failed(failure)
      return done(false)
    }
    this.isWriting = true
    this.parts.disk.writeLater(this.fd, block, 0, block.length, offset - this.base, error => {
      this.isWriting = false
      if (error !== null) this.failed(error)
      if (this.isEnding) this.end()
      else done(error === null)
    })
  }

  private open(offset: number): void {
    const { disk } = this.parts
    disk.writeFile(this.path, new Uint8Array(0), 0o600)
    this.fd = disk.open(this.path, 'r+')
    this.base = offset
    attempt(() => disk.unlink(this.path))
  }

  private failed(error: DiskError): void {
    this.isBroken = true
    const text = `The stream for replicas stays in memory, since its file cannot be written: ${error.message}`
    this.parts.log.warning(text)
  }

  /** `length` bytes of the stream from `offset` on, which are in the file. undefined: they cannot be read. */
  read(offset: number, length: number): Uint8Array | undefined {
    const { disk, log } = this.parts
    const bytes = new Uint8Array(length)
    let count = 0
    const failure = attempt(() => {
      count = disk.read(this.fd, bytes, 0, length, offset - this.base)
    })
    if (failure === undefined && count === length) return bytes
    log.warning(`The stream for a replica cannot be read from its file: ${failure?.message ?? 'it is too short'}`)
    return undefined
  }

  /** Nothing in it is needed any more. */
  end(): void {
    const { disk } = this.parts
    this.isEnding = this.isWriting
    if (this.isWriting) return
    this.isBroken = false
    if (this.fd < 0) return
    attempt(() => disk.close(this.fd))
    attempt(() => disk.unlink(this.path))
    this.fd = -1
  }
}
