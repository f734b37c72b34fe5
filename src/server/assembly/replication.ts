// Connects replication to the server: its dependencies, and its fields of INFO.

import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Persistence } from '../../persistence/persistence.ts'
import { replicationInfo } from '../../replication/info.ts'
import { MinReplicasGuard } from '../../replication/min-replicas.ts'
import { ConnectedReplicas } from '../../replication/replicas.ts'
import type { Random } from '../../system/system.ts'
import type { ServerMaintenance } from '../maintenance.ts'

const ID_BYTES = 20

/** A replication ID: forty random hexadecimal digits, other than the run id. */
function newId(random: Random): string {
  return Array.from(random.bytes(ID_BYTES), byte => byte.toString(16).padStart(2, '0')).join('')
}

export function addReplication(
  engine: Engine,
  config: Config,
  maintenance: ServerMaintenance,
  persistence: Persistence,
  random: Random,
): void {
  const replicas = new ConnectedReplicas({ persistence, server: persistence.parts, config, newId: () => newId(random) })
  maintenance.cron.hooks.push(() => replicas.cron())
  maintenance.memoryStats.memorySources.push({ kind: 'backlog', bytes: () => replicas.stream.memoryBytes })
  const guard = new MinReplicasGuard(engine, config)
  config.onChange(['min-replicas-to-write', 'min-replicas-max-lag'], () => {
    guard.configure()
    return undefined
  })
  const outputRate = maintenance.rates.follow(() => replicas.outputBytes)
  const nowMs = () => engine.keyspace.nowMs
  maintenance.addInfo(replicationInfo({ replicas, guard, config, outputRate, nowMs }))
}
