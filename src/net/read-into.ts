// Reads a socket's descriptor past the runtime, straight to where the bytes belong: the runtime's own reads copy them
// once on Bun, and call a function for each 64 KB on Node.

import { readvSync } from 'node:fs'

/** On Windows a socket is no file. */
const HAS_DESCRIPTORS = process.platform !== 'win32'

/** Reads into `u8`, then `next`; how many bytes. 0: nothing is there, or an error, which the runtime meets again. */
export function readInto(fd: number | undefined, u8: Uint8Array, next: Uint8Array): number {
  if (!HAS_DESCRIPTORS || fd === undefined || fd < 0) return 0
  try {
    return readvSync(fd, [u8, next])
  } catch {
    return 0
  }
}
