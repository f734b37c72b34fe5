// Syslog: log lines for the system's log, through the program logger: JavaScript cannot open its socket.
//
//   syslog-enabled yes ─▶ logger -t <ident>[<pid>] -p <facility>.<level>, one process for each level that occurs
//
// Always: lines are given in addition to the log file or standard output, without time and pid, as by redis-server.

import type { LogLevel, ProcessView, ProgramInput } from '../system/system.ts'

interface SyslogSettings {
  readonly syslogIdent: string
  readonly syslogFacility: string
}

const PROGRAM = 'logger'

/** Redis's levels in syslog's words. */
const PRIORITY = { debug: 'debug', verbose: 'info', notice: 'notice', warning: 'warning' } as const

export class Syslog {
  readonly #process: ProcessView
  readonly #settings: SyslogSettings
  readonly #failed: (why: string) => void
  readonly #programs = new Map<LogLevel, ProgramInput>()

  /** `failed`: a level's lines are lost from now on. */
  constructor(process: ProcessView, settings: SyslogSettings, failed: (why: string) => void) {
    this.#process = process
    this.#settings = settings
    this.#failed = failed
  }

  write(level: LogLevel, text: string): void {
    let program = this.#programs.get(level)
    if (program === undefined) {
      program = this.#process.feed(PROGRAM, this.#options(level), this.#failed)
      this.#programs.set(level, program)
    }
    program.write(new TextEncoder().encode(`${text.replaceAll('\n', ' ')}\n`))
  }

  #options(level: LogLevel): string[] {
    const { syslogIdent, syslogFacility } = this.#settings
    return ['-t', `${syslogIdent}[${this.#process.pid}]`, '-p', `${syslogFacility}.${PRIORITY[level]}`]
  }
}

/** Why lines cannot be given to the system's log; undefined: they can. */
export function syslogProblem(process: ProcessView): string | undefined {
  const why = process.run(PROGRAM, ['--version'])
  return why === undefined ? undefined : `syslog-enabled needs the program ${PROGRAM}: ${why}`
}
