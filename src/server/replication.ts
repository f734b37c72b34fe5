// Gives replication what it needs of this server, and INFO what replication knows.

import type { Engine } from '../engine/engine.ts'
import type { Persistence } from '../persistence/persistence.ts'
import { ReplicaFeed } from '../replication/feed.ts'
import { WriteGuard } from '../replication/write-guard.ts'
import type { Config } from './config/config.ts'
import type { Services } from './services.ts'

export function addReplication(engine: Engine, config: Config, services: Services, persistence: Persistence): void {
  const feed = new ReplicaFeed({ persistence, server: persistence.parts, config, id: services.runId })
  services.cron.hooks.push(() => feed.cron())
  services.account.users.push({ kind: 'backlog', bytes: () => feed.memoryBytes })
  const guard = new WriteGuard(engine, config)
  config.onChange(['min-replicas-to-write', 'min-replicas-max-lag'], () => {
    guard.configure()
    return undefined
  })
  services.info.section('replication', 'Replication', true, put => {
    const { backlog } = feed
    const replicas = feed.list()
    put('role', 'master')
    put('connected_slaves', replicas.length)
    replicas.forEach(({ client, port, state, ackOffset, ackMs }, i) => {
      const host = client.connection.peer.replace(/:\d+$/, '')
      const lag = state === 'online' ? Math.floor((engine.keyspace.nowMs - ackMs) / 1000) : 0
      put(`slave${i}`, `ip=${host},port=${port},state=${state},offset=${ackOffset},lag=${lag}`)
    })
    if (guard.isConfigured) put('min_slaves_good_slaves', guard.goodReplicas)
    put('master_failover_state', 'no-failover')
    put('master_replid', services.runId)
    put('master_replid2', '0'.repeat(40))
    put('master_repl_offset', feed.offset)
    put('second_repl_offset', -1)
    put('repl_backlog_active', backlog === undefined ? 0 : 1)
    put('repl_backlog_size', config.replBacklogSize)
    put('repl_backlog_first_byte_offset', backlog === undefined ? 0 : backlog.start + 1)
    put('repl_backlog_histlen', backlog?.bytes ?? 0)
  })
}
