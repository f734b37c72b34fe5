// ScriptEngine: the interface of a scripting language. It knows no clients, gates or caches; a script acts on the
// server through its Script.
//
//   compile ─▶ Program ─▶ start ─▶ [tick() is true: suspended ─▶ resume or kill] ─▶ writeResult
//
// Always: between start() and writeResult() only that program runs; errors of a script are not thrown.

import type { Slice } from '../lib/slice.ts'
import type { Reply } from '../protocol/reply.ts'
import type { LogLevel } from '../system/system.ts'
import type { LuaDebugger } from './debugger/debugger.ts'

export const SCRIPT_NO_WRITES = 1 << 0
export const SCRIPT_ALLOW_OOM = 1 << 1
export const SCRIPT_ALLOW_STALE = 1 << 2
export const SCRIPT_NO_CLUSTER = 1 << 3
export const SCRIPT_ALLOW_CROSS_SLOT = 1 << 4
/** A script without a shebang: its commands are checked one by one, as before Redis 7. */
export const SCRIPT_UNDECLARED = 1 << 5

/** By lower-case name. */
export const SCRIPT_FLAGS: ReadonlyMap<string, number> = new Map([
  ['no-writes', SCRIPT_NO_WRITES],
  ['allow-oom', SCRIPT_ALLOW_OOM],
  ['allow-stale', SCRIPT_ALLOW_STALE],
  ['no-cluster', SCRIPT_NO_CLUSTER],
  ['allow-cross-slot-keys', SCRIPT_ALLOW_CROSS_SLOT],
])

/** A compiled script or library; opaque outside of its engine. */
export type Program = object

/** A script in the cache, or a function of a library. */
export interface Runnable {
  readonly name: string
  readonly isFunction: boolean
  readonly engine: ScriptEngine
  readonly program: Program
  /** SCRIPT_ bits. */
  readonly flags: number
}

/** A running script, as its engine sees it. */
export interface Script {
  /** The reply of the last command(). */
  readonly reply: Reply
  /** The RESP version of `reply`, 2 or 3: redis.setresp. */
  resp: number
  /** REPL_ bits. */
  repl: number
  /** While the script is debugged. */
  readonly debugger: LuaDebugger | undefined
  /**
   * Runs a command. undefined: its reply is in `reply`; otherwise the error it was refused with, including dash and
   * code if it has them.
   */
  command(args: Slice[], argc: number): string | undefined
  /** Whether the caller may run a command; undefined: unknown command. */
  mayRun(args: Slice[], argc: number): boolean | undefined
  /** Called regularly; true when the program should be suspended. */
  tick(): boolean
}

/** The server, as an engine sees it. */
export interface EngineHost {
  log(level: LogLevel, text: string): void
  readonly version: string
  monotonicUs(): number
  /** Milliseconds since 1970; stands while a script runs. */
  wallMs(): number
}

/** A function registered by a library. */
export interface FunctionDraft {
  name: string
  description: string | undefined
  flags: number
  program: Program
}

/** A program that runs under a debugger. */
export interface DebuggedProgram {
  readonly program: Program
  readonly debugger: LuaDebugger
}

/** An engine without programs takes about this (measured on Bun); counted also before it is made. */
export const ENGINE_BYTES = 32 * 1024

export interface ScriptEngine {
  /** The name in FUNCTION LIST. */
  readonly name: string
  /** Memory of the interpreter. */
  readonly memoryBytes: number
  /** A string is a compile error. */
  compile(code: string): Program | string
  /** Compiles for a debugger; `lines`: the source as it shows it. A string is a compile error. */
  compileDebugged(code: string, lines: readonly string[]): DebuggedProgram | string
  /** The programs of functions that there are: all others will not be started again. */
  keep?(programs: Iterable<Program>): void
  /** The server ends: what runs beside it, ends. */
  end?(): void
  /** The program of this code is no longer referenced: it no longer counts. */
  dropped(code: string): void
  /**
   * Runs library code; `register` adds a function or returns an error message. undefined: success. After `limitMs`
   * (0: never) it is aborted with an error.
   */
  runLibrary(code: string, limitMs: number, register: (draft: FunctionDraft) => string | undefined): string | undefined
  /** Starts a program with these keys and arguments. True: finished. False: suspended. */
  start(program: Program, script: Script, args: Slice[], firstKey: number, firstArg: number, argc: number): boolean
  /** Continues. True: finished. */
  resume(): boolean
  /** Discards a program after an internal exception. */
  abandon(): void
  /** Ends the suspended program with an error. */
  kill(message: string): void
  /**
   * Writes the result or the error. `name`: the script or function, for errors. True when it wrote an error that is
   * already in the statistics.
   */
  writeResult(reply: Reply, name: string): number
}
