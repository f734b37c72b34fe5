// MigrationState: the persistent state of a migration, for resuming it after an interruption.
//
//   FILE          this, as JSON; written as FILE.tmp and renamed
//   FILE.rdb      the source's dataset, until it is in the target
//   FILE.stream   the replication stream after it, from `streamBase` on
//   target        the key MARKER: the applied offset, written in the same transaction as the changes up to it
//
// Always: a change that is in the target is not applied again, however the tool ends.

import type { FileSystem } from '../../system/system.ts'
import { ToolError } from '../command-line.ts'

/** In database 0 of the target during a migration. */
export const MARKER = 'redstart:migration'

interface MigrationFacts {
  source: string
  target: string
  /** 'replica': by replication; 'keys': keys are copied one by one. */
  way: 'replica' | 'keys'
  /** The target was empty at the beginning: its content is ours. */
  ownsTarget: boolean
  /** Replica: the replication id, the dataset's offset, and whether the dataset is complete, is in the target. */
  id: string
  rdbOffset: number
  rdbReceived: boolean
  rdbApplied: boolean
  /** Keys of the dataset that are already in the target. */
  keysApplied: number
  streamBase: number
  /** Keys: databases copied, and the cursor in the current one. */
  databasesDone: number[]
  database: number
  cursor: string
}

export class MigrationState {
  readonly path: string
  readonly facts: MigrationFacts
  /** It existed: the migration is resumed. */
  readonly resumed: boolean
  private readonly disk: FileSystem

  constructor(disk: FileSystem, path: string, source: string, target: string) {
    this.disk = disk
    this.path = path
    const found = read(disk, path)
    this.resumed = found !== undefined
    if (found !== undefined && (found.source !== source || found.target !== target))
      throw new ToolError(
        `${path} is of a migration from ${found.source} to ${found.target}: name another with --state, or remove it`,
      )
    this.facts = found ?? {
      source,
      target,
      way: 'replica',
      ownsTarget: false,
      id: '',
      rdbOffset: 0,
      rdbReceived: false,
      rdbApplied: false,
      keysApplied: 0,
      streamBase: 0,
      databasesDone: [],
      database: -1,
      cursor: '0',
    }
  }

  get rdbPath(): string {
    return `${this.path}.rdb`
  }

  get streamPath(): string {
    return `${this.path}.stream`
  }

  save(): void {
    const { disk, path } = this
    disk.writeFile(`${path}.tmp`, new TextEncoder().encode(`${JSON.stringify(this.facts, null, 1)}\n`))
    disk.rename(`${path}.tmp`, path)
  }

  /** At the end of a migration, or before a new one. */
  remove(): void {
    for (const path of [this.rdbPath, this.streamPath, `${this.path}.tmp`, this.path])
      if (this.disk.stat(path) !== null) this.disk.unlink(path)
  }
}

function read(disk: FileSystem, path: string): MigrationFacts | undefined {
  if (disk.stat(path) === null) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(disk.readFile(path))) as MigrationFacts
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ToolError(`${path} is no state of a migration: remove it, or name another`)
    throw error
  }
}
