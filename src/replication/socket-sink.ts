// SocketSink: the dataset on its way to replicas without a file in between. It is written as it is made, so nobody
// knows how long it will be: a mark that cannot come up by chance stands before it and behind it.
//
//   $EOF:<mark>\r\n  RDB ...  <mark>
//
// Always: every receiver gets every byte from the first on; who has gone, or takes nothing for too long, is left out.
// The walk goes as fast as the slowest of them reads.

import type { Client } from '../engine/client.ts'
import { bytesOf } from '../lib/bytes.ts'
import type { JobSink } from '../persistence/file-sink.ts'
import { DiskError } from '../system/system.ts'

/** More than this need not wait in a socket. */
const WAITING_BYTES_MAX = 256 * 1024
const LOOK_MS = 1

interface SocketSinkParts {
  /** Forty bytes. */
  mark: string
  /** Those of them that are still there. */
  receivers(): readonly Client[]
  give(client: Client, bytes: Uint8Array): void
  close(client: Client): void
  after(ms: number, fn: () => void): void
  nowMs(): number
  /** Who takes nothing for so long is closed. */
  patienceMs(): number
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
    this.giveAll(bytesOf(`$EOF:${parts.mark}\r\n`))
  }

  get ready(): boolean {
    return this.parts.receivers().every(client => client.outBytes < WAITING_BYTES_MAX)
  }

  write(u8: Uint8Array, length: number): void {
    this.giveAll(u8.subarray(0, length))
    this.release(u8)
    if (!this.ready) this.look()
  }

  private giveAll(bytes: Uint8Array): void {
    const receivers = this.parts.receivers()
    if (receivers.length === 0) this.error ??= NO_REPLICA_LEFT
    for (const client of receivers) this.parts.give(client, bytes)
  }

  /** Until those who are behind have caught up, or are gone. */
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
      return client.outBytes >= WAITING_BYTES_MAX && nowMs - before.sinceMs > this.parts.patienceMs()
    this.progress.set(client.id, { outBytes: client.outBytes, sinceMs: nowMs })
    return false
  }

  finish(done: (error: DiskError | null) => void): void {
    this.giveAll(bytesOf(this.parts.mark))
    this.parts.after(0, () => done(this.error ?? null))
  }

  abort(reason: DiskError): void {
    this.error ??= reason
  }
}

const NO_REPLICA_LEFT = new DiskError('EPIPE', '', 'no replica is left')
