// What a server listens on: none of it is open yet.

import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Pipe } from '../../net/server-socket.ts'
import type { Listener } from '../../system/network.ts'
import type { System } from '../../system/system.ts'
import type { HttpPort } from '../http/port.ts'
import type { Logger } from '../log.ts'
import { metricsPort } from '../metrics/endpoint.ts'
import { restPort } from '../rest/endpoint.ts'
import { Tls } from '../tls.ts'

export interface Sockets {
  readonly contexts: Tls
  /** For metrics, and for the REST API. */
  readonly http: readonly HttpPort[]
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
  /** A connection without a socket. */
  connect(): Pipe
  /** They do not keep the process alive. */
  unref: boolean | undefined
}

export function socketsOf(parts: SocketParts): Sockets {
  const { config, system, log } = parts
  const contexts = new Tls(config, system, log)
  const http = [metricsPort(parts), restPort(parts, parts.connect)]
  return { contexts, http, tcp: [], tls: [], unix: undefined }
}
