// FileLocks: no two servers write the same files. Beside the written files is a lock file that names the process:
//
//   dump.rdb                    dump.rdb.lock                          with save points
//   appendonlydir/appendonly.aof.*   appendonlydir.appendonly.aof.lock     with appendonly
//
//   free ─▶ [create] ─▶ locked ─▶ [release] ─▶ free
//     └─── locked by a process that has ended ─▶ [take over] ─▶ locked
//
// Always: a lock of a running process is never taken. Where a lock cannot be created (a read-only folder) the server
// runs without. Processes of another machine, or of a container with its own process numbers, count as ended.

import type { Config } from '../config/config.ts'
import { DiskError, type FileSystem, type ProcessView, type System } from '../system/system.ts'
import type { Logger } from './log.ts'

/** A lock file without a name in it is being written; after so long its writer has ended. */
const UNWRITTEN_MS_MAX = 2000
/** Other processes may create and remove the lock while it is taken over. */
const TRIES = 5

interface Holder {
  path: string
  identity: string
}

export class FileLocks {
  private readonly disk: FileSystem
  private readonly process: ProcessView
  private readonly nowMs: () => number
  private readonly log: Logger
  private readonly config: Config
  private locked: string[] = []

  constructor({ disk, process, clock }: System, config: Config, log: Logger) {
    this.disk = disk
    this.process = process
    this.nowMs = () => clock.nowMs()
    this.log = log
    this.config = config
  }

  /**
   * Locks the files that the configuration names, and releases all others. On failure returns the reason, and no lock
   * has changed.
   */
  sync(): readonly string[] | undefined {
    const wanted = this.wanted()
    const fresh = wanted.filter(path => !this.locked.includes(path))
    for (const [i, path] of fresh.entries()) {
      const holder = this.take(path)
      if (holder === undefined) continue
      for (const taken of fresh.slice(0, i)) this.drop(taken)
      return this.refusal(holder)
    }
    for (const path of this.locked) if (!wanted.includes(path)) this.drop(path)
    this.locked = wanted
    return undefined
  }

  release(): void {
    for (const path of this.locked) this.drop(path)
    this.locked = []
  }

  private wanted(): string[] {
    const { config, disk } = this
    const paths: string[] = []
    if (config.save.length > 0) paths.push(disk.resolve(`${config.dbfilename}.lock`))
    if (config.appendonly) paths.push(disk.resolve(`${config.appenddirname}.${config.appendfilename}.lock`))
    return paths
  }

  private refusal({ path, identity }: Holder): string[] {
    return [
      `Another server (pid ${identity.split(':')[0]}) keeps its data in the same files: it holds ${path}.`,
      "Give every server its own 'dir', or its own 'dbfilename' and 'appenddirname'. Servers that keep nothing on disk (save \"\", appendonly no) may share a folder.",
    ]
  }

  /** Creates the lock; returns the process that has it already. */
  private take(path: string): Holder | undefined {
    let failure: DiskError | undefined
    for (let tries = 0; tries < TRIES; tries++) {
      failure = this.create(path)
      if (failure === undefined) return undefined
      if (failure.code !== 'EEXIST') break
      const identity = this.read(path)
      if (this.isLive(path, identity)) return { path, identity: identity! }
      const other = this.setAside(path)
      if (other !== undefined) return { path, identity: other }
      this.log.notice(`Taking over ${path}, the lock of a server that did not shut down properly.`)
    }
    this.log.warning(`Can't guard the files of this server against a second one: ${path}: ${failure!.message}`)
    return undefined
  }

  private create(path: string): DiskError | undefined {
    const { disk } = this
    const bytes = new TextEncoder().encode(`${this.process.identity}\n`)
    let fd = -1
    try {
      fd = disk.open(path, 'wx')
      disk.write(fd, bytes, 0, bytes.length, null)
      return undefined
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      // After a full disk: an empty lock file names no owner.
      if (fd >= 0) this.drop(path)
      return error
    } finally {
      if (fd >= 0) disk.close(fd)
    }
  }

  /** The lock's text; '' for nothing yet, undefined when it does not exist. */
  private read(path: string): string | undefined {
    try {
      return new TextDecoder().decode(this.disk.readFile(path)).trim()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return error.code === 'ENOENT' ? undefined : ''
    }
  }

  private isLive(path: string, identity: string | undefined): boolean {
    if (identity === undefined) return false
    if (identity !== '') return this.process.isRunning(identity)
    const stat = this.disk.stat(path)
    return stat !== null && Math.abs(this.nowMs() - stat.modifiedMs) < UNWRITTEN_MS_MAX
  }

  /** Removes the lock of an ended process; returns the identity of one that has it by now. */
  private setAside(path: string): string | undefined {
    const { disk } = this
    const aside = `${path}.${this.process.pid}`
    try {
      disk.rename(path, aside)
      const identity = this.read(aside)
      if (identity === undefined || identity === '' || !this.process.isRunning(identity)) {
        disk.unlink(aside)
        return undefined
      }
      disk.rename(aside, path)
      return identity
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return undefined
    }
  }

  private drop(path: string): void {
    try {
      this.disk.unlink(path)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }
}
