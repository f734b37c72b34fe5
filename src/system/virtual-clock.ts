// The clocks and timers of one virtual machine, relative to the world's time. They may run fast or slow (drift), the
// wall clock may be wrong and jump, and a stalled machine (sleepMs, a pause) is ahead of the world's time.

import type { ScheduledEvent, Scheduler } from './scheduler.ts'
import type { Clock, Timer, Timers } from './system.ts'

interface VirtualTimer {
  event: ScheduledEvent
}

export class VirtualClock {
  readonly number: number
  busyUntilUs = 0
  readonly clock: Clock
  readonly timers: Timers
  private readonly scheduler: Scheduler
  /** The wall clock when the machine's own time is 0. */
  private wallStartUs: number
  /** The machine's own time: at `anchorWorldUs` it was `anchorUs`, and advances at `rate`. */
  private rate = 1
  private anchorWorldUs: number
  private anchorUs = 0
  private bootUs = 0

  constructor(scheduler: Scheduler, number: number, startMs: number) {
    this.scheduler = scheduler
    this.number = number
    this.wallStartUs = startMs * 1000
    this.anchorWorldUs = scheduler.nowUs
    this.clock = {
      nowMs: () => Math.floor((this.wallStartUs + this.ownUs()) / 1000),
      nowUs: () => Math.floor(this.wallStartUs + this.ownUs()),
      monotonicUs: () => this.ownUs() - this.bootUs,
      utcOffsetMinutes: () => 0,
      sleepMs: ms => this.stall(ms),
    }
    this.timers = {
      after: (ms, fn) => this.after(ms, fn),
      every: (ms, fn) => this.every(Math.max(ms, 1), fn),
      cancel: timer => this.scheduler.cancel((timer as unknown as VirtualTimer).event),
      soon: fn => void this.soon(fn),
    }
  }

  /** The world's time that this machine has reached. */
  get worldUs(): number {
    return Math.max(this.scheduler.nowUs, this.busyUntilUs)
  }

  /** The clocks gain so many microseconds a second from now on. */
  drift(perMillion: number): void {
    this.anchorUs = this.ownUs()
    this.anchorWorldUs = this.worldUs
    this.rate = 1 + perMillion / 1_000_000
  }

  /** Sets the wall clock; the monotonic one, and timers, are not affected. */
  jump(ms: number): void {
    this.wallStartUs += ms * 1000
  }

  /** The machine does nothing for a while: a long collection, a suspended guest. */
  stall(ms: number): void {
    this.busyUntilUs = Math.ceil(this.worldUs + (ms * 1000) / this.rate)
  }

  /** The machine reboots: the monotonic clock restarts. */
  boot(): void {
    this.busyUntilUs = 0
    this.bootUs = this.ownUs()
  }

  soon(fn: () => void): ScheduledEvent {
    return this.scheduler.at(this.worldUs, this, fn)
  }

  private ownUs(): number {
    return this.anchorUs + (this.worldUs - this.anchorWorldUs) * this.rate
  }

  private after(ms: number, fn: () => void): Timer {
    return { event: this.scheduler.at(this.worldUs + (ms * 1000) / this.rate, this, fn) } as unknown as Timer
  }

  private every(ms: number, fn: () => void): Timer {
    const fire = () => {
      // The next one is due one period after this one was due: late ones are caught up.
      timer.event = this.scheduler.at(timer.event.dueUs + (ms * 1000) / this.rate, this, fire)
      fn()
    }
    const timer: VirtualTimer = { event: this.scheduler.at(this.worldUs + (ms * 1000) / this.rate, this, fire) }
    return timer as unknown as Timer
  }
}
