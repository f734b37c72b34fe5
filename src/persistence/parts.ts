// What the rooms of persistence share: the server's parts they work with, and what is known to all of them.

import type { Engine } from '../engine/engine.ts'
import type { Slice } from '../lib/slice.ts'
import type { Clock, FileSystem, Log } from '../system/system.ts'
import type { AccessRecord } from './rdb/writer.ts'
import type { Background, JobParts } from './snapshot-job.ts'
import type { RdbOptions } from './snapshot-writer.ts'
import type { ValueCodecs } from './values/value-codecs.ts'

/** The directives that matter here, as the server's configuration has them at the moment. */
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

/** Libraries of functions, which live in RDB files beside the keys. */
export interface Libraries {
  /** The code of each. */
  all(): readonly Slice[]
  /** Takes in one that is not there yet, or (replace) in the place of one; an error message when it cannot. */
  load(code: Slice, replace: boolean): string | undefined
  clear(): void
}

export interface PersistenceDependencies {
  engine: Engine
  config: PersistenceConfig
  disk: FileSystem
  clock: Clock
  log: Log
  /** Lines of what a forked process of Redis would say. */
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
  /** Ends the process at once: what was acknowledged can no longer be kept. */
  die(): never
  /** Tells the latency monitor. */
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

/** How an RDB file is written now. `isBase`: it is the first part of an append-only file. */
export function rdbOptions(parts: PersistenceDependencies, isBase: boolean): RdbOptions {
  const { config, clock } = parts
  return {
    compress: config.rdbcompression,
    checksum: config.rdbchecksum,
    access: accessRecord(config.maxmemoryPolicy),
    aux: [
      ['redis-ver', parts.redisVersion],
      ['redis-bits', '64'],
      ['ctime', String(Math.floor(clock.nowMs() / 1000))],
      ['used-mem', String(parts.usedMemoryBytes())],
      ['aof-base', isBase ? '1' : '0'],
    ],
    libraries: parts.libraries.all(),
    codecs: parts.codecs,
  }
}

function accessRecord(policy: string): AccessRecord {
  if (policy.endsWith('lru')) return 'idle'
  return policy.endsWith('lfu') ? 'frequency' : 'none'
}
