// Loading: the progress of loading, and its division into steps: loaders are generators that yield every few
// milliseconds, so that clients are served meanwhile; a synchronous load runs them to the end.

import type { Clock } from '../system/system.ts'

/** A loader yields the milliseconds it asks to pause. */
export type LoadSteps<Result> = Generator<number, Result, void>

/** The dataset cannot be loaded and the server must not start; the lines say why. */
export class LoadFailure extends Error {
  readonly lines: readonly string[]
  /** The lines end with the last one that is logged. */
  isFinal = false
  exitCode = 1
  constructor(...lines: string[]) {
    super(lines[lines.length - 1])
    this.lines = lines
  }

  /** The failure with a line of what it was a part of, unless nothing more is said. */
  followedBy(line: string): LoadFailure {
    return this.isFinal ? this : new LoadFailure(...this.lines, line)
  }
}

export class LoadProgress {
  active = false
  /** A replica loads beside its old dataset, which is served meanwhile. */
  isAsync = false
  /** Unix time. */
  startSeconds = 0
  totalBytes = 0
  loadedBytes = 0
  rdbUsedMemory = 0
  keysLoaded = 0
  keysExpired = 0
  private readonly clock: Clock
  private readonly changed: () => void
  private startUs = 0

  /** `changed` is called when loading begins and ends. */
  constructor(clock: Clock, changed: () => void) {
    this.clock = clock
    this.changed = changed
  }

  begin(totalBytes: number, isAsync = false): void {
    this.active = !isAsync
    this.isAsync = isAsync
    this.startUs = this.clock.monotonicUs()
    this.startSeconds = Math.floor(this.clock.nowMs() / 1000)
    this.totalBytes = totalBytes
    this.loadedBytes = this.rdbUsedMemory = this.keysLoaded = this.keysExpired = 0
    this.changed()
  }

  end(): void {
    this.active = this.isAsync = false
    this.changed()
  }

  get percent(): number {
    return this.totalBytes === 0 ? 0 : (this.loadedBytes / this.totalBytes) * 100
  }

  get etaSeconds(): number {
    if (this.loadedBytes === 0) return 1
    const elapsed = (this.clock.monotonicUs() - this.startUs) / 1e6
    return Math.floor((elapsed * (this.totalBytes - this.loadedBytes)) / this.loadedBytes)
  }
}

/** How a loader pauses. */
interface Pauses {
  after(ms: number, fn: () => void): void
  soon(fn: () => void): void
}

/** Runs a loader to its end, the event loop served between the steps. `done` gets the result, or what is thrown. */
export function runInSlices<Result>(
  steps: LoadSteps<Result>,
  pauses: Pauses,
  done: (outcome: { result: Result } | { error: unknown }) => void,
): void {
  let step: IteratorResult<number, Result>
  try {
    step = steps.next()
  } catch (error) {
    return done({ error })
  }
  if (step.done === true) return done({ result: step.value })
  const next = () => runInSlices(steps, pauses, done)
  if (step.value > 0) pauses.after(step.value, next)
  else pauses.soon(next)
}

/** runInSlices() as a promise. */
export function runInTurns<Result>(steps: LoadSteps<Result>, pauses: Pauses): Promise<Result> {
  return new Promise((resolve, reject) =>
    runInSlices(steps, pauses, outcome => ('error' in outcome ? reject(outcome.error) : resolve(outcome.result))),
  )
}

/** Runs a loader to its end synchronously. */
export function runThrough<Result>(steps: LoadSteps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
