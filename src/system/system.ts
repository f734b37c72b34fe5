// System: everything the server takes from the machine it runs on - time, chance, disk, network, the process. It is
// handed in, so that several servers live in one process, tests run in virtual time, and crashes are simulated from a
// seed.
//
// real.ts is the machine itself (Bun and Node, every operating system); virtual.ts is a made-up one.
//
// Always: failures of the disk are `DiskError`s, thrown by the synchronous forms and handed to `done` by the *Later
// forms; nothing else is thrown. A *Later form calls `done` exactly once, never before it has returned.
// Relative paths mean: relative to `disk.cwd()`, which belongs to this System alone.

import { textOfError } from './errors.ts'
import type { Network } from './network.ts'

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  nowMs(): number
  /** Wall clock, microseconds since 1970 (an integer below 2^53). May jump. */
  nowUs(): number
  /** Microseconds since some fixed moment, with a fraction. Never goes back. */
  monotonicUs(): number
  /** What local time is ahead of UTC at the given wall-clock moment, in minutes. */
  utcOffsetMinutes(atMs: number): number
  /** Stops everything for a while: DEBUG SLEEP, and nothing else. */
  sleepMs(ms: number): void
}

export interface Random {
  /** An integer 0 .. 2^32-1. */
  u32(): number
  /** A number in [0, 1), with 53 random bits. */
  unit(): number
  /** New unpredictable bytes (from a seed in virtual.ts). */
  bytes(length: number): Uint8Array
}

/** What `after` and `every` return; only good for `cancel`. */
export type Timer = { readonly timer: unique symbol }

export interface Timers {
  /** Calls `fn` once, `ms` from now. */
  after(ms: number, fn: () => void): Timer
  /** Calls `fn` every `ms`, first one period from now. */
  every(ms: number, fn: () => void): Timer
  /** Stops a timer; one that has fired or was cancelled may be cancelled again. */
  cancel(timer: Timer): void
  /** Calls `fn` after the input and output that is already pending was handled. */
  soon(fn: () => void): void
}

/** r: read; r+: read and write; w: write, made empty; a: append; wx: write, must not exist. r and r+ need the file. */
export type OpenFlag = 'r' | 'r+' | 'w' | 'a' | 'wx'

export interface FileStat {
  sizeBytes: number
  modifiedMs: number
  isFile: boolean
  isDirectory: boolean
  mode: number
}

export type Done = (error: DiskError | null) => void
export type DoneBytes = (error: DiskError | null, bytes: number) => void

export interface FileSystem {
  /** The folder that relative paths start from: absolute. */
  cwd(): string
  chdir(path: string): void
  /** The absolute form of a path. */
  resolve(path: string): string

  open(path: string, flag: OpenFlag, mode?: number): number
  close(fd: number): void
  /**
   * Reads up to `length` bytes into buffer[offset..]; at `position`, or where the last one ended (null). 0 at the
   * end.
   */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  /** Writes all the bytes, or throws. */
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  fsync(fd: number): void
  fdatasync(fd: number): void
  truncate(fd: number, sizeBytes: number): void
  fstat(fd: number): FileStat

  readFile(path: string): Uint8Array
  writeFile(path: string, bytes: Uint8Array, mode?: number): void
  /** Adds to the end of a file, which is made if need be. */
  append(path: string, bytes: Uint8Array): void
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Makes a folder; that it is there already is a DiskError EEXIST. */
  mkdir(path: string, mode?: number): void
  rmdir(path: string): void
  chmod(path: string, mode: number): void
  /** Names in a folder, sorted, without . and .. */
  readdir(path: string): string[]
  /** null when there is nothing at that path. */
  stat(path: string): FileStat | null
  /** Makes renames and new names in a folder durable; nothing where the operating system has no such thing. */
  fsyncDir(path: string): void

  readLater(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
    done: DoneBytes,
  ): void
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

interface CpuUsage {
  userUs: number
  systemUs: number
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGALRM' | 'SIGUSR1' | 'SIGABRT'

export interface ProcessView {
  readonly pid: number
  /**
   * Tells this process from all others of the machine, where it can also from earlier ones of the same pid. One word.
   */
  readonly identity: string
  /** Whether the process of that identity still runs. */
  isRunning(identity: string): boolean
  /** The runtime and its version: 'bun 1.3.0', 'node 20.1.0', 'virtual 0'. */
  readonly runtime: string
  /** Path of the program that runs on it. */
  readonly executable: string
  /** As INFO's `os` has it: 'Linux 6.1.0 x86_64'. */
  readonly os: string
  readonly platform: string
  readonly totalMemoryBytes: number
  rssBytes(): number
  cpuUsage(): CpuUsage
  /** Lines for the operator: standard output and standard error. */
  stdout(bytes: Uint8Array): void
  stderr(bytes: Uint8Array): void
  stdoutIsTerminal(): boolean
  stderrIsTerminal(): boolean
  /** Everything that comes on standard input, to its end. */
  readStdin(): Uint8Array
  /** The next line of standard input, which the process waits for; undefined at its end. */
  readLine(): string | undefined
  exit(code: number): never
  /** Calls `fn`, and no other, when the process gets the signal, instead of what the signal does by itself. */
  onSignal(name: SignalName, fn: () => void): void
  /** Gets the signal again, and lets it do what it does to a process that knows nothing of it. */
  yieldToSignal(name: SignalName): void
  /** Name shown by ps, where the runtime can set one. */
  setTitle(title: string): void
  env(name: string): string | undefined
  /** A zeroed buffer; of a large one, what is not written takes no memory. */
  allocate(bytes: number): ArrayBuffer
  /** Asks the runtime to give dropped buffers back to the operating system soon. */
  collectGarbage(): void
  /** Calls `fn` for an error that nothing caught. */
  onCrash(fn: (error: unknown) => void): void
  /**
   * Starts this program again with the same words, cut loose from the terminal, with `mark` set to 1 in its
   * environment.
   */
  respawnDetached(mark: string): void
}

export interface System {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly disk: FileSystem
  readonly network: Network
  readonly process: ProcessView
}

/** How bad a line of the log is. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning'

/** Where a subsystem says what the operator should know. */
export type Log = { readonly [level in LogLevel]: (text: string) => void }

/** A failed disk operation: `code` is the C name (ENOENT), `message` what C's strerror says. */
export class DiskError extends Error {
  readonly code: string
  readonly path: string

  constructor(code: string, path = '', message: string = textOfError(code)) {
    super(message)
    this.name = 'DiskError'
    this.code = code
    this.path = path
  }
}

/** Runs what may fail for the disk's sake; the failure, or undefined. Bugs pass through. */
export function attempt(operation: () => void): DiskError | undefined {
  try {
    operation()
    return undefined
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return error
  }
}

/** The reason of a failed operation, as strerror says it. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
