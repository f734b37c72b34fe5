// SegmentReleaser: returns the buffers of empty segments to the operating system, a few at a time. Bun and newer
// versions of Node free a buffer at once. Otherwise it is unmapped when the garbage collector finds it unreferenced,
// and a collection that is waited for takes 20 ms and more. Garbage that many commands left in the runtime's heap is
// collected once commands pause.
//
//   tick ─▶ busy: release BUSY_BUFFERS of those that were spare for SPARE_TICKS; where the collector frees them, wait
//        │        until it has run (or GC_WAIT_TICKS_MAX: then a collection is requested)
//        └▶ idle: release IDLE_BUFFERS, collect where needed; once more after BURST_COMMANDS

import type { Arena } from '../memory/arena.ts'

const BUSY_BUFFERS = 8
/** Beside commands what is needed again soon is not returned: the pages of a new buffer take longer. */
const SPARE_TICKS = 20
const IDLE_BUFFERS = 16
/** Idle: at most one command per tick for so many ticks. */
const IDLE_TICKS = 6
/** So many commands leave garbage worth a collection. */
const BURST_COMMANDS = 10_000
const GC_WAIT_TICKS_MAX = 20
/** Larger buffers that were left to the collector are worth a collection from this on. */
const LARGE_BYTES = 32 * 1024 * 1024

export class SegmentReleaser {
  private readonly arena: Arena
  private readonly commandCount: () => number
  private readonly collect: (later: boolean) => void
  private readonly droppedElsewhere: () => number
  /** Buffers that were released and that the collector has not found yet. */
  private waiting = 0
  private round = 0
  /** Looking at a WeakRef instead would keep its buffer while the collector marks. */
  private readonly found = new FinalizationRegistry<number>(round => {
    if (round === this.round) this.waiting--
  })
  private waitedTicks = 0
  private spareTicks = 0
  /** Buffers that no segment needed in the last SPARE_TICKS. */
  private spare = 0
  private idleTicks = 0
  private commandsSeen = 0
  private commandsCollected = 0
  private droppedBytesSeen = 0

  /**
   * `commandCount`: commands processed ever; `collect`: the runtime's garbage collection, at once or `later`;
   * `droppedElsewhere`: bytes of buffers dropped outside of the arena, ever.
   */
  constructor(arena: Arena, commandCount: () => number, collect: (later: boolean) => void, droppedElsewhere = () => 0) {
    this.arena = arena
    this.commandCount = commandCount
    this.collect = collect
    this.droppedElsewhere = droppedElsewhere
  }

  tick(): void {
    const commands = this.commandCount()
    this.idleTicks = commands - this.commandsSeen <= 1 ? this.idleTicks + 1 : 0
    this.commandsSeen = commands
    const { arena } = this
    arena.spare.releaseSurplus()
    const large = this.droppedBytes - this.droppedBytesSeen >= LARGE_BYTES
    if (this.idleTicks === IDLE_TICKS && commands - this.commandsCollected >= BURST_COMMANDS)
      return this.releaseNow(IDLE_BUFFERS)
    if (++this.spareTicks >= SPARE_TICKS) {
      this.spareTicks = 0
      this.spare = arena.spare.takeFewest()
    }
    if (arena.spare.bytes === 0 && this.waiting === 0 && !large) return
    if (this.idleTicks >= IDLE_TICKS) {
      this.release(IDLE_BUFFERS)
      if (large || this.waiting > 0) this.releaseNow(0)
      return
    }
    if (this.waiting === 0 && this.spare > 0) {
      this.waitedTicks = 0
      this.release(Math.min(this.spare, BUSY_BUFFERS))
    } else if (this.waiting === 0 && !large) this.waitedTicks = 0
    else if (++this.waitedTicks >= GC_WAIT_TICKS_MAX)
      this.releaseNow(Math.min(this.spare, BUSY_BUFFERS - this.waiting), true)
  }

  /** Bytes of larger buffers that were left to the collector, ever. */
  private get droppedBytes(): number {
    return this.arena.spare.leftBytes + this.droppedElsewhere()
  }

  /** Releases so many buffers and requests a collection: `later`, beside commands, or at once, which takes longer. */
  releaseNow(buffers: number, later = false): void {
    this.release(buffers)
    // A later collection may miss what was dropped while it marked: then one is requested again.
    if (!later) this.forget()
    this.waitedTicks = 0
    this.droppedBytesSeen = this.droppedBytes
    this.commandsCollected = this.commandsSeen
    this.collect(later)
  }

  private release(buffers: number): void {
    const { spare } = this.arena
    for (let left = buffers; left > 0 && spare.bytes > 0; left--) {
      const buffer = spare.release()
      if (this.spare > 0) this.spare--
      if (buffer === undefined) continue
      this.found.register(buffer, this.round)
      this.waiting++
    }
  }

  private forget(): void {
    this.round++
    this.waiting = 0
  }
}
