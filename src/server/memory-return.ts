// MemoryReturn: gives the buffers of empty segments back to the operating system, a few at a time. A buffer goes when
// the collector finds that nobody holds it, and unmapping takes the event loop 1–2 ms for each; a collection that is
// asked for takes about 5 ms more. So does what many commands left behind in the runtime, once they have ended.
//
//   tick ─▶ clients are busy: let go of BUSY_BUFFERS, wait until a collection has come by of itself (or PATIENCE_TICKS)
//        └▶ hardly anybody asks:  let go of IDLE_BUFFERS, collect; once more after BURST_COMMANDS

import type { Arena } from '../memory/arena.ts'

const BUSY_BUFFERS = 2
const IDLE_BUFFERS = 4
/** Not more commands than ticks for so many ticks: hardly anybody is going to wait. */
const IDLE_TICKS = 6
/** So many commands leave something to collect. */
const BURST_COMMANDS = 10_000
const PATIENCE_TICKS = 300
/** Larger buffers, dropped by the arena itself or by clients, are worth a collection from this on. */
const LARGE_BYTES = 32 * 1024 * 1024

export class MemoryReturn {
  private readonly arena: Arena
  private readonly commandCount: () => number
  private readonly collect: () => void
  private readonly droppedElsewhere: () => number
  private going: WeakRef<ArrayBuffer>[] = []
  private waitedTicks = 0
  private idleTicks = 0
  private commandsSeen = 0
  private commandsCollected = 0
  private droppedBytesSeen = 0

  /**
   * `commandCount`: commands processed ever; `collect`: the runtime's garbage collection; `droppedElsewhere`: bytes of
   * buffers that others than the arena let go of ever.
   */
  constructor(arena: Arena, commandCount: () => number, collect: () => void, droppedElsewhere = () => 0) {
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
    if (this.going.length > 0) this.going = this.going.filter(buffer => buffer.deref() !== undefined)
    const large = arena.droppedBytes + this.droppedElsewhere() - this.droppedBytesSeen >= LARGE_BYTES
    if (this.idleTicks === IDLE_TICKS && commands - this.commandsCollected >= BURST_COMMANDS)
      return this.now(IDLE_BUFFERS)
    if (arena.spareBytes === 0 && this.going.length === 0 && !large) return
    this.waitedTicks++
    if (this.idleTicks >= IDLE_TICKS) return this.now(IDLE_BUFFERS)
    if (this.waitedTicks >= PATIENCE_TICKS) return this.now(BUSY_BUFFERS - this.going.length)
    if (this.going.length > 0 || arena.spareBytes === 0) return
    this.waitedTicks = 0
    this.letGo(BUSY_BUFFERS)
  }

  /** Lets go of so many buffers and has the runtime collect them. */
  now(buffers: number): void {
    this.letGo(buffers)
    this.going = []
    this.waitedTicks = 0
    this.droppedBytesSeen = this.arena.droppedBytes + this.droppedElsewhere()
    this.commandsCollected = this.commandsSeen
    this.collect()
  }

  private letGo(buffers: number): void {
    for (let left = buffers; left > 0; left--) {
      const buffer = this.arena.releaseSpare()
      if (buffer === undefined) return
      this.going.push(buffer)
    }
  }
}
