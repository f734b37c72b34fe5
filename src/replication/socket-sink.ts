// SocketSink: a diskless full synchronisation. The RDB's length is not known when sending begins, so the 40-byte random
// EOF marker is announced before it and follows it.
//
//   $EOF:<marker>\r\n  RDB ...  <marker>
//
// Always: every receiver gets every byte from the first on; one that disconnects or times out is dropped. The snapshot
// advances at the pace of the slowest receiver.

import type { Client } from '../engine/client.ts'
import { bytesOf } from '../lib/bytes.ts'
import type { JobSink } from '../persistence/file-sink.ts'
import { DiskError } from '../system/system.ts'

/** A socket with more unsent bytes makes the snapshot wait. */
const WAITING_BYTES_MAX = 256 * 1024
const LOOK_MS = 1

interface SocketSinkParts {
  /** The EOF marker: 40 random bytes. */
  eofMarker: string
  /** Those that are still connected. */
  receivers(): readonly Client[]
  send(client: Client, bytes: Uint8Array): void
  close(client: Client): void
  after(ms: number, fn: () => void): void
  nowMs(): number
  /** A receiver that accepts nothing for so long is disconnected. */
  timeoutMs(): number
}

interface Progress {
  outBytes: number
  sinceMs: number
}

export class SocketSink implements JobSink {
  error: DiskError | undefined
  release: (u8: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  private readonly parts: SocketSinkParts
  private readonly progress = new Map<number, Progress>()
  private looking = false

  constructor(parts: SocketSinkParts) {
    this.parts = parts
    this.sendToAll(bytesOf(`$EOF:${parts.eofMarker}\r\n`))
  }

  get ready(): boolean {
    return this.parts.receivers().every(client => client.outBytes < WAITING_BYTES_MAX)
  }

  write(u8: Uint8Array, length: number): void {
    this.sendToAll(u8.subarray(0, length))
    this.release(u8)
    if (!this.ready) this.look()
  }

  private sendToAll(bytes: Uint8Array): void {
    const receivers = this.parts.receivers()
    if (receivers.length === 0) this.error ??= NO_REPLICA_LEFT
    for (const client of receivers) this.parts.send(client, bytes)
  }

  /** Polls until slow receivers have caught up or are dropped. */
  private look(): void {
    if (this.looking) return
    this.looking = true
    this.parts.after(LOOK_MS, () => {
      this.looking = false
      for (const client of this.parts.receivers()) if (this.isStuck(client)) this.parts.close(client)
      if (this.parts.receivers().length === 0) this.error ??= NO_REPLICA_LEFT
      if (this.ready || this.error !== undefined) this.onDrain()
      else this.look()
    })
  }

  private isStuck(client: Client): boolean {
    const nowMs = this.parts.nowMs()
    const before = this.progress.get(client.id)
    if (before !== undefined && before.outBytes === client.outBytes)
      return client.outBytes >= WAITING_BYTES_MAX && nowMs - before.sinceMs > this.parts.timeoutMs()
    this.progress.set(client.id, { outBytes: client.outBytes, sinceMs: nowMs })
    return false
  }

  finish(done: (error: DiskError | null) => void): void {
    this.sendToAll(bytesOf(this.parts.eofMarker))
    this.parts.after(0, () => done(this.error ?? null))
  }

  abort(reason: DiskError): void {
    this.error ??= reason
  }
}

export const NO_REPLICA_LEFT = new DiskError('EPIPE', '', 'no replica is left')
