// OpenFiles: the process's limit of open files, which limits maxclients. The runtimes raise the soft limit to the hard
// one at their start; it cannot be raised further.

import type { Config } from '../config/config.ts'
import type { FileSystem } from '../system/system.ts'
import type { Logger } from './log.ts'

const PATH = '/proc/self/limits'
/** Files that are no clients. */
const RESERVED = 32

export class OpenFiles {
  readonly #disk: FileSystem
  readonly #log: Logger

  constructor(disk: FileSystem, log: Logger) {
    this.#disk = disk
    this.#log = log
  }

  /** At the start: reduces maxclients to what the limit allows. */
  fit(config: Config): void {
    const { maxclients } = config
    const limit = this.#limit()
    if (maxclients + RESERVED <= limit) return
    this.#log.warning(
      `You requested maxclients of ${maxclients} requiring at least ${maxclients + RESERVED} max file descriptors.`,
    )
    config.put('maxclients', BigInt(Math.max(1, limit - RESERVED)))
    this.#log.warning(
      `Current maximum open files is ${limit}. maxclients has been reduced to ${config.maxclients} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.`,
    )
  }

  /** CONFIG SET maxclients: an error when there may not be so many files. */
  refusal(config: Config): string | undefined {
    const limit = this.#limit()
    if (config.maxclients + RESERVED <= limit) return undefined
    return `The operating system is not able to handle the specified number of clients, try with ${Math.max(1, limit - RESERVED)}`
  }

  /** The soft limit; infinite where unknown. */
  #limit(): number {
    try {
      const text = new TextDecoder().decode(this.#disk.readFile(PATH))
      const at = text.indexOf('Max open files')
      const word = at < 0 ? '' : text.slice(at + 'Max open files'.length).trimStart()
      return Number.parseInt(word, 10) || Number.POSITIVE_INFINITY
    } catch {
      return Number.POSITIVE_INFINITY
    }
  }
}
