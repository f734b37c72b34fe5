// Startup: loads the dataset, fsyncs what was loaded, and opens the AOF for appending.
//
//   readManifest ─▶ load ─▶ secureLog ─▶ openLog       (without an AOF: load ─▶ secureRdb)
//
//
// Always: no client is served before all of it is done; a failure is a LoadFailure: the server must not start.

import { attempt } from '../system/system.ts'
import type { AofFiles } from './aof/files.ts'
import { AofFilesFailure } from './aof/files.ts'
import { AOF_ON, type AofLog } from './aof/log.ts'
import type { DatasetLoader } from './dataset-loader.ts'
import { folderOf } from './file-sink.ts'
import { LoadFailure } from './loading.ts'
import { type PersistenceDependencies, rdbOptions } from './parts.ts'
import { saveRdb } from './rdb-file.ts'

export class Startup {
  private readonly parts: PersistenceDependencies
  private readonly files: AofFiles
  private readonly aof: AofLog
  private readonly loader: DatasetLoader

  constructor(parts: PersistenceDependencies, files: AofFiles, aof: AofLog, loader: DatasetLoader) {
    this.parts = parts
    this.files = files
    this.aof = aof
    this.loader = loader
  }

  async run(): Promise<void> {
    const { appendonly } = this.parts.config
    if (appendonly) await this.readManifest()
    this.parts.checkpoints?.loading()
    await this.loader.load()
    await (appendonly ? this.secureLog() : this.secureRdb())
    if (appendonly) await this.openLog()
    this.parts.checkpoints?.loaded(appendonly && this.files.manifest.isCheckpoint)
  }

  /** Reads the manifest; a single-file AOF from before Redis 7 is converted. */
  private async readManifest(): Promise<void> {
    const { files, parts } = this
    try {
      files.read()
      const { prefix, manifest } = files
      if (!parts.disk.stat(prefix)?.isFile) return
      const onlyOld = manifest.base?.name === prefix && manifest.incremental.length === 0 && !files.exists(prefix)
      if (parts.disk.stat(files.folder) === null || manifest.isEmpty || onlyOld) await files.adoptSingleFile()
    } catch (error) {
      throw error instanceof AofFilesFailure ? new LoadFailure(...error.lines) : error
    }
  }

  /**
   * A killed process may have written bytes without fsync. Clients now see them as data, so they are fsynced.
   */
  private async secureLog(): Promise<void> {
    const failure = await this.files.fsyncAll()
    if (failure !== null) throw new LoadFailure(`Can't fsync the loaded dataset: ${failure.message}`)
  }

  /** The same for the RDB file: fsync of its directory, since its bytes are fsynced before its rename. */
  private secureRdb(): Promise<void> {
    const { disk, config, log } = this.parts
    return new Promise(resolve => {
      if (disk.stat(config.dbfilename) === null) return resolve()
      disk.fsyncDirLater(folderOf(disk.resolve(config.dbfilename)), failure => {
        if (failure !== null) log.warning(`Can't fsync the loaded dataset: ${failure.message}`)
        resolve()
      })
    })
  }

  /** Opens the AOF for appending. */
  private async openLog(): Promise<void> {
    const { files, parts, aof } = this
    if (files.makeFolder() !== undefined) throw new LoadFailure()
    const hadIncremental = files.manifest.incremental.length > 0
    let next = files.manifest
    if (next.isEmpty) {
      next = next.withNewBase(files.prefix, parts.config.aofUseRdbPreamble ? 'rdb' : 'aof')
      this.createBase(next.base!.name)
    }
    if (!hadIncremental) next = next.withNewIncremental(files.prefix)
    const file = next.last!
    const fd = files.open(file.name, hadIncremental)
    if (fd < 0) throw new LoadFailure(`Can't open the append-only file ${file.name}`)
    if (next !== files.manifest && (await files.persisted(next)) !== 'durable')
      throw new LoadFailure(`Can't write the AOF manifest ${files.manifestName}`)
    aof.open(fd, file.name, files.sizeOf(file))
    aof.totalSize = files.manifest.files.reduce((sum, one) => sum + files.sizeOf(one), 0)
    aof.start(AOF_ON)
    parts.log.notice(`${hadIncremental ? 'Opening' : 'Creating'} AOF incr file ${file.name} on server start`)
  }

  private createBase(name: string): void {
    const { files, parts } = this
    const { config, disk, engine, log } = parts
    const temporary = `temp-rewriteaof-${parts.pid}.aof`
    const failure = config.aofUseRdbPreamble
      ? saveRdb(engine.keyspace, disk, temporary, files.path(name), rdbOptions(parts, true))?.error
      : attempt(() => disk.writeFile(files.path(name), new Uint8Array(0)))
    if (failure !== undefined) throw new LoadFailure(`Can't create the AOF base file ${name}: ${failure.message}`)
    log.notice(`Creating AOF base file ${name} on server start`)
  }
}
