// For ioredis 5 and newer, iovalkey, and what takes their options (BullMQ, Bull): clients of a server in this process,
// without a port.
//
//   import { ioredisOptions } from 'redstart/ioredis'
//   const redis = new Redis(ioredisOptions(server))
//   const queue = new Queue('mail', { connection: ioredisOptions(server) })

import type { Duplex } from 'node:stream'

const RETRY_STEP_MS = 50
const RETRY_MS_MAX = 2000

export interface IoredisOptions {
  /**
   * Makes the connections of the client and its duplicates. It is an ioredis.AbstractConnector, whose members are
   * protected: without ioredis no type but this one fits in its place.
   */
  Connector: new (
    options: unknown,
  ) => never
  /** INFO before the first command would find a server that has loaded everything: createServer() waits for that. */
  enableReadyCheck: false
  /** BullMQ wants it so, and a server in this process needs no limit. */
  maxRetriesPerRequest: null
  /** As ioredis does by itself; a server that is closed is not tried again. */
  retryStrategy: (times: number) => number | null
}

/** Options that connect to the server: to spread into others, or to pass alone. */
export function ioredisOptions(server: { socket(): Duplex; readonly isClosed?: boolean }): IoredisOptions {
  class ServerConnector {
    connecting = false
    private stream: Duplex | undefined

    check(): boolean {
      return true
    }

    disconnect(): void {
      this.connecting = false
      this.stream?.end()
    }

    async connect(): Promise<Duplex> {
      this.connecting = true
      this.stream = server.socket()
      return this.stream
    }
  }
  return {
    Connector: ServerConnector as unknown as IoredisOptions['Connector'],
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: times => (server.isClosed === true ? null : Math.min(times * RETRY_STEP_MS, RETRY_MS_MAX)),
  }
}
