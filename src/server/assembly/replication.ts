// Connects replication to the server: its dependencies, and its fields of INFO.

import type { Engine } from '../../engine/engine.ts'
import { OwnExpiries } from '../../keyspace/own-expiries.ts'
import type { StreamPosition } from '../../persistence/keyspace-target.ts'
import type { Persistence } from '../../persistence/persistence.ts'
import { Failover } from '../../replication/failover.ts'
import { Following } from '../../replication/following.ts'
import { replicationInfo } from '../../replication/info.ts'
import { LinkEvents } from '../../replication/link-events.ts'
import { MinReplicasGuard } from '../../replication/min-replicas.ts'
import { ReplicaDrain } from '../../replication/replica-drain.ts'
import { ReplicaGates } from '../../replication/replica-gates.ts'
import { replicaInfo } from '../../replication/replica-info.ts'
import { ConnectedReplicas } from '../../replication/replicas.ts'
import { RestartPosition } from '../../replication/restart-position.ts'
import type { ReplicationStream } from '../../replication/stream.ts'
import { followUnexpectedErrors } from '../../replication/unexpected-errors.ts'
import { newId } from '../../system/random.ts'
import type { Tls } from '../tls.ts'
import type { ServerParts } from './parts.ts'

interface ReplicationServer extends ServerParts {
  persistence: Persistence
  tls: Tls
  /** The TCP port for replicas. */
  port(): number
  /** The server has become a primary, or the replica of one. */
  roleChanged?: (() => void) | undefined
}

export interface Replication {
  readonly following: Following
  readonly stream: ReplicationStream
  /** Called before the dataset is loaded; `primary`: the one that the nodes file of a cluster names. */
  begin(primary: { host: string; port: number } | undefined): void
  /** The dataset is loaded. */
  loaded(): void
  /** Waits, before a shutdown, until replicas have everything (shutdown-timeout). */
  readonly drain: ReplicaDrain
  logLagging(): void
  stop(): void
}

export function addReplication(server: ReplicationServer): Replication {
  const { engine, config, system, log, maintenance, persistence, port } = server
  const replicas = new ConnectedReplicas({
    persistence,
    server: persistence.parts,
    config,
    newId: () => newId(system.random),
  })
  const { stream } = replicas
  const own = new OwnExpiries(engine.keyspace)
  engine.keyspace.events.ownExpiry = (db, key) => own.remember(db.index, key)
  const following = new Following({
    system: { ...system, network: server.tls.dialler('tlsReplication') },
    persistence,
    stream,
    config,
    gates: new ReplicaGates(engine.gates, config),
    setPrimary: address => {
      config.put('replicaof', address)
      if (address !== null) replicas.emptyGuard.lift(`it follows ${address.host}:${address.port}`)
      log.role = address === null ? 'M' : 'S'
      server.roleChanged?.()
    },
    port,
    datasetReplaced: () => own.forgetAll(),
    disconnectReplicas: () => replicas.disconnectAll(),
    leads: () => replicas.leads(),
  })
  replicas.following = following
  replicas.failover = new Failover({ engine, log, stream, following, replicas: () => replicas.list() })
  persistence.parts.streamPosition = () => streamPositionOf(stream, following)
  followUnexpectedErrors(engine, config, log)
  const restart = new RestartPosition({ engine, stream, loader: persistence.loader })
  maintenance.cron.hooks.push(cronOf(engine, replicas, following, own), new LinkEvents(engine, following).cron)
  addMemory(server, replicas)
  const guard = new MinReplicasGuard(engine, config)
  config.onChange(['min-replicas-to-write', 'min-replicas-max-lag'], () => void guard.configure())
  config.onChange('primary-empty-guard', () => replicas.emptyGuard.configure())
  config.onChange(['replica-read-only', 'replica-serve-stale-data', 'repl-timeout'], () => void following.configure())
  addFields(server, replicas, guard, own)
  const drain = new ReplicaDrain({ engine, log, replicas, timers: system.timers, config })
  maintenance.addInfo(() => [{ section: 'server', fields: { shutdown_in_milliseconds: () => drain.leftMs } }])
  return {
    following,
    stream,
    begin: (primary = config.replicaof ?? undefined) => {
      if (primary !== undefined) following.begin(primary)
      else restart.begin()
    },
    loaded: () => {
      if (config.replicaof !== null) return following.loaded(persistence.loader.position)
      restart.end()
      replicas.emptyGuard.started(engine.keyspace.databases.reduce((sum, db) => sum + db.size, 0))
      replicas.leads()
    },
    drain,
    logLagging: () => replicas.logLagging(),
    stop: () => following.stop(),
  }
}

/** The stream is in one buffer for the backlog and all replicas. */
function addMemory({ engine, config, maintenance }: ReplicationServer, replicas: ConnectedReplicas): void {
  const { memorySources } = maintenance.memoryStats
  const bytes = () => replicas.stream.memoryBytes
  memorySources.push({ kind: 'backlog', bytes, countedBytes: () => Math.min(bytes(), config.replBacklogSize) })
  // Output of replicas is among that of clients: the data must not make room for it, so it is taken off as it is now.
  memorySources.push({
    kind: 'other',
    bytes: () => replicas.output('chunks') - replicas.output('shared'),
    countedBytes: () => -replicas.output('bytes'),
  })
  const follow = () => {
    engine.output.replicaBytesMin = config.replBacklogSize
    return undefined
  }
  follow()
  config.onChange('repl-backlog-size', follow)
}

/** The periodic work. */
function cronOf(engine: Engine, replicas: ConnectedReplicas, following: Following, own: OwnExpiries): () => void {
  let lastSecond = 0
  return () => {
    replicas.cron()
    if (own.count > 0) own.slice()
    const second = Math.floor(engine.keyspace.nowMs / 1000)
    if (second !== lastSecond) following.cron()
    lastSecond = second
  }
}

function addFields(server: ReplicationServer, replicas: ConnectedReplicas, guard: MinReplicasGuard, own: OwnExpiries) {
  const { engine, config, maintenance } = server
  const { following, stream } = replicas
  const outputRate = maintenance.rates.follow(() => replicas.streamFeed.outputBytes)
  const inputRate = maintenance.rates.follow(() => following.inputBytes)
  const nowMs = () => engine.keyspace.nowMs
  maintenance.addInfo(() => [
    ...replicationInfo({ replicas, guard, config, outputRate, nowMs }),
    ...replicaInfo({ following, stream, own, config, inputRate, nowMs }),
  ])
}

/** Where the dataset, as it is now, belongs in a replication stream. */
function streamPositionOf(stream: ReplicationStream, following: Following): StreamPosition | undefined {
  const { replid: id, offset, isForwarding, backlog } = stream
  if (isForwarding ? !following.hasPosition : backlog === undefined) return undefined
  return { id, offset, database: Math.max(0, isForwarding ? following.database : stream.database) }
}
