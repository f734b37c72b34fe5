// Logins: the authenticator of a server around functions of the embedding program and of extensions, asked in order.
//
//   login ─▶ cache? ─▶ function ─▶ answer now, or a promise (until the time-out) ─▶ decision
//                        └ undefined: the next function, then the passwords of users
//
// Always: a login is decided once. Only accepted logins are cached, by the hash of user and password. What throws,
// rejects or takes too long refuses the login and is logged.

import type { Authenticator, LoginDecision, LoginRequest } from '../engine/ports/authenticator.ts'
import { sha256Hex } from '../lib/sha256.ts'
import { Slice } from '../lib/slice.ts'
import type { System } from '../system/system.ts'
import type { Logger } from './log.ts'

/** true: as the user that was named; { user }: as that one; false: refused; undefined: not this function's business. */
export type AuthenticateAnswer = boolean | { readonly user: string } | undefined

export type Authenticate = (request: LoginRequest) => AuthenticateAnswer | Promise<AuthenticateAnswer>

export interface AuthenticationOptions {
  /** A promise that is not settled by then fails the login. Default 5000. */
  timeoutMs?: number
  /** An accepted login is accepted again for so long without asking. Default 0: never. */
  cacheMs?: number
}

const TIMEOUT_MS = 5000
const CACHED_MAX = 1024

interface Cached {
  readonly decision: LoginDecision
  readonly untilMs: number
}

export class Logins implements Authenticator {
  /** Asked in this order. */
  functions: readonly Authenticate[] = []
  private readonly options: AuthenticationOptions
  private readonly system: Pick<System, 'clock' | 'timers'>
  private readonly log: Pick<Logger, 'warning'>
  /** Runs work of a promise or timer: an exception in it is the server's. */
  private readonly guard: (work: () => void) => void
  private readonly cache = new Map<string, Cached>()

  constructor(
    options: AuthenticationOptions,
    system: Pick<System, 'clock' | 'timers'>,
    log: Pick<Logger, 'warning'>,
    guard: (work: () => void) => void,
  ) {
    this.options = options
    this.system = system
    this.log = log
    this.guard = guard
  }

  decide(request: LoginRequest, decided: (decision: LoginDecision) => void): void {
    const { cacheMs = 0 } = this.options
    if (cacheMs === 0) return this.ask(this.functions, request, decided)
    const key = sha256Hex(Slice.of(`${request.user.length} ${request.user} ${request.password}`))
    const known = this.cache.get(key)
    const nowMs = this.system.clock.nowMs()
    if (known !== undefined && nowMs < known.untilMs) return decided(known.decision)
    this.cache.delete(key)
    this.ask(this.functions, request, decision => {
      if (decision.kind === 'user') this.remember(key, { decision, untilMs: this.system.clock.nowMs() + cacheMs })
      decided(decision)
    })
  }

  private remember(key: string, cached: Cached): void {
    // The oldest leaves.
    if (this.cache.size >= CACHED_MAX) this.cache.delete(this.cache.keys().next().value!)
    this.cache.set(key, cached)
  }

  /** The functions may change while a promise is waited for: those of the beginning count. */
  private ask(
    [first, ...others]: readonly Authenticate[],
    request: LoginRequest,
    decided: (decision: LoginDecision) => void,
  ): void {
    if (first === undefined) return decided({ kind: 'unhandled' })
    const take = (answer: AuthenticateAnswer) => {
      if (answer === undefined) this.ask(others, request, decided)
      else if (answer === false) decided({ kind: 'refused' })
      else if (answer === true) decided({ kind: 'user', name: request.user })
      else if (typeof answer.user === 'string') decided({ kind: 'user', name: answer.user })
      else this.fail('its answer names no user', decided)
    }
    let answer: AuthenticateAnswer | Promise<AuthenticateAnswer>
    try {
      answer = first(request)
    } catch (error) {
      return this.fail(String(error), decided)
    }
    if (answer instanceof Promise) this.wait(answer, take, decided)
    else take(answer)
  }

  private wait(
    answer: Promise<AuthenticateAnswer>,
    take: (answer: AuthenticateAnswer) => void,
    decided: (decision: LoginDecision) => void,
  ): void {
    const { timeoutMs = TIMEOUT_MS } = this.options
    let isOver = false
    const once = (work: () => void) => {
      if (isOver) return
      isOver = true
      this.system.timers.cancel(timer)
      this.guard(work)
    }
    const timer = this.system.timers.after(timeoutMs, () =>
      once(() => this.fail(`no answer after ${timeoutMs} ms`, decided)),
    )
    answer.then(
      given => once(() => take(given)),
      (error: unknown) => once(() => this.fail(String(error), decided)),
    )
  }

  private fail(why: string, decided: (decision: LoginDecision) => void): void {
    this.log.warning(`A login was refused because the authenticator failed: ${why}`)
    decided({ kind: 'failed' })
  }
}
