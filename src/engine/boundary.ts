// Boundary: handles exceptions that nothing in the server expected.
//
//   exception ─▶ changes() as before the command ─▶ -ERR internal error, a warning with the stack, the server continues
//             └▶ changes() moved, or a Panic     ─▶ Host.fail(): crash report, this server ends without saving
//
// Always: a command's half-done effects are never served, saved or propagated. An exception outside of commands
// (timers, propagation, connections) ends the server as well: what it left undone is unknown.

import type { Keyspace } from '../keyspace/keyspace.ts'
import { bytesOf } from '../lib/bytes.ts'
import { NO_TEXT } from '../lib/reason.ts'
import type { Slice } from '../lib/slice.ts'
import { Unwind } from '../lib/unwind.ts'
import type { TableEntry } from './catalog/table.ts'
import type { Client } from './client.ts'
import { clearEffectLog, type EffectLog } from './effect.ts'
import type { Engine } from './engine.ts'
import { withoutSecrets } from './monitoring/redact.ts'

const ARGS_MAX = 32
const ARG_CHARS_MAX = 128

export const INTERNAL_ERROR = bytesOf('-ERR internal error\r\n')

/** Ends the server wherever it is thrown: DEBUG PANIC and states that cannot occur. */
export class Panic extends Error {}

/** Thrown by Host.fail() where the process continues without this server. Only guard() may catch it. */
export class ServerFailed extends Unwind {}

/**
 * Moves with every change to the dataset. This is the criterion: an entry that was only opened for writing counts as
 * changed, since an exception may come in the middle of writing to it.
 */
export function changes(keyspace: Keyspace): number {
  return keyspace.mutations + keyspace.dirty
}

export class Boundary {
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  /**
   * Handles `error`, thrown by a command before which changes() was `before`. Returns if the command has changed
   * nothing: the error is logged and counted, and the caller takes the reply back. Otherwise ends the server.
   */
  judge(
    error: unknown,
    client: Client,
    entry: TableEntry | undefined,
    args: readonly Slice[],
    argc: number,
    before: number,
  ): void {
    const { engine } = this
    if (error instanceof Unwind) throw error
    const command = `${describe(engine, entry, args, argc)}, of client ${client.id} at ${client.connection.peer}`
    if (error instanceof Panic || changes(engine.keyspace) !== before || hasEffects(engine.ctx.effect))
      engine.host.fail(error, command)
    engine.stats.unexpectedErrors++
    engine.log?.('warning', `Unexpected error in ${command}: ${stackOf(error)}`)
    clearEffectLog(engine.ctx.effect)
  }

  /** Runs `work`; an exception in it ends the server. */
  guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.failed(error)
    }
  }

  /** Ends the server for an exception that left every other handler, unless it has ended already. */
  failed(error: unknown): void {
    if (error instanceof ServerFailed) return
    if (error instanceof Unwind) throw error
    try {
      this.engine.host.fail(error, '')
    } catch (ended) {
      if (!(ended instanceof ServerFailed)) throw ended
    }
  }
}

function hasEffects(effect: EffectLog): boolean {
  return effect.replaced || effect.forced !== 0 || effect.commands.length > 0
}

/** `set` with 3 arguments: "set" "k" "v"; clipped, and without secrets. */
function describe(engine: Engine, entry: TableEntry | undefined, args: readonly Slice[], argc: number): string {
  const known = entry ?? engine.table.resolve(args as Slice[], argc)
  const shown = known === undefined ? args.slice(0, argc) : withoutSecrets(engine, known, args, argc)
  const words = shown.slice(0, ARGS_MAX).map(word => clipped(word))
  if (shown.length > ARGS_MAX) words.push(`... (${shown.length - ARGS_MAX} more arguments)`)
  return `command '${known?.fullName ?? clipped(args[0])}' with ${argc} arguments: ${words.join(' ')}`
}

function clipped(word: Slice): string {
  let text = ''
  for (let i = 0; i < word.len && i < ARG_CHARS_MAX; i++) {
    const byte = word.u8[word.off + i]
    const plain = byte >= 32 && byte < 127 && byte !== 34 && byte !== 92
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return word.len > ARG_CHARS_MAX ? `"${text}"... (${word.len - ARG_CHARS_MAX} more bytes)` : `"${text}"`
}

/** The stack where there is one; on some runtimes it begins with the message, on others it lacks it. */
export function stackOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error)
    const { stack } = error
    return stack?.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack ?? ''}`
  } catch {
    return NO_TEXT
  }
}
