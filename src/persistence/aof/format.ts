// The format of an AOF file, shared by loader and checker.
//
//   [ RDB preamble ]  *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n   #TS:1700000000\r\n   MULTI … EXEC   [ zeros of a
// torn write ]

import type { FileSystem } from '../../system/system.ts'

/** '#': first byte of an annotation, such as #TS. */
export const HASH = 35
export const ANNOTATION_BYTES_MAX = 1024
const TAIL_PIECE_BYTES = 4096

/** Offset of the zeros at the end of the file, or its size. */
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

/** Whether the open file begins with an RDB preamble. */
export function isRdb(disk: FileSystem, fd: number): boolean {
  const head = new Uint8Array(5)
  return disk.read(fd, head, 0, 5, 0) === 5 && String.fromCharCode(...head) === 'REDIS'
}
