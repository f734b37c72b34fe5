// Repairs: truncates an AOF file, or copies the valid parts of an RDB into a new one.

import { Crc64 } from '../../lib/crc64.ts'
import { folderOf } from '../../persistence/file-sink.ts'
import { CHECKSUM_BYTES, OP_EOF } from '../../persistence/rdb/format.ts'
import type { FileSystem } from '../../system/system.ts'
import { type Machine, ToolError } from '../command-line.ts'
import type { Range } from './findings.ts'

const PIECE_BYTES = 1 << 20

const PART_OF_LOG = /^(.*)[/\\]([^/\\]+?)\.[0-9]+\.(base|incr)\.(aof|rdb)$/

/** The pid of the server that is appending to this AOF file; undefined when none is known. */
export function writerOf(machine: Pick<Machine, 'disk' | 'process'>, path: string): string | undefined {
  const { disk, process } = machine
  const [, folder, name] = PART_OF_LOG.exec(disk.resolve(path)) ?? []
  const lock = `${folder}.${name}.lock`
  if (name === undefined || disk.stat(lock) === null) return undefined
  const identity = new TextDecoder().decode(disk.readFile(lock)).trim()
  return process.isRunning(identity) ? identity.split(':')[0] : undefined
}

/** Truncates the file to `sizeBytes` and fsyncs it. Throws DiskError. */
export function cut(disk: FileSystem, path: string, sizeBytes: number): void {
  const fd = disk.open(path, 'r+')
  try {
    disk.truncate(fd, sizeBytes)
    disk.fsync(fd)
  } finally {
    disk.close(fd)
  }
}

/** Writes a new RDB `to` from ranges of `from`, each of which ends after a complete key or opcode. Throws DiskError. */
export function salvage(
  disk: FileSystem,
  from: string,
  ranges: readonly Range[],
  version: number,
  to: string,
  progress: (offset: number) => void,
): void {
  const source = disk.open(from, 'r')
  try {
    const target = disk.open(to, 'wx')
    try {
      const crc = new Crc64()
      const piece = new Uint8Array(PIECE_BYTES)
      for (const range of ranges) {
        for (let at = range.from; at < range.to; progress(at)) {
          const got = disk.read(source, piece, 0, Math.min(piece.length, range.to - at), at)
          if (got === 0) throw new ToolError(`${from} has become shorter: is a server writing to it?`)
          crc.update(piece, 0, got)
          disk.write(target, piece, 0, got, null)
          at += got
        }
      }
      const end = Uint8Array.of(OP_EOF, ...new Uint8Array(CHECKSUM_BYTES))
      crc.update(end, 0, 1).writeTo(end, 1)
      disk.write(target, end, 0, version >= 5 ? end.length : 1, null)
      disk.fsync(target)
    } finally {
      disk.close(target)
    }
    disk.fsyncDir(folderOf(disk.resolve(to)))
  } finally {
    disk.close(source)
  }
}
