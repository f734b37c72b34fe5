// The kind of a file, by its first bytes.

import { STAR } from '../../lib/ascii.ts'
import { HASH, isRdb } from '../../persistence/aof/format.ts'
import type { FileSystem } from '../../system/system.ts'

/** 'other' may be a DUMP payload, which has no magic. */
type FileKind = 'empty' | 'rdb' | 'aof' | 'manifest' | 'other'

const HEAD_BYTES = 4096
const MANIFEST_NAME = /\.manifest$/

export function kindOf(disk: FileSystem, path: string, fd: number): FileKind {
  if (MANIFEST_NAME.test(path)) return 'manifest'
  const head = new Uint8Array(HEAD_BYTES)
  const length = disk.read(fd, head, 0, head.length, 0)
  if (length === 0) return 'empty'
  if (isRdb(disk, fd)) return 'rdb'
  // A manifest begins with 'file', possibly after comments, which an AOF file may have as well.
  const text = String.fromCharCode(...head.subarray(0, length))
  if (/^(#[^\n]*\n)*file /.test(text)) return 'manifest'
  return head[0] === STAR || head[0] === HASH ? 'aof' : 'other'
}
