// What a server listens on: none of it is open yet.

import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Listener } from '../../system/network.ts'
import type { System } from '../../system/system.ts'
import type { Logger } from '../log.ts'
import { MetricsEndpoint } from '../metrics/endpoint.ts'
import { Tls } from '../tls.ts'

export interface Sockets {
  readonly contexts: Tls
  readonly metrics: MetricsEndpoint
  tcp: Listener[]
  tls: Listener[]
  unix: Listener | undefined
}

interface SocketParts {
  engine: Engine
  config: Config
  system: System
  log: Logger
  /** The fields of these sections of INFO, of all when none are named. */
  fields(sections?: readonly string[]): ReadonlyMap<string, string>
  /** They do not keep the process alive. */
  unref: boolean | undefined
}

export function socketsOf(parts: SocketParts): Sockets {
  const { config, system, log } = parts
  const contexts = new Tls(config, system, log)
  const metrics = new MetricsEndpoint(parts)
  return { contexts, metrics, tcp: [], tls: [], unix: undefined }
}
