// ScriptQueue: notification and reconfiguration scripts, run as processes, the oldest first.
//
//   add ─▶ scheduled ─[tick]─▶ running ─[exit 0, 2 …]─▶ done
//              ▲                  │
//              └─ exit 1, signal ─┘   after a delay that doubles, RETRIES_MAX times
//
// Always: at most QUEUE_MAX scripts wait; the oldest that is not running is dropped for a new one.

import type { ChildProcess } from '../system/system.ts'
import type { Timing } from './timing.ts'

const QUEUE_MAX = 256
const RUNNING_MAX = 16
const RETRIES_MAX = 10
/** The exit code by which a script asks to be run again. */
const RETRY = 1

export interface ScriptRun {
  /** The path, and its arguments. */
  readonly words: readonly string[]
  child: ChildProcess | undefined
  /** Of the running process, or of the next run; 0: at once. */
  startMs: number
  runs: number
}

export interface ScriptHost {
  timing: Timing
  nowMs(): number
  /** Starts a process; `ended` gets its exit code and the signal that ended it (0: none). */
  spawn(words: readonly string[], ended: (code: number, signal: number) => void): ChildProcess | undefined
  event(level: 'debug' | 'warning', type: string, message: string): void
}

export class ScriptQueue {
  readonly queue: ScriptRun[] = []
  running = 0
  private readonly host: ScriptHost

  constructor(host: ScriptHost) {
    this.host = host
  }

  add(words: readonly string[]): void {
    this.queue.push({ words, child: undefined, startMs: 0, runs: 0 })
    if (this.queue.length > QUEUE_MAX) this.remove(this.queue.find(one => one.child === undefined)!)
  }

  private remove(script: ScriptRun): void {
    this.queue.splice(this.queue.indexOf(script), 1)
  }

  /** Starts what is due, and ends what runs too long. */
  tick(): void {
    const { host } = this
    const now = host.nowMs()
    for (const script of [...this.queue]) {
      if (script.child === undefined) {
        if (this.running < RUNNING_MAX && script.startMs <= now) this.start(script, now)
      } else if (now - script.startMs > host.timing.scriptMs) {
        host.event('warning', '-script-timeout', `${script.words[0]} ${script.child.pid}`)
        script.child.kill()
      }
    }
  }

  private start(script: ScriptRun, now: number): void {
    const { host } = this
    script.startMs = now
    script.runs++
    script.child = host.spawn(script.words, (code, signal) => this.ended(script, code, signal))
    if (script.child === undefined) {
      host.event('warning', '-script-error', `${script.words[0]} 99 0`)
      this.remove(script)
      return
    }
    this.running++
    host.event('debug', '+script-child', String(script.child.pid))
  }

  private ended(script: ScriptRun, code: number, signal: number): void {
    const { host } = this
    if (script.child === undefined) return
    host.event('debug', '-script-child', `${script.child.pid} ${code} ${signal}`)
    script.child = undefined
    this.running--
    if ((signal !== 0 || code === RETRY) && script.runs < RETRIES_MAX) {
      script.startMs = host.nowMs() + host.timing.scriptRetryMs * 2 ** (script.runs - 1)
      return
    }
    if (signal !== 0 || code !== 0) host.event('warning', '-script-error', `${script.words[0]} ${signal} ${code}`)
    this.remove(script)
  }
}
