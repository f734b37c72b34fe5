// ReplicaDrain: before a shutdown replicas get the time to receive the whole stream.
//
//   begin ─▶ writes paused, GETACK ─▶ all have acknowledged, or shutdown-timeout ─▶ done
//
// Always: writes stay paused after it, until the process ends or resume() is called.

import type { Engine } from '../engine/engine.ts'
import type { Log, Timers } from '../system/system.ts'
import type { ConnectedReplicas } from './replicas.ts'

const POLL_MS = 100

interface ReplicaDrainParts {
  engine: Engine
  log: Log
  replicas: ConnectedReplicas
  timers: Timers
  config: { readonly shutdownTimeout: number }
}

export class ReplicaDrain {
  private readonly parts: ReplicaDrainParts
  private cancel: (() => void) | undefined
  private endMs = 0

  constructor(parts: ReplicaDrainParts) {
    this.parts = parts
  }

  get isNeeded(): boolean {
    return this.parts.config.shutdownTimeout !== 0 && !this.parts.replicas.areSynced
  }

  /** Resolves when the server may end: true, or false when that was aborted. */
  run(): Promise<boolean> {
    const { engine, log, replicas, timers, config } = this.parts
    if (!engine.pause.active) replicas.stream.requestAcks()
    engine.pause.begin(Number.POSITIVE_INFINITY, false, 'shutdown')
    log.notice('Waiting for replicas before shutting down.')
    this.endMs = engine.machine.nowMs() + config.shutdownTimeout * 1000
    return new Promise(resolve => {
      const timer = timers.every(POLL_MS, () => {
        if (!replicas.areSynced && engine.machine.nowMs() < this.endMs) return
        timers.cancel(timer)
        this.cancel = undefined
        resolve(true)
      })
      this.cancel = () => {
        timers.cancel(timer)
        this.resume()
        resolve(false)
      }
    })
  }

  /** Until the server ends in any case; undefined: it does not wait. */
  get leftMs(): number | undefined {
    return this.cancel === undefined ? undefined : Math.max(0, this.endMs - this.parts.engine.machine.nowMs())
  }

  /** The server does not end after all. */
  resume(): void {
    const { engine } = this.parts
    engine.pause.end('shutdown')
    engine.serveBlockedAndFlush()
  }

  /** SHUTDOWN ABORT; false: it does not wait. */
  abort(): boolean {
    const { cancel } = this
    this.cancel = undefined
    cancel?.()
    return cancel !== undefined
  }
}
