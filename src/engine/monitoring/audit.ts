// Audit: tells listeners who logged in, what was refused, and which administrative commands ran. Without a listener no
// event is made.
//
// Always: secrets are removed from arguments before they are told (redact.ts).

import type { Slice } from '../../lib/slice.ts'
import type { TableEntry } from '../catalog/table.ts'
import type { Client } from '../client.ts'
import type { Engine } from '../engine.ts'
import { withoutSecrets } from './redact.ts'

export interface AuditEvent {
  /** login-refused: wrong user or password, or an authenticator's no; login-failed: it could not tell. */
  readonly event: 'login' | 'login-refused' | 'login-failed' | 'denied' | 'admin'
  /** Milliseconds since 1970. */
  readonly timeMs: number
  /** The user of the connection; for logins the one that was named. Byte strings, one char a byte. */
  readonly user: string
  readonly clientId: number
  readonly address: string
  /** Full name: 'config|set'. Not of logins. */
  readonly command?: string
  /** Of admin: the words after the command's name, secrets as (redacted), at most 16. */
  readonly args?: readonly string[]
  /** Of denied: what the user's rules forbid. */
  readonly reason?: 'command' | 'key' | 'channel'
  /** Of denied: the key or channel. Of login: the user that it became. */
  readonly object?: string
}

const ARGS_MAX = 16
const ARG_BYTES_MAX = 128

export class Audit {
  /** They throw nothing. */
  readonly listeners: ((event: AuditEvent) => void)[] = []
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  get isHeard(): boolean {
    return this.listeners.length !== 0
  }

  /** Tells the listeners; only while there are any. */
  tell(client: Client, event: AuditEvent['event'], facts: Partial<AuditEvent> = {}): void {
    if (!this.isHeard) return
    const whole: AuditEvent = {
      event,
      timeMs: this.engine.machine.nowMs(),
      user: client.user?.name ?? '',
      clientId: client.id,
      address: client.connection.peer,
      ...facts,
    }
    for (const listener of this.listeners) listener(whole)
  }

  /** An administrative command has run. */
  tellCommand(client: Client, entry: TableEntry, args: Slice[], argc: number): void {
    const shown = withoutSecrets(this.engine, entry, args, Math.min(argc, ARGS_MAX))
    const words = shown.slice(entry.parent === undefined ? 1 : 2).map(word => word.latin1Prefix(ARG_BYTES_MAX))
    this.tell(client, 'admin', { command: entry.fullName, args: words })
  }
}
