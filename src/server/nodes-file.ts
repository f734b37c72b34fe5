// NodesFile: the nodes file on disk, and the generation before it.
//
//   nodes.conf            … vars currentEpoch 5 lastVoteEpoch 4 checksum 8d2f…      replaced as a whole
//   nodes.conf.previous   the text before, for a file that a failure has damaged
//
// Always: a file with a checksum that is not its text's is not used. Files without a checksum, redis-server's, are
// read as they are; redis-server reads ours and ignores the checksum.

import type { Cluster } from '../cluster/cluster.ts'
import { CorruptNodesFile, readNodes } from '../cluster/nodes-file.ts'
import { bytesOf, latin1Text, writeLatin1 } from '../lib/bytes.ts'
import { Crc64 } from '../lib/crc64.ts'
import { attempt, type FileSystem } from '../system/system.ts'
import { StartFailure } from './start-failure.ts'

const CHECKSUM = ' checksum '
const CHECKSUM_DIGITS = 16

export class NodesFile {
  private readonly disk: FileSystem
  private readonly path: string
  /** What the file holds; undefined: there is none. */
  private written: Uint8Array | undefined

  constructor(disk: FileSystem, path: string) {
    this.disk = disk
    this.path = path
  }

  /** Replaces the file with a whole one; with `fsync`, at once. The reason when that is impossible. */
  write(text: string, fsync: boolean): string | undefined {
    const { disk, path } = this
    const whole = withChecksum(text)
    const temporary = `${path}.tmp`
    const error = attempt(() => {
      if (this.written !== undefined) disk.writeFile(`${path}.previous`, this.written)
      const fd = disk.open(temporary, 'w', 0o644)
      try {
        disk.write(fd, whole, 0, whole.length, null)
        disk.fsync(fd)
      } finally {
        disk.close(fd)
      }
      disk.rename(temporary, path)
      if (fsync) disk.fsyncDir(folderOf(path))
    })
    if (error === undefined) this.written = whole
    return error?.message
  }

  /** Reads the file into a new cluster; false: there is none. Throws StartFailure for one that cannot be used. */
  read(cluster: Cluster): boolean {
    const { log } = cluster.host
    const current = this.textOf(this.path)
    if (current === undefined) return false
    if (isWhole(current)) return this.parse(cluster, current)
    const previous = this.textOf(`${this.path}.previous`)
    if (previous !== undefined && isWhole(previous)) {
      log.warning(`The nodes file ${this.path} is damaged: its previous generation is used instead.`)
      return this.parse(cluster, previous)
    }
    if (current === '') return false
    if (current.includes(CHECKSUM)) throw corrupt(this.path)
    return this.parse(cluster, current)
  }

  private textOf(path: string): string | undefined {
    if (this.disk.stat(path) === null) return undefined
    let bytes: Uint8Array = new Uint8Array(0)
    const failure = attempt(() => {
      bytes = this.disk.readFile(path)
    })
    if (failure !== undefined)
      throw new StartFailure(`Can't open ${path} in order to acquire a lock: ${failure.message}`)
    return latin1Text(bytes)
  }

  private parse(cluster: Cluster, text: string): boolean {
    this.written = text === '' ? undefined : bytesOf(text)
    try {
      return readNodes(cluster, text)
    } catch (error) {
      if (error instanceof CorruptNodesFile) throw corrupt(error.message)
      throw error
    }
  }
}

function corrupt(text: string): StartFailure {
  return new StartFailure(`Unrecoverable error: corrupted cluster config file "${text}".`)
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))) || '/'
}

/** The text ends with the line of variables, which gets one more. */
function withChecksum(text: string): Uint8Array {
  const body = text.trimEnd()
  const { length } = body
  const bytes = new Uint8Array(length + CHECKSUM.length + CHECKSUM_DIGITS + 1)
  writeLatin1(bytes, 0, body)
  writeLatin1(bytes, length, `${CHECKSUM}${checksumOf(bytes, length)}\n`)
  return bytes
}

/** redis-server's files have no checksum: they are taken for whole when their last line, of variables, is. */
function isWhole(text: string): boolean {
  const at = text.lastIndexOf(CHECKSUM)
  if (at < 0) return text.endsWith('\n') && text.includes('\nvars ')
  return text.slice(at + CHECKSUM.length).trimEnd() === checksumOf(bytesOf(text), at)
}

/** Of the first bytes. */
function checksumOf(u8: Uint8Array, bytes: number): string {
  const { lo, hi } = new Crc64().update(u8, 0, bytes)
  const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0')
  return hex(hi) + hex(lo)
}
