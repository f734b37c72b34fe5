// MemorySink: the bytes of a snapshot, kept in memory.

import type { DiskError } from '../system/system.ts'
import type { JobSink } from './file-sink.ts'

export class MemorySink implements JobSink {
  readonly ready = true
  error: DiskError | undefined
  release: (u8: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  private readonly soon: (fn: () => void) => void
  private chunks: Uint8Array[] = []

  constructor(soon: (fn: () => void) => void) {
    this.soon = soon
  }

  write(u8: Uint8Array, length: number): void {
    this.chunks.push(u8.slice(0, length))
    this.release(u8)
  }

  finish(done: (error: DiskError | null) => void): void {
    this.soon(() => done(this.error ?? null))
  }

  abort(reason: DiskError): void {
    this.error = reason
    this.chunks = []
  }

  /** All of them; the sink has none afterwards. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    let at = 0
    for (const chunk of this.chunks.splice(0)) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }
}
