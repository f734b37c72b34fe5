// Connects values on disk to the server, with `storage disk`: the value log, the gate, spilling, fields of INFO.

import { ColdStore } from '../../storage/cold-store.ts'
import { Compactor } from '../../storage/compactor.ts'
import { Faults } from '../../storage/faults.ts'
import { Spiller } from '../../storage/spiller.ts'
import { ValueLog } from '../../storage/value-log.ts'
import type { ServerParts } from './parts.ts'

/** Spilled at once before a command; more follows in the background. */
const GATE_US = 200
const GATE_LOOKS = 1

export function addStorage(server: ServerParts): void {
  const { config, maintenance } = server
  const limit = () => (config.storageMemory > 0 ? config.storageMemory : Math.floor((config.maxmemory * 7) / 8))
  const parts = config.storage === 'disk' ? connect(server, limit) : undefined
  const log = parts?.store.log.figures
  const store = parts?.store.figures
  maintenance.addInfo([
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
        storage_segments: () => log?.segments ?? 0,
        storage_bytes: () => log?.bytes ?? 0,
        storage_live_bytes: () => log?.liveBytes ?? 0,
        storage_pending_bytes: () => log?.pendingBytes ?? 0,
        storage_written_bytes: () => log?.writtenBytes ?? 0,
        storage_read_bytes: () => log?.readBytes ?? 0,
        storage_write_errors: () => log?.writeErrors ?? 0,
        storage_compacted_segments: () => parts?.compactor.figures.segments ?? 0,
        storage_moved_bytes: () => parts?.compactor.figures.movedBytes ?? 0,
      },
    },
  ])
}

interface Storage {
  store: ColdStore
  faults: Faults
  compactor: Compactor
}

function openLog({ config, system }: ServerParts): ValueLog {
  const folder = `storage-${config.port === 0 ? system.process.pid : config.port}`
  return new ValueLog(system.disk, system.disk.resolve(folder), config.storageSegmentSize)
}

function connect(server: ServerParts, limit: () => number): Storage {
  const { engine, config, system, log, maintenance, codecs } = server
  const { keyspace } = engine
  const { background } = maintenance.cron
  const nowUs = () => system.clock.monotonicUs()
  const values = openLog(server)
  const store = new ColdStore(keyspace, engine.settings, codecs, values)
  const excess = () => {
    const most = limit()
    return most === 0 ? 0 : maintenance.memoryStats.countedBytes() - most
  }
  const spiller = new Spiller({
    space: keyspace,
    store,
    excess,
    largest: () => config.storageValueMax,
    nowUs,
  })
  const spill = (limitUs: number) => spiller.run(limitUs)
  const faults = new Faults({
    engine,
    store,
    start: serve => background.start(serve),
    guard: () => {
      if (excess() <= 0) return false
      if (!spiller.run(GATE_US, GATE_LOOKS)) background.start(spill)
      return spiller.waitsForDisk
    },
  })
  const compactor = new Compactor({
    space: keyspace,
    store,
    start: job => background.start(job),
    isAwaited: place => faults.isAwaited(place),
    nowUs,
    warn: text => log.line('warning', text),
  })
  const release = () => {
    faults.releaseWriters()
    return true
  }
  values.onWritten = error => {
    spiller.failed = error !== null
    if (error !== null) log.line('warning', `Values cannot be written to disk: ${error.message}`)
    else if (!spiller.waitsForDisk) background.start(release)
  }
  const pendingBytes = () => values.figures.pendingBytes
  maintenance.memoryStats.memorySources.push({ kind: 'other', bytes: pendingBytes, countedBytes: () => 0 })
  maintenance.cron.hooks.push(() => {
    values.flush()
    values.tidy()
    compactor.check()
    if (excess() <= 0) return
    spiller.failed = false
    background.start(spill)
  })
  keyspace.entries.cold = store
  engine.gates.set('storage', faults.gate)
  return { store, faults, compactor }
}
