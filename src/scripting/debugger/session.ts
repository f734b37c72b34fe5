// DebugSession: one client that debugs its EVAL: its commands come from its query buffer, the debugger's lines go to it
// as arrays of simple strings.
//
// Always: the client is blocked while the session lasts, so that nothing else parses its bytes.

import type { Client } from '../../engine/client.ts'
import { oneLine, withoutLastBreaks } from '../../lib/text.ts'
import type { Reply } from '../../protocol/reply.ts'
import { readCommand } from './commands.ts'
import type { LuaDebugger } from './debugger.ts'

export class DebugSession {
  readonly debugger: LuaDebugger
  private readonly client: Client

  constructor(debug: LuaDebugger, client: Client) {
    this.debugger = debug
    this.client = client
  }

  get isStopped(): boolean {
    return this.debugger.isStopped
  }

  /** Takes a command from the client's input; undefined while there is none. What cannot be read ends the script. */
  nextCommand(): string[] | undefined {
    const { client } = this
    if (client.query === undefined) return undefined
    const read = readCommand(client.query.subarray(client.queryStart, client.queryEnd))
    if (read === undefined) return undefined
    if ('error' in read) {
      client.queryStart = client.queryEnd = 0
      this.debugger.fail(read.error)
      return undefined
    }
    client.queryStart += read.end
    return read.words
  }

  /** Writes what was logged, and forgets it. */
  writeLogs(reply: Reply): void {
    const { logs } = this.debugger
    this.debugger.logs = []
    reply.array(logs.length)
    for (const line of logs) reply.simple(oneLine(line))
  }

  /** The last lines of the session. */
  writeEnd(reply: Reply): void {
    this.debugger.logs.push('<endsession>')
    this.writeLogs(reply)
  }
}

/** The lines of a script as the debugger counts them. */
export function linesOf(script: string): string[] {
  return withoutLastBreaks(script).split('\n')
}
