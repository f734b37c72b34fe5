// What persistence takes from the machine and from the server around it; system/system.ts says in full what the
// operations promise.
//
// Always: failures of the disk are objects with `code` (ENOSPC) and `message`; thrown by the synchronous forms,
// handed to `done` by the *Later forms.

export interface DiskFailure extends Error {
  readonly code: string
}

export type Done = (error: DiskFailure | null) => void
export type DoneBytes = (error: DiskFailure | null, bytes: number) => void

export interface Disk {
  resolve(path: string): string
  open(path: string, flag: 'r' | 'r+' | 'w' | 'a' | 'wx', mode?: number): number
  close(fd: number): void
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  fsync(fd: number): void
  fdatasync(fd: number): void
  truncate(fd: number, sizeBytes: number): void
  fstat(fd: number): { sizeBytes: number; modifiedMs: number }
  readFile(path: string): Uint8Array
  writeFile(path: string, bytes: Uint8Array, mode?: number): void
  rename(from: string, to: string): void
  unlink(path: string): void
  mkdir(path: string, mode?: number): void
  readdir(path: string): string[]
  stat(path: string): { sizeBytes: number; modifiedMs: number; isFile: boolean; isDirectory: boolean } | null
  fsyncDir(path: string): void
  writeLater(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
    done: DoneBytes,
  ): void
  fsyncLater(fd: number, done: Done): void
  fdatasyncLater(fd: number, done: Done): void
  closeLater(fd: number, done: Done): void
  renameLater(from: string, to: string, done: Done): void
  unlinkLater(path: string, done: Done): void
  fsyncDirLater(path: string, done: Done): void
}

export interface Clock {
  nowMs(): number
  monotonicUs(): number
}

export interface Log {
  debug(text: string): void
  verbose(text: string): void
  notice(text: string): void
  warning(text: string): void
}

/** The reason of a failed operation, as strerror says it. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Runs what may fail for the disk's sake; the failure, or undefined. Bugs pass through. */
export function attempt(operation: () => void): DiskFailure | undefined {
  try {
    operation()
    return undefined
  } catch (error) {
    if (!isDiskFailure(error)) throw error
    return error
  }
}

export function isDiskFailure(error: unknown): error is DiskFailure {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string'
}
