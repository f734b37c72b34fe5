// The clock of a server in a program, moved by the program.
//
//   advance ─▶ settle ─▶ the earliest of: a timer, a key's expiry, the end ─▶ step there ─▶ settle ─▶ …
//
// While fake timers of @sinonjs/fake-timers are installed (vitest, Jest, Sinon), it is their clock that is advanced, so
// that the program's own timers fire in their order among the server's.
//
// Always: each event runs at its own time; before the next one, input and output that it caused have been handled.

import type { Server } from '../server/server.ts'
import { type FakeClock, fakeClock, nextFakeMs, nextTurn, type ServerTime } from '../system/server-time.ts'
import { type Duration, durationMs } from './duration.ts'
import { Expiries } from './expiries.ts'

export interface ServerClock {
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Time passes: `ms` milliseconds, or '7d', '1h30m', '250ms'. Every timer and expiry on the way runs at its own time.
   */
  advance(duration: number | string): Promise<void>
  /** The same at once, for servers that are used in process; input from sockets is not waited for. */
  advanceSync(duration: number | string): void
  /** Sets the wall clock, as an administrator would: keys may expire by it, timers do not run. */
  set(at: Date | number): void
  /** Stops the clock: only advance() and set() move it. */
  freeze(): void
  /** The runtime's time moves the clock again. */
  resume(): void
  /** Only advance() and set() move it. */
  readonly isStill: boolean
}

/**
 * Turns of the event loop without any input or output after which nothing is under way; with sockets a reply takes two.
 */
const QUIET_TURNS = 2
const QUIET_TURNS_SOCKETS = 5
const TURNS_MAX = 10_000
/** Times that timers are due at one instant, each set by the one before, after which a millisecond passes. */
const STEPS_AT_ONCE_MAX = 100

export class EmbeddedClock implements ServerClock {
  private readonly server: Server
  private readonly time: ServerTime
  private readonly expiries: Expiries
  private readonly flush = () => this.server.engine.output.flushAll()
  private advancing: Promise<void> = Promise.resolve()

  constructor(server: Server, time: ServerTime) {
    this.server = server
    this.time = time
    this.expiries = new Expiries(server.engine, () => server.maintenance.expire.enabled)
  }

  now(): number {
    return this.time.nowMs()
  }

  get isStill(): boolean {
    return this.time.isStill
  }

  advance(duration: Duration): Promise<void> {
    const ms = durationMs(duration)
    const done = this.advancing.then(() => this.pass(ms))
    this.advancing = done.catch(() => {})
    return done
  }

  advanceSync(duration: Duration): void {
    const ms = durationMs(duration)
    const fake = this.time.isStill ? undefined : fakeClock()
    if (fake !== undefined) {
      fake.tick(ms)
      return this.expiries.expire()
    }
    const wasStill = this.time.isStill
    this.time.freeze()
    const untilUs = this.time.ownUs() + ms * 1000
    while (this.stepTowards(untilUs));
    this.end(untilUs, wasStill)
  }

  set(at: Date | number): void {
    this.time.setWall(typeof at === 'number' ? at : at.getTime())
    this.server.engine.tick()
    this.expiries.expire()
  }

  freeze(): void {
    this.time.freeze()
  }

  resume(): void {
    this.time.resume()
  }

  private async pass(ms: number): Promise<void> {
    await this.settle()
    const fake = this.time.isStill ? undefined : fakeClock()
    if (fake !== undefined) return this.passFake(fake, ms)
    const wasStill = this.time.isStill
    this.time.freeze()
    const untilUs = this.time.ownUs() + ms * 1000
    let seen = this.activity()
    while (this.stepTowards(untilUs)) {
      if (this.activity() === seen) continue
      await this.settle()
      seen = this.activity()
    }
    this.end(untilUs, wasStill)
    await this.settle()
  }

  private async passFake(fake: FakeClock, ms: number): Promise<void> {
    const { cron } = this.server.maintenance
    const end = fake.now + ms
    let stepsAtOnce = 0
    for (;;) {
      if (!cron.isNeeded) cron.suspend()
      const expiry = this.expiries.nextMs() - this.time.nowMs() + fake.now
      // A timer of a fraction of a millisecond that is set anew until its time has come would never see it come.
      const next = Math.max(
        stepsAtOnce < STEPS_AT_ONCE_MAX ? fake.now : fake.now + 1,
        Math.min(nextFakeMs(fake), expiry),
      )
      if (next > end) break
      stepsAtOnce = next === fake.now ? stepsAtOnce + 1 : 0
      fake.tick(next - fake.now)
      this.expiries.expire()
      await this.settle()
    }
    fake.tick(end - fake.now)
    cron.wake()
    await this.settle()
  }

  /** Moves the clock to the next timer or expiry and runs it; false: there is none until then. */
  private stepTowards(untilUs: number): boolean {
    const { time, expiries, server } = this
    const { cron } = server.maintenance
    if (!cron.isNeeded) cron.suspend()
    const nowUs = time.ownUs()
    const expiryUs = nowUs + Math.max(0, (expiries.nextMs() - time.nowMs()) * 1000)
    const nextUs = Math.min(time.nextUs, expiryUs)
    if (nextUs > untilUs) return false
    if (expiryUs <= time.nextUs) {
      if (expiryUs > nowUs) time.step(expiryUs)
      expiries.expire()
    } else time.step(Math.max(nextUs, nowUs))
    // Clients in process hear of it now, whatever turn it is.
    server.engine.boundary.guard(this.flush)
    return true
  }

  private end(untilUs: number, isStill: boolean): void {
    this.time.step(untilUs)
    if (!isStill) this.time.resume()
    this.server.maintenance.cron.wake()
  }

  private activity(): number {
    const { stats } = this.server.engine
    return stats.netOutputBytes + stats.reads + stats.commandsProcessed + stats.connectionsReceived
  }

  /** Lets input and output that is under way be handled. */
  private async settle(): Promise<void> {
    const quietTurns = this.server.listening ? QUIET_TURNS_SOCKETS : QUIET_TURNS
    let quiet = 0
    for (let turns = 0; quiet < quietTurns && turns < TURNS_MAX; turns++) {
      const before = this.activity()
      await nextTurn()
      quiet = this.activity() === before ? quiet + 1 : 0
    }
  }
}
