// AofFiles: the folder of the append-only log: its manifest, the names in it, and what happens to them on the disk.
//
// Always: `manifest` is what the disk has; a change is on the disk, folder and all, when the call returns.

import { folderOf } from '../file-sink.ts'
import { attempt, type Disk, type DiskFailure, type Log, reasonOf } from '../machine.ts'
import { type LogFile, Manifest, ManifestError } from './manifest.ts'

export interface AofNames {
  /** appenddirname. */
  readonly appenddirname: string
  /** appendfilename. */
  readonly appendfilename: string
}

/** The manifest cannot be used: the server must not start. */
export class AofFilesFailure extends Error {
  readonly lines: readonly string[]
  constructor(...lines: string[]) {
    super(lines[lines.length - 1])
    this.lines = lines
  }
}

export class AofFiles {
  manifest = new Manifest()
  private readonly disk: Disk
  private readonly log: Log
  private readonly names: AofNames

  constructor(disk: Disk, log: Log, names: AofNames) {
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
    if (disk.stat(folder) === null) return log.debug(`The AOF directory ${folder} doesn't exist`)
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

  /** Makes the folder if need be; the failure, which is logged. */
  makeFolder(): DiskFailure | undefined {
    const { disk, folder } = this
    const stat = disk.stat(folder)
    if (stat?.isDirectory) return undefined
    const failure = attempt(() => {
      disk.mkdir(folder, 0o755)
      disk.fsyncDir(folderOf(disk.resolve(folder)))
    })
    if (failure !== undefined) this.log.warning(`Can't open or create append-only dir ${folder}: ${failure.message}`)
    return failure
  }

  /** Makes `next` the manifest; false, and all as before, when the disk refuses. */
  persist(next: Manifest): boolean {
    const { disk, log } = this
    const temporary = `temp-${this.manifestName}`
    const text = next.text()
    const bytes = new Uint8Array(text.length)
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
    let fd = -1
    const failure =
      this.said(`Can't open the AOF manifest file ${temporary}`, () => {
        fd = disk.open(this.path(temporary), 'w')
      }) ??
      this.said(`Error trying to write the temporary AOF manifest file ${temporary}`, () =>
        disk.write(fd, bytes, 0, bytes.length, null),
      ) ??
      this.said(`Fail to fsync the temp AOF file ${temporary}`, () => disk.fsync(fd)) ??
      this.said(`Error trying to rename the temporary AOF manifest file ${temporary} into ${this.manifestName}`, () => {
        disk.close(fd)
        fd = -1
        disk.rename(this.path(temporary), this.path(this.manifestName))
      })
    if (fd >= 0) attempt(() => disk.close(fd))
    if (failure !== undefined) return false
    const syncing = attempt(() => disk.fsyncDir(this.folder))
    if (syncing !== undefined) {
      // The new manifest stands there, whether or not it would survive a crash; both name files that exist.
      log.warning(`Fail to fsync AOF directory ${this.folder}: ${syncing.message}.`)
      return false
    }
    this.manifest = next
    return true
  }

  private said(what: string, operation: () => void): DiskFailure | undefined {
    const failure = attempt(operation)
    if (failure !== undefined) this.log.warning(`${what}: ${reasonOf(failure)}`)
    return failure
  }

  /** Opens a file to append to it, made empty unless `keep`; -1, and logged, when that fails. */
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

  /** Bytes of a file; 0, and logged, when it is not there. */
  sizeOf(file: LogFile): number {
    const stat = this.disk.stat(this.path(file.name))
    if (stat !== null) return stat.sizeBytes
    this.log.warning(`Unable to obtain the AOF file ${file.name} length. stat: No such file or directory`)
    return 0
  }

  /** Deletes the files that are history, and forgets them. */
  deleteHistory(): void {
    const { history } = this.manifest
    if (history.length === 0) return
    for (const { name } of history) {
      this.log.notice(`Removing the history file ${name} in the background`)
      this.disk.unlinkLater(this.path(name), () => {})
    }
    this.persist(this.manifest.withoutHistory())
  }

  /** A log of one file, from before there were manifests, moves into the folder. Throws AofFilesFailure. */
  adoptSingleFile(): void {
    const { disk, prefix, folder, log } = this
    if (this.makeFolder() !== undefined) throw new AofFilesFailure(`Can't upgrade the append-only file ${prefix}`)
    if (!this.persist(Manifest.ofSingleFile(prefix)))
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
