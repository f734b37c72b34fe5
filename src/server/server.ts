// Server: assembles one server from its parts (assembly/ connects each), starts and ends it.
//
//   config ─▶ settings ─▶ engine ◀─ net (TCP, Unix, in process)
//                           └──▶ cron, persistence, replication, scripting, migration

import type { Config } from '../config/config.ts'
import { ServerFailed } from '../engine/boundary.ts'
import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { ShutdownFlag } from '../engine/ports/host.ts'
import { NO_REPLICA } from '../keyspace/keyspace.ts'
import { ModuleFailure, type Modules } from '../modules/modules.ts'
import { MemoryTransport } from '../net/memory.ts'
import { LoadFailure } from '../persistence/loading.ts'
import type { Persistence } from '../persistence/persistence.ts'
import type { ScriptManager } from '../scripting/scripting.ts'
import {
  type Connection,
  type ListenOptions,
  type ListenTls,
  listening,
  type Network,
  type Receiver,
} from '../system/network.ts'
import type { System } from '../system/system.ts'
import { addressesOf } from './addresses.ts'
import { clusterOf } from './assembly/cluster.ts'
import type { ClusterMode } from './assembly/cluster-mode.ts'
import { configurationOf } from './assembly/configuration.ts'
import { engineOf } from './assembly/engine.ts'
import { showModules } from './assembly/modules.ts'
import { persistenceOf } from './assembly/persistence.ts'
import { addReplication, type Replication } from './assembly/replication.ts'
import { addScripting, showScripting } from './assembly/scripting.ts'
import { addSecurity } from './assembly/security.ts'
import { type Sockets, socketsOf } from './assembly/sockets.ts'
import { addStorage } from './assembly/storage.ts'
import type { AuditLog } from './audit-log.ts'
import { crashState, writeCrashReport } from './crash-report.ts'
import { DebugCopies } from './debug-copy.ts'
import { FileLocks } from './file-locks.ts'
import { guardedSystem } from './guarded.ts'
import { HostAdapter } from './host-adapter.ts'
import { LargePayloads } from './large-payloads.ts'
import { type RunningServer, ShutdownAborted, ShutdownFailed, type StartServerOptions } from './launch.ts'
import { listenAnew, listenOnEach, NO_PORT } from './listen-problem.ts'
import type { Logger } from './log.ts'
import { ServerMaintenance } from './maintenance.ts'
import { Migrations } from './migration.ts'
import { loadmoduleLines, modulesOfFile } from './module-files.ts'
import { refusalOf } from './refusals.ts'
import { StartFailure } from './start-failure.ts'

/** Interval of checks whether a script that the shutdown waits for has ended. */
const SCRIPT_POLL_MS = 20

export class Server implements RunningServer {
  readonly config: Config
  readonly system: System
  readonly log: Logger
  readonly options: StartServerOptions
  readonly engine: Engine
  readonly memory: MemoryTransport
  readonly maintenance: ServerMaintenance
  readonly persistence: Persistence
  private readonly locks: FileLocks
  private readonly auditLog: AuditLog
  private readonly scripting: ScriptManager
  private readonly parts: { readonly migrations: Migrations; readonly modules: Modules }
  private readonly replication: Replication
  private readonly cluster: ClusterMode | undefined
  readonly startedMs: number
  private readonly sockets: Sockets
  private closing = false
  private failed = false
  private ending: Promise<void> | undefined
  /** Cancels a shutdown that waits for the cron. */
  private abortEnd: (() => void) | undefined

  constructor(config: Config, machine: System, log: Logger, options: StartServerOptions = {}) {
    this.config = config
    const guard = (work: () => void) => this.engine.boundary.guard(work)
    const system = options.failed === undefined ? machine : guardedSystem(machine, guard)
    this.system = system
    this.log = log
    this.options = options
    this.startedMs = system.clock.nowMs()
    const { engine, codecs, modules } = engineOf(config, system, log, options)
    this.engine = engine
    this.auditLog = addSecurity(engine, modules, config, system, log, options)
    this.scripting = addScripting(engine, config, system)
    const base = { engine, config, system, log }
    const infoFields = (sections?: readonly string[]) => this.maintenance.info.fields(sections)
    const connect = () => this.memory.connect()
    this.sockets = socketsOf({ ...base, fields: infoFields, connect, unref: options.unref })
    const { contexts: tls } = this.sockets
    engine.configuration = this.makeConfiguration()
    this.maintenance = new ServerMaintenance({
      ...base,
      startedMs: this.startedMs,
      supervisedBy: options.supervisor?.manager ?? 'no',
      port: () => this.port,
      mayRest: options.mayRest === true,
    })
    const { cron, defrag } = this.maintenance
    cron.hooks.push(() => tls.cron())
    const migrations = new Migrations(engine, { ...system, network: tls.dialler('tlsCluster') }, defrag)
    engine.migration = migrations
    engine.input.large = new LargePayloads(engine, cron.background)
    this.parts = { migrations, modules }
    engine.host = this.makeHost()
    showScripting(this.scripting, this.maintenance)
    showModules(modules, config, this.maintenance)
    const fields = { migrate_cached_sockets: () => migrations.connections }
    this.maintenance.addInfo(() => [{ section: 'stats', fields }, tls.info])
    this.followAddresses()
    const parts = { ...base, maintenance: this.maintenance, codecs }
    const checkpoints = addStorage(parts)
    this.locks = new FileLocks(system, config, log)
    const lockFiles = () => this.lockFiles()
    config.onChange(['save', 'dir', 'dbfilename'], lockFiles)
    const around = { ...parts, checkpoints, lockFiles, newCluster: options.newCluster, tls }
    this.persistence = persistenceOf(around)
    const { persistence } = this
    const [port, roleChanged] = [() => this.replicationPort, () => this.roleChanged()]
    this.replication = addReplication({ ...around, persistence, port, roleChanged })
    this.cluster = clusterOf({
      ...around,
      ...this.replication,
      persistence,
      isLoading: () => this.isLoading,
      addresses: () => addressesOf(config.bind),
    })
    const copies = new DebugCopies({ engine, persistence, system, databases: config.databases })
    this.scripting.copier = client => copies.start(client)
    this.memory = new MemoryTransport(this.receiver)
  }

  /** 'user ...' lines for the configuration file. */
  userLines(): readonly string[] {
    return this.config.aclfile === '' ? this.engine.acl.all.map(user => user.line) : []
  }

  private makeConfiguration(): ReturnType<typeof configurationOf> {
    const { config, log, system, engine } = this
    return configurationOf({
      config,
      log,
      random: system.random,
      isLoading: () => this.persistence.progress.active,
      users: () => this.userLines(),
      modules: () => loadmoduleLines(engine.table.modules),
      changed: names => this.events.tell('config-changed', { names }),
    })
  }

  private roleChanged(): void {
    this.options.roleChanged?.()
    this.events.tell('role', { role: this.config.replicaof === null ? 'primary' : 'replica' })
  }

  /** What happens in the server, for the program around it. */
  get events(): Modules['events'] {
    return this.parts.modules.events
  }

  private makeHost(): HostAdapter {
    const { maintenance, config, system } = this
    return new HostAdapter({
      maintenance,
      config,
      system,
      modules: this.parts.modules,
      sentinel: this.options.sentinel === true,
      role: () => (this.engine.keyspace.replica === NO_REPLICA ? 'master' : 'replica'),
      shutdown: flags => this.shutdown(flags),
      abortShutdown: () => this.abortShutdown(),
      exit: () => this.options.exit?.(),
      fail: (error, during) => this.fail(error, during),
    })
  }

  /** Receives connections from net. */
  private readonly receiver: Receiver<Client> = {
    opened: connection => {
      try {
        return this.accept(connection)
      } catch (error) {
        this.engine.boundary.failed(error)
        return undefined
      }
    },
    received: (client, u8, dv, start, end, given) => {
      try {
        this.maintenance.cron.wake()
        this.engine.input.receive(client, u8, dv, start, end, given)
      } catch (error) {
        this.engine.boundary.failed(error)
      }
    },
    drained: client => this.engine.boundary.guard(() => this.engine.drained(client)),
    closed: client => this.engine.boundary.guard(() => this.engine.connections.disconnected(client)),
    refused: (peer, reason) => this.log.verbose(`Error accepting a client connection: ${reason} (addr=${peer})`),
  }

  private accept(connection: Connection): Client | undefined {
    const { engine } = this
    if (this.closing || engine.connections.refuses) return undefined
    this.maintenance.cron.wake()
    const refusal = refusalOf(engine, connection)
    if (refusal !== undefined) {
      connection.write(refusal, 0, refusal.length)
      engine.stats.rejectedConnections++
      return undefined
    }
    const client = engine.connections.connect(connection)
    const { certificateName } = connection
    if (certificateName !== undefined && this.config.tlsAuthClientsUser === 'CN')
      engine.auth.byCertificate(client, certificateName)
    return client
  }

  /** Opens the sockets that the configuration names. */
  async listen(): Promise<void> {
    this.maintenance.start()
    await this.listenTcp('tcp')
    await this.listenTcp('tls')
    await this.listenUnix()
    for (const port of this.sockets.http) await port.listen()
    this.cluster?.begin()
    await this.cluster?.listen()
  }

  /** Locks the written files; an error message when another server has them. */
  private lockFiles(): string | undefined {
    const refusal = this.locks.sync()
    for (const line of refusal ?? []) this.log.warning(line)
    return refusal && 'Another server keeps its data in the same files. Check server logs.'
  }

  /** Loads the dataset; clients that connect meanwhile get -LOADING. */
  async load(): Promise<void> {
    if (this.options.sentinel) return
    const refusal = this.locks.sync()
    if (refusal !== undefined) throw new StartFailure(...refusal)
    try {
      this.replication.begin(this.cluster?.primary)
      await this.persistence.start()
      this.replication.loaded()
      this.cluster?.loaded()
      await this.parts.modules.setUp()
    } catch (error) {
      this.locks.release()
      if (error instanceof ModuleFailure) throw new StartFailure(error.message)
      if (error instanceof LoadFailure) throw StartFailure.of(error)
      throw error
    }
  }

  private async listenTcp(kind: 'tcp' | 'tls'): Promise<void> {
    const { config } = this
    const port = kind === 'tcp' ? config.port : config.tlsPort
    if (!(await this.sockets.contexts.begin()))
      throw new StartFailure('Failed to configure TLS. Check logs for more info.')
    if (port === 0) return
    const tls = kind === 'tcp' ? undefined : this.sockets.contexts.listenOptions()
    const listen = async (host: string) => {
      const options = this.tcpOptions(host, port, undefined, tls)
      this.sockets[kind].push(await listening(this.system.network, options, this.receiver))
    }
    try {
      await listenOnEach(this.log, addressesOf(config.bind), port, kind, listen)
    } catch (error) {
      this.stopTcp([kind])
      throw error
    }
  }

  private tcpOptions(host: string, port: number, path?: string, tls?: ListenTls): ListenOptions {
    const { config } = this
    return {
      host,
      port,
      path,
      backlog: config.tcpBacklog,
      get keepaliveSeconds() {
        return path === undefined ? config.tcpKeepalive : 0
      },
      tls,
      unref: this.options.unref,
    }
  }

  private async listenUnix(): Promise<void> {
    const { config, system } = this
    if (config.unixsocket === '') return
    const path = system.disk.resolve(config.unixsocket)
    try {
      if (system.disk.stat(path) !== null) system.disk.unlink(path)
      this.sockets.unix = await listening(system.network, this.tcpOptions('', 0, path), this.receiver)
      if (config.unixsocketperm !== 0) system.disk.chmod(path, config.unixsocketperm)
    } catch (error) {
      throw new StartFailure(`Failed opening Unix socket: bind: ${(error as Error).message}`)
    }
  }

  /** Opens another TCP socket, or a Unix socket at `path`; returns the port, 0 for none. */
  async listenOn(host: string, port: number, path?: string): Promise<number> {
    const listener = await listening(this.system.network, this.tcpOptions(host, port, path), this.receiver)
    this.sockets.tcp.push(listener)
    return listener.port
  }

  private followAddresses(): void {
    this.config.onChange('port', () => this.rebind(NO_PORT, ['tcp']))
    this.config.onChange('tls-port', () => this.rebind(NO_PORT, ['tls']))
    this.config.onChange('bind', () => this.rebind('Failed to bind to specified addresses.'))
  }

  /** Moves the TCP sockets to the configured addresses; undefined, or `refusal` when that is impossible. */
  private rebind(refusal: string, kinds: ('tcp' | 'tls')[] = ['tcp', 'tls']): Promise<string | undefined> {
    this.stopTcp(kinds)
    return listenAnew(this.log, refusal, async () => {
      for (const kind of kinds) await this.listenTcp(kind)
    })
  }

  private stopTcp(kinds: ('tcp' | 'tls')[] = ['tcp', 'tls']): void {
    for (const kind of kinds) {
      for (const listener of this.sockets[kind]) listener.close()
      this.sockets[kind] = []
    }
  }

  /** It is ending, or has ended. */
  get isClosed(): boolean {
    return this.closing || this.failed
  }

  get isLoading(): boolean {
    return this.persistence.progress.active
  }

  /** Whether there is a listening socket. */
  get listening(): boolean {
    return this.sockets.tcp.length > 0 || this.sockets.tls.length > 0 || this.sockets.unix !== undefined
  }

  /** Makes the interpreters now, not when the first script comes. */
  prepareScripting(): void {
    for (const { interpreter } of [this.scripting.scripts, this.scripting.functions]) interpreter.name
  }

  /** The TCP port in use, 0 for none. */
  get port(): number {
    return (this.sockets.tcp[0] ?? this.sockets.tls[0])?.port ?? 0
  }

  /** The port for replicas of this server. */
  private get replicationPort(): number {
    return (this.config.tlsReplication ? this.sockets.tls[0]?.port : undefined) ?? this.port
  }

  /** For connections of a sentinel. */
  get dial(): Network['dial'] {
    return this.sockets.contexts.dialler('tlsReplication').dial
  }

  async shutdownSoon(flags: readonly ShutdownFlag[]): Promise<void> {
    const { cron } = this.maintenance
    if (cron.paused)
      await new Promise<void>((resolve, reject) => {
        this.abortEnd = () => reject(new ShutdownAborted())
        cron.whenResumed = resolve
      })
    this.abortEnd = undefined
    this.scripting.stopDebugging()
    // A script is atomic: it ends first, or is killed, before the dataset is saved.
    while (this.engine.scripting.running !== undefined)
      await new Promise<void>(resolve => void this.system.timers.after(SCRIPT_POLL_MS, resolve))
    return this.shutdown(flags)
  }

  private abortShutdown(): boolean {
    const { abortEnd, maintenance } = this
    if (abortEnd === undefined && !this.replication.drain.abort()) return false
    this.abortEnd = maintenance.cron.whenResumed = undefined
    abortEnd?.()
    this.log.notice('Shutdown manually aborted.')
    return true
  }

  shutdown(flags: readonly ShutdownFlag[] = []): Promise<void> {
    this.ending ??= this.end(flags).finally(() => {
      this.ending = undefined
    })
    return this.ending
  }

  abandon(): void {
    this.persistence.removeTemporary()
    this.locks.release()
  }

  /** As Host.fail(). Ends the process, or, where that belongs to another program, this server alone. */
  fail(error: unknown, during = ''): never {
    if (this.failed) throw new ServerFailed()
    this.failed = true
    writeCrashReport(this, error, during, () => crashState(this.engine))
    const { failed } = this.options
    if (failed === undefined) this.system.process.exit(1)
    this.closing = true
    for (const step of this.endingSteps()) {
      try {
        step()
      } catch (further) {
        // The remaining steps run all the same.
        this.log.warning(`During shutdown: ${String(further)}`)
      }
    }
    failed(new Error('the server has failed and is closed; its dataset was not saved', { cause: error }))
    throw new ServerFailed()
  }

  /** The steps of the end when nothing is saved. */
  private *endingSteps(): Generator<() => void> {
    yield () => this.maintenance.stop()
    yield () => this.scripting.stop()
    yield () => this.parts.modules.tearDown()
    yield () => this.parts.migrations.stop()
    yield () => this.cluster?.stop()
    yield () => this.replication.stop()
    yield () => this.stopTcp()
    yield () => this.sockets.unix?.close()
    for (const port of this.sockets.http) yield () => port.close()
    yield () => this.abandon()
    yield () => this.auditLog.flush()
    for (const client of this.engine.clients.values()) yield () => this.engine.connections.abort(client)
  }

  private async end(flags: readonly ShutdownFlag[]): Promise<void> {
    if (this.closing) return
    const { replication } = this
    this.log.notice('User requested shutdown...')
    const waits = !flags.includes('now') && replication.drain.isNeeded
    this.options.supervisor?.stopping()
    if (waits && !(await replication.drain.run())) {
      this.options.supervisor?.resumed()
      throw new ShutdownAborted()
    }
    replication.logLagging()
    if (!(await this.persistence.shutdown(flags))) {
      replication.drain.resume()
      this.options.supervisor?.resumed()
      this.log.warning('Errors trying to shut down the server. Check the logs for more information.')
      throw new ShutdownFailed('the dataset could not be saved')
    }
    this.closing = true
    this.maintenance.stop()
    this.scripting.stop()
    this.parts.modules.tearDown()
    this.parts.migrations.stop()
    this.cluster?.stop()
    this.replication.stop()
    this.stopTcp()
    for (const port of this.sockets.http) port.close()
    if (this.sockets.unix !== undefined) {
      this.log.notice('Removing the unix socket file.')
      this.sockets.unix.close()
      const path = this.sockets.unix.address
      if (this.system.disk.stat(path) !== null) this.system.disk.unlink(path)
    }
    this.locks.release()
    this.auditLog.flush()
    for (const client of [...this.engine.clients.values()]) this.engine.closeClient(client)
  }
}

/** Starts a server as `redstart` does. */
export async function startServer(
  config: Config,
  system: System,
  log: Logger,
  options: StartServerOptions,
): Promise<Server> {
  const modules = await modulesOfFile(config, system)
  const server = new Server(config, system, log, { ...options, modules: [...(options.modules ?? []), ...modules] })
  await server.listen()
  if (!server.listening) throw new StartFailure('Configured to not listen anywhere, exiting.')
  options.onInitialized?.(server)
  server.prepareScripting()
  await server.load()
  return server
}
