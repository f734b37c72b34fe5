// SnapshotJob: one snapshot, written in slices to a file or to replicas.
//
//   start ─▶ slice … slice ─▶ [all entries written] ─▶ sink.finish ─▶ done(null)
//     └──── abort, or the disk fails ─▶ the iteration finishes without a consumer ─▶ done(error)
//
// Always: `done` is called once, not before start() has returned; while `isIterating` no other snapshot can begin.

import type { Keyspace } from '../keyspace/keyspace.ts'
import { Snapshot, type SnapshotConsumer } from '../keyspace/snapshot.ts'
import { type Clock, DiskError, type FileSystem } from '../system/system.ts'
import type { ByteSink, JobSink } from './file-sink.ts'

const STEPS_PER_LOOK = 4
/** A request that arrives during a slice waits for its end, so it is short. */
const SLICE_US = 500
/** The pause between slices while requests arrive. */
const REST_MS = 1
/** How long a change of rdb-key-save-delay goes unnoticed. */
const DELAY_LOOK_MS = 100
/** Timers are not shorter: delays below are those of several keys together. */
const DELAY_US_MIN = 1000

/** Calls `job` repeatedly, with a budget in microseconds, until it returns true. */
export interface Background {
  start(job: (limitUs: number) => boolean): void
}

/** Serializes entries into a file's bytes. */
interface FileWriter extends SnapshotConsumer {
  end(): void
  /** Memory of the values written early because they were about to change. */
  readonly copyOnWriteBytes: number
  /** Why the file is not whole. */
  readonly failure?: Error | undefined
}

export interface JobParts {
  space: Keyspace
  disk: FileSystem
  clock: Clock
  background: Background
  /** Calls `fn` after `ms`. */
  after(ms: number, fn: () => void): void
  /** Counts requests. */
  requests(): number
  /** rdb-key-save-delay in microseconds, for tests. */
  keyDelayUs(): number
}

export class SnapshotJob {
  error: DiskError | undefined
  readonly startedUs: number
  private readonly parts: JobParts
  private readonly sink: JobSink
  private readonly writer: FileWriter
  private readonly snapshot: Snapshot
  private readonly done: (error: DiskError | null) => void
  private ended = false
  private completed = false
  private delaying = false
  /** Keys whose rdb-key-save-delay is over. */
  private keysWaitedFor = 0
  private requests: number

  /** Begins at once: the snapshot is of this moment. */
  constructor(
    parts: JobParts,
    sink: JobSink,
    makeWriter: (sink: ByteSink) => FileWriter,
    done: (error: DiskError | null) => void,
  ) {
    this.parts = parts
    this.done = done
    this.startedUs = parts.clock.monotonicUs()
    this.requests = parts.requests()
    this.sink = sink
    this.sink.onDrain = () => this.resume()
    this.writer = makeWriter(this.sink)
    this.snapshot = new Snapshot(parts.space, this.writer, () => this.iterated())
    this.snapshot.onRead = () => this.resume()
    parts.background.start(this.slice)
  }

  get isIterating(): boolean {
    return this.snapshot.running
  }

  get keysDone(): number {
    return this.snapshot.done
  }

  get keysTotal(): number {
    return this.snapshot.total
  }

  get copyOnWriteBytes(): number {
    return this.writer.copyOnWriteBytes
  }

  get seconds(): number {
    return Math.floor((this.parts.clock.monotonicUs() - this.startedUs) / 1e6)
  }

  private resume(): void {
    if (this.isIterating && !this.delaying) this.parts.background.start(this.slice)
  }

  private readonly slice = (limitUs: number): boolean => {
    const { clock } = this.parts
    const { snapshot, sink } = this
    if (this.delaying) return true
    const end = clock.monotonicUs() + Math.min(limitUs, SLICE_US)
    do {
      const failure = this.failure()
      if (failure !== undefined) this.fail(failure)
      else if (!sink.ready || snapshot.isReading) return true // resume() continues
      const delayUs = this.error === undefined ? this.parts.keyDelayUs() : 0
      if (delayUs > 0) return this.delayed(end)
      for (let left = STEPS_PER_LOOK; left > 0 && snapshot.running && !snapshot.isReading; left--) {
        snapshot.step()
        if (snapshot.isInLarge) left = 0
      }
    } while (snapshot.running && clock.monotonicUs() < end)
    return !snapshot.running || this.throttles()
  }

  private failure(): DiskError | undefined {
    const { failure } = this.writer
    return failure === undefined ? this.sink.error : new DiskError('EIO', '', failure.message)
  }

  private throttles(): boolean {
    const requests = this.parts.requests()
    const atWork = requests !== this.requests
    this.requests = requests
    if (atWork && !this.snapshot.isWanted) this.pause(REST_MS)
    return this.delaying
  }

  /** Writes keys whose delays fill a pause, one at least, then pauses for them, and for each that changes meanwhile. */
  private delayed(end: number): boolean {
    const { snapshot, sink } = this
    const { clock } = this.parts
    const delayUs = this.parts.keyDelayUs()
    const wanted = this.keysWaitedFor + Math.ceil(DELAY_US_MIN / delayUs)
    const goesOn = () => snapshot.running && !snapshot.isReading
    while (goesOn() && snapshot.done === this.keysWaitedFor) snapshot.step()
    while (goesOn() && snapshot.done < wanted && sink.ready && clock.monotonicUs() < end) snapshot.step()
    this.delaying = true
    this.waitForKeys(clock.monotonicUs(), delayUs * (snapshot.done - this.keysWaitedFor))
    return true
  }

  /** A delay that is made shorter meanwhile ends sooner. */
  private waitForKeys(sinceUs: number, leftUs: number): void {
    const { parts, snapshot } = this
    parts.after(Math.min(Math.max(1, leftUs / 1000), DELAY_LOOK_MS), () => {
      const keys = snapshot.done - this.keysWaitedFor
      const stillUs = parts.keyDelayUs() * keys - (parts.clock.monotonicUs() - sinceUs)
      if (stillUs > 0) return this.waitForKeys(sinceUs, stillUs)
      this.keysWaitedFor = snapshot.done
      this.delaying = false
      this.resume()
    })
  }

  private pause(ms: number): void {
    this.delaying = true
    this.parts.after(ms, () => {
      this.delaying = false
      this.resume()
    })
  }

  private iterated(): void {
    this.ended = true
    if (this.error !== undefined) return
    this.writer.end()
    const failure = this.failure()
    if (failure !== undefined) return this.fail(failure)
    this.sink.finish(error => this.complete(error))
  }

  private complete(error: DiskError | null): void {
    if (this.completed) return
    this.completed = true
    if (error !== null) this.error ??= error
    this.done(this.error ?? null)
  }

  /** Cancels; `done` is called with `reason`. */
  abort(reason: DiskError): void {
    this.fail(reason)
  }

  private fail(reason: DiskError): void {
    if (this.completed || this.error !== undefined) return
    this.error = reason
    this.delaying = false
    if (!this.ended) this.snapshot.abandon()
    this.sink.abort(reason)
    this.parts.after(0, () => this.complete(reason))
    this.resume()
  }

  /** Finishes the iteration of a cancelled snapshot synchronously, so that another can begin. */
  finishIteration(): void {
    while (this.snapshot.running) this.snapshot.step()
  }
}
