// CoreWaits: how long processes were ready to run and waited for a core, looked up again and again, so that a pause of
// clients can be told from a busy machine. Linux: /proc/PID/schedstat.

import { coreWaitMsOf } from './process-usage.ts'

const LOOK_MS = 2

export class CoreWaits {
  private readonly pids: readonly number[]
  /** Each: the time, then the milliseconds of each process until then. */
  private readonly looks: number[][] = []
  private readonly timer = setInterval(() => this.look(), LOOK_MS)

  /** Their main threads. */
  constructor(pids: readonly number[]) {
    this.pids = pids
    this.look()
  }

  private look(): void {
    this.looks.push([performance.now(), ...this.pids.map(coreWaitMsOf)])
  }

  /** The most that one of `pids` waited in that time of performance.now(): several may have waited at once. */
  between(fromMs: number, toMs: number, pids: readonly number[]): number {
    this.look()
    const from = this.looks.findLast(([ms]) => ms <= fromMs) ?? this.looks[0]
    const to = this.looks.find(([ms]) => ms >= toMs) ?? this.looks[this.looks.length - 1]
    const waits = pids.map(pid => this.pids.indexOf(pid) + 1).map(i => to[i] - from[i])
    return Math.min(toMs - fromMs, Math.max(...waits))
  }

  /** Earlier looks are not asked for any more. */
  forget(): void {
    this.looks.splice(0, this.looks.length - 1)
  }

  stop(): void {
    clearInterval(this.timer)
  }
}
