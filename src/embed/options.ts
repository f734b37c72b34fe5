// The options of createServer, and their check: what it does not know is an error, with the nearest known name.

import type { AuditEvent } from '../engine/monitoring/audit.ts'
import { nearestWord } from '../lib/nearest.ts'
import type { RedstartModule } from '../modules/definition.ts'
import type { Authenticate, AuthenticationOptions } from '../server/logins.ts'
import type { System } from '../system/system.ts'
import type { RedisConfig } from './directives.ts'
import type { SeedData } from './seed.ts'
import type { Snapshot } from './state.ts'

export interface CreateServerOptions {
  /**
   * Directives of redis.conf as typed values, in its names or in camelCase: { maxmemory: '100mb', databases: 4 }. A
   * value is taken as it is, whatever it contains.
   */
  config?: RedisConfig
  /**
   * The folder of the data: it is loaded from there, saved as `save` and `appendonly` say, and by close(). Absent:
   * nothing touches the disk, and what SAVE and the like write is in memory.
   */
  dir?: string
  /**
   * 'global' (the default): the runtime's clock and timers, asked each time, so that fake timers move the server too.
   * 'virtual': the clock stands until server.clock moves it; it starts now, or at `startMs`.
   */
  clock?: 'global' | 'virtual' | { readonly mode: 'virtual'; readonly startMs?: number }
  /**
   * The dataset to begin with: plain values ({ name: 'text', queue: ['a', 'b'], user: { id: '7' } }), a snapshot of a
   * server, or the content of an RDB file. With a `dir`, only when that has no data.
   */
  data?: SeedData | Snapshot | Uint8Array
  /** Records what clients send, for server.history. Default: not before history.start(). */
  history?: boolean
  /** Whether a listening socket keeps the process alive. Default: no, so that a forgotten close() does no harm. */
  ref?: boolean
  /**
   * A fault in the server has ended it: its connections are closed and nothing was saved. The program goes on, and
   * may make another server. `error.cause` is the fault.
   */
  onError?: (error: Error) => void
  /**
   * Decides logins (AUTH, HELLO with AUTH) before the passwords of users: true for the user that was named, { user }
   * for another one, false to refuse, undefined to leave it to the passwords; or a promise of that. Which commands a
   * user may run is always ACL's.
   */
  authenticate?: Authenticate
  /** Of promises that authenticate returns, and of what it accepted. */
  authentication?: AuthenticationOptions
  /** Modules of redstart/module: their commands are this server's from the start. */
  modules?: readonly RedstartModule[]
  /** Hears of logins, refusals and administrative commands, after each. */
  audit?: (event: AuditEvent) => void
  /** Clock, randomness, disk, network and timers: all of the machine (see virtualSystem). Excludes `clock`. */
  system?: System
}

const NAMES = [
  'config',
  'dir',
  'clock',
  'data',
  'history',
  'ref',
  'onError',
  'authenticate',
  'authentication',
  'modules',
  'audit',
  'worker',
  'system',
]

/** Throws a TypeError for what createServer does not take. */
export function checkOptions(options: CreateServerOptions): void {
  for (const name of Object.keys(options)) {
    if (NAMES.includes(name)) continue
    const near = nearestWord(name, NAMES)
    const hint = near === undefined ? `it takes ${NAMES.join(', ')}` : `the nearest is '${near}'`
    throw new TypeError(`createServer has no option '${name}'; ${hint}`)
  }
  const { config, dir, clock, system, data } = options
  if (data !== undefined && (typeof data !== 'object' || data === null || Array.isArray(data)))
    throw new TypeError(`createServer: data is an object of keys, a snapshot or an RDB file, not ${String(data)}`)
  if (config !== undefined && (typeof config !== 'object' || config === null || Array.isArray(config)))
    throw new TypeError(`createServer: config is an object of directives, not ${String(config)}`)
  if (dir !== undefined && typeof dir !== 'string')
    throw new TypeError(`createServer: dir is a path, not ${String(dir)}`)
  const mode = typeof clock === 'object' ? clock.mode : clock
  if (mode !== undefined && mode !== 'global' && mode !== 'virtual')
    throw new TypeError(`createServer: clock is 'global' or 'virtual', not ${String(mode)}`)
  if (system !== undefined && clock !== undefined)
    throw new TypeError('createServer: a system has a clock of its own; give one of system and clock')
}

/** Directives that a server does not share with its forks. */
const OWN_DIRECTIVES = [
  'dir',
  'port',
  'tls-port',
  'tlsPort',
  'metrics-port',
  'metricsPort',
  'rest-port',
  'restPort',
  'unixsocket',
  'appendonly',
  'replicaof',
  'cluster-enabled',
  'clusterEnabled',
]

/** The configuration of a server that its forks have as well. */
export function forkConfig(config: RedisConfig | undefined): RedisConfig {
  const shared: Record<string, unknown> = { ...config }
  for (const name of OWN_DIRECTIVES) delete shared[name]
  return shared
}
