// oom-score-adj: the order in which Linux kills processes when memory runs out. The original score is restored later.

import type { Config } from '../config/config.ts'
import type { FileSystem } from '../system/system.ts'
import type { Logger } from './log.ts'

const PATH = '/proc/self/oom_score_adj'
const FAILED = 'Failed to set current oom_score_adj. Check server logs.'

export class OomScore {
  readonly #disk: FileSystem
  readonly #log: Logger
  /** The score before this server changed it; null while it has not. */
  #before: number | null = null

  constructor(disk: FileSystem, log: Logger) {
    this.#disk = disk
    this.#log = log
  }

  /** Sets the score that `config` names; an error for CONFIG SET when that fails. */
  apply(config: Config): string | undefined {
    const mode = config.oomScoreAdj
    if (mode === 'no' && this.#before === null) return
    try {
      let score: number
      if (mode === 'no') {
        score = this.#before!
        this.#before = null
      } else {
        this.#before ??= Number.parseInt(new TextDecoder().decode(this.#disk.readFile(PATH)), 10)
        score = config.oomScoreAdjValues[config.replicaof ? 1 : 0] + (mode === 'yes' ? this.#before : 0)
      }
      const text = `${Math.min(1000, Math.max(-1000, score))}\n`
      this.#disk.writeFile(PATH, new TextEncoder().encode(text))
    } catch (error) {
      this.#log.warning(`Unable to write oom_score_adj: ${(error as Error).message}`)
      return FAILED
    }
  }
}
