// The port of `rest-port`: Upstash's REST API (api.ts) over HTTP, for clients that speak nothing else.
//
// Always: a request without the token is refused, and without `rest-token` there is no port: a page in a browser can
// reach a port of this machine.

import { bytesOf } from '../../lib/bytes.ts'
import type { Pipe } from '../../net/server-socket.ts'
import { HttpEndpoint } from '../http/endpoint.ts'
import { HttpPort, type HttpPortParts } from '../http/port.ts'
import { RestApi } from './api.ts'

const CONNECTIONS_MAX = 1024
const BODY_BYTES_MAX = 64 * 1024 * 1024
const NO_TOKEN = 'rest-port needs a rest-token, which requests name'

/** `open`: a connection to the server, in process. */
export function restPort(parts: HttpPortParts, open: () => Pipe): HttpPort {
  const { config, system } = parts
  const source = {
    open,
    answered: { count: 0 },
    get password() {
      return bytesOf(config.requirepass)
    },
    get token() {
      return config.restToken
    },
  }
  const endpoint = () => {
    const api = new RestApi(source)
    return new HttpEndpoint(system, {
      methods: ['GET', 'HEAD', 'POST', 'PUT'],
      connectionsMax: CONNECTIONS_MAX,
      bodyBytesMax: BODY_BYTES_MAX,
      keepAlive: true,
      answer: api.respond.bind(api),
    })
  }
  return new HttpPort(parts, {
    kind: 'rest',
    port: () => config.restPort,
    bind: () => config.restBind,
    make: () => ({ http: endpoint() }),
    refusal: () => (config.restToken === '' ? NO_TOKEN : undefined),
  })
}
