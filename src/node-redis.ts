// For node-redis 4 and newer, and for programs that dial a fixed address: clients of a server in this process,
// without a port.
//
//   import { createClient } from 'redis'
//   import { intercept, nodeRedisOptions } from 'redstart/node-redis'
//   const client = createClient(nodeRedisOptions(server))
//   const interception = intercept('redis://localhost:6379', server)      // any client of this process
//
// node-redis takes no socket, so that both replace the connect method of net.Socket: the former for sockets whose
// options name the server, the latter until it is disposed of.

import { IN_PROCESS, interceptOptions, type Reachable } from './net/intercept.ts'

export { intercept } from './net/intercept.ts'

export interface NodeRedisOptions {
  socket: { path: string; tls?: false }
}

/** Options that connect to the server: to spread into others, or to pass alone. */
export function nodeRedisOptions(server: Reachable): NodeRedisOptions {
  interceptOptions()
  return { socket: Object.assign({ path: 'a redstart server in this process' }, { [IN_PROCESS]: server }) }
}
