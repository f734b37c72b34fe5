// In the place of ioredis-mock: the ioredis of the project, whose clients reach servers in this process.
//
//   jest.mock('ioredis', () => require('redstart/ioredis-mock'))
//   const redis = new Redis({ data: { user_next: '3', emails: { 'ann@example.com': '1' } } })
//
// As there, clients of the same host and port share a server (and of the same number a database), `data` is set when a
// client is made, and 'notifyKeyspaceEvents' turns on keyspace events. Unlike there it is Redis that replies.

import type { Redis } from 'ioredis'
// Not 'ioredis' itself, which is this module where a test runner mocks it.
import builtCommand from 'ioredis/built/Command.js'
import built from 'ioredis/built/Redis.js'
import { createServer, type EmbeddedServer, type SeedData } from './index.ts'

/** The default export of a CommonJS module, which some runtimes give as a whole. */
function defaultOf(module: unknown): unknown {
  return (module as { default?: unknown }).default ?? module
}

const Ioredis = defaultOf(built) as typeof Redis

/** The values of keys; a sorted set is a Map of scores, or of { value, score } as ioredis-mock has it. */
export type MockData = object

export interface MockOptions {
  /** Keys to set when the client is made. */
  data?: MockData
  keyPrefix?: string
  host?: string
  port?: number | string
  db?: number
  /** As the directive notify-keyspace-events. */
  notifyKeyspaceEvents?: string
  [option: string]: unknown
}

interface Parsed extends MockOptions {
  [SEEDED]?: true
}

const SEEDED: unique symbol = Symbol('seeded')

/** A client; it takes what ioredis takes, and `data`. */
export class RedisMock extends Ioredis {
  /** By host and port, as ioredis-mock shares data: for as long as the process or the module registry lives. */
  private static readonly servers: Servers = new Map()
  static override readonly Cluster: typeof Ioredis.Cluster

  constructor(...args: (MockOptions | string | number)[]) {
    const given = args.find((arg): arg is MockOptions => typeof arg === 'object' && arg !== null) ?? {}
    const options = { enableReadyCheck: false, ...given, Connector: connectorTo(RedisMock.servers) }
    const places = args.filter(arg => typeof arg !== 'object') as [number, string]
    super(...places, options as object)
  }

  /** The servers of all clients are closed, and the next client makes new ones. */
  static async closeServers(): Promise<void> {
    const servers = [...RedisMock.servers.values()]
    RedisMock.servers.clear()
    for (const server of servers) await (await server).close()
  }
}

/** A cluster of one server that has all slots: a client, with the nodes that were named. */
export class ClusterMock extends RedisMock {
  readonly clusterNodes: { all: RedisMock[]; master: RedisMock[]; slave: RedisMock[] }

  constructor(nodes: readonly (MockOptions | string | number)[] = [], options: { redisOptions?: MockOptions } = {}) {
    super(options.redisOptions ?? {})
    this.clusterNodes = { all: nodes.map(node => new RedisMock(node)), master: [], slave: [] }
  }

  /** All of them, whatever the role, as in ioredis-mock. */
  nodes(role: 'all' | 'master' | 'slave' = 'all'): RedisMock[] {
    if (!['all', 'master', 'slave'].includes(role))
      throw new Error(`Invalid role "${role}". Expected "all", "master" or "slave"`)
    return [...this.clusterNodes.all]
  }

  override disconnect(reconnect?: boolean): void {
    for (const node of this.clusterNodes?.all ?? []) node.disconnect()
    super.disconnect(reconnect)
  }

  override async quit(): Promise<'OK'> {
    for (const node of this.clusterNodes.all) await node.quit()
    return super.quit()
  }
}

Object.defineProperty(RedisMock, 'Command', { value: defaultOf(builtCommand), configurable: true, writable: true })
Object.defineProperty(RedisMock, 'Cluster', {
  value: ClusterMock,
  configurable: true,
  writable: true,
  enumerable: true,
})

export { ClusterMock as Cluster, RedisMock as default, RedisMock as Redis }

type Servers = Map<string, Promise<EmbeddedServer>>

/** What opens the connections of a client. */
function connectorTo(servers: Servers) {
  return class {
    connecting = false
    private readonly options: Parsed
    private stream: ReturnType<EmbeddedServer['socket']> | undefined

    constructor(options: Parsed) {
      this.options = options
    }

    check(): boolean {
      return true
    }

    disconnect(): void {
      this.connecting = false
      this.stream?.end()
    }

    async connect(): Promise<unknown> {
      this.connecting = true
      const { options } = this
      const { host = 'localhost', port = 6379 } = options
      const key = `${host}:${port}`
      if (!servers.has(key)) servers.set(key, createServer())
      const server = await servers.get(key)!
      if (options[SEEDED] === undefined) await seeded(server, options)
      if (!this.connecting) throw new Error('Connection is closed.')
      this.stream = server.socket()
      return this.stream
    }
  }
}

async function seeded(server: EmbeddedServer, options: Parsed): Promise<void> {
  options[SEEDED] = true
  const { data = {}, keyPrefix = '', db = 0, notifyKeyspaceEvents = '' } = options
  if (notifyKeyspaceEvents !== '') server.callSync('CONFIG SET', 'notify-keyspace-events', notifyKeyspaceEvents)
  if (Object.keys(data).length === 0) return
  const prefixed = Object.entries(data).map(([key, value]) => [`${keyPrefix}${key}`, seedOf(value)])
  // Another server takes the values, and this one its keys: in one turn, before the client's first command.
  await using made = await createServer({ data: Object.fromEntries(prefixed) as SeedData })
  const from = made.client({ bytes: true })
  const to = server.client({ db: Number(db) })
  try {
    for (const [key] of prefixed) {
      const payload = await from.dump(key as string)
      if (payload !== null) await to.restore(key as string, 0, payload, 'REPLACE')
    }
  } finally {
    to.close()
  }
}

/** As SeedData: what ioredis-mock would store, as it would show it. */
function seedOf(value: unknown): unknown {
  if (value instanceof Uint8Array || typeof value === 'string') return value
  if (Array.isArray(value)) {
    const isStream = value.length > 0 && value.every(one => Array.isArray(one) && Array.isArray(one[1]))
    return isStream ? { $stream: value.map(([id, fields]) => [id, pairsOf(fields as unknown[])]) } : value.map(textOf)
  }
  if (value instanceof Set) return new Set([...value].map(textOf))
  if (value instanceof Map) return new Map([...value].map(([member, score]) => [String(member), scoreOf(score)]))
  if (typeof value !== 'object' || value === null) return String(value)
  return { $hash: Object.entries(value).map(([field, one]) => [field, textOf(one)]) }
}

function pairsOf(fields: readonly unknown[]): object {
  const pairs: [string, unknown][] = []
  for (let i = 0; i < fields.length; i += 2) pairs.push([String(fields[i]), textOf(fields[i + 1])])
  return Object.fromEntries(pairs)
}

function scoreOf(value: unknown): number {
  return Number(typeof value === 'object' && value !== null && 'score' in value ? value.score : value)
}

function textOf(value: unknown): string | Uint8Array {
  return value instanceof Uint8Array ? value : String(value)
}
