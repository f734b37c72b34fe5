// The form of an append-only file: what its loader and its checker both know.
//
//   [ an RDB ]  *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n   #TS:1700000000\r\n   MULTI … EXEC   [ zeros of a torn
// write ]

import type { FileSystem } from '../../system/system.ts'

/** A line that begins so says something about what follows: the time. */
export const HASH = 35
export const ANNOTATION_BYTES_MAX = 1024
const TAIL_PIECE_BYTES = 4096

/** Where the zeros begin that a file ends with. */
export function endOfData(disk: FileSystem, fd: number, from: number, sizeBytes: number): number {
  const piece = new Uint8Array(TAIL_PIECE_BYTES)
  for (let end = sizeBytes; end > from; ) {
    const start = Math.max(from, end - piece.length)
    disk.read(fd, piece, 0, end - start, start)
    for (let i = end - start - 1; i >= 0; i--) if (piece[i] !== 0) return start + i + 1
    end = start
  }
  return from
}

/** Whether the open file begins as an RDB does. */
export function isRdb(disk: FileSystem, fd: number): boolean {
  const head = new Uint8Array(5)
  return disk.read(fd, head, 0, 5, 0) === 5 && String.fromCharCode(...head) === 'REDIS'
}
