// Cluster mode of a server: the bus, the nodes file, the gate and CLUSTER, connected to it.

import { ClusterBus } from '../../cluster/bus.ts'
import { Cluster, type ClusterHost, type ClusterKeys, type ClusterReplication } from '../../cluster/cluster.ts'
import { ClusterCommand } from '../../cluster/commands.ts'
import { REPLICA } from '../../cluster/node.ts'
import { readNodes } from '../../cluster/nodes-file.ts'
import { adoptSlotsWithKeys } from '../../cluster/ownership.ts'
import { RedirectGate } from '../../cluster/redirect.ts'
import { busPortOf, updateMyself } from '../../cluster/send.ts'
import { SlotMeter } from '../../cluster/slot-meter.ts'
import type { Config } from '../../config/config.ts'
import { CMD_WRITE } from '../../engine/catalog/command.ts'
import type { Engine } from '../../engine/engine.ts'
import { keySlot } from '../../lib/crc16.ts'
import { PORT_MAX } from '../../lib/limits.ts'
import { Slice } from '../../lib/slice.ts'
import type { Persistence } from '../../persistence/persistence.ts'
import type { Following } from '../../replication/following.ts'
import type { ReplicationStream } from '../../replication/stream.ts'
import { newId } from '../../system/random.ts'
import type { System } from '../../system/system.ts'
import { DEL, deleteKey } from '../delete-key.ts'
import { listenOnEach } from '../listen-problem.ts'
import type { Logger } from '../log.ts'
import type { ServerMaintenance } from '../maintenance.ts'
import { NodesFile } from '../nodes-file.ts'
import { SlotExporter } from '../slot-export.ts'
import { StartFailure } from '../start-failure.ts'
import type { Tls } from '../tls.ts'

const ANNOUNCED = [
  'cluster-announce-ip',
  'cluster-announce-port',
  'cluster-announce-tls-port',
  'cluster-announce-bus-port',
  'cluster-announce-hostname',
  'cluster-announce-human-nodename',
  'cluster-replica-no-failover',
] as const

export interface ClusterServer {
  engine: Engine
  config: Config
  system: System
  log: Logger
  maintenance: ServerMaintenance
  following: Following
  persistence: Persistence
  stream: ReplicationStream
  /** The nodes file of a new cluster. */
  newCluster: string | undefined
  tls: Tls
  isLoading(): boolean
  /** The addresses to listen on. */
  addresses(): readonly { host: string; optional: boolean }[]
}

interface Metered {
  by: SlotMeter | undefined
}

export interface ClusterMode {
  /** Those of the bus, and what they take. */
  readonly connections: number
  readonly memoryBytes: number
  /** Reads the nodes file. */
  begin(): void
  /** This node is a replica, and that is its primary's address. */
  readonly primary: { host: string; port: number } | undefined
  listen(): Promise<void>
  /** The dataset is loaded. */
  loaded(): void
  stop(): void
}

export function clusterModeOf(server: ClusterServer): ClusterMode {
  const { engine, config, system, log, maintenance } = server
  const file = new NodesFile(system.disk, system.disk.resolve(config.clusterConfigFile))
  const metered: Metered = { by: undefined }
  const cluster = new Cluster(hostOf(server, file, metered))
  cluster.moves.exports = new SlotExporter({
    engine,
    system,
    dialler: server.tls.dialler('tlsReplication'),
    persistence: server.persistence,
    cluster,
    login: () => ({ user: config.masteruser, password: config.masterauth }),
    silenceMs: () => config.replTimeout * 1000,
  })
  const gate = gateOf(engine, cluster)
  meterSlots(server, gate, metered)
  engine.cluster = new ClusterCommand(cluster)
  const bus = new ClusterBus({
    cluster,
    network: system.network,
    timers: system.timers,
    guard: work => engine.boundary.guard(work),
    isLoading: () => server.isLoading() && !server.following.primary,
  })
  config.onChange(ANNOUNCED, () => void updateMyself(cluster))
  config.onChange('tls-cluster', () => rebind(server, bus))
  maintenance.cron.hooks.push(() => redirectBlocked(engine, gate), stateTeller(engine, cluster))
  maintenance.memoryStats.memorySources.push({ kind: 'clusterLinks', bytes: () => bus.memoryBytes })
  return {
    get connections() {
      return bus.connections
    },
    get memoryBytes() {
      return bus.memoryBytes
    },
    get primary() {
      return primaryOf(cluster)
    },
    begin() {
      const isKnown = file.read(cluster)
      if (isKnown) log.notice(`Node configuration loaded, I'm ${cluster.me.id}`)
      else if (server.newCluster !== undefined) {
        readNodes(cluster, server.newCluster)
        cluster.trustNow()
      } else {
        cluster.add(cluster.me)
        log.notice(`No cluster configuration found, I'm ${cluster.me.id}`)
      }
      if (!isKnown) cluster.saveOrDie(true)
      updateMyself(cluster)
    },
    listen: () => listenBus(server, bus),
    loaded() {
      adoptSlotsWithKeys(cluster)
      bus.start()
    },
    stop: () => bus.stop(),
  }
}

function gateOf(engine: Engine, cluster: Cluster): RedirectGate {
  const gate = new RedirectGate(cluster, {
    table: engine.table,
    database: () => engine.keyspace.databases[0],
    slots: engine.keyspace.slotTables!,
    isTls: client => client.connection.kind === 'tls',
    scriptMayCrossSlots: () => engine.scripting.mayCrossSlots,
  })
  engine.gates.set('cluster', gate.rule)
  engine.gates.passage = gate.passage
  return gate
}

/** The reason, when the bus cannot listen any more. */
async function rebind(server: ClusterServer, bus: ClusterBus): Promise<string | undefined> {
  bus.stopListening()
  try {
    await listenBus(server, bus)
    return undefined
  } catch (failure) {
    if (failure instanceof StartFailure) return failure.lines[0]
    throw failure
  }
}

function primaryOf(cluster: Cluster): ClusterMode['primary'] {
  const { primary } = cluster.me
  if (!cluster.me.has(REPLICA) || primary === undefined || primary.address.ip === '') return undefined
  return { host: primary.address.ip, port: cluster.replicationPort(primary) }
}

/** The bus is within TLS, with a certificate at both ends, while tls-cluster says so. */
async function listenBus({ config, addresses, tls, log }: ClusterServer, bus: ClusterBus): Promise<void> {
  const port = busPortOf(config)
  if (port > PORT_MAX)
    throw new StartFailure(
      'Redis port number too high. Cluster communication port is 10,000 port numbers higher than your Redis port. Your Redis port number must be 55535 or less.',
    )
  const secured = config.tlsCluster ? tls.listenOptions(() => 'yes') : undefined
  const options = { port, backlog: config.tcpBacklog, keepaliveSeconds: 0, tls: secured }
  await listenOnEach(log, addresses(), port, 'cluster', host => bus.listen({ ...options, host }))
}

/** Slots are metered while the directive says so. */
function meterSlots(server: ClusterServer, gate: RedirectGate, metered: Metered): void {
  const { engine, config, stream } = server
  const sent = {
    get offset() {
      return stream.offset
    },
    get replicas() {
      return engine.replicas.list().length
    },
  }
  const follow = () => {
    metered.by = config.clusterSlotStatsEnabled ? new SlotMeter(engine, gate, sent) : undefined
    engine.input.executor = metered.by ?? engine.dispatch
    return undefined
  }
  follow()
  config.onChange('cluster-slot-stats-enabled', follow)
  server.maintenance.addInfo(() => [{ section: 'stats', fields: {}, reset: () => metered.by?.resetAll() }])
}

function hostOf(server: ClusterServer, file: NodesFile, metered: Metered): ClusterHost {
  const { engine, config, system, log, maintenance } = server
  const { clock, random, timers, process } = system
  const network = server.tls.dialler('tlsCluster')
  const offsetMs = clock.nowMs() - clock.monotonicUs() / 1000
  const nowMs = () => offsetMs + clock.monotonicUs() / 1000
  return {
    settings: config,
    replication: replicationOf(server, nowMs),
    keys: keysOf(engine, metered),
    log,
    get meter() {
      return metered.by
    },
    nowMs,
    random: limit => Math.floor(random.unit() * limit),
    newId: () => newId(random),
    save: (text, fsync) => file.write(text, fsync),
    die: () => process.exit(1),
    soon: fn => timers.soon(() => engine.boundary.guard(fn)),
    after: (ms, fn) => void timers.after(ms, () => engine.boundary.guard(fn)),
    dial: (address, timeoutMs, done) =>
      network.dial(address, timeoutMs, result => engine.boundary.guard(() => done(result))),
    pauseWrites: (ms, purpose) => engine.pause.begin(engine.keyspace.nowMs + ms, false, purpose),
    resumeWrites: purpose => engine.pause.end(purpose),
    background: task => maintenance.cron.background.start(task),
    tellReplicas: words => server.stream.feed(words.map(word => Slice.of(word))),
    closeClient: client => engine.closeClient(client),
    publish: (channel, message, shard) => {
      const { pubsub } = engine
      const [name, text] = [new Slice(channel, 0, channel.length), new Slice(message, 0, message.length)]
      if (shard) pubsub.publishShard(name, text)
      else pubsub.publish(name, text)
    },
  }
}

function replicationOf({ engine, following, stream }: ClusterServer, nowMs: () => number): ClusterReplication {
  return {
    get offset() {
      // A dataset that is being received is no part of any stream.
      return following.primary !== undefined && !following.hasPosition ? 0 : stream.offset
    },
    get isFollowing() {
      return following.primary !== undefined
    },
    get dataAgeMs() {
      if (following.state !== 'connected' && !following.hasPosition) return Number.POSITIVE_INFINITY
      if (following.state === 'connected') return Math.max(0, nowMs() - (following.lastReceivedMs ?? nowMs()))
      return following.downSinceSeconds === 0 ? nowMs() : Math.max(0, nowMs() - following.downSinceSeconds * 1000)
    },
    replicas: () => engine.replicas.list(),
    askReplicas: () => engine.acknowledgements.requestAcks?.(),
    follow(ip, port) {
      following.follow(ip, port)
    },
    promote() {
      if (following.primary !== undefined) following.lead()
    },
  }
}

function keysOf(engine: Engine, metered: Metered): ClusterKeys {
  const [db] = engine.keyspace.databases
  const slots = engine.keyspace.slotTables!
  const key = new Slice()
  return {
    count: slot => slots.countInSlot(db.mainTable, slot),
    scan: (slot, cursor, visit) =>
      slots.scanSlot(db.mainTable, slot, cursor, entry => visit(db.entries.keyOf(entry, key))),
    get isEmpty() {
      return db.size === 0
    },
    deleteSome(slot, cursor) {
      const some: Slice[] = []
      const next = this.scan(slot, cursor, one => void some.push(one.copy()))
      for (const one of some) if (deleteKey(engine, db, one)) engine.dispatch.propagateNow(db, [DEL, one])
      return next
    },
    clear() {
      for (const one of engine.keyspace.databases) engine.ctx.flush(one)
    },
    changeOwner(slot) {
      metered.by?.reset(slot)
      const { shardChannels } = engine.pubsub
      if (shardChannels.size === 0) return
      for (const name of [...shardChannels.keys()])
        if (keySlot(Slice.of(name)) === slot) engine.pubsub.dropShardChannel(Slice.of(name))
    },
  }
}

/** Clients that are blocked on keys of a slot that has left are redirected. */
function redirectBlocked(engine: Engine, gate: RedirectGate): void {
  for (const client of [...engine.blocking.clients]) {
    const state = client.blocked
    if (state?.kind !== 'keys' || state.keys.length === 0) continue
    const isWrite = (state.command.entry.flags & CMD_WRITE) !== 0
    const refusal = gate.refusalForBlocked(client, Slice.of(state.keys[0]), isWrite)
    if (refusal !== undefined) engine.blocking.refuse(client, refusal)
  }
}

/** To be called every tick: tells when the cluster's state has changed. */
function stateTeller({ observers }: Engine, cluster: Cluster): () => void {
  let wasOk = cluster.isOk
  return () => {
    if (cluster.isOk === wasOk) return
    wasOk = cluster.isOk
    observers.happenings.tell({ name: 'cluster', state: wasOk ? 'ok' : 'fail' })
  }
}
