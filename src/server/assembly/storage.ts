// Connects values on disk to the server, with `storage disk`: the value log, the gate, spilling, fields of INFO.

import { TableSlot } from '../../memory/table-slot.ts'
import type { Checkpoints } from '../../persistence/checkpoint.ts'
import { ValueCheckpoints } from '../../storage/checkpoints.ts'
import { ColdStore } from '../../storage/cold-store.ts'
import { Compactor } from '../../storage/compactor.ts'
import { Faults } from '../../storage/faults.ts'
import { IndexChanges } from '../../storage/index-changes.ts'
import { Spiller } from '../../storage/spiller.ts'
import { ValueLog } from '../../storage/value-log.ts'
import { GarbageLimit } from '../garbage-limit.ts'
import type { ServerParts } from './parts.ts'

/** Spilled at once before a command; more follows in the background. */
const GATE_US = 200
const GATE_LOOKS = 1
/**
 * A value of more than this part of the limit stays in memory: where it is used, each command would write and read all
 * of it.
 */
const LARGE_SHARE = 8
/** Values up to this size may always be moved. */
const LARGE_BYTES_MIN = 128 * 1024
/** Of the limit: the names of keys that have changed since the last checkpoint take at most this part. */
const INDEX_CHANGES_SHARE = 16

/** So much of the memory beside the data may be garbage, or this part of the limit. */
const GARBAGE_BYTES_MIN = 64 * 1024 * 1024
const GARBAGE_SHARE = 8
const GARBAGE_LOOK_US = 1_000_000

/** Returns what bases of the append-only log need of it; undefined: there are no values on disk. */
export function addStorage(server: ServerParts): Checkpoints | undefined {
  const { config, maintenance } = server
  const limit = () => (config.storageMemory > 0 ? config.storageMemory : Math.floor((config.maxmemory * 7) / 8))
  const parts = config.storage === 'disk' || hasCheckpoint(server) ? connect(server, limit) : undefined
  const log = parts?.store.log.figures
  const store = parts?.store.figures
  const percentile = (percent: number) => parts?.faults.durations.percentile(percent) ?? 0
  maintenance.addInfo(() => [
    {
      section: 'storage',
      fields: {
        storage_mode: () => config.storage,
        storage_memory_limit: () => (parts === undefined ? 0 : limit()),
        storage_cold_keys: () => store?.coldKeys ?? 0,
        storage_faults: () => store?.faults ?? 0,
        storage_waits: () => store?.waits ?? 0,
        storage_spilled: () => store?.spilled ?? 0,
        storage_dropped: () => store?.dropped ?? 0,
        storage_fault_queue: () => parts?.faults.queue ?? 0,
        storage_fault_p50_usec: () => percentile(50),
        storage_fault_p99_usec: () => percentile(99),
        storage_fault_max_usec: () => percentile(100),
        storage_segments: () => log?.segments ?? 0,
        storage_bytes: () => log?.bytes ?? 0,
        storage_held_bytes: () => log?.heldBytes ?? 0,
        storage_live_bytes: () => log?.liveBytes ?? 0,
        storage_pending_bytes: () => log?.pendingBytes ?? 0,
        storage_written_bytes: () => log?.writtenBytes ?? 0,
        storage_read_bytes: () => log?.readBytes ?? 0,
        storage_write_errors: () => log?.writeErrors ?? 0,
        storage_read_errors: () => parts?.faults.readErrors ?? 0,
        storage_compacted_segments: () => parts?.compactor.figures.segments ?? 0,
        storage_moved_bytes: () => parts?.compactor.figures.movedBytes ?? 0,
      },
      reset: () => parts?.faults.durations.reset(),
    },
  ])
  return parts?.checkpoints
}

interface Storage {
  checkpoints: ValueCheckpoints
  store: ColdStore
  faults: Faults
  compactor: Compactor
}

function valuesFolder({ appenddirname, appendfilename }: ServerParts['config']): string {
  return `${appenddirname}/${appendfilename}.values`
}

/** Beside the files of the append-only log, whose base may name what is there; else by the port. */
function folderOf({ config, system }: ServerParts): string {
  if (config.appendonly) return valuesFolder(config)
  return `storage-${config.port === 0 ? system.process.pid : config.port}`
}

/** Whether an earlier run had values on disk that the base of the append-only log may name. */
function hasCheckpoint(server: ServerParts): boolean {
  const { disk } = server.system
  return server.config.appendonly && disk.stat(folderOf(server)) !== null
}

function openLog(server: ServerParts): ValueLog {
  const { config, system } = server
  const { disk } = system
  if (config.appendonly && disk.stat(config.appenddirname) === null) disk.mkdir(config.appenddirname, 0o755)
  return new ValueLog(disk, disk.resolve(folderOf(server)), config.storageSegmentSize)
}

function checkpointsOf({ config, system, engine }: ServerParts, store: ColdStore, isDisk: boolean): ValueCheckpoints {
  const { disk } = system
  const parts = {
    space: engine.keyspace,
    store,
    isDisk,
    isWorking: !config.appendonly,
    isInPlace: () => store.log.folder === disk.resolve(valuesFolder(config)),
    largest: () => config.storageValueMax,
  }
  return new ValueCheckpoints(parts, new TableSlot(engine.keyspace.arena))
}

function compactorOf({ engine, system, log, maintenance }: ServerParts, store: ColdStore, faults: Faults): Compactor {
  return new Compactor({
    space: engine.keyspace,
    store,
    start: job => maintenance.cron.background.start(job),
    isAwaited: place => faults.isAwaited(place),
    nowUs: () => system.clock.monotonicUs(),
    warn: text => log.line('warning', text),
  })
}

/** What waits for the disk goes on when something was written. */
function followWrites({ log, maintenance }: ServerParts, parts: Storage, spiller: Spiller): void {
  const { checkpoints, faults, store } = parts
  const release = () => {
    faults.releaseWriters()
    return true
  }
  store.log.onWritten = error => {
    spiller.failed = error !== null
    if (error !== null) log.line('warning', `Values cannot be written to disk: ${error.message}`)
    else if (!spiller.waitsForDisk) maintenance.cron.background.start(release)
    spiller.resume()
    if (checkpoints.ready) checkpoints.onDrain()
  }
}

/** With a limit of memory, garbage is part of what is beside it. */
function limitGarbage({ maintenance, system }: ServerParts, limit: () => number): void {
  const { memoryStats } = maintenance
  const garbage = new GarbageLimit({
    runtimeBytes: () => memoryStats.runtimeBytes(),
    allowedBytes: () => Math.max(GARBAGE_BYTES_MIN, limit() / GARBAGE_SHARE),
    collect: () => maintenance.collectGarbage(),
  })
  let lookedUs = 0
  maintenance.cron.hooks.push(() => {
    const nowUs = system.clock.monotonicUs()
    if (limit() === 0 || nowUs - lookedUs < GARBAGE_LOOK_US) return
    lookedUs = nowUs
    garbage.look()
  })
}

function connect(server: ServerParts, limit: () => number): Storage {
  const { engine, config, system, log, maintenance, codecs } = server
  const { keyspace } = engine
  const { background } = maintenance.cron
  const nowUs = () => system.clock.monotonicUs()
  const values = openLog(server)
  const index = new IndexChanges(() => Math.floor((limit() || config.maxmemory) / INDEX_CHANGES_SHARE))
  const compaction = maintenance.defrag
  const store = new ColdStore({ space: keyspace, limits: engine.settings, codecs, log: values, index, compaction })
  const isDisk = config.storage === 'disk'
  const checkpoints = checkpointsOf(server, store, isDisk)
  const { memoryStats } = maintenance
  const excess = () => {
    const most = limit()
    return most === 0 ? 0 : memoryStats.countedBytes() - most
  }
  const largest = () => Math.min(config.storageValueMax, Math.max(limit() / LARGE_SHARE, LARGE_BYTES_MIN))
  const start = (job: (limitUs: number) => boolean) => background.start(job)
  const spiller = new Spiller({ space: keyspace, store, excess, largest, nowUs, start })
  const spill = (limitUs: number) => spiller.run(limitUs)
  const faults = new Faults({
    engine,
    store,
    start,
    warn: text => log.line('warning', text),
    nowUs,
    took: us => engine.observers.spike('storage-fault', us),
    guard: () => {
      const most = limit()
      if (most === 0 || memoryStats.countedRoughly() <= most) return false
      if (!spiller.run(GATE_US, GATE_LOOKS)) background.start(spill)
      return spiller.waitsForDisk
    },
  })
  const compactor = compactorOf(server, store, faults)
  followWrites(server, { checkpoints, store, faults, compactor }, spiller)
  const pendingBytes = () => values.figures.pendingBytes
  memoryStats.memorySources.push({ kind: 'other', bytes: pendingBytes, countedBytes: () => 0 })
  memoryStats.memorySources.push({ kind: 'other', bytes: () => index.bytes })
  maintenance.cron.hooks.push(() => {
    values.flush()
    values.tidy()
    if (!isDisk) return
    compactor.check()
    faults.retry()
    spiller.resume()
    if (excess() <= 0) return
    spiller.failed = false
    background.start(spill)
  })
  keyspace.entries.cold = store
  if (isDisk) {
    limitGarbage(server, limit)
    engine.gates.set('storage', faults.gate)
    maintenance.limitDisk(() => values.figures.liveBytes)
  }
  return { checkpoints, store, faults, compactor }
}
