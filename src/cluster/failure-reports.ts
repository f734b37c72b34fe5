// FailureReports: which nodes report one node as failing, and when they last did.
//
// Always: `times[number]` is when the node of that number reported it, 0: it does not; `known` of them do, none before
// `oldestMs`. Times are the low 32 bits of milliseconds: in a large cluster there is a report of each about each.

const NUMBERS_MIN = 16

export class FailureReports {
  private times = new Uint32Array(0)
  private known = 0
  private oldestMs = Number.POSITIVE_INFINITY

  /** True when the report is new. */
  add(reporter: number, nowMs: number): boolean {
    if (reporter >= this.times.length) this.reach(reporter)
    const isNew = this.times[reporter] === 0
    this.times[reporter] = shortened(nowMs)
    if (isNew) this.known++
    if (nowMs < this.oldestMs) this.oldestMs = nowMs
    return isNew
  }

  /** False: there was none. */
  delete(reporter: number): boolean {
    if (!(this.times[reporter] > 0)) return false
    this.times[reporter] = 0
    this.known--
    return true
  }

  /** Number of reports since then; earlier ones are dropped. */
  countSince(sinceMs: number, nowMs: number): number {
    if (this.known > 0 && this.oldestMs < sinceMs) this.drop(nowMs - sinceMs, nowMs)
    return this.known
  }

  private drop(ageMsMax: number, nowMs: number): void {
    const now = shortened(nowMs)
    let oldest = 0
    for (let i = 0; i < this.times.length; i++) {
      if (this.times[i] === 0) continue
      const ageMs = (now - this.times[i]) >>> 0
      if (ageMs > ageMsMax) this.delete(i)
      else if (ageMs > oldest) oldest = ageMs
    }
    this.oldestMs = this.known === 0 ? Number.POSITIVE_INFINITY : nowMs - oldest - 1
  }

  private reach(number: number): void {
    const { times } = this
    this.times = new Uint32Array(Math.max(number + 1, times.length * 2, NUMBERS_MIN))
    this.times.set(times)
  }
}

function shortened(ms: number): number {
  return Math.floor(ms) >>> 0 || 1
}
