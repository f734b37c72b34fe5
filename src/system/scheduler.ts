// Scheduler: orders all events of all virtual machines, in one heap.
//
//   at(moment, machine, fn) ─▶ [ moment | rank of the machine at that moment | order of arrival ] ─▶ step
//
// Always: times are whole microseconds and never decrease. At one time the events of one machine run in the order of
// their creation; the order of machines depends on the seed. No real clock is read, and no event runs inside another.

import process from 'node:process'

/** The owner of an event: a machine, or the world. */
export interface EventOwner {
  readonly number: number
  /** It is stalled until then: earlier events run at that time. */
  busyUntilUs: number
}

export interface ScheduledEvent {
  dueUs: number
  rank: number
  order: number
  /** Index in the heap, -1: not in it. */
  index: number
  readonly owner: EventOwner
  readonly fn: () => void
}

/** After so many events with promises, the runtime's event loop has a turn. */
const EVENTS_PER_TURN = 1000

export class Scheduler {
  nowUs = 0
  /** Called with every event before it runs. */
  onEvent: ((event: ScheduledEvent) => void) | undefined
  /** Called with an exception of an event; true: it is handled. */
  onThrow: ((error: unknown, owner: EventOwner) => boolean) | undefined
  private readonly seed: number
  private readonly heap: ScheduledEvent[] = []
  private nextOrder = 0
  private running = false

  constructor(seed: number) {
    this.seed = seed >>> 0
  }

  /** Calls `fn` at that time; at once if it has passed. */
  at(dueUs: number, owner: EventOwner, fn: () => void): ScheduledEvent {
    const event = { dueUs: 0, rank: 0, order: 0, index: -1, owner, fn }
    this.put(event, Math.max(Math.ceil(dueUs), this.nowUs))
    return event
  }

  cancel(event: ScheduledEvent): void {
    if (event.index >= 0) this.remove(event.index)
  }

  /** Removes all events of this owner. */
  forget(owner: EventOwner): void {
    const kept = this.heap.filter(event => event.owner !== owner)
    for (const event of this.heap) event.index = -1
    this.heap.length = 0
    for (const event of kept) this.push(event)
  }

  /** Time of the next event; Infinity: there is none. */
  get nextUs(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : this.heap[0].dueUs
  }

  /** Runs all events up to that time, which is the time afterwards. Promise jobs do not run in between. */
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
   * The same with promise jobs inside virtual time: all of them run after each event. Ends early when `done` returns
   * true.
   *
   * The runtime drains its queue of promise jobs, and a callback of process.nextTick that one of them made comes after
   * that. So from one event to the next it takes a job and a tick, and no turn of the event loop; the order of jobs is
   * ECMAScript's, the same everywhere.
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

  // ---- the heap: a parent is never after its children, at 2i + 1 and 2i + 2 ----

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

/** The order of machines at one time: murmur3's finalizer over the three numbers. */
function rankOf(seed: number, dueUs: number, number: number): number {
  let h = seed ^ Math.imul(dueUs >>> 0, 0x9e3779b1) ^ Math.imul((dueUs / 2 ** 32) >>> 0, 0x85ebca77)
  h ^= Math.imul(number + 1, 0xc2b2ae3d)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
