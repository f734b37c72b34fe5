// What a program and the thread of its server say to each other.
//
//   program ─▶ { id, call, args } ─▶ thread        program ─▶ { to, open | bytes | reads | close } ─▶ thread
//   program ◀─ { id, value | error }               program ◀─ { to, bytes | drained | closed }
//
//   program ─▶ { sync: [name, …] } ─▶ thread, and waits: { value | error }
//   program ─▶ { fault } ─▶ thread
//
// `to` is the number of a connection, which the program gives; `drained` how many of its writes the server has taken.

import type { Fault, FaultScope } from './faults.ts'
import type { CreateServerOptions } from './options.ts'

/** What a server in a thread is asked for: methods of its own, and 'create' before all others. */
export type ThreadCall =
  | 'create'
  | 'forked'
  | 'listen'
  | 'close'
  | 'rdb'
  | 'toJSON'
  | 'reset'
  | 'snapshot'
  | 'restore'
  | 'advance'
  | 'set'
  | 'freeze'
  | 'resume'
  | 'now'

export type ToThread =
  | { id: number; call: ThreadCall; args: readonly unknown[] }
  | { sync: readonly unknown[] }
  | { fault: FaultCall }
  | { to: number; open?: true; bytes?: Uint8Array; reads?: boolean; close?: true }

export type FromThread =
  | { id: number; value?: unknown; error?: ThreadError }
  | { to: number; bytes?: Uint8Array; drained?: number; closed?: true }
  | { failed: ThreadError }

/** A change of faults; `add` is the number by which `remove` names it. */
export type FaultCall =
  | { add: number; match: string | RegExp; fault: Fault; scope: FaultScope | undefined }
  | { remove: number }
  | { connected: boolean }
  | 'clear'

/** What a fork begins with. */
export interface ForkSeed {
  data: Uint8Array
  nowMs: number
  isStill: boolean
}

/** What a synchronous call comes to. */
export type Outcome = { value: unknown } | { error: ThreadError }

/** An error as it crosses: its fields are the program's to see again. */
export interface ThreadError {
  message: string
  name: string
  code?: string
}

/** Options that are functions or objects of the program's own. */
export const NOT_IN_THREADS = ['authenticate', 'authentication', 'modules', 'audit', 'system'] as const

export type ThreadOptions = Omit<CreateServerOptions, (typeof NOT_IN_THREADS)[number] | 'onError'>
