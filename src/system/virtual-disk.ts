// A disk in memory. Paths are POSIX paths; a file is a growing byte array, which open descriptors keep alive after its
// name was removed.
//
// For crash tests: `crash()` loses what fsync and fsyncDir have not made durable - bytes written since the last fsync
// of a file, and names created, renamed or removed since the last fsyncDir of their directory. With a random source a
// part of it survives: name changes up to some time, in their order; of a file's new bytes a prefix, whose end may be
// torn.

import {
  DiskError,
  type Done,
  type DoneBytes,
  type FileStat,
  type FileSystem,
  type OpenFlag,
  type Random,
  type Timers,
} from './system.ts'

class File {
  bytes: Uint8Array = new Uint8Array(0)
  sizeBytes = 0
  durable: Uint8Array = new Uint8Array(0)
  /** Order of the fsync that made it durable. */
  durableOrder = -1
  modifiedMs = 0
  mode: number
  /** So many of the first bytes are durable content as well: they are copied before they change. */
  private sharedBytes = 0

  constructor(mode: number) {
    this.mode = mode
  }

  /** Makes space for so many bytes, of which those from `start` on may change. */
  reserve(sizeBytes: number, start: number): void {
    const isLarger = sizeBytes > this.bytes.length
    if (!isLarger && start >= this.sharedBytes) return
    const grown = new Uint8Array(isLarger ? Math.max(sizeBytes, this.bytes.length * 2, 64) : sizeBytes)
    grown.set(this.bytes.subarray(0, Math.min(this.sizeBytes, grown.length)))
    this.bytes = grown
    this.sharedBytes = 0
  }

  /** The content as it is now. */
  share(): Uint8Array {
    this.sharedBytes = Math.max(this.sharedBytes, this.sizeBytes)
    return this.bytes.subarray(0, this.sizeBytes)
  }

  /** This is its content, durable. */
  restart(bytes: Uint8Array): void {
    this.bytes = this.durable = bytes
    this.sizeBytes = this.sharedBytes = bytes.length
  }

  content(): Uint8Array {
    return this.bytes.slice(0, this.sizeBytes)
  }

  /** The content after a crash: the durable bytes and, at random, a part of the later ones. */
  torn(random: Random): Uint8Array {
    const { durable } = this
    const grown = this.sizeBytes - durable.length
    if (grown <= 0) return random.u32() % 2 === 0 ? durable.slice() : this.content()
    const kept = this.bytes.slice(0, durable.length + (random.u32() % (grown + 1)))
    // A file's size may be on the disk before its last bytes are.
    if (random.u32() % 4 === 0) kept.fill(0, Math.max(durable.length, kept.length - (random.u32() % 64)))
    return kept
  }
}

/** A name change that is not durable yet: what each name refers to after it. */
interface NameChange {
  names: (readonly [name: string, file: File | undefined])[]
}

interface ToSync {
  file: File
  content: Uint8Array
  order: number
}

interface Handle {
  file: File
  flag: OpenFlag
  position: number
}

export class VirtualDisk implements FileSystem {
  /** When set, every write fails with this code: a full or broken disk. */
  failWrites: string | null = null
  /** When set, fsyncs fail with this code. */
  failSyncs: string | null = null
  #cwd: string
  #names = new Map<string, File>()
  #durableNames = new Map<string, File>()
  #changes: NameChange[] = []
  /** Called before anything on the disk changes: a test may throw from here to simulate a power failure. */
  beforeChange: () => void = () => {}
  #folders = new Set<string>(['/'])
  #handles = new Map<number, Handle>()
  #nextFd = 3
  #syncs = 0
  /** Duration of each background operation. */
  latencyMs: () => number = () => 0
  readonly #timers: Pick<Timers, 'soon' | 'after'>
  readonly #nowMs: () => number

  constructor(timers: Pick<Timers, 'soon' | 'after'>, nowMs: () => number, cwd: string) {
    this.#timers = timers
    this.#nowMs = nowMs
    this.#cwd = '/'
    this.#cwd = this.resolve(cwd)
    for (let at = this.#cwd; at !== '/'; at = parentOf(at)) this.#folders.add(at)
  }

  /** A power failure: only durable data remains, and every descriptor is closed. */
  crash(random?: Random): void {
    this.#handles.clear()
    if (random !== undefined) {
      const survived = random.u32() % (this.#changes.length + 1)
      for (const change of this.#changes.slice(0, survived)) this.#makeDurable(change)
    }
    this.#changes = []
    this.#names = new Map(this.#durableNames)
    for (const file of this.#names.values()) file.restart(random === undefined ? file.durable : file.torn(random))
  }

  /** The process ends: its writes stay, its background operations are dropped. */
  abandon(): void {
    this.#handles.clear()
  }

  #changeNames(...names: (readonly [name: string, file: File | undefined])[]): void {
    for (const [name, file] of names) {
      if (file === undefined) this.#names.delete(name)
      else this.#names.set(name, file)
    }
    this.#changes.push({ names })
  }

  #makeDurable(change: NameChange): void {
    for (const [name, file] of change.names) {
      if (file === undefined) this.#durableNames.delete(name)
      else this.#durableNames.set(name, file)
    }
  }

  cwd(): string {
    return this.#cwd
  }

  chdir(path: string): void {
    const target = this.resolve(path)
    if (this.#names.has(target)) throw new DiskError('ENOTDIR', path)
    if (!this.#folders.has(target)) throw new DiskError('ENOENT', path)
    this.#cwd = target
  }

  resolve(path: string): string {
    const parts: string[] = []
    for (const part of (path.startsWith('/') ? path : `${this.#cwd}/${path}`).split('/')) {
      if (part === '..') parts.pop()
      else if (part !== '' && part !== '.') parts.push(part)
    }
    return `/${parts.join('/')}`
  }

  open(path: string, flag: OpenFlag, mode = 0o644): number {
    const target = this.resolve(path)
    if (this.#folders.has(target)) throw new DiskError('EISDIR', path)
    let file = this.#names.get(target)
    if (file && flag === 'wx') throw new DiskError('EEXIST', path)
    if (!file) {
      if (flag === 'r' || flag === 'r+' || !this.#folders.has(parentOf(target))) throw new DiskError('ENOENT', path)
      this.beforeChange()
      file = new File(mode)
      file.modifiedMs = this.#nowMs()
      this.#changeNames([target, file])
    }
    if (flag === 'w') file.sizeBytes = 0
    this.#handles.set(this.#nextFd, { file, flag, position: 0 })
    return this.#nextFd++
  }

  close(fd: number): void {
    this.#handle(fd)
    this.#handles.delete(fd)
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    const handle = this.#handle(fd)
    const start = position ?? handle.position
    const end = Math.min(start + length, handle.file.sizeBytes)
    const bytes = Math.max(0, end - start)
    buffer.set(handle.file.bytes.subarray(start, start + bytes), offset)
    if (position === null) handle.position += bytes
    return bytes
  }

  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    const handle = this.#handle(fd)
    if (handle.flag === 'r') throw new DiskError('EBADF')
    this.beforeChange()
    if (this.failWrites) throw new DiskError(this.failWrites)
    const file = handle.file
    const start = handle.flag === 'a' ? file.sizeBytes : (position ?? handle.position)
    file.reserve(Math.max(start + length, file.sizeBytes), Math.min(start, file.sizeBytes))
    if (start > file.sizeBytes) file.bytes.fill(0, file.sizeBytes, start)
    file.bytes.set(buffer.subarray(offset, offset + length), start)
    file.sizeBytes = Math.max(file.sizeBytes, start + length)
    file.modifiedMs = this.#nowMs()
    if (position === null) handle.position = start + length
    return length
  }

  fsync(fd: number): void {
    this.#sync(this.#toSync(fd))
  }

  /** The file's current content: later writes are not covered by this fsync. */
  #toSync(fd: number): ToSync {
    const { file } = this.#handle(fd)
    return { file, content: file.share(), order: this.#syncs++ }
  }

  #sync({ file, content, order }: ToSync): void {
    this.beforeChange()
    const code = this.failWrites ?? this.failSyncs
    if (code) throw new DiskError(code)
    if (order < file.durableOrder) return
    file.durable = content
    file.durableOrder = order
  }

  fdatasync(fd: number): void {
    this.fsync(fd)
  }

  truncate(fd: number, sizeBytes: number): void {
    const file = this.#handle(fd).file
    this.beforeChange()
    if (sizeBytes > file.sizeBytes) {
      file.reserve(sizeBytes, file.sizeBytes)
      file.bytes.fill(0, file.sizeBytes, sizeBytes)
    }
    file.sizeBytes = sizeBytes
  }

  fstat(fd: number): FileStat {
    return statOf(this.#handle(fd).file)
  }

  readFile(path: string): Uint8Array {
    return this.#existing(path).content()
  }

  writeFile(path: string, bytes: Uint8Array, mode?: number): void {
    this.#withFile(path, 'w', bytes, mode)
  }

  append(path: string, bytes: Uint8Array): void {
    this.#withFile(path, 'a', bytes)
  }

  rename(from: string, to: string): void {
    const file = this.#existing(from)
    const target = this.resolve(to)
    if (!this.#folders.has(parentOf(target))) throw new DiskError('ENOENT', to)
    if (this.#folders.has(target)) throw new DiskError('EISDIR', to)
    this.beforeChange()
    this.#changeNames([this.resolve(from), undefined], [target, file])
  }

  unlink(path: string): void {
    this.#existing(path)
    this.beforeChange()
    this.#changeNames([this.resolve(path), undefined])
  }

  mkdir(path: string): void {
    const target = this.resolve(path)
    if (this.#folders.has(target) || this.#names.has(target)) throw new DiskError('EEXIST', path)
    if (!this.#folders.has(parentOf(target))) throw new DiskError('ENOENT', path)
    this.#folders.add(target)
  }

  rmdir(path: string): void {
    const target = this.resolve(path)
    if (!this.#folders.has(target)) throw new DiskError(this.#names.has(target) ? 'ENOTDIR' : 'ENOENT', path)
    if (this.readdir(path).length > 0) throw new DiskError('ENOTEMPTY', path)
    this.#folders.delete(target)
  }

  chmod(path: string, mode: number): void {
    this.#existing(path).mode = mode
  }

  readdir(path: string): string[] {
    const folder = this.resolve(path)
    if (!this.#folders.has(folder)) throw new DiskError(this.#names.has(folder) ? 'ENOTDIR' : 'ENOENT', path)
    const names: string[] = []
    for (const name of [...this.#names.keys(), ...this.#folders])
      if (name !== '/' && parentOf(name) === folder) names.push(name.slice(name.lastIndexOf('/') + 1))
    return names.sort()
  }

  stat(path: string): FileStat | null {
    const target = this.resolve(path)
    if (this.#folders.has(target)) return { sizeBytes: 0, modifiedMs: 0, isFile: false, isDirectory: true, mode: 0o755 }
    const file = this.#names.get(target)
    return file ? statOf(file) : null
  }

  fsyncDir(path: string): void {
    const folder = this.resolve(path)
    this.beforeChange()
    // A rename between directories is durable as a whole with either of them.
    let left: NameChange[] = []
    for (const change of this.#changes) {
      if (!change.names.some(([name]) => parentOf(name) === folder)) {
        left.push(change)
        continue
      }
      this.#makeDurable(change)
      // What these names referred to before can no longer come back.
      const settled = new Set(change.names.map(([name]) => name))
      left = left.map(one => ({ names: one.names.filter(([name]) => !settled.has(name)) }))
    }
    this.#changes = left
  }

  readLater(fd: number, buffer: Uint8Array, offset: number, length: number, at: number | null, done: DoneBytes): void {
    this.#laterBytes(() => this.read(fd, buffer, offset, length, at), done)
  }

  writeLater(fd: number, buffer: Uint8Array, offset: number, length: number, at: number | null, done: DoneBytes): void {
    this.#laterBytes(() => this.write(fd, buffer, offset, length, at), done)
  }

  fsyncLater(fd: number, done: Done): void {
    const what = this.#handles.has(fd) ? this.#toSync(fd) : undefined
    this.#later(() => (what === undefined ? this.fsync(fd) : this.#sync(what)), done)
  }

  fdatasyncLater(fd: number, done: Done): void {
    this.fsyncLater(fd, done)
  }

  closeLater(fd: number, done: Done): void {
    this.#later(() => this.close(fd), done)
  }

  renameLater(from: string, to: string, done: Done): void {
    this.#later(() => this.rename(from, to), done)
  }

  unlinkLater(path: string, done: Done): void {
    this.#later(() => this.unlink(path), done)
  }

  fsyncDirLater(path: string, done: Done): void {
    this.#later(() => this.fsyncDir(path), done)
  }

  #withFile(path: string, flag: OpenFlag, bytes: Uint8Array, mode?: number): void {
    const fd = this.open(path, flag, mode)
    try {
      this.write(fd, bytes, 0, bytes.length, null)
    } finally {
      this.close(fd)
    }
  }

  #handle(fd: number): Handle {
    const handle = this.#handles.get(fd)
    if (!handle) throw new DiskError('EBADF')
    return handle
  }

  #existing(path: string): File {
    const target = this.resolve(path)
    const file = this.#names.get(target)
    if (!file) throw new DiskError(this.#folders.has(target) ? 'EISDIR' : 'ENOENT', path)
    return file
  }

  #later(operation: () => void, done: Done): void {
    this.#laterBytes(
      () => {
        operation()
        return 0
      },
      error => done(error),
    )
  }

  #laterBytes(operation: () => number, done: DoneBytes): void {
    const run = () => {
      let bytes = 0
      let failure: DiskError | null = null
      try {
        bytes = operation()
      } catch (error) {
        if (!(error instanceof DiskError)) throw error
        failure = error
      }
      done(failure, bytes)
    }
    const ms = this.latencyMs()
    if (ms > 0) this.#timers.after(ms, run)
    else this.#timers.soon(run)
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

function statOf(file: File): FileStat {
  return {
    sizeBytes: file.sizeBytes,
    modifiedMs: file.modifiedMs,
    isFile: true,
    isDirectory: false,
    mode: file.mode,
  }
}
