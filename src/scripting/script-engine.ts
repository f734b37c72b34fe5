// ScriptEngine: a language that scripts and functions are written in. It knows nothing of clients, gates or caches;
// what a script does to the server goes through the Script it runs for.
//
//   compile ─▶ Program ─▶ start ─▶ [tick says so: suspended ─▶ resume or kill] ─▶ writeResult
//
// Always: between start() and writeResult() it runs that one program; it throws nothing that a script caused.

import type { Slice } from '../lib/slice.ts'
import type { Reply } from '../protocol/reply.ts'
import type { LogLevel } from '../system/system.ts'

export const SCRIPT_NO_WRITES = 1 << 0
export const SCRIPT_ALLOW_OOM = 1 << 1
export const SCRIPT_ALLOW_STALE = 1 << 2
export const SCRIPT_NO_CLUSTER = 1 << 3
const SCRIPT_ALLOW_CROSS_SLOT = 1 << 4
/** A script without a shebang: judged command by command, as before there were flags. */
export const SCRIPT_UNDECLARED = 1 << 5

/** By name, lower case. */
export const SCRIPT_FLAGS: ReadonlyMap<string, number> = new Map([
  ['no-writes', SCRIPT_NO_WRITES],
  ['allow-oom', SCRIPT_ALLOW_OOM],
  ['allow-stale', SCRIPT_ALLOW_STALE],
  ['no-cluster', SCRIPT_NO_CLUSTER],
  ['allow-cross-slot-keys', SCRIPT_ALLOW_CROSS_SLOT],
])

/** Where the effects of a script's commands go: bits for redis.set_repl. */
export const REPL_AOF = 1
export const REPL_REPLICA = 2

/** Something compiled; only the engine that made it looks inside. */
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

/** What an engine asks of the run it works for. */
export interface Script {
  /** Holds the answer of the last command(). Written by this side only. */
  readonly reply: Reply
  /** The protocol of `reply`, 2 or 3: redis.setresp. */
  resp: number
  /** REPL_ bits. */
  repl: number
  /**
   * Runs a command; undefined: `reply` has its answer, otherwise it was refused with this error, dash and code in
   * front if any.
   */
  command(args: Slice[], argc: number): string | undefined
  /** Whether the caller may run a command; undefined: there is no such command. */
  mayRun(args: Slice[], argc: number): boolean | undefined
  /** Asked now and then: true when the program should be suspended. */
  tick(): boolean
}

/** What an engine asks of the server, at any time. */
export interface EngineHost {
  log(level: LogLevel, text: string): void
  readonly version: string
  monotonicUs(): number
}

/** A function that a library registers. */
export interface FunctionDraft {
  name: string
  description: string | undefined
  flags: number
  program: Program
}

export interface ScriptEngine {
  /** As FUNCTION LIST prints it. */
  readonly name: string
  /** What the interpreter holds. */
  readonly memoryBytes: number
  /** A string says why it cannot be compiled. */
  compile(code: string): Program | string
  /**
   * Runs the code of a library; `register` takes the functions, or says why not. undefined when all went well. After
   * `limitMs` (0: never) the code is given up.
   */
  runLibrary(code: string, limitMs: number, register: (draft: FunctionDraft) => string | undefined): string | undefined
  /** Begins a program with these keys and arguments. True: done. False: suspended. */
  start(program: Program, script: Script, args: Slice[], firstKey: number, firstArg: number, argc: number): boolean
  /** Goes on. True: done. */
  resume(): boolean
  /** Lets go of a program that an exception of the engine's own has left. */
  abandon(): void
  /** Ends the suspended program with an error. */
  kill(message: string): void
  /**
   * What the program has returned, or how it failed. `name` is that of the script or function, for errors. True when an
   * error was written that is in the statistics already.
   */
  writeResult(reply: Reply, name: string): boolean
}
