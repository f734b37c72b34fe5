// ServerState: the state of a server in a program: taken, put back, made new, printed.
//
//   snapshot ─▶ Snapshot ─┬▶ restore              the dataset, function libraries and scripts of that moment
//                         └▶ createServer({ data })
//   reset    ─▶ as createServer() had made it: dataset, configuration, users, statistics, logs
//
// Always: clients stay connected, unless reset() is told to close them. A snapshot shares nothing with its server, and
// may be restored any number of times.

import type { Config } from '../config/config.ts'
import type { Acl } from '../engine/acl/acl.ts'
import { NO_REPLICA } from '../keyspace/keyspace.ts'
import { Slice } from '../lib/slice.ts'
import { type DatasetImage, DatasetState } from '../server/dataset-state.ts'
import type { Server } from '../server/server.ts'
import { ServerCaller } from './caller.ts'
import { type JsonOptions, type SeedData, seed, toJson } from './seed.ts'

/** The dataset of a server at one moment, with its function libraries and scripts. */
export class Snapshot {
  /** Keys in all databases. */
  readonly keys: number
  /** Memory that it takes. */
  readonly bytes: number
  /** @internal */
  readonly image: DatasetImage

  /** @internal */
  constructor(image: DatasetImage) {
    this.image = image
    this.keys = image.keys
    this.bytes = image.bytes
  }
}

export interface ResetOptions {
  /** What becomes of the connections: 'keep' (the default) or 'close'. */
  readonly clients?: 'keep' | 'close'
}

export class ServerState {
  private readonly server: Server
  private readonly config: ReturnType<Config['image']>
  private readonly users: readonly string[]
  /** The dataset that createServer() was given. */
  private start: DatasetImage | undefined
  private readonly caller: ServerCaller
  private readonly dataset: DatasetState

  /** The server is as createServer() has made it, but for the data. */
  constructor(server: Server) {
    this.server = server
    this.caller = new ServerCaller(server.engine)
    this.dataset = new DatasetState(server.engine, server.persistence, server.maintenance.defrag)
    this.config = server.config.image()
    this.users = server.engine.acl.all.map(({ line }) => line)
  }

  /** The starting dataset, where none was loaded. */
  fill(data: SeedData | Snapshot | Uint8Array): void {
    const { dataset } = this
    const { engine } = this.server
    if (engine.keyspace.databases.some(({ size }) => size > 0)) return
    if (data instanceof Snapshot) dataset.put(data.image)
    else if (data instanceof Uint8Array) dataset.put(data)
    else seed(this.caller, data)
    this.start = data instanceof Snapshot ? data.image : dataset.take()
    // A snapshot is put in place without any command.
    if (!(data instanceof Snapshot)) this.clearStatistics()
  }

  snapshot(): Snapshot {
    return new Snapshot(this.dataset.take())
  }

  restore(snapshot: Snapshot): void {
    this.server.maintenance.cron.wake()
    this.dataset.put(snapshot.image)
  }

  rdb(): Uint8Array {
    return this.dataset.rdb()
  }

  toJson(options: JsonOptions): SeedData {
    const { keyspace } = this.server.engine
    const db = keyspace.databases[options.db ?? 0]
    if (db === undefined) throw new RangeError(`there is no database ${options.db}`)
    const keys: Slice[] = []
    let cursor = 0
    do cursor = db.scan(cursor, entry => keys.push(keyspace.entries.keyOf(entry, new Slice()).copy()))
    while (cursor !== 0)
    return toJson(this.caller, keys, options)
  }

  reset({ clients = 'keep' }: ResetOptions): void {
    const { server, caller, dataset } = this
    const { engine, config } = server
    if (engine.keyspace.replica !== NO_REPLICA) caller.call(0, 'REPLICAOF', 'NO', 'ONE')
    if (clients === 'close') for (const client of [...engine.clients.values()]) engine.closeClient(client)
    const refusal = config.restore(this.config)
    if (typeof refusal === 'string') throw new Error(refusal)
    setUsers(server.engine.acl, this.users)
    engine.pause.end()
    if (this.start === undefined) this.empty()
    else dataset.put(this.start)
    this.clearStatistics()
    server.maintenance.cron.wake()
  }

  private empty(): void {
    const { caller } = this
    caller.call(0, 'FLUSHALL')
    if (this.server.engine.scripting.scripts.size > 0) caller.call(0, 'SCRIPT', 'FLUSH')
    if (this.server.engine.scripting.functions.libraryCount > 0) caller.call(0, 'FUNCTION', 'FLUSH')
  }

  private clearStatistics(): void {
    const { acl, host, observers } = this.server.engine
    acl.log.clear()
    observers.latency.resetSpikes()
    observers.slowlog.reset()
    host.resetStats()
  }
}

/** Makes the users those of these lines of ACL LIST. */
export function setUsers(acl: Acl, lines: readonly string[]): void {
  const now = acl.all.map(({ line }) => line)
  if (now.length === lines.length && now.every((line, i) => line === lines[i])) return
  const kept = new Set<string>()
  for (const line of lines) {
    const [, name, ...rules] = line.split(' ')
    kept.add(name)
    const failure = acl.setUser(name, ['reset', ...rules])
    if (failure !== undefined) throw new Error(failure)
  }
  for (const { name } of acl.all) if (!kept.has(name)) acl.deleteUser(name)
}
