// Scripting: scripts and functions as commands and the server use them. Implemented by scripting/scripting.ts.
//
// Always: one script runs at a time. One that takes long is suspended between slices; other clients are then served
// with -BUSY, except for commands that are allowed meanwhile.

import type { Slice } from '../../lib/slice.ts'
import type { Reply } from '../../protocol/reply.ts'
import type { TableEntry } from '../catalog/table.ts'
import type { Client, QueuedCommand } from '../client.ts'
import type { Context } from '../context.ts'

export interface Scripting {
  /** EVAL and its variants: args are script or digest, number of keys, keys, arguments. Replies, now or later. */
  evaluate(ctx: Context, by: 'text' | 'digest', readOnly: boolean): void
  /** FCALL and FCALL_RO. */
  callFunction(ctx: Context, readOnly: boolean): void
  /** CMD_ bits of this call, where the script declares more than its command. */
  flagsOf(entry: TableEntry, args: Slice[], argc: number): number
  /** The suspended script, or the one that was suspended when the current command came. */
  readonly running: RunningScript | undefined
  /**
   * The client of the append-only file's commands while that is replayed in slices. Its slow scripts are suspended
   * as well; the loader waits until none is running.
   */
  replaying: Client | undefined
  /** Cluster mode: the script that runs may use keys of several hash slots. */
  readonly mayCrossSlots: boolean
  /** Microseconds since 1970, the same throughout a script. */
  readonly nowUs: number
  /** SCRIPT KILL and FUNCTION KILL. */
  kill(reply: Reply, kind: 'script' | 'function'): void
  readonly scripts: ScriptCache
  readonly functions: FunctionLibraries
  /** Scripts may call any command, even those flagged noscript: DEBUG SET-DISABLE-DENY-SCRIPTS. */
  allowEverything(on: boolean): void
  /** When the script that the caller ran is suspended, has `resumed` called after its end. */
  afterScript(resumed: () => void): void
}

export interface RunningScript {
  readonly name: string
  readonly isFunction: boolean
  readonly caller: Client
  readonly command: QueuedCommand
  readonly durationMs: number
}

/** Done, or an error without its code. */
export type Outcome = { readonly error?: undefined; readonly text: string } | { readonly error: string }

/** The scripts of a cache at one moment, in the order in which they came. */
export interface ScriptsImage {
  /** The cache, and how often it had been flushed. */
  readonly of: ScriptCache
  readonly flushes: number
  readonly scripts: readonly { readonly name: string; readonly flags: number; readonly code: string }[]
  readonly bytes: number
}

export interface ScriptCache {
  readonly size: number
  /** Memory of the cache, and of the interpreter besides. */
  readonly memoryBytes: number
  readonly interpreterBytes: number
  /** Compiles and caches a script; returns its digest. */
  load(body: Slice): Outcome
  has(digest: Slice): boolean
  flush(): void
  image(): ScriptsImage
  /** The cache becomes as it was, or as that of another server was. */
  restore(image: ScriptsImage): void
}

export interface FunctionInfo {
  readonly name: string
  readonly description: string | undefined
  readonly flagNames: readonly string[]
}

export interface LibraryInfo {
  readonly name: string
  readonly engineName: string
  readonly code: string
  readonly functions: readonly FunctionInfo[]
}

export interface FunctionLibraries {
  readonly libraryCount: number
  readonly functionCount: number
  libraryCountOf(engineName: string): number
  functionCountOf(engineName: string): number
  readonly memoryBytes: number
  readonly interpreterBytes: number
  readonly engineNames: readonly string[]
  /** Text and names are latin1, one char a byte. */
  libraries(): Iterable<LibraryInfo>
  /** Loads a library; its name. `timeLimited`: code that takes long is aborted. */
  load(code: Slice, replace: boolean, timeLimited: boolean): Outcome
  delete(name: Slice): boolean
  flush(): void
  /** All libraries as one FUNCTION DUMP payload. */
  dump(): Slice
  restore(payload: Slice, policy: 'append' | 'replace' | 'flush'): Outcome
}
