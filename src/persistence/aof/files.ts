// AofFiles: the AOF directory: its manifest, the names of its files, and operations on them.
//
// Always: `manifest` equals the manifest on disk, or the one before a change whose outcome is unknown.

import { bytesOf } from '../../lib/bytes.ts'
import { reasonOf } from '../../lib/reason.ts'
import { attempt, type DiskError, type FileSystem, type Log } from '../../system/system.ts'
import { folderOf } from '../file-sink.ts'
import { type LogFile, Manifest, ManifestError } from './manifest.ts'

interface AofNames {
  /** appenddirname. */
  readonly appenddirname: string
  /** appendfilename. */
  readonly appendfilename: string
}

/**
 * Outcome of writing a manifest. 'unsure': it was renamed, but the fsync of the directory failed, so a crash may bring
 * back the old one; the files of both must stay.
 */
export type PersistOutcome = 'durable' | 'as before' | 'unsure'

/** The manifest is unusable: the server must not start. */
export class AofFilesFailure extends Error {
  readonly lines: readonly string[]
  constructor(...lines: string[]) {
    super(lines[lines.length - 1])
    this.lines = lines
  }
}

export class AofFiles {
  manifest = new Manifest()
  private readonly disk: FileSystem
  private readonly log: Log
  private readonly names: AofNames

  constructor(disk: FileSystem, log: Log, names: AofNames) {
    this.disk = disk
    this.log = log
    this.names = names
  }

  get folder(): string {
    return this.names.appenddirname
  }

  get prefix(): string {
    return this.names.appendfilename
  }

  get manifestName(): string {
    return `${this.prefix}.manifest`
  }

  path(name: string): string {
    return `${this.folder}/${name}`
  }

  exists(name: string): boolean {
    return this.disk.stat(this.path(name)) !== null
  }

  /** Reads the manifest, if there is one. Throws AofFilesFailure. */
  read(): void {
    const { disk, log, folder } = this
    const path = this.path(this.manifestName)
    if (!disk.stat(folder)?.isDirectory) return log.debug(`The AOF directory ${folder} doesn't exist`)
    if (disk.stat(path) === null) return log.debug(`The AOF manifest file ${this.manifestName} doesn't exist`)
    let bytes = new Uint8Array(0)
    const reading = attempt(() => {
      bytes = disk.readFile(path) as Uint8Array<ArrayBuffer>
    })
    if (reading !== undefined)
      throw new AofFilesFailure(`Fatal error: can't open the AOF manifest file ${path} for reading: ${reading.message}`)
    try {
      this.manifest = Manifest.parse(bytes)
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error
      const lines = ['\n*** FATAL AOF MANIFEST FILE ERROR ***\n']
      if (error.line > 0) lines.push(`Reading the manifest file, at line ${error.line}\n`, `>>> '${error.text}'\n`)
      throw new AofFilesFailure(...lines, `${error.message}\n`)
    }
  }

  /** Creates the directory if it does not exist; returns the failure, which is logged. */
  makeFolder(): DiskError | undefined {
    const { disk, folder } = this
    const stat = disk.stat(folder)
    if (stat?.isDirectory) return undefined
    const failure = attempt(() => {
      disk.mkdir(folder, 0o755)
      disk.fsyncDir(folderOf(disk.resolve(folder)))
    })
    const reason = stat === null ? failure?.message : 'Not a directory'
    if (failure !== undefined) this.log.warning(`Can't open or create append-only dir ${folder}: ${reason}`)
    return failure
  }

  /**
   * Makes `next` the manifest, without blocking on the disk. `done` may be called before this returns; no other change
   * may begin before `done`.
   */
  persist(next: Manifest, done: (outcome: PersistOutcome) => void): void {
    const { disk, log } = this
    const temporary = `temp-${this.manifestName}`
    const path = this.path(temporary)
    const bytes = bytesOf(next.text())
    const went = (what: string, error: DiskError | null | undefined): boolean => {
      if (error) log.warning(`${what}: ${reasonOf(error)}`)
      return !error
    }
    let fd = -1
    const fail = () => disk.closeLater(fd, () => done('as before'))
    const opening = attempt(() => {
      fd = disk.open(path, 'w')
    })
    if (!went(`Can't open the AOF manifest file ${temporary}`, opening)) return done('as before')
    disk.writeLater(fd, bytes, 0, bytes.length, null, writing => {
      if (!went(`Error trying to write the temporary AOF manifest file ${temporary}`, writing)) return fail()
      disk.fsyncLater(fd, syncing => {
        if (!went(`Fail to fsync the temp AOF file ${temporary}`, syncing)) return fail()
        disk.closeLater(fd, () =>
          disk.renameLater(path, this.path(this.manifestName), renaming => {
            const what = `Error trying to rename the temporary AOF manifest file ${temporary} into ${this.manifestName}`
            if (!went(what, renaming)) return done('as before')
            disk.fsyncDirLater(this.folder, securing => {
              if (!went(`Fail to fsync AOF directory ${this.folder}`, securing)) return done('unsure')
              this.manifest = next
              done('durable')
            })
          }),
        )
      })
    })
  }

  persisted(next: Manifest): Promise<PersistOutcome> {
    return new Promise(resolve => this.persist(next, resolve))
  }

  /** Opens a file for appending, truncated unless `keep`; -1, and logged, on failure. */
  open(name: string, keep: boolean): number {
    const { disk } = this
    const path = this.path(name)
    let fd = -1
    const failure = attempt(() => {
      if (!keep && disk.stat(path) !== null) disk.unlink(path)
      fd = disk.open(path, 'a', 0o644)
    })
    if (failure !== undefined) this.log.warning(`Can't open the append-only file ${name}: ${failure.message}`)
    return fd
  }

  /** Fsyncs all incremental files and the directory, whoever wrote them; the failure, or null. */
  async fsyncAll(): Promise<DiskError | null> {
    const { disk, manifest } = this
    if (manifest.isEmpty) return null
    for (const { name } of manifest.incremental) {
      let fd = -1
      const opening = attempt(() => {
        fd = disk.open(this.path(name), 'r+')
      })
      if (opening !== undefined) return opening
      const failure = await new Promise<DiskError | null>(resolve => disk.fdatasyncLater(fd, resolve))
      disk.close(fd)
      if (failure !== null) return failure
    }
    return new Promise(resolve => disk.fsyncDirLater(this.folder, resolve))
  }

  /** Bytes of a file; 0, and logged, when it does not exist. */
  sizeOf(file: LogFile): number {
    const stat = this.disk.stat(this.path(file.name))
    if (stat !== null) return stat.sizeBytes
    this.log.warning(`Unable to obtain the AOF file ${file.name} length. stat: No such file or directory`)
    return 0
  }

  /** Bytes of all files that are loaded after `file`. */
  sizeAfter(file: LogFile): number {
    const { files } = this.manifest
    return files.slice(files.indexOf(file) + 1).reduce((sum, one) => sum + this.sizeOf(one), 0)
  }

  /** Deletes history files and removes them from the manifest; `done` is called whether that succeeds or not. */
  deleteHistory(done: () => void): void {
    const { history } = this.manifest
    if (history.length === 0) return done()
    for (const { name } of history) {
      this.log.notice(`Removing the history file ${name} in the background`)
      this.disk.unlinkLater(this.path(name), () => {})
    }
    this.persist(this.manifest.withoutHistory(), () => done())
  }

  /** Moves a single-file AOF (before Redis 7) into the directory and writes a manifest. Throws AofFilesFailure. */
  async adoptSingleFile(): Promise<void> {
    const { disk, prefix, folder, log } = this
    if (this.makeFolder() !== undefined) throw new AofFilesFailure(`Can't upgrade the append-only file ${prefix}`)
    if ((await this.persisted(Manifest.ofSingleFile(prefix))) !== 'durable')
      throw new AofFilesFailure(`Can't upgrade the append-only file ${prefix}`)
    const moving = attempt(() => {
      disk.rename(prefix, this.path(prefix))
      disk.fsyncDir(folder)
    })
    if (moving !== undefined)
      throw new AofFilesFailure(`Error trying to move the old AOF file ${prefix} into dir ${folder}: ${moving.message}`)
    log.notice(`Successfully migrated an old-style AOF file (${prefix}) into the AOF directory (${folder}).`)
  }
}
