// System: everything the server uses of its machine - clocks, randomness, disk, network, process. It is handed in, so
// that several servers can live in one process, tests run in virtual time, and crashes are simulated from a seed.
//
// real.ts is the real machine (Bun and Node, every operating system); virtual.ts is a simulated one.
//
// Always: disk failures are `DiskError`s, thrown by the synchronous forms and passed to `done` by the *Later forms;
// nothing else is thrown. A *Later form calls `done` exactly once, never before it has returned.
// Relative paths are relative to `disk.cwd()`, which belongs to this System alone.

import { textOfError } from './errors.ts'
import type { Network } from './network.ts'

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  nowMs(): number
  /** Wall clock, microseconds since 1970 (an integer below 2^53). May jump. */
  nowUs(): number
  /** Microseconds since some fixed time, with a fraction. Monotonic. */
  monotonicUs(): number
  /** Offset of local time from UTC at the given wall-clock time, in minutes. */
  utcOffsetMinutes(atMs: number): number
  /** Blocks everything for a while: for DEBUG SLEEP alone. */
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

/** The longest timer of the runtimes: a longer one would end at once. */
export const TIMER_MS_MAX: number = 2 ** 31 - 1

/** Returned by `after` and `every`, for `cancel`. */
export type Timer = { readonly timer: unique symbol }

export interface Timers {
  /** Calls `fn` once, `ms` from now. */
  after(ms: number, fn: () => void): Timer
  /** Calls `fn` every `ms`, first one period from now. */
  every(ms: number, fn: () => void): Timer
  /** Cancels a timer, also one that has fired or was cancelled already. */
  cancel(timer: Timer): void
  /** Calls `fn` after pending input and output was handled. */
  soon(fn: () => void): void
}

/** r: read; r+: read and write; w: write, truncated; a: append; wx: write, must not exist. r and r+ need the file. */
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
  /** The working directory: absolute. */
  cwd(): string
  chdir(path: string): void
  /** The absolute form of a path. */
  resolve(path: string): string

  open(path: string, flag: OpenFlag, mode?: number): number
  close(fd: number): void
  /** Reads up to `length` bytes into buffer[offset..], at `position` or at the file's offset (null). 0 at the end. */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  /** Writes all the bytes, or throws. */
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  fsync(fd: number): void
  fdatasync(fd: number): void
  truncate(fd: number, sizeBytes: number): void
  fstat(fd: number): FileStat

  readFile(path: string): Uint8Array
  writeFile(path: string, bytes: Uint8Array, mode?: number): void
  /** Appends to a file, which is created if it does not exist. */
  append(path: string, bytes: Uint8Array): void
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Creates a directory; an existing one is a DiskError EEXIST. */
  mkdir(path: string, mode?: number): void
  rmdir(path: string): void
  chmod(path: string, mode: number): void
  /** Names in a directory, sorted, without . and .. */
  readdir(path: string): string[]
  /** null when the path does not exist. */
  stat(path: string): FileStat | null
  /** Makes renames and new names in a directory durable; does nothing where the operating system has no such call. */
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

/** A process that was started. */
export interface ChildProcess {
  readonly pid: number
  /** Ends it at once. */
  kill(): void
}

/** What is written to it is another program's standard input. */
export interface ProgramInput {
  /** Drops the bytes where the program does not read as fast as they come. */
  write(bytes: Uint8Array): void
}

export interface ProcessView {
  readonly pid: number
  /**
   * Distinguishes this process from all others of the machine, where possible also from earlier ones with its pid. One
   * word.
   */
  readonly identity: string
  /** Whether the process of that identity is running. */
  isRunning(identity: string): boolean
  /** The runtime and its version: 'bun 1.3.0', 'node 20.1.0', 'virtual 0'. */
  readonly runtime: string
  /** Path of the runtime's executable. */
  readonly executable: string
  /** The words that start this program again, without its arguments. */
  readonly command: readonly string[]
  /** As INFO's `os`: 'Linux 6.1.0 x86_64'. */
  readonly os: string
  readonly platform: string
  readonly totalMemoryBytes: number
  rssBytes(): number
  cpuUsage(): CpuUsage
  /** Standard output and standard error. */
  stdout(bytes: Uint8Array): void
  stderr(bytes: Uint8Array): void
  stdoutIsTerminal(): boolean
  stderrIsTerminal(): boolean
  /** All of standard input. */
  readStdin(): Uint8Array
  /** The next line of standard input, for which the process blocks; undefined at its end. */
  readLine(): string | undefined
  exit(code: number): never
  /** Sets the one handler of the signal, which replaces its default action. */
  onSignal(name: SignalName, fn: () => void): void
  /** Raises the signal again with its default action. */
  yieldToSignal(name: SignalName): void
  /** Stops the process until another one continues it (SIGSTOP). */
  suspend(): void
  /** Runs a program, for which the process blocks; why that failed, else undefined. Inherits the environment. */
  run(program: string, args: readonly string[]): string | undefined
  /** Starts a program that reads until this process ends; `failed` is called when it could not be started or ended. */
  feed(program: string, args: readonly string[], failed: (why: string) => void): ProgramInput
  /** Sets the process title, where the runtime can. */
  setTitle(title: string): void
  env(name: string): string | undefined
  /** A buffer with any content; untouched parts of a large one take no memory. */
  allocate(bytes: number): ArrayBuffer
  /**
   * A garbage collection, which returns dropped buffers to the operating system: at once, or `later`, beside the
   * program as far as the runtime can (tens of milliseconds less at a time).
   */
  collectGarbage(later?: boolean): void
  /** Calls `fn` with the milliseconds of each garbage collection until it is stopped; undefined: never does. */
  onCollection(fn: (ms: number) => void): (() => void) | undefined
  /** Calls `fn` for an uncaught error. */
  onCrash(fn: (error: unknown) => void): void
  /**
   * Starts this program again with the same arguments, detached from the terminal, with `mark` set to 1 in its
   * environment.
   */
  respawnDetached(mark: string): void
  /**
   * Runs the text of a CommonJS script in a thread, with `shared` as its workerData. `ended`: an exception has ended
   * it. Returns what ends it. Absent: there are no threads.
   */
  startThread?(source: string, shared: SharedArrayBuffer, ended: () => void): () => void
  /** The default export of a JavaScript or TypeScript file, read anew each time. */
  importFile(path: string): Promise<unknown>
  /**
   * Runs a program; `ended` gets its exit code and the number of the signal that ended it (0: none). undefined: it
   * could not be started.
   */
  spawn(words: readonly string[], ended: (code: number, signal: number) => void): ChildProcess | undefined
}

export interface System {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly disk: FileSystem
  readonly network: Network
  readonly process: ProcessView
}

/** Levels of log lines. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning'

/** The log of a subsystem. */
export type Log = { readonly [level in LogLevel]: (text: string) => void }

/** A failed disk operation: `code` is the C name (ENOENT), `message` the text of strerror. */
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

/** Runs a disk operation; returns its DiskError, or undefined. Other errors are thrown. */
export function attempt(operation: () => void): DiskError | undefined {
  try {
    operation()
    return undefined
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return error
  }
}
