// CopySink: the bytes of a snapshot, loaded into the keyspace of another server as they come.
//
//   SnapshotJob ─ write ─▶ chunks ─▶ [a slice of one] ─▶ RdbReader ─▶ the other keyspace
//
// Always: at most a chunk waits; a slice takes a fraction of a millisecond, apart from large values.

import { DiskError } from '../system/system.ts'
import type { JobSink } from './file-sink.ts'
import { KeyspaceTarget } from './keyspace-target.ts'
import type { PersistenceDependencies } from './parts.ts'
import { DONE, NEED, RdbReader } from './rdb/reader.ts'
import { readersOf } from './rdb-loader.ts'

const SLICE_BYTES = 16 * 1024

interface Chunk {
  u8: Uint8Array
  length: number
}

export class CopySink implements JobSink {
  error: DiskError | undefined
  release: (u8: Uint8Array) => void = () => {}
  onDrain: () => void = () => {}
  private readonly soon: (fn: () => void) => void
  private readonly target: KeyspaceTarget
  private readonly reader: RdbReader
  private readonly chunks: Chunk[] = []
  private isBusy = false
  private isWhole = false
  private finished: ((error: DiskError | null) => void) | undefined

  /** `to`: the persistence of the other server, whose keyspace is empty. */
  constructor(to: PersistenceDependencies, soon: (fn: () => void) => void) {
    this.soon = soon
    this.target = new KeyspaceTarget(to.engine.keyspace, to.log, {
      dropExpired: false,
      fileBytes: Number.POSITIVE_INFINITY,
      replace: false,
      library: code => to.libraries.load(code, false),
      databases: to.engine.keyspace.databases,
    })
    this.reader = new RdbReader(readersOf(to), this.target, false)
  }

  get ready(): boolean {
    return this.chunks.length === 0
  }

  write(u8: Uint8Array, length: number): void {
    this.chunks.push({ u8, length })
    this.work()
  }

  finish(done: (error: DiskError | null) => void): void {
    this.finished = done
    this.work()
  }

  abort(reason: DiskError): void {
    this.error ??= reason
    this.work()
  }

  private work(): void {
    if (this.isBusy) return
    this.isBusy = true
    this.soon(() => {
      this.isBusy = false
      this.step()
    })
  }

  private step(): void {
    const { chunks, reader, finished } = this
    if (this.error !== undefined) {
      for (const { u8 } of chunks.splice(0)) this.release(u8)
      reader.discard()
    } else if (chunks.length > 0) {
      this.feed(chunks[0])
      return this.work()
    } else if (finished !== undefined && !this.isWhole)
      this.error = new DiskError('EIO', '', 'the snapshot is not whole')
    this.onDrain()
    this.finished = undefined
    finished?.(this.error ?? null)
  }

  /** Loads a slice of the first chunk. */
  private feed(chunk: Chunk): void {
    const { reader, chunks } = this
    if (chunk.length > 0) reader.add(chunk.u8.subarray(0, chunk.length))
    chunk.length = 0
    try {
      const outcome = reader.run(SLICE_BYTES)
      if (outcome === DONE) {
        this.isWhole = true
        this.target.end()
      }
      if (outcome === DONE || outcome === NEED) this.release(chunks.shift()!.u8)
    } catch (error) {
      this.error = new DiskError('EIO', '', String(error))
    }
  }
}
