// GarbageLimit: requests a garbage collection when the runtime has taken too much memory beside the data.
//
//   WATCH ─ so much above the least there was ─▶ collect ─▶ SETTLE ─ SETTLE_LOOKS later ─▶ what is left is the least
//
// JavaScriptCore begins a collection when its heap has grown by a fifth, buffers and so the arena included: with 2 GB
// of data that is 400 MB of garbage. Always: what a collection does not free is not collected again.

/** A collection has ended long before. One takes up to 45 ms of the main thread: they are to be rare. */
const SETTLE_LOOKS = 30

interface GarbageParts {
  /** Resident memory beside the data, now. */
  runtimeBytes(): number
  /** That may be garbage. */
  allowedBytes(): number
  /** Requests a collection beside commands. */
  collect(): void
}

export class GarbageLimit {
  private readonly parts: GarbageParts
  private leastBytes = Number.POSITIVE_INFINITY
  private settling = 0

  constructor(parts: GarbageParts) {
    this.parts = parts
  }

  /** Called once a second. */
  look(): void {
    const { parts } = this
    const bytes = parts.runtimeBytes()
    if (this.settling > 0) {
      if (--this.settling === 0) this.leastBytes = bytes
      return
    }
    this.leastBytes = Math.min(this.leastBytes, bytes)
    if (bytes <= this.leastBytes + parts.allowedBytes()) return
    this.settling = SETTLE_LOOKS
    parts.collect()
  }
}
