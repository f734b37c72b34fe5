// MinReplicasGuard: min-replicas-to-write: writes are refused while too few replicas are within min-replicas-max-lag.
//
// Always: its gate is set only while it is configured.

import { CMD_WRITE } from '../engine/catalog/command.ts'
import type { Engine } from '../engine/engine.ts'
import type { Gate } from '../engine/gates.ts'
import { errorBytes } from '../protocol/reply.ts'

const TOO_FEW = errorBytes('NOREPLICAS Not enough good replicas to write.')

interface MinReplicasConfig {
  readonly minReplicasToWrite: number
  /** Seconds; 0: the check is off. */
  readonly minReplicasMaxLag: number
}

export class MinReplicasGuard {
  private readonly engine: Engine
  private readonly config: MinReplicasConfig

  constructor(engine: Engine, config: MinReplicasConfig) {
    this.engine = engine
    this.config = config
    this.configure()
  }

  /** Online replicas within min-replicas-max-lag. */
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

  /** Called after a configuration change. */
  configure(): void {
    this.engine.gates.set('goodReplicas', this.isConfigured ? this.gate : undefined)
  }

  private readonly gate: Gate = (_client, _entry, _args, _argc, flags) =>
    (flags & CMD_WRITE) !== 0 && this.goodReplicas < this.config.minReplicasToWrite ? TOO_FEW : undefined
}
