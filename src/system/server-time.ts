// ServerTime: clock and timers of a server inside another program. Time comes from the runtime, asked anew each time,
// so that fake timers lead the server as they lead the program; or it stands still and is advanced by step().
//
//   runtime   wall = Date.now() + wallOffset   own = performance.now() + ownOffset   one timer of the runtime is armed
//   still     wall = wallStart + own           own = the scheduler's time            for the earliest event
//
// Always: `own` never goes back, also when fake timers are installed or removed; events run in the order of their time.
// Only timers are ever faked here: what a server does after pending input (soon) happens in a real turn of the event
// loop, without which no socket would be read. No timer keeps the process alive.

import { setImmediate as realImmediate } from 'node:timers'
import { type ScheduledEvent, Scheduler } from './scheduler.ts'
import { type Clock, TIMER_MS_MAX, type Timer, type Timers } from './system.ts'

/** The runtime's own, unless timers were faked before this was loaded. */
const firstSetTimeout = globalThis.setTimeout

/** A timer that fires so much before its time was faked, and the clock was not: its time has come. */
const EARLY_US_MAX = 5000
/** Drift between the two clocks at which nowUs is set to the wall clock again. */
const DRIFT_MAX_US = 2000

interface Armed {
  handle: unknown
  dueUs: number
  /** Both clocks when it was armed. */
  ownUs: number
  dateMs: number
  /** The runtime's timer is over before the event is due: no timer is longer than TIMER_MS_MAX. */
  isPart: boolean
  /** The functions of the moment it was armed: others since then mean that its clock is gone, or asleep. */
  setTimeout: typeof globalThis.setTimeout
  clearTimeout: typeof globalThis.clearTimeout
}

export class ServerTime {
  readonly clock: Clock
  readonly timers: Timers
  readonly number = 0
  busyUntilUs = 0
  private readonly scheduler = new Scheduler(1)
  private still = false
  /** Still: the wall clock when `own` is 0. */
  private wallStartUs = 0
  private wallOffsetMs = 0
  private ownOffsetUs = 0
  private lastOwnUs = 0
  private performanceNow = globalThis.performance.now
  private anchorUs = 0
  private armed: Armed | undefined

  constructor(startMs?: number) {
    this.ownOffsetUs = -globalThis.performance.now() * 1000
    this.anchorUs = globalThis.Date.now() * 1000
    if (startMs !== undefined) {
      this.still = true
      this.wallStartUs = startMs * 1000
    }
    this.clock = {
      nowMs: () => this.nowMs(),
      nowUs: () => this.nowUs(),
      monotonicUs: () => this.ownUs(),
      utcOffsetMinutes: atMs => -new Date(atMs).getTimezoneOffset(),
      sleepMs: ms => this.sleep(ms),
    }
    this.timers = {
      after: (ms, fn) => this.after(ms, fn),
      every: (ms, fn) => this.every(Math.max(ms, 1), fn),
      cancel: timer => this.scheduler.cancel((timer as unknown as { event: ScheduledEvent }).event),
      soon: fn => void realImmediate(fn),
    }
  }

  /** Whether the runtime's time does not move it. */
  get isStill(): boolean {
    return this.still
  }

  /** Time of the next event, on the scale of ownUs(); Infinity: there is none. */
  get nextUs(): number {
    return this.scheduler.nextUs
  }

  nowMs(): number {
    if (this.still) return Math.floor((this.wallStartUs + this.ownUs()) / 1000)
    if (this.armed !== undefined && this.armed.setTimeout !== globalThis.setTimeout) this.arm()
    return globalThis.Date.now() + this.wallOffsetMs
  }

  ownUs(): number {
    if (this.still) return Math.max(this.scheduler.nowUs, this.busyUntilUs)
    const { performance } = globalThis
    const readUs = performance.now() * 1000
    if (performance.now !== this.performanceNow) {
      // Another clock from here on: it continues where the last one was, at a whole millisecond. Fake timers count in
      // these: with a fraction everything would be due one later.
      this.performanceNow = performance.now
      this.ownOffsetUs = Math.ceil(this.lastOwnUs / 1000) * 1000 - readUs
    }
    return (this.lastOwnUs = Math.max(this.lastOwnUs, readUs + this.ownOffsetUs))
  }

  private nowUs(): number {
    if (this.still) return Math.floor(this.wallStartUs + this.ownUs())
    const wallUs = this.nowMs() * 1000
    const us = Math.floor(this.anchorUs + this.ownUs())
    if (us >= wallUs - DRIFT_MAX_US && us <= wallUs + DRIFT_MAX_US) return us
    this.anchorUs = wallUs - this.ownUs()
    return wallUs
  }

  private sleep(ms: number): void {
    if (this.still) this.busyUntilUs = this.ownUs() + ms * 1000
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  }

  // ---- control ----

  /** Moves a clock that stands to that time, and runs the events due until then. */
  step(toUs: number): void {
    this.scheduler.advance(Math.max(toUs, this.scheduler.nowUs))
  }

  /** Sets the wall clock; timers are not affected. */
  setWall(atMs: number): void {
    if (this.still) this.wallStartUs = Math.floor(atMs) * 1000 - this.ownUs()
    else this.wallOffsetMs = Math.floor(atMs) - globalThis.Date.now()
  }

  /** The wall clock of `other`, if the runtime's time moves both. */
  follow(other: ServerTime): void {
    if (!this.still && !other.still) this.wallOffsetMs = other.wallOffsetMs
  }

  /** From now on the runtime's time does not move it. */
  freeze(): void {
    if (this.still) return
    const wallUs = this.nowMs() * 1000
    // Whole microseconds, so that sums with the wall clock are exact.
    this.scheduler.nowUs = Math.ceil(Math.max(this.scheduler.nowUs, this.ownUs()))
    this.disarm()
    this.still = true
    this.wallStartUs = wallUs - this.ownUs()
  }

  /** From now on the runtime's time moves it again, from where it is. */
  resume(): void {
    if (!this.still) return
    const wallMs = this.nowMs()
    this.lastOwnUs = this.ownUs()
    this.still = false
    this.performanceNow = globalThis.performance.now
    this.ownOffsetUs = this.lastOwnUs - globalThis.performance.now() * 1000
    this.wallOffsetMs = wallMs - globalThis.Date.now()
    this.arm()
  }

  // ---- timers ----

  private after(ms: number, fn: () => void): Timer {
    const event = this.scheduler.at(this.ownUs() + ms * 1000, this, fn)
    if (!this.still) this.arm()
    return { event } as unknown as Timer
  }

  private every(ms: number, fn: () => void): Timer {
    const again = () => {
      timer.event = this.scheduler.at(timer.event.dueUs + ms * 1000, this, again)
      fn()
    }
    const timer = { event: this.scheduler.at(this.ownUs() + ms * 1000, this, again) }
    if (!this.still) this.arm()
    return timer as unknown as Timer
  }

  /** Arms one timer of the runtime for the earliest event. */
  private arm(): void {
    const dueUs = this.scheduler.nextUs
    const { armed } = this
    const { setTimeout, clearTimeout } = globalThis
    if (armed !== undefined && armed.dueUs <= dueUs && armed.setTimeout === setTimeout) return
    this.disarm()
    if (dueUs === Number.POSITIVE_INFINITY) return
    const ownUs = this.ownUs()
    const dateMs = globalThis.Date.now()
    const leftMs = Math.max(0, Math.ceil((dueUs - ownUs) / 1000))
    const handle: unknown = setTimeout(() => this.fire(), Math.min(leftMs, TIMER_MS_MAX))
    ;(handle as { unref?: () => void }).unref?.()
    this.armed = { handle, dueUs, ownUs, dateMs, isPart: leftMs > TIMER_MS_MAX, setTimeout, clearTimeout }
  }

  private disarm(): void {
    if (this.armed === undefined) return
    this.armed.clearTimeout(this.armed.handle as ReturnType<typeof setTimeout>)
    this.armed = undefined
  }

  private fire(): void {
    const { armed } = this
    this.armed = undefined
    if (this.still || armed === undefined) return
    const lateUs = this.ownUs() - armed.dueUs
    // Mock timers may leave performance.now() alone: then the timer, and the date if that is faked too, say how much
    // time has passed. Those of node:test run nothing that is armed during their tick.
    const isFaked = armed.setTimeout !== firstSetTimeout || lateUs < -EARLY_US_MAX
    if (isFaked && !armed.isPart && armed.setTimeout === globalThis.setTimeout) {
      const passedUs = (globalThis.Date.now() - armed.dateMs) * 1000
      this.ownOffsetUs += Math.max(0, -lateUs, armed.ownUs + passedUs - this.ownUs())
    }
    const nowUs = this.ownUs()
    // A fraction of a millisecond too early is on time.
    this.scheduler.advance(Math.max(nowUs, lateUs < 0 && lateUs > -1000 ? armed.dueUs : 0, this.scheduler.nowUs))
    this.arm()
  }
}

/** The clock of @sinonjs/fake-timers, as the functions that it replaces name it. */
export interface FakeClock {
  readonly now: number
  /** By their ids; a Map in newer versions (15.5). */
  readonly timers?: Readonly<Record<string, FakeTimer>> | ReadonlyMap<unknown, FakeTimer>
  tick(ms: number): unknown
}

interface FakeTimer {
  readonly callAt: number
}

/** When its next timer is due, on its own scale; Infinity: there is none. */
export function nextFakeMs({ timers = {} }: Pick<FakeClock, 'timers'>): number {
  let nextMs = Number.POSITIVE_INFINITY
  for (const { callAt } of timers instanceof Map ? timers.values() : Object.values(timers))
    nextMs = Math.min(nextMs, callAt)
  return nextMs
}

/** The installed one; undefined: there is none. */
export function fakeClock(): FakeClock | undefined {
  const { clock } = globalThis.setTimeout as { clock?: FakeClock }
  return typeof clock?.tick === 'function' && typeof clock.now === 'number' ? clock : undefined
}

/** Resolves in the next turn of the event loop, whatever is faked. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => void realImmediate(resolve))
}
