// Logger: log lines, to the log file or standard output, in redis-server's format.
//
//   4711:M 05 Mar 2024 17:04:59.012 * Ready to accept connections tcp
//   pid  role   local time          level
//
// Always: level and file are read from the configuration at every line, so that CONFIG SET and log rotation take effect
// at once. Logging never throws: a line that cannot be written is lost.

import type { LogLevel, System } from '../system/system.ts'
import { Syslog } from './syslog.ts'

/** M primary, S replica, X sentinel, C the part that saves, or that reads the configuration. */
type LogRole = 'M' | 'S' | 'X' | 'C'

export interface LogSettings {
  readonly loglevel: LogLevel | 'nothing'
  readonly logfile: string
  readonly syslogEnabled: boolean
  readonly syslogIdent: string
  readonly syslogFacility: string
}

const RANK = { debug: 0, verbose: 1, notice: 2, warning: 3, nothing: 4 } as const
const SIGN = '.-*#'
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export class Logger {
  role: LogRole = 'M'
  readonly #system: System
  readonly #settings: LogSettings
  readonly #syslog: Syslog

  constructor(system: System, settings: LogSettings) {
    this.#system = system
    this.#settings = settings
    this.#syslog = new Syslog(system.process, settings, why => this.#syslogFailed(why))
  }

  debug(text: string): void {
    this.line('debug', text)
  }

  verbose(text: string): void {
    this.line('verbose', text)
  }

  notice(text: string): void {
    this.line('notice', text)
  }

  warning(text: string): void {
    this.line('warning', text)
  }

  /** Whether lines of this level are written: for texts that are costly to make. */
  enabled(level: LogLevel): boolean {
    return RANK[level] >= RANK[this.#settings.loglevel]
  }

  line(level: LogLevel, text: string): void {
    if (!this.enabled(level)) return
    if (this.#settings.syslogEnabled) this.#syslog.write(level, text)
    this.#writeLine(level, text)
  }

  #syslogFailed(why: string): void {
    this.#writeLine('warning', `Lines of a level no longer reach the system's log: ${why}`)
  }

  #writeLine(level: LogLevel, text: string): void {
    const { clock, process } = this.#system
    const stamp = logTime(clock.nowMs(), clock.utcOffsetMinutes(clock.nowMs()))
    this.#write(`${process.pid}:${this.role} ${stamp} ${SIGN[RANK[level]]} ${text}\n`)
  }

  /** Text without pid and time: the logo. */
  raw(level: LogLevel, text: string): void {
    if (this.enabled(level)) this.#write(text)
  }

  /** The line about a signal, at the moment it comes. */
  signal(text: string): void {
    if (!this.enabled('warning')) return
    const { clock, process } = this.#system
    this.#write(`${process.pid}:signal-handler (${Math.floor(clock.nowMs() / 1000)}) ${text}\n`)
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text)
    if (this.#settings.logfile === '') {
      this.#system.process.stdout(bytes)
      return
    }
    try {
      this.#system.disk.append(this.#settings.logfile, bytes)
    } catch {
      // There is nowhere else to report it.
    }
  }
}

/** 05 Mar 2024 17:04:59.012 */
export function logTime(atMs: number, utcOffsetMinutes: number): string {
  const local = new Date(atMs + utcOffsetMinutes * 60_000)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${two(local.getUTCDate())} ${MONTHS[local.getUTCMonth()]} ${local.getUTCFullYear()}`
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two).join(':')
  return `${day} ${time}.${String(local.getUTCMilliseconds()).padStart(3, '0')}`
}
