// Loading: how far the loading of a file is, and how the work is divided: loaders are generators that pause every few
// milliseconds, so that clients are answered meanwhile; who cannot wait runs them through.

import type { Clock } from '../system/system.ts'

/** What a loader yields: how many milliseconds it would like to rest. */
export type LoadSteps<Result> = Generator<number, Result, void>

/** The file cannot be loaded: the lines say why, the server must not start with it. */
export class LoadFailure extends Error {
  readonly lines: readonly string[]
  constructor(...lines: string[]) {
    super(lines[lines.length - 1])
    this.lines = lines
  }
}

export class LoadProgress {
  active = false
  /** Seconds since 1970. */
  startSeconds = 0
  totalBytes = 0
  loadedBytes = 0
  rdbUsedMemory = 0
  keysLoaded = 0
  keysExpired = 0
  private readonly clock: Clock
  private readonly changed: () => void
  private startUs = 0

  /** `changed` is called when loading begins and when it ends. */
  constructor(clock: Clock, changed: () => void) {
    this.clock = clock
    this.changed = changed
  }

  begin(totalBytes: number): void {
    this.active = true
    this.startUs = this.clock.monotonicUs()
    this.startSeconds = Math.floor(this.clock.nowMs() / 1000)
    this.totalBytes = totalBytes
    this.loadedBytes = this.rdbUsedMemory = this.keysLoaded = this.keysExpired = 0
    this.changed()
  }

  end(): void {
    this.active = false
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

/** Runs a loader to its end, letting others work in between. */
export async function runInTurns<Result>(
  steps: LoadSteps<Result>,
  rest: (ms: number, fn: () => void) => void,
): Promise<Result> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await new Promise<void>(resolve => rest(step.value, resolve))
  }
}

/** Runs a loader to its end while everything waits. */
export function runThrough<Result>(steps: LoadSteps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
