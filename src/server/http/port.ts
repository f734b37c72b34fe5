// HttpPort: an HttpEndpoint on the port and addresses of two directives, which CONFIG SET moves.
//
// Always: without a port nothing of it exists.

import type { Config } from '../../config/config.ts'
import type { DirectiveName } from '../../config/directives.ts'
import type { System } from '../../system/system.ts'
import { addressesOf } from '../addresses.ts'
import { listenAnew, listenOnEach, NO_PORT } from '../listen-problem.ts'
import type { Logger } from '../log.ts'
import { StartFailure } from '../start-failure.ts'
import type { HttpEndpoint } from './endpoint.ts'

const BACKLOG = 32

export interface HttpPortParts {
  config: Config
  system: System
  log: Logger
  /** The port does not keep the process alive. */
  unref: boolean | undefined
}

interface Running {
  readonly http: HttpEndpoint
  close?(): void
}

/** What a port is for; its directives are 'kind-port' and 'kind-bind'. */
interface HttpService {
  readonly kind: 'metrics' | 'rest'
  port(): number
  bind(): readonly string[]
  /** Made when the port is about to be opened. */
  make(): Running
  /** Why the port must not be opened. */
  refusal?(): string | undefined
}

export class HttpPort {
  private readonly parts: HttpPortParts
  private readonly service: HttpService
  private running: Running | undefined

  constructor(parts: HttpPortParts, service: HttpService) {
    this.parts = parts
    this.service = service
    const { kind } = service
    const directives: DirectiveName[] = [`${kind}-port`, `${kind}-bind`]
    parts.config.onChange(directives, () => this.rebind())
  }

  /** Opens the port, if there is to be one. Rejects with a StartFailure. */
  async listen(): Promise<void> {
    const { unref, log } = this.parts
    const { kind } = this.service
    const port = this.service.port()
    if (port === 0) return
    const refusal = this.service.refusal?.()
    if (refusal !== undefined) throw new StartFailure(refusal)
    this.running = this.service.make()
    const { http } = this.running
    const options = { port, backlog: BACKLOG, keepaliveSeconds: 0, ...(unref === undefined ? {} : { unref }) }
    try {
      await listenOnEach(log, addressesOf(this.service.bind()), port, kind, host => http.listen({ ...options, host }))
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    this.running?.close?.()
    this.running?.http.close()
    this.running = undefined
  }

  private rebind(): Promise<string | undefined> {
    this.close()
    return listenAnew(this.parts.log, NO_PORT, () => this.listen())
  }
}
