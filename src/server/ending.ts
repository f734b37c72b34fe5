// Ending: how signals and SHUTDOWN end the process, and the signals that do not. As redis-server 7.2, except where the
// runtimes do not allow it:
//
//   INT, TERM                 an orderly shutdown [shutdownSoon]; a second INT: at once
//     during the start        after the start; while data is loaded: at once, exit code 1
//   HUP, PIPE, ALRM           ignored (PIPE: by the runtimes; ALRM: redis-server's watchdog is off)
//   ABRT                      crash report, exit code 1
//   USR1, USR2, QUIT, …       end the process by default (Node would open a debugger for USR1)
//   SEGV, BUS, FPE, ILL       end the process by default, without a report: JavaScript cannot handle them
//   XFSZ                      ignored: the write fails, and the server continues

import type { Config } from '../config/config.ts'
import type { SignalName, System } from '../system/system.ts'
import { type RunningServer, ShutdownAborted, ShutdownFailed } from './launch.ts'
import type { Logger } from './log.ts'

const IGNORED = ['SIGHUP', 'SIGALRM'] as const

export class Ending {
  readonly #config: Config
  readonly #system: System
  readonly #log: Logger
  #asked = false
  /** A signal that came before the server ran. */
  #early: SignalName | undefined
  /** Its sockets may be open already, its data not loaded yet. */
  #starting: RunningServer | undefined

  constructor(config: Config, system: System, log: Logger) {
    this.#config = config
    this.#system = system
    this.#log = log
    this.#onSignals(name => this.#beforeServing(name))
    for (const name of IGNORED) system.process.onSignal(name, () => {})
    system.process.onSignal('SIGUSR1', () => system.process.yieldToSignal('SIGUSR1'))
  }

  /** The server has open sockets, and is about to load its data. */
  starts(running: RunningServer): void {
    this.#starting = running
    if (this.#early !== undefined) this.#beforeServing(this.#early)
  }

  #beforeServing(name: SignalName): void {
    this.#early = name
    if (this.#starting?.isLoading !== true) return
    this.#log.signal('Received shutdown signal during loading, exiting now.')
    this.#starting.abandon?.()
    this.#system.process.exit(1)
  }

  serve(running: RunningServer): void {
    const end = (name: SignalName) => {
      // A second Ctrl-C ends at once.
      if (this.#asked && name === 'SIGINT') {
        this.#log.signal('You insist... exiting now.')
        running.abandon?.()
        this.#system.process.exit(1)
      }
      this.#log.signal(`Received ${name} scheduling shutdown...`)
      if (this.#asked) return
      this.#asked = true
      const flags = name === 'SIGINT' ? this.#config.shutdownOnSigint : this.#config.shutdownOnSigterm
      const ending = running.shutdownSoon?.(flags) ?? running.shutdown(flags)
      ending.then(
        () => this.#system.timers.soon(() => this.exit()),
        (error: unknown) => {
          this.#asked = false
          if (error instanceof ShutdownAborted || error instanceof ShutdownFailed) return
          this.#log.warning('Errors trying to shut down the server. Check the logs for more information.')
          this.#log.verbose(String(error))
        },
      )
    }
    this.#onSignals(end)
    if (this.#early !== undefined) end(this.#early)
  }

  exit(): void {
    const { disk, process } = this.#system
    if (this.#config.pidfile !== '') {
      this.#log.notice('Removing the pid file.')
      if (disk.stat(this.#config.pidfile)) disk.unlink(this.#config.pidfile)
    }
    this.#log.warning('Redis is now ready to exit, bye bye...')
    process.exit(0)
  }

  #onSignals(fn: (name: SignalName) => void): void {
    this.#system.process.onSignal('SIGTERM', () => fn('SIGTERM'))
    this.#system.process.onSignal('SIGINT', () => fn('SIGINT'))
  }
}
