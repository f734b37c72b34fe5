// SpareBuffers: memory of forks that were closed, for the next ones: what the system hands out anew costs more to touch
// than the dataset to copy.
//
// Always: a buffer is of one server at a time; what it contains is of no meaning.

import { takeMemory } from '../keyspace/image.ts'
import type { Server } from '../server/server.ts'

const BYTES_MAX = 32 * 1024 * 1024

export class SpareBuffers {
  private readonly buffers: ArrayBuffer[] = []
  private bytes = 0

  /** A buffer of so many bytes; undefined: there is none. */
  take(bytes: number): ArrayBuffer | undefined {
    const index = this.buffers.findIndex(({ byteLength }) => byteLength === bytes)
    if (index < 0) return
    this.bytes -= bytes
    return this.buffers.splice(index, 1)[0]
  }

  /** Keeps the memory of a server that has ended. */
  keepOf(server: Server): void {
    for (const buffer of takeMemory(server.engine.keyspace)) {
      if (this.bytes + buffer.byteLength > BYTES_MAX) continue
      this.buffers.push(buffer)
      this.bytes += buffer.byteLength
    }
  }
}
