// The ProcessView contract over the real process.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import process from 'node:process'
import tty from 'node:tty'
import { pathToFileURL } from 'node:url'
import v8 from 'node:v8'
import vm from 'node:vm'
import { LF } from '../lib/ascii.ts'
import { setTitle } from './process-title.ts'
import { feed, runToEnd } from './programs.ts'
import type { ChildProcess, ProcessView, SignalName } from './system.ts'
import { startScript } from './thread.ts'

export function realProcess(): ProcessView {
  const bun = process.versions['bun']
  let stdin: Uint8Array | null = null
  let identity: string | undefined
  const folder = workingFolder()
  return {
    pid: process.pid,
    get identity() {
      identity ??= identityOf(process.pid)
      return identity
    },
    isRunning,
    runtime: bun ? `bun ${bun}` : `node ${process.versions.node}`,
    get command() {
      return programWords()
    },
    get executable() {
      if (isStandalone()) return process.execPath
      return path.resolve(folder ?? '', process.argv[1] ?? process.execPath)
    },
    get os() {
      return `${os.type()} ${os.release()} ${machine()}`
    },
    platform: process.platform,
    get totalMemoryBytes() {
      return os.totalmem()
    },
    rssBytes: () => process.memoryUsage.rss(),
    cpuUsage,
    stdout: bytes => writeAll(1, bytes),
    stderr: bytes => writeAll(2, bytes),
    stdoutIsTerminal: () => tty.isatty(1),
    stderrIsTerminal: () => tty.isatty(2),
    readStdin() {
      stdin ??= new Uint8Array(fs.readFileSync(0))
      return stdin
    },
    readLine,
    exit: code => process.exit(code),
    ...signals(),
    suspend: () => void process.kill(process.pid, 'SIGSTOP'),
    run: runToEnd,
    feed,
    setTitle,
    env: name => process.env[name],
    allocate,
    collectGarbage,
    onCollection,
    onCrash(fn) {
      process.on('uncaughtException', fn)
      process.on('unhandledRejection', fn)
    },
    respawnDetached: mark => respawn(mark, stdin, folder),
    spawn: run,
    importFile,
    startThread: startScript,
  }
}

/** Undefined when it was removed. */
function workingFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

function signals(): Pick<ProcessView, 'onSignal' | 'yieldToSignal'> {
  const handlers = new Map<SignalName, () => void>()
  return {
    onSignal(name, fn) {
      const known = handlers.has(name)
      handlers.set(name, fn)
      // One listener for good: a signal delivered while none is registered, between two of them, would be lost.
      if (known) return
      // Windows supports SIGINT and SIGTERM; the others throw there.
      try {
        process.removeAllListeners(name)
        process.on(name, () => handlers.get(name)?.())
      } catch {
        return
      }
    },
    yieldToSignal(name) {
      handlers.delete(name)
      process.removeAllListeners(name)
      process.kill(process.pid, name)
    },
  }
}

/**
 * The pid, and what distinguishes the process from a later one with the same pid: on Linux its start, in clock ticks
 * since boot; elsewhere ('b') the boot time, in seconds since 1970.
 */
function identityOf(pid: number): string {
  return process.platform === 'linux' ? `${pid}:${startOf(pid)}` : `${pid}:b${bootSeconds()}`
}

function cpuUsage(): { userUs: number; systemUs: number } {
  const usage = process.cpuUsage()
  return { userUs: usage.user, systemUs: usage.system }
}

function bootSeconds(): number {
  return Math.round(Date.now() / 1000 - os.uptime())
}

function isRunning(identity: string): boolean {
  // Half an identity, from a torn file, is no process's.
  if (!/^[1-9][0-9]*:b?[0-9]*$/.test(identity)) return false
  const [pid, start] = identity.split(':')
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    // EPERM: the process of another user, which exists.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  if (process.platform === 'linux') return startOf(Number(pid)) === start
  return Math.abs(bootSeconds() - Number(start.slice(1))) < CLOCK_SET_SECONDS
}

/** The wall clock may have been set by up to so much since a process was started. */
const CLOCK_SET_SECONDS = 60

/** Clock ticks from boot to the start of the process; '' where unknown, or when it has ended. */
function startOf(pid: number): string {
  try {
    // pid (name, any bytes) state and 18 more fields, then the start
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    const words = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return words[0] === 'Z' || words[0] === 'X' ? '' : words[19]
  } catch {
    return ''
  }
}

function readLine(): string | undefined {
  const byte = new Uint8Array(1)
  const bytes: number[] = []
  for (;;) {
    let got = 0
    try {
      got = fs.readSync(0, byte, 0, 1, null)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
        continue
      }
      if (code !== 'EOF') return undefined
    }
    if (got === 0 && bytes.length === 0) return undefined
    if (got === 0 || byte[0] === LF) return new TextDecoder().decode(Uint8Array.from(bytes))
    bytes.push(byte[0])
  }
}

/** Whether the program is inside the runtime's executable (bun build --compile): its path is one of a virtual disk. */
function isStandalone(): boolean {
  const main = process.argv[1] ?? ''
  return main.startsWith('/$bunfs/') || main.startsWith('B:/~BUN/') || main.startsWith('B:\\~BUN\\')
}

/** What is run to start this program again, before its arguments. */
function programWords(): string[] {
  const { execPath, execArgv, argv } = process
  return isStandalone() ? [execPath] : [execPath, ...execArgv, ...argv.slice(1, 2)]
}

/**
 * The input read from standard input is passed on, in an unnamed file. `folder`: where this process was started, from
 * which relative paths among the arguments are meant.
 */
function respawn(mark: string, stdin: Uint8Array | null, folder: string | undefined): void {
  let input: number | 'ignore' = 'ignore'
  if (stdin) {
    const file = path.join(os.tmpdir(), `redstart-${process.pid}.conf`)
    fs.writeFileSync(file, stdin, { mode: 0o600 })
    input = fs.openSync(file, 'r')
    fs.unlinkSync(file)
  }
  const [program = process.execPath, ...words] = programWords()
  const child = spawn(program, [...words, ...process.argv.slice(2)], {
    argv0: process.argv0,
    detached: true,
    stdio: [input, 'ignore', 'ignore'],
    cwd: folder,
    env: { ...process.env, [mark]: '1' },
    windowsHide: true,
  })
  child.unref()
}

/** The exit code for a program that could not be executed: it is not run again. */
const NOT_EXECUTED = 2

/** The query makes it a file of its own to the runtime; Bun knows one in a path, Node in a URL. */
async function importFile(file: string): Promise<unknown> {
  const full = path.resolve(file)
  const query = `?${fs.statSync(full).mtimeMs}.${process.hrtime.bigint()}`
  const name = process.versions.bun === undefined ? pathToFileURL(full).href : full
  return ((await import(name + query)) as { default?: unknown }).default
}

function run(words: readonly string[], ended: (code: number, signal: number) => void): ChildProcess | undefined {
  const [path, ...args] = words
  let isOver = false
  const end = (code: number, signal: number) => {
    if (isOver) return
    isOver = true
    ended(code, signal)
  }
  try {
    const child = spawn(path, args, { stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true })
    child.on('error', () => end(NOT_EXECUTED, 0))
    child.on('exit', (code, signal) => end(code ?? 0, signal === null ? 0 : os.constants.signals[signal]))
    child.unref()
    return child.pid === undefined ? undefined : { pid: child.pid, kill: () => void child.kill('SIGKILL') }
  } catch {
    return undefined
  }
}

/** Not zeroed, which would touch all of it. */
function allocate(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer
}

/** Bun has no such entries. */
function onCollection(fn: (ms: number) => void): (() => void) | undefined {
  const { supportedEntryTypes } = PerformanceObserver as unknown as { supportedEntryTypes: readonly string[] }
  if (!supportedEntryTypes.includes('gc')) return undefined
  const observer = new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) fn(duration)
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

/**
 * All at once takes 20 ms, also where Node's function is asked to do so later; Bun's collects only what is young then.
 * `later` makes the runtime's own collection begin, which marks in steps or in another thread.
 */
function collectGarbage(later = false): void {
  if (later && pressMemory()) return
  if (typeof Bun !== 'undefined') return Bun.gc(true)
  // Node has a function for it behind a flag that may be set at run time.
  v8.setFlagsFromString('--expose-gc')
  const gc: unknown = vm.runInNewContext('gc')
  if (typeof gc === 'function') gc()
}

/** V8 begins to mark when buffers have grown by 64 MiB since the last collection. */
const PRESSURE_BYTES = 72 * 1024 * 1024
/** JavaScriptCore begins when the heap has grown by a share of itself, buffers and this included. */
const BUN_PRESSURE_PAGES = (256 * 1024 * 1024) / 65536
const BUN_PRESSURES = 4
/** A collection of what is young comes first and decides that the next one is whole. */
const BUN_PRESSURE_AGAIN_MS = 100

/** Allocates buffers and drops them; nothing is written to them, so the operating system gives them no memory. */
function pressMemory(again = true): boolean {
  try {
    if (typeof Bun === 'undefined') return new ArrayBuffer(PRESSURE_BYTES).byteLength > 0
    for (let i = 0; i < BUN_PRESSURES; i++) new WebAssembly.Memory({ initial: BUN_PRESSURE_PAGES })
    if (again) setTimeout(pressMemory, BUN_PRESSURE_AGAIN_MS, false).unref()
    return true
  } catch {
    return false
  }
}

function machine(): string {
  const arch = process.arch
  return arch === 'x64' ? 'x86_64' : arch === 'arm64' ? 'aarch64' : arch
}

/** Retries on a full pipe at most so often: a log that is not read must not block the server. */
const FULL_PIPE_TRIES_MAX = 100

function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0
  let tries = 0
  while (written < bytes.length && tries < FULL_PIPE_TRIES_MAX) {
    try {
      written += fs.writeSync(fd, bytes, written, bytes.length - written)
    } catch (error) {
      // A closed terminal or pipe: there is nowhere to report it.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      tries++
    }
  }
}
