// The ProcessView of a virtual machine: output is stored as text, signals are sent by the test.

import { Unwind } from '../lib/unwind.ts'
import { textOfError } from './errors.ts'
import type { ProcessView, SignalName } from './system.ts'

/** Thrown by `process.exit`, so that nothing after it runs, as on a real machine. */
export class VirtualExit extends Unwind {
  readonly code: number
  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** The other programs of a machine. */
export class VirtualPrograms {
  readonly installed = new Set<string>()
  /** Those that ran: name, arguments, and what was written to them; SUSPENDED where the process was stopped. */
  readonly ran: string[] = []
  /** Default exports of files, by path. */
  readonly exports = new Map<string, unknown>()
}

/** Among the programs that ran: the process has stopped itself. */
export const SUSPENDED = 'SIGSTOP'

/** What a process writes, and its input. */
export interface ProcessRecord {
  readonly pid: number
  /** Number of processes started here. */
  readonly lives: number
  out: string
  err: string
  readonly stdin: Uint8Array
  readonly typed: string[]
  readonly stderrIsTerminal: boolean
  exitCode: number | null
  endedBy: SignalName | ''
  title: string
  respawns: number
  readonly programs: VirtualPrograms
  readonly environment: { readonly [name: string]: string }
  readonly signals: Map<SignalName, () => void>
  onCrash: ((error: unknown) => void) | undefined
  /** Programs that were started: the test calls `ended`. */
  readonly spawned: { words: readonly string[]; ended(code: number, signal: number): void }[]
}

const FIRST_CHILD_PID = 10_000
const SIGKILL = 9

export function virtualProcess(record: ProcessRecord): ProcessView {
  const text = new TextDecoder()
  const identity = () => `${record.pid}:${record.lives}`
  return {
    pid: record.pid,
    get identity() {
      return identity()
    },
    isRunning: other => other === identity(),
    runtime: 'virtual 0',
    command: ['/virtual'],
    executable: '/virtual',
    os: 'Virtual 0 x86_64',
    platform: 'virtual',
    totalMemoryBytes: 16 * 2 ** 30,
    rssBytes: () => 64 * 2 ** 20,
    cpuUsage: () => ({ userUs: 0, systemUs: 0 }),
    stdout(bytes) {
      record.out += text.decode(bytes)
    },
    stderr(bytes) {
      record.err += text.decode(bytes)
    },
    stdoutIsTerminal: () => false,
    stderrIsTerminal: () => record.stderrIsTerminal,
    readStdin: () => record.stdin,
    readLine: () => record.typed.shift(),
    exit(code) {
      record.exitCode ??= code
      throw new VirtualExit(code)
    },
    onSignal: (name, fn) => void record.signals.set(name, fn),
    yieldToSignal(name) {
      record.signals.delete(name)
      record.endedBy = name
    },
    ...programsOf(record.programs),
    setTitle(title) {
      record.title = title
    },
    env: name => record.environment[name],
    allocate: bytes => new ArrayBuffer(bytes),
    collectGarbage() {},
    onCollection: () => undefined,
    onCrash(fn) {
      record.onCrash = fn
    },
    respawnDetached() {
      record.respawns++
    },
    async importFile(file) {
      if (!record.programs.exports.has(file)) throw new Error(`cannot find '${file}'`)
      return record.programs.exports.get(file)
    },
    spawn(words, ended) {
      record.spawned.push({ words, ended })
      return { pid: FIRST_CHILD_PID + record.spawned.length, kill: () => ended(0, SIGKILL) }
    },
  }
}

function programsOf({ installed, ran }: VirtualPrograms): Pick<ProcessView, 'suspend' | 'run' | 'feed'> {
  return {
    suspend: () => void ran.push(SUSPENDED),
    run(program, args) {
      if (!installed.has(program)) return textOfError('ENOENT')
      ran.push([program, ...args].join(' '))
      return undefined
    },
    feed(program, args, failed) {
      if (!installed.has(program)) failed(textOfError('ENOENT'))
      const started = [program, ...args].join(' ')
      return { write: bytes => void ran.push(`${started} < ${new TextDecoder().decode(bytes)}`) }
    },
  }
}
