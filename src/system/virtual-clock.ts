// The clocks and timers of one virtual machine, over the world's time. They may run fast or slow (drift), the wall
// clock may be wrong and jump; and a machine that stands still (sleepMs, a pause) has a later now than the world.

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
  /** What the wall clock shows when the machine's own time is 0. */
  private wallStartUs: number
  /** The machine's own time: at `anchorWorldUs` it was `anchorUs`, and goes on at `rate`. */
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

  /** The world's time, as far as this machine is. */
  get worldUs(): number {
    return Math.max(this.scheduler.nowUs, this.busyUntilUs)
  }

  /** From now on the clocks gain so many microseconds a second. */
  drift(perMillion: number): void {
    this.anchorUs = this.ownUs()
    this.anchorWorldUs = this.worldUs
    this.rate = 1 + perMillion / 1_000_000
  }

  /** The wall clock is set; the monotonic one, and timers, do not notice. */
  jump(ms: number): void {
    this.wallStartUs += ms * 1000
  }

  /** The machine does nothing for a while: a long collection, a suspended guest. */
  stall(ms: number): void {
    this.busyUntilUs = Math.ceil(this.worldUs + (ms * 1000) / this.rate)
  }

  /** The machine starts anew: the monotonic clock does, too. */
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
      // The next one is due one period after this one was: late ones are made up for.
      timer.event = this.scheduler.at(timer.event.dueUs + (ms * 1000) / this.rate, this, fire)
      fn()
    }
    const timer: VirtualTimer = { event: this.scheduler.at(this.worldUs + (ms * 1000) / this.rate, this, fire) }
    return timer as unknown as Timer
  }
}
