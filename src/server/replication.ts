// Gives replication what it needs of this server, and INFO what replication knows.

import type { Config } from '../config/config.ts'
import type { Engine } from '../engine/engine.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { MinReplicasGuard } from '../replication/min-replicas.ts'
import { ConnectedReplicas } from '../replication/replicas.ts'
import type { Random } from '../system/system.ts'
import type { ServerMaintenance } from './maintenance.ts'

const ID_BYTES = 20

/** The name of a replication stream: forty random hexadecimal digits, apart from the process's run id. */
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
  maintenance.info.section('replication', 'Replication', true, put => {
    const { stream } = replicas
    const { backlog } = stream
    const list = replicas.list()
    put('role', 'master')
    put('connected_slaves', list.length)
    list.forEach(({ client, port, state, ackOffset, ackMs }, i) => {
      const host = client.connection.peer.replace(/:\d+$/, '')
      const lag = state === 'online' ? Math.floor((engine.keyspace.nowMs - ackMs) / 1000) : 0
      put(`slave${i}`, `ip=${host},port=${port},state=${state},offset=${ackOffset},lag=${lag}`)
    })
    if (guard.isConfigured) put('min_slaves_good_slaves', guard.goodReplicas)
    put('master_failover_state', 'no-failover')
    put('master_replid', stream.replid)
    put('master_replid2', stream.replid2)
    put('master_repl_offset', stream.offset)
    put('second_repl_offset', stream.secondOffset)
    put('repl_backlog_active', backlog === undefined ? 0 : 1)
    put('repl_backlog_size', config.replBacklogSize)
    put('repl_backlog_first_byte_offset', backlog === undefined ? 0 : backlog.start + 1)
    put('repl_backlog_histlen', backlog?.bytes ?? 0)
  })
}
