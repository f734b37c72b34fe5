// CallLock: where modules' code runs in the middle of something, it must not call commands: in the functions of a type
// (save, load, free, memory and the like), and in filters.
//
// Always: run() may nest, and the lock is open when nothing of this runs.

export class CallLock {
  private depth = 0

  run<Result>(work: () => Result): Result {
    this.depth++
    try {
      return work()
    } finally {
      this.depth--
    }
  }

  /** Throws a TypeError. */
  mustBeOpen(): void {
    if (this.depth !== 0) throw new TypeError('filters and the functions of types call no commands and open no keys')
  }
}
