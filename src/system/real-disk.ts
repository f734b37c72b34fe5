// The FileSystem contract over node:fs, which Bun has as well.

import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { DiskError, type FileStat, type FileSystem } from './system.ts'

export function realDisk(ownProcess: boolean): FileSystem {
  let folder = process.cwd()
  const resolve = (name: string) => path.resolve(folder, name)
  return {
    cwd: () => folder,
    resolve,
    chdir(name) {
      const target = resolve(name)
      attempt(target, () => {
        if (!fs.statSync(target).isDirectory()) throw new DiskError('ENOTDIR', target)
        fs.accessSync(target, fs.constants.X_OK)
        if (ownProcess) process.chdir(target)
      })
      folder = target
    },
    ...namesOf(resolve),
    ...descriptors,
    ...laterDescriptors,
    ...laterNames(resolve),
  }
}

type Names = Pick<
  FileSystem,
  | 'open'
  | 'readFile'
  | 'writeFile'
  | 'append'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'
  | 'chmod'
  | 'readdir'
  | 'stat'
  | 'fsyncDir'
>

function namesOf(resolve: (name: string) => string): Names {
  return {
    open: (name, flag, mode = 0o644) => attempt(name, () => fs.openSync(resolve(name), flag, mode)),
    readFile: name => attempt(name, () => new Uint8Array(fs.readFileSync(resolve(name)))),
    writeFile: (name, bytes, mode = 0o644) => attempt(name, () => fs.writeFileSync(resolve(name), bytes, { mode })),
    append: (name, bytes) => attempt(name, () => fs.appendFileSync(resolve(name), bytes)),
    rename: (from, to) => attempt(from, () => fs.renameSync(resolve(from), resolve(to))),
    unlink: name => attempt(name, () => fs.unlinkSync(resolve(name))),
    mkdir: (name, mode = 0o755) => attempt(name, () => void fs.mkdirSync(resolve(name), { mode })),
    rmdir: name => attempt(name, () => fs.rmdirSync(resolve(name))),
    chmod: (name, mode) => attempt(name, () => fs.chmodSync(resolve(name), mode)),
    readdir: name => attempt(name, () => fs.readdirSync(resolve(name)).sort()),
    stat(name) {
      try {
        return statOf(fs.statSync(resolve(name)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw asDiskError(error, name)
      }
    },
    fsyncDir(name) {
      // Windows cannot open directories; its file system journals renames itself.
      if (process.platform === 'win32') return
      attempt(name, () => {
        const fd = fs.openSync(resolve(name), 'r')
        try {
          fs.fsyncSync(fd)
        } finally {
          fs.closeSync(fd)
        }
      })
    },
  }
}

const descriptors: Pick<FileSystem, 'close' | 'read' | 'write' | 'fsync' | 'fdatasync' | 'truncate' | 'fstat'> = {
  close: fd => attempt('', () => fs.closeSync(fd)),
  read: (fd, buffer, offset, length, position) => attempt('', () => fs.readSync(fd, buffer, offset, length, position)),
  write(fd, buffer, offset, length, position) {
    let written = 0
    // A full disk or a signal may shorten a write: the next call then has the error.
    while (written < length)
      written += attempt('', () =>
        fs.writeSync(fd, buffer, offset + written, length - written, position === null ? null : position + written),
      )
    return written
  },
  fsync: fd => attempt('', () => fs.fsyncSync(fd)),
  fdatasync: fd => attempt('', () => fs.fdatasyncSync(fd)),
  truncate: (fd, sizeBytes) => attempt('', () => fs.ftruncateSync(fd, sizeBytes)),
  fstat: fd => attempt('', () => statOf(fs.fstatSync(fd))),
}

const laterDescriptors: Pick<FileSystem, 'readLater' | 'writeLater' | 'fsyncLater' | 'fdatasyncLater' | 'closeLater'> =
  {
    readLater: (fd, buffer, offset, length, position, done) =>
      fs.read(fd, buffer, offset, length, position, (error, bytes) => done(orNull(error), bytes ?? 0)),
    writeLater(fd, buffer, offset, length, position, done) {
      let written = 0
      const next = (error: NodeJS.ErrnoException | null, bytes: number) => {
        written += bytes ?? 0
        if (error) done(asDiskError(error), written)
        else if (written >= length) done(null, written)
        else step()
      }
      const step = () =>
        fs.write(fd, buffer, offset + written, length - written, position === null ? null : position + written, next)
      step()
    },
    fsyncLater: (fd, done) => fs.fsync(fd, error => done(orNull(error))),
    fdatasyncLater: (fd, done) => fs.fdatasync(fd, error => done(orNull(error))),
    closeLater: (fd, done) => fs.close(fd, error => done(orNull(error ?? null))),
  }

function laterNames(
  resolve: (name: string) => string,
): Pick<FileSystem, 'renameLater' | 'unlinkLater' | 'fsyncDirLater'> {
  return {
    renameLater: (from, to, done) => fs.rename(resolve(from), resolve(to), error => done(orNull(error, from))),
    unlinkLater: (name, done) => fs.unlink(resolve(name), error => done(orNull(error, name))),
    fsyncDirLater(name, done) {
      if (process.platform === 'win32') return void setImmediate(done, null)
      fs.open(resolve(name), 'r', (openError, fd) => {
        if (openError) return done(asDiskError(openError, name))
        fs.fsync(fd, syncError => fs.close(fd, closeError => done(orNull(syncError ?? closeError, name))))
      })
    },
  }
}

function statOf(stat: fs.Stats): FileStat {
  return {
    sizeBytes: stat.size,
    modifiedMs: stat.mtimeMs,
    isFile: stat.isFile(),
    isDirectory: stat.isDirectory(),
    mode: stat.mode & 0o7777,
  }
}

function attempt<T>(name: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw asDiskError(error, name)
  }
}

function orNull(error: NodeJS.ErrnoException | null | undefined, name = ''): DiskError | null {
  return error ? asDiskError(error, name) : null
}

/** The error as a DiskError. One without a code is a bug, and stays as it is. */
function asDiskError(error: unknown, name = ''): DiskError {
  if (error instanceof DiskError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (typeof code !== 'string' || code.startsWith('ERR_')) throw error
  return new DiskError(code, name)
}
