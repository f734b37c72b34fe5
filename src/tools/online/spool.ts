// Spool: the source's data in files until it is applied to the target, so that the source is not slowed down by the
// target and nothing is transferred twice.
//
//   link ─▶ FILE.rdb, FILE.stream ─▶ apply
//
// Always: `received` = streamBase + bytes of the stream file: the link resumes at that offset.

import type { AwaitedTarget } from '../../client/awaited-link.ts'
import type { PrimaryLink } from '../../client/primary-link.ts'
import type { FileSystem } from '../../system/system.ts'
import type { MigrationState } from './migration-state.ts'

const RESTART_BYTES = 64 << 20

export class Spool implements AwaitedTarget {
  rdbBytes = 0
  rdbTotal = -1
  private readonly state: MigrationState
  private readonly disk: FileSystem
  private rdbFd = -1
  private readonly streamFd: number
  private streamBytes: number
  /** The replication link. */
  private link: PrimaryLink | undefined
  /** The source has started a new full synchronisation. */
  onRestart: () => void = () => {}

  constructor(disk: FileSystem, state: MigrationState) {
    this.disk = disk
    this.state = state
    if (disk.stat(state.streamPath) === null) disk.writeFile(state.streamPath, new Uint8Array(0))
    this.streamFd = disk.open(state.streamPath, 'r+')
    this.streamBytes = disk.fstat(this.streamFd).sizeBytes
  }

  get received(): number {
    return this.state.facts.streamBase + this.streamBytes
  }

  opened(link: PrimaryLink): void {
    this.link = link
  }

  rdbBegins(bytes: number): void {
    const { disk, state } = this
    this.onRestart()
    Object.assign(state.facts, { rdbReceived: false, rdbApplied: false, keysApplied: 0 })
    state.save()
    if (this.rdbFd >= 0) disk.close(this.rdbFd)
    this.rdbFd = disk.open(state.rdbPath, 'w')
    this.rdbBytes = 0
    this.rdbTotal = bytes
  }

  rdb(bytes: Uint8Array): void {
    this.disk.write(this.rdbFd, bytes, 0, bytes.length, null)
    this.rdbBytes += bytes.length
  }

  rdbEnds(): void {
    const { disk, state, link } = this
    disk.fsync(this.rdbFd)
    disk.close(this.rdbFd)
    this.rdbFd = -1
    const offset = link?.offset ?? 0
    this.cut(offset)
    Object.assign(state.facts, { rdbReceived: true, id: link?.id ?? '', rdbOffset: offset })
    state.save()
  }

  stream(bytes: Uint8Array): void {
    this.disk.write(this.streamFd, bytes, 0, bytes.length, this.streamBytes)
    this.streamBytes += bytes.length
  }

  /** Copies bytes of the stream from `offset` on, as many as are there and fit; returns their number. */
  read(offset: number, into: Uint8Array): number {
    const at = offset - this.state.facts.streamBase
    const bytes = Math.min(into.length, this.streamBytes - at)
    return bytes <= 0 ? 0 : this.disk.read(this.streamFd, into, 0, bytes, at)
  }

  /** Everything up to `applied` is in the target: occasionally the file is truncated. */
  release(applied: number): void {
    if (this.streamBytes >= RESTART_BYTES && applied === this.received) {
      this.cut(applied)
      this.state.save()
    }
  }

  /** Truncates the stream file, which continues at `offset`. */
  cut(offset: number): void {
    this.disk.truncate(this.streamFd, 0)
    this.streamBytes = 0
    this.state.facts.streamBase = offset
  }

  close(): void {
    if (this.rdbFd >= 0) this.disk.close(this.rdbFd)
    this.rdbFd = -1
    this.disk.close(this.streamFd)
  }
}
