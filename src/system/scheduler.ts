// Scheduler: the order of everything that happens on virtual machines. One heap of events over all of them.
//
//   at(moment, machine, fn) ─▶ [ moment | rank of the machine at that moment | order of arrival ] ─▶ step
//
// Always: moments are whole microseconds and never go back. At one moment the events of one machine come in the order
// they were made; which machine comes first is decided by the seed. Nothing here looks at a real clock, and no event
// runs inside another.

import process from 'node:process'

/** Whose event it is: a machine, or the world around them. */
export interface EventOwner {
  readonly number: number
  /** It stands still until then: what is due earlier comes at that moment. */
  busyUntilUs: number
}

export interface ScheduledEvent {
  dueUs: number
  rank: number
  order: number
  /** Its place in the heap, -1: it is not there. */
  index: number
  readonly owner: EventOwner
  readonly fn: () => void
}

/** After so many events with promises, the runtime's own events have their turn. */
const EVENTS_PER_TURN = 1000

export class Scheduler {
  nowUs = 0
  /** Receives every event before it runs. */
  onEvent: ((event: ScheduledEvent) => void) | undefined
  /** What an event has thrown; true: that is dealt with. */
  onThrow: ((error: unknown, owner: EventOwner) => boolean) | undefined
  private readonly seed: number
  private readonly heap: ScheduledEvent[] = []
  private nextOrder = 0
  private running = false

  constructor(seed: number) {
    this.seed = seed >>> 0
  }

  /** Calls `fn` at that moment, at once if it is over. */
  at(dueUs: number, owner: EventOwner, fn: () => void): ScheduledEvent {
    const event = { dueUs: 0, rank: 0, order: 0, index: -1, owner, fn }
    this.put(event, Math.max(Math.ceil(dueUs), this.nowUs))
    return event
  }

  cancel(event: ScheduledEvent): void {
    if (event.index >= 0) this.remove(event.index)
  }

  /** Nothing that was due for this owner happens. */
  forget(owner: EventOwner): void {
    const kept = this.heap.filter(event => event.owner !== owner)
    for (const event of this.heap) event.index = -1
    this.heap.length = 0
    for (const event of kept) this.push(event)
  }

  /** When the next event is due; Infinity: there is none. */
  get nextUs(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : this.heap[0].dueUs
  }

  /** Runs all that is due until that moment, which it then is. Promises do not run on the way. */
  advance(untilUs: number): void {
    this.enter()
    try {
      while (this.step(untilUs));
      this.nowUs = Math.max(this.nowUs, untilUs)
    } finally {
      this.running = false
    }
  }

  /**
   * The same, where promises run inside virtual time: after each event all that they can do is done before the next.
   * Ends early when `done` says so.
   *
   * The runtime drains its queue of promise jobs to the end, and a callback of process.nextTick that was made by one
   * of them comes after that. So the way from one event to the next leads through a job and a tick, and takes no turn
   * of the event loop; the order of jobs is ECMAScript's, the same everywhere.
   */
  run(untilUs: number, done: () => boolean = () => false): Promise<void> {
    this.enter()
    let events = 0
    return new Promise<void>((resolve, reject) => {
      const tick = () => process.nextTick(next)
      const next = () => {
        try {
          if (done()) return resolve()
          if (!this.step(untilUs)) {
            this.nowUs = Math.max(this.nowUs, untilUs)
            return resolve()
          }
        } catch (error) {
          return reject(error)
        }
        if (++events % EVENTS_PER_TURN === 0) setImmediate(next)
        else queueMicrotask(tick)
      }
      queueMicrotask(tick)
    }).finally(() => {
      this.running = false
    })
  }

  private enter(): void {
    if (this.running) throw new Error('time passes already')
    this.running = true
  }

  /** Runs the next event that is due until then; false: there is none. */
  private step(untilUs: number): boolean {
    const { heap } = this
    for (;;) {
      const event = heap[0]
      if (event === undefined || event.dueUs > untilUs) return false
      this.remove(0)
      this.nowUs = event.dueUs
      if (event.owner.busyUntilUs > event.dueUs) {
        this.put(event, Math.ceil(event.owner.busyUntilUs))
        continue
      }
      this.onEvent?.(event)
      try {
        event.fn()
      } catch (error) {
        if (this.onThrow?.(error, event.owner) !== true) throw error
      }
      return true
    }
  }

  private put(event: ScheduledEvent, dueUs: number): void {
    event.dueUs = dueUs
    event.rank = rankOf(this.seed, dueUs, event.owner.number)
    event.order = this.nextOrder++
    this.push(event)
  }

  // ---- the heap: a parent is never after its children, which stand at 2i + 1 and 2i + 2 ----

  private push(event: ScheduledEvent): void {
    this.heap.push(event)
    this.rise(event, this.heap.length - 1)
  }

  private remove(index: number): void {
    const { heap } = this
    heap[index].index = -1
    const last = heap.pop()!
    if (index === heap.length) return
    if (index > 0 && isBefore(last, heap[(index - 1) >> 1])) this.rise(last, index)
    else this.sink(last, index)
  }

  private rise(event: ScheduledEvent, from: number): void {
    const { heap } = this
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBefore(event, heap[above])) break
      heap[index] = heap[above]
      heap[index].index = index
      index = above
    }
    heap[index] = event
    event.index = index
  }

  private sink(event: ScheduledEvent, from: number): void {
    const { heap } = this
    let index = from
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1], heap[below])) below++
      if (!isBefore(heap[below], event)) break
      heap[index] = heap[below]
      heap[index].index = index
      index = below
    }
    heap[index] = event
    event.index = index
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  if (a.dueUs !== b.dueUs) return a.dueUs < b.dueUs
  return a.rank === b.rank ? a.order < b.order : a.rank < b.rank
}

/** Where a machine stands among others at a moment: murmur3's finish over the three numbers. */
function rankOf(seed: number, dueUs: number, number: number): number {
  let h = seed ^ Math.imul(dueUs >>> 0, 0x9e3779b1) ^ Math.imul((dueUs / 2 ** 32) >>> 0, 0x85ebca77)
  h ^= Math.imul(number + 1, 0xc2b2ae3d)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
