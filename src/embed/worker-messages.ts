// What a program and the thread of its server say to each other.
//
//   program ─▶ { id, call, args } ─▶ thread        program ─▶ { to, open | bytes | reads | close } ─▶ thread
//   program ◀─ { id, value | error }               program ◀─ { to, bytes | drained | closed }
//
//   program ─▶ { sync: [name, …] | 'recorded' } ─▶ thread, and waits: { value | error }
//   program ─▶ { trouble } ─▶ thread: faults, listeners, interceptors, history
//   program ◀─ { events } ◀─ thread, before the replies that were sent after them
//   program ◀─ { intercept } ◀─ thread ◀─ { next } ◀─ program ◀─ { nextOf } ◀─ thread ◀─ { answer } ◀─ program
//
// `to` is the number of a connection, which the program gives; `drained` how many of its writes the server has taken.

import { RedisError } from '../protocol/redis-error.ts'
import type { CommandFields } from './command-record.ts'
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
  | { sync: readonly unknown[] | 'recorded' }
  | { trouble: TroubleCall }
  | { to: number; open?: true; bytes?: Uint8Array; reads?: boolean; close?: true }

export type FromThread =
  | { id: number; value?: unknown; error?: ThreadError }
  | { to: number; bytes?: Uint8Array; drained?: number; closed?: true }
  | { failed: ThreadError }
  | TroubleTold

/** What the program asks of trouble.ts; `add`, `listen` and `use` are the numbers by which `remove` names them. */
export type TroubleCall =
  | { add: number; match: string | RegExp; fault: Fault; scope: FaultScope | undefined }
  | { listen: number; event: string }
  | { use: number }
  | { remove: number }
  | { connected: boolean }
  | { history: 'start' | 'stop' | 'clear' }
  | { next: number }
  | { answer: number; value?: unknown; error?: ThreadError }
  | 'clear'

/** What the program is told, and asked: `by` is the number of the interceptor, `intercept` of the question. */
export type TroubleTold =
  | { events: [listener: number, event: unknown][] }
  | { intercept: number; by: number; command: CommandFields }
  | { nextOf: number; wire?: Uint8Array; value?: unknown; error?: ThreadError; thrown?: ThreadError }

/** What a fork begins with. */
export interface ForkSeed {
  data: Uint8Array
  nowMs: number
  isStill: boolean
}

/** What a synchronous call comes to. */
export type Outcome = { value: unknown } | { error: ThreadError }

/** An error as it crosses: its fields are the program's to see again. */
interface ThreadError {
  message: string
  name: string
  code?: string
}

/** Options that are functions or objects of the program's own. */
export const NOT_IN_THREADS = ['authenticate', 'authentication', 'modules', 'audit', 'system'] as const

export function asMessage(error: unknown): ThreadError {
  const { message, name, code } = error as Error & { code?: string }
  return { message: String(message), name: String(name), ...(code === undefined ? {} : { code }) }
}

export function errorOf({ message, name, code }: ThreadError): Error {
  if (name === 'RedisError') return new RedisError(message)
  const error = name === 'TypeError' ? new TypeError(message) : new Error(message)
  return Object.assign(error, code === undefined ? {} : { code })
}

export type ThreadOptions = Omit<CreateServerOptions, (typeof NOT_IN_THREADS)[number] | 'onError'>
