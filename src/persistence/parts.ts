// What persistence needs of the server: configuration, function libraries, clock, disk, log and engine.

import type { Engine } from '../engine/engine.ts'
import type { Slice } from '../lib/slice.ts'
import type { Clock, FileSystem, Log } from '../system/system.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { StreamPosition } from './keyspace-target.ts'
import type { AccessRecord } from './rdb/writer.ts'
import type { Background, JobParts } from './snapshot-job.ts'
import type { RdbOptions } from './snapshot-writer.ts'
import type { ValueCodecs } from './values/value-codecs.ts'

/** The directives persistence reads, with their current values. */
interface PersistenceConfig {
  readonly dbfilename: string
  readonly save: readonly { seconds: number; changes: number }[]
  readonly rdbcompression: boolean
  readonly rdbchecksum: boolean
  readonly rdbDelSyncFiles: boolean
  readonly rdbSaveIncrementalFsync: boolean
  readonly rdbKeySaveDelay: number
  readonly keyLoadDelay: number
  readonly stopWritesOnBgsaveError: boolean
  readonly replicaIgnoreDiskWriteErrors: boolean
  readonly sanitizeDumpPayload: string
  readonly maxmemoryPolicy: string
  readonly loadingProcessEventsIntervalBytes: number
  readonly appendonly: boolean
  readonly appendfilename: string
  readonly appenddirname: string
  readonly appendfsync: string
  readonly noAppendfsyncOnRewrite: boolean
  readonly autoAofRewritePercentage: number
  readonly autoAofRewriteMinSize: number
  readonly aofRewriteIncrementalFsync: boolean
  readonly aofLoadTruncated: boolean
  readonly aofUseRdbPreamble: boolean
  readonly aofTimestampEnabled: boolean
  readonly aofDisableAutoGc: boolean
}

/** Function libraries, which RDB files contain besides the keys. */
export interface Libraries {
  /** The code of each library. */
  all(): readonly Slice[]
  /** Loads a library; `replace`: one of that name is replaced. Returns an error message on failure. */
  load(code: Slice, replace: boolean): string | undefined
  clear(): void
}

export interface PersistenceDependencies {
  engine: Engine
  config: PersistenceConfig
  disk: FileSystem
  clock: Clock
  log: Log
  /** Log lines that Redis's child process would write. */
  childLog: Log
  pid: number
  /** The working directory, for messages. */
  cwd(): string
  background: Background
  after(ms: number, fn: () => void): void
  soon(fn: () => void): void
  redisVersion: string
  usedMemoryBytes(): number
  libraries: Libraries
  codecs: ValueCodecs
  /** The value log, where there is one. */
  checkpoints: Checkpoints | undefined
  /** The place of the dataset, as it is now, in a replication stream; undefined: in none. Set by replication. */
  streamPosition?: () => StreamPosition | undefined
  /** Ends the process: acknowledged writes can no longer be made durable. */
  die(): never
  /** Reports a latency spike to the latency monitor. */
  spike(event: string, us: number): void
}

export function jobParts(parts: PersistenceDependencies): JobParts {
  return {
    space: parts.engine.keyspace,
    disk: parts.disk,
    clock: parts.clock,
    background: parts.background,
    after: parts.after,
    requests: () => parts.engine.stats.reads,
    keyDelayUs: () => parts.config.rdbKeySaveDelay,
  }
}

/** The current options of RDB files. `isBase`: the base of an AOF. */
export function rdbOptions(parts: PersistenceDependencies, isBase: boolean): RdbOptions {
  const { config, clock } = parts
  const position = isBase ? undefined : parts.streamPosition?.()
  return {
    compress: config.rdbcompression,
    checksum: config.rdbchecksum,
    access: accessRecord(config.maxmemoryPolicy),
    aux: [
      ['redis-ver', parts.redisVersion],
      ['redis-bits', '64'],
      ['ctime', String(Math.floor(clock.nowMs() / 1000))],
      ['used-mem', String(parts.usedMemoryBytes())],
      ...positionFields(position),
      ['aof-base', isBase ? '1' : '0'],
    ],
    libraries: parts.libraries.all(),
    codecs: parts.codecs,
  }
}

/** Options of a base of the AOF; with `checkpoints` it is one. */
export function baseOptions(parts: PersistenceDependencies, checkpoints?: Checkpoints, isDelta = false): RdbOptions {
  const options = rdbOptions(parts, true)
  if (checkpoints === undefined) return options
  const { lfu, hasher } = parts.engine.keyspace
  // Keys are in the order of their hashes: under the same seed the table is filled from one end to the other.
  const aux = [...options.aux, ['hash-seed', hasher.seed.join(' ')] as const]
  return { ...options, aux, isDelta, places: checkpoints, access: lfu ? 'frequency' : 'idle' }
}

function positionFields(position: StreamPosition | undefined): [name: string, value: string][] {
  if (position === undefined) return []
  return [
    ['repl-stream-db', String(position.database)],
    ['repl-id', position.id],
    ['repl-offset', String(position.offset)],
  ]
}

function accessRecord(policy: string): AccessRecord {
  if (policy.endsWith('lru')) return 'idle'
  return policy.endsWith('lfu') ? 'frequency' : 'none'
}
