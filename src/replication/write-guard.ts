// WriteGuard: min-replicas-to-write: writes are refused while too few replicas are near enough (min-replicas-max-lag).
//
// Always: what it costs is paid only while it is configured: otherwise commands do not come by here.

import type { Client } from '../engine/client.ts'
import { CMD_WRITE } from '../engine/command.ts'
import type { Gate } from '../engine/dispatch.ts'
import type { Engine } from '../engine/engine.ts'
import type { TableEntry } from '../engine/table.ts'
import { gateFlags } from '../engine/transaction.ts'

const TOO_FEW = 'NOREPLICAS Not enough good replicas to write.'

export interface WriteGuardConfig {
  readonly minReplicasToWrite: number
  /** Seconds; 0: writes are not guarded. */
  readonly minReplicasMaxLag: number
}

export class WriteGuard {
  private readonly engine: Engine
  private readonly config: WriteGuardConfig
  private isOn = false

  constructor(engine: Engine, config: WriteGuardConfig) {
    this.engine = engine
    this.config = config
    this.configure()
  }

  /** Replicas that get every change and have been heard of lately. */
  get goodReplicas(): number {
    const { engine, config } = this
    const second = Math.floor(engine.keyspace.nowMs / 1000)
    let good = 0
    for (const { state, ackMs } of engine.replicas.list())
      if (state === 'online' && second - Math.floor(ackMs / 1000) <= config.minReplicasMaxLag) good++
    return good
  }

  get isConfigured(): boolean {
    return this.config.minReplicasToWrite > 0 && this.config.minReplicasMaxLag > 0
  }

  /** The configuration has changed. */
  configure(): void {
    const { gates } = this.engine.dispatch
    const { refusals } = this.engine.scripting
    if (this.isConfigured === this.isOn) return
    this.isOn = this.isConfigured
    if (this.isOn) {
      gates.push(this.gate)
      refusals.push(this.refuseInScript)
    } else {
      gates.splice(gates.indexOf(this.gate), 1)
      refusals.splice(refusals.indexOf(this.refuseInScript), 1)
    }
  }

  private get hasTooFew(): boolean {
    return this.goodReplicas < this.config.minReplicasToWrite
  }

  private readonly gate: Gate = (client, entry, args, argc) => {
    const { engine } = this
    if ((gateFlags(engine, client, entry, args, argc) & CMD_WRITE) === 0 || !this.hasTooFew) return true
    engine.reply.error(TOO_FEW)
    return false
  }

  private readonly refuseInScript = (_caller: Client, entry: TableEntry): string | undefined =>
    (entry.flags & CMD_WRITE) !== 0 && this.hasTooFew ? `-${TOO_FEW}` : undefined
}
