// ClientPause: CLIENT PAUSE, and the pauses of a shutdown, of FAILOVER and of slot migrations. While one lasts,
// commands are postponed: all, or those that may write; keys do not expire and are not evicted.
//
//   RUNNING → PAUSED [begin] → RUNNING [end of the last purpose]
//
// Always: the gate is set only while paused. The caller of begin() arranges for end() at untilMs (the cron).

import { CMD_MAY_REPLICATE, CMD_WRITE } from '../catalog/command.ts'
import { CLIENT_REPLICA } from '../client.ts'
import type { Engine } from '../engine.ts'
import { type Gate, POSTPONE } from '../gates.ts'

const PAUSE_ACTION_WRITE = CMD_WRITE | CMD_MAY_REPLICATE

type PausePurpose = 'client' | 'shutdown' | 'failover' | 'migration'

interface Pause {
  untilMs: number
  all: boolean
}

export class ClientPause {
  /** Milliseconds since 1970; 0: not paused. */
  untilMs = 0
  private all = false
  private readonly engine: Engine
  private readonly purposes = new Map<PausePurpose, Pause>()

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** True while clients are paused. */
  get active(): boolean {
    return this.untilMs !== 0 && this.engine.keyspace.nowMs < this.untilMs
  }

  /** Of two pauses for a purpose the later end and the stricter mode win. `all`: also commands that only read. */
  begin(untilMs: number, all: boolean, purpose: PausePurpose = 'client'): void {
    const before = this.purposes.get(purpose)
    const later = Math.max(untilMs, before?.untilMs ?? 0)
    this.purposes.set(purpose, { untilMs: later, all: all || before?.all === true })
    this.update()
  }

  end(purpose: PausePurpose = 'client'): void {
    if (!this.purposes.delete(purpose)) return
    this.update()
    this.engine.postponed.release('pause')
  }

  /** Ends those whose time is over. */
  expire(nowMs: number): void {
    for (const [purpose, { untilMs }] of this.purposes) if (nowMs >= untilMs) this.end(purpose)
  }

  private update(): void {
    const pauses = [...this.purposes.values()]
    const isPaused = pauses.length > 0
    this.engine.keyspace.hideExpired = isPaused
    this.untilMs = Math.max(0, ...pauses.map(({ untilMs }) => untilMs))
    this.all = pauses.some(({ all }) => all)
    this.engine.gates.set('pause', isPaused ? this.gate : undefined)
  }

  private readonly gate: Gate = (client, _entry, _args, _argc, flags) =>
    this.active && (this.all || (flags & PAUSE_ACTION_WRITE) !== 0) && !client.has(CLIENT_REPLICA)
      ? POSTPONE
      : undefined
}
