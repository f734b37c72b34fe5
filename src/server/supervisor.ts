// Supervisor: the service manager that started this process, if any, and what it is told. As redis-server 7.2:
//
//   supervised systemd   STATUS= and READY=1 when clients are served, STOPPING=1 and STATUS= at the end
//   supervised upstart   the process stops itself once (SIGSTOP), before it serves
//   supervised auto      the one whose mark is in the environment
//
// systemd takes datagrams on a Unix socket, which JavaScript cannot send: systemd-notify sends them. Run by root it
// speaks for this process; else the unit needs NotifyAccess=all.

import type { Config } from '../config/config.ts'
import type { ProcessView } from '../system/system.ts'
import type { Logger } from './log.ts'
import { StartFailure } from './start-failure.ts'

type Manager = 'systemd' | 'upstart'

/** What a server tells of its end. */
export interface ServiceManager {
  readonly manager: string | undefined
  stopping(): void
  resumed(): void
}

export class Supervisor implements ServiceManager {
  /** Who manages the process; undefined: nobody, or it has left no mark. */
  readonly manager: Manager | undefined
  readonly #process: ProcessView
  readonly #log: Logger

  constructor(config: Config, process: ProcessView, log: Logger) {
    this.#process = process
    this.#log = log
    this.manager = this.#managerOf(config.supervised)
  }

  #managerOf(mode: Config['supervised']): Manager | undefined {
    const systemd = this.#process.env('NOTIFY_SOCKET') !== undefined
    const upstart = this.#process.env('UPSTART_JOB') !== undefined
    if (mode === 'auto') return upstart ? 'upstart' : systemd ? 'systemd' : undefined
    if (mode === 'systemd' && !systemd) this.#log.warning('systemd supervision requested, but NOTIFY_SOCKET not found!')
    if (mode === 'upstart' && !upstart) this.#log.warning('upstart supervision requested, but UPSTART_JOB not found!')
    return mode === 'systemd' && systemd ? 'systemd' : mode === 'upstart' && upstart ? 'upstart' : undefined
  }

  /** The start begins. Throws StartFailure where systemd would wait in vain for a message. */
  begin(): void {
    if (this.manager === 'upstart') {
      this.#log.notice('Supervised by upstart, will stop to signal readiness.')
      this.#process.suspend()
    }
    if (this.manager !== 'systemd') return
    const why = this.#notify('STATUS=Redstart is loading...')
    if (why !== undefined)
      throw new StartFailure(
        `systemd expects messages, and the program systemd-notify could not send one: ${why}. ` +
          "Install it, or use 'supervised no' in a unit of Type=exec.",
      )
    this.#log.notice(
      'Supervised by systemd. TimeoutStartSec and TimeoutStopSec of the unit must allow for your dataset.',
    )
  }

  /** Clients are served. */
  ready(isReplica: boolean): void {
    const status = isReplica
      ? 'STATUS=Ready to accept connections in read-only mode'
      : 'STATUS=Ready to accept connections'
    if (this.manager === 'systemd') this.#tell(status, 'READY=1')
  }

  /** The end begins. */
  stopping(): void {
    if (this.manager === 'systemd') this.#tell('STOPPING=1', 'STATUS=Shutting down')
  }

  /** The dataset could not be saved: the server continues. */
  resumed(): void {
    if (this.manager === 'systemd') this.#tell("STATUS=Error trying to save the DB, can't exit.")
  }

  #tell(...messages: string[]): void {
    const why = this.#notify(...messages)
    if (why !== undefined) this.#log.warning(`systemd-notify failed: ${why}`)
  }

  #notify(...messages: string[]): string | undefined {
    return this.#process.run('systemd-notify', messages)
  }
}
