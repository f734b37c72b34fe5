// Cron: the periodic work of a server, `hz` times a second, and timers for exact deadlines.
//
//   tick ─▶ clock, metrics, clients ─▶ starts sliced tasks: lazy freeing, expiry, compaction ─▶ hooks
//
// In a program's server it rests when there is nothing to do, and wakes with the next event of a client: the idle
// servers of a test suite cost nothing, and simulated time passes without ticks.
//
// Always: it uses the timers it was handed; when it is stopped, none of them is armed.

import type { Engine } from '../engine/engine.ts'
import type { Defrag } from '../keyspace/defrag.ts'
import { LRU_CLOCK_MASK } from '../keyspace/entry.ts'
import type { ExpireCycle } from '../keyspace/expire-cycle.ts'
import type { Timer, Timers } from '../system/system.ts'
import { Background } from './background.ts'
import type { ClientsCron } from './clients-cron.ts'
import type { CronRest } from './cron-rest.ts'
import type { MemoryStats } from './memory-stats.ts'
import type { Rates } from './rates.ts'

const SAMPLE_US = 100_000
const HZ_MAX = 500
const CLIENTS_PER_TICK = 200
const LAZY_STEP = 64
const MEMORY_SAMPLE_US = 1_000_000
/** The runtimes' timers count to 2^31 ms; later deadlines are armed again then. */
const TIMER_MS_MAX = 1e9

interface CronParts {
  engine: Engine
  timers: Timers
  rates: Rates
  memoryStats: MemoryStats
  clientsCron: ClientsCron
  expire: ExpireCycle
  defrag: Defrag
  /** The directives hz and dynamic-hz. */
  hz(): number
  dynamicHz(): boolean
  /** When the cron may rest; absent: never. */
  rest: CronRest | undefined
}

export class Cron {
  /** Called in each tick: periodic work of other modules. */
  readonly hooks: (() => void)[] = []
  readonly background: Background
  /** The effective hz, adapted to the number of clients: shown by INFO. */
  hz = 10
  /** Number of ticks, their total time, and the longest of them. */
  ticks = 0
  usedUs = 0
  longestUs = 0
  paused = false
  /** Called once, in the next tick that is not paused. */
  whenResumed: (() => void) | undefined
  private readonly parts: CronParts
  private timer: Timer | undefined
  private deadline: Timer | undefined
  private deadlineMs = Number.POSITIVE_INFINITY
  private pauseEnd: Timer | undefined
  private pauseEndMs = 0
  private lastSampleUs = 0
  private lastMemoryUs = 0
  private stopped = false

  constructor(parts: CronParts) {
    this.parts = parts
    const { engine } = parts
    this.background = new Background(parts.timers, slice => {
      engine.tick()
      const done = slice()
      engine.serveBlockedAndFlush()
      return done
    })
    this.readLruClock()
    engine.blocking.onDeadline = deadlineMs => this.armDeadline(deadlineMs)
    engine.afterCommand.push(() => this.afterEvent())
  }

  start(): void {
    this.arm()
  }

  /** Called before each event of a client: ends a rest. */
  wake(): void {
    if (this.timer !== undefined || this.stopped) return
    this.parts.engine.tick()
    this.readLruClock()
    this.parts.rest?.woken()
    this.arm()
  }

  /** Whether there is anything for the next tick to do. */
  get isNeeded(): boolean {
    return this.parts.rest?.isNeeded !== false
  }

  /** Ticks stop until wake(), whatever is there to do: the clock is moved by hand. */
  suspend(): void {
    if (this.timer !== undefined) this.parts.timers.cancel(this.timer)
    this.timer = undefined
  }

  resetStats(): void {
    this.ticks = this.usedUs = this.longestUs = 0
  }

  stop(): void {
    this.stopped = true
    this.background.stop()
    for (const timer of [this.timer, this.deadline, this.pauseEnd])
      if (timer !== undefined) this.parts.timers.cancel(timer)
  }

  private arm(): void {
    if (this.stopped) return
    const { engine, timers, hz, dynamicHz } = this.parts
    this.hz = hz()
    while (dynamicHz() && engine.clients.size / this.hz > CLIENTS_PER_TICK && this.hz < HZ_MAX)
      this.hz = Math.min(this.hz * 2, HZ_MAX)
    this.timer = timers.after(1000 / this.hz, () => {
      this.tick()
      if (this.parts.rest?.begins() === true) this.timer = undefined
      else this.arm()
    })
  }

  private tick(): void {
    const { engine, clientsCron, expire, defrag } = this.parts
    const begin = engine.machine.monotonicUs()
    engine.tick()
    this.readLruClock()
    this.ticks++
    this.sample(begin)
    if (this.paused) return
    this.whenResumed?.()
    this.whenResumed = undefined
    this.checkPause()
    clientsCron.tick(this.hz)
    if (engine.keyspace.hasLazy) this.background.start(this.freeLazily)
    if (!engine.pause.active && expire.begin(this.hz)) this.background.start(this.expireSome)
    if (defrag.begin(this.hz)) this.background.start(this.defragSome)
    for (const hook of this.hooks) hook()
    engine.serveBlockedAndFlush()
    const took = engine.machine.monotonicUs() - begin
    this.usedUs += took
    if (took > this.longestUs) this.longestUs = took
  }

  private readLruClock(): void {
    const { keyspace } = this.parts.engine
    keyspace.lruClock = Math.floor(keyspace.nowMs / 1000) & LRU_CLOCK_MASK
  }

  private sample(nowUs: number): void {
    const { rates, memoryStats } = this.parts
    if (nowUs - this.lastSampleUs >= SAMPLE_US) {
      this.lastSampleUs = nowUs
      rates.sample(nowUs)
      memoryStats.sumClientMemory()
      memoryStats.updatePeak()
    }
    if (nowUs - this.lastMemoryUs < MEMORY_SAMPLE_US) return
    this.lastMemoryUs = nowUs
    memoryStats.sampleResident()
  }

  // ---- sliced tasks ----

  readonly freeLazily = (limitUs: number): boolean => {
    const { engine } = this.parts
    const end = engine.machine.monotonicUs() + limitUs
    while (!engine.keyspace.lazyFreeStep(LAZY_STEP)) if (engine.machine.monotonicUs() >= end) return false
    return true
  }

  private readonly expireSome = (limitUs: number): boolean => {
    const { engine, expire } = this.parts
    const begin = engine.machine.monotonicUs()
    const isDone = expire.slice(limitUs)
    engine.observers.spike('expire-cycle', engine.machine.monotonicUs() - begin)
    return isDone
  }

  private readonly defragSome = (limitUs: number): boolean => this.parts.defrag.slice(limitUs)

  /** After each event. Costs nothing when there is nothing to do. */
  private afterEvent(): void {
    const { engine, expire } = this.parts
    if (engine.pause.untilMs !== this.pauseEndMs) this.checkPause()
    if (engine.keyspace.hasLazy) this.background.start(this.freeLazily)
    if (expire.beginFast()) this.background.start(this.expireSome)
  }

  // ---- deadlines ----

  /** Arms a timer for blocked clients' timeouts, to the millisecond. */
  private armDeadline(deadlineMs: number): void {
    const { engine, timers } = this.parts
    if (deadlineMs >= this.deadlineMs || this.stopped) return
    if (this.deadline !== undefined) timers.cancel(this.deadline)
    this.deadlineMs = deadlineMs
    const leftMs = Math.ceil(deadlineMs - engine.machine.monotonicUs() / 1000)
    this.deadline = timers.after(Math.min(Math.max(0, leftMs), TIMER_MS_MAX), () => {
      this.deadline = undefined
      this.deadlineMs = Number.POSITIVE_INFINITY
      engine.tick()
      engine.blocking.checkTimeouts()
      engine.serveBlockedAndFlush()
      const nextMs = engine.blocking.nextDeadlineMs()
      if (nextMs >= 0) this.armDeadline(engine.machine.monotonicUs() / 1000 + nextMs)
    })
  }

  /** Ends CLIENT PAUSE when its time is over. */
  private checkPause(): void {
    const { engine, timers } = this.parts
    const { pause } = engine
    if (pause.untilMs !== 0) pause.expire(engine.machine.nowMs())
    if (pause.untilMs === this.pauseEndMs) return
    this.pauseEndMs = pause.untilMs
    if (this.pauseEnd !== undefined) timers.cancel(this.pauseEnd)
    this.pauseEnd = undefined
    const leftMs = this.pauseEndMs - engine.machine.nowMs()
    if (this.pauseEndMs === 0 || this.stopped) return
    this.pauseEnd = timers.after(Math.min(Math.max(0, leftMs), TIMER_MS_MAX), () => {
      engine.tick()
      this.pauseEnd = undefined
      this.pauseEndMs = 0
      this.checkPause()
      engine.serveBlockedAndFlush()
    })
  }
}
