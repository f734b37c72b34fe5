// ClientPause: CLIENT PAUSE. While it lasts, commands are postponed: all, or those that may write; keys do not expire
// and are not evicted.
//
//   RUNNING → PAUSED [begin] → RUNNING [end]
//
// Always: the gate is set only while paused. The caller of begin() arranges for end() at untilMs (the cron).

import { CMD_MAY_REPLICATE, CMD_WRITE } from '../catalog/command.ts'
import type { Engine } from '../engine.ts'
import { type Gate, POSTPONE } from '../gates.ts'

const PAUSE_ACTION_WRITE = CMD_WRITE | CMD_MAY_REPLICATE

export class ClientPause {
  /** Milliseconds since 1970; 0: not paused. */
  untilMs = 0
  private all = false
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** True while clients are paused. */
  get active(): boolean {
    return this.untilMs !== 0 && this.engine.keyspace.nowMs < this.untilMs
  }

  /** Of two pauses the later end and the stricter mode win. `all`: also commands that only read. */
  begin(untilMs: number, all: boolean): void {
    this.engine.keyspace.hideExpired = true
    this.untilMs = Math.max(this.untilMs, untilMs)
    this.all ||= all
    this.engine.gates.set('pause', this.gate)
  }

  end(): void {
    this.engine.keyspace.hideExpired = false
    this.untilMs = 0
    this.all = false
    this.engine.gates.set('pause', undefined)
    this.engine.postponed.release('pause')
  }

  private readonly gate: Gate = (_client, _entry, _args, _argc, flags) =>
    this.active && (this.all || (flags & PAUSE_ACTION_WRITE) !== 0) ? POSTPONE : undefined
}
