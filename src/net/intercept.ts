// intercept: sockets of this process that would dial an address reach a server in the process instead. For clients that
// take no socket (node-redis), and programs that dial a fixed address.
//
//   net.connect ─▶ Socket.prototype.connect ─▶ an address that is intercepted? ─▶ adopt(socket)
//                                                        no ─▶ the runtime's own connect
//
// Always: the runtime's own function is back in its place when nothing is intercepted any more. What is intercepted is
// recorded at that function, so that two copies of this module in one process agree.

import { Socket, type SocketConnectOpts } from 'node:net'
import { dispose as disposeKey } from '../lib/dispose.ts'
import { adopt, type ProgramEnd } from './server-socket.ts'

/** What can be reached. */
export interface Reachable {
  connect(): ProgramEnd
}

interface Route {
  readonly matches: (options: Dialled) => boolean
  readonly server: Reachable
}

/** The options of a connect. */
interface Dialled {
  readonly host?: string
  readonly port?: number | string
  readonly path?: string
  readonly [IN_PROCESS]?: Reachable
}

type Connect = (this: Socket, ...args: unknown[]) => Socket

interface Interceptor extends Connect {
  readonly [ROUTES]: Route[]
  readonly original: Connect
}

const ROUTES: unique symbol = Symbol.for('redstart.routes') as never
/** In the options of a socket: the server that it reaches, whatever its address is. */
export const IN_PROCESS: unique symbol = Symbol.for('redstart.server') as never

const DEFAULT_PORT = '6379'
const LOOPBACK = ['localhost', '127.0.0.1', '::1', '']

/**
 * Connections to 'redis://host:port', 'host:port', 'host:*' or 'unix:/path' reach the server, from now on until
 * dispose(). The names of the loopback interface are one.
 */
export function intercept(address: string, server: Reachable): { dispose(): void; [Symbol.dispose](): void } {
  const route: Route = { matches: matcherOf(address), server }
  const { [ROUTES]: routes } = interceptor()
  routes.unshift(route)
  const dispose = () => {
    const at = routes.indexOf(route)
    if (at >= 0) routes.splice(at, 1)
    const { connect } = Socket.prototype
    if (routes.length === 0 && ROUTES in connect) Socket.prototype.connect = (connect as Interceptor).original as never
  }
  return { dispose, [disposeKey]: dispose }
}

/** Sockets whose options have IN_PROCESS reach that server. */
export function interceptOptions(): void {
  const { [ROUTES]: routes } = interceptor()
  if (!routes.includes(ANY)) routes.push(ANY)
}

const ANY: Route = { matches: () => false, server: { connect: () => undefined as never } }

/** The connect that looks at routes, in its place. */
function interceptor(): Interceptor {
  const now = Socket.prototype.connect as unknown as Connect
  if (ROUTES in now) return now as Interceptor
  const routes: Route[] = []
  const connect: Connect = function (...args) {
    const [first] = args
    const normal = Array.isArray(first) ? (first as unknown[]) : args
    const options = optionsOf(normal)
    const server = options[IN_PROCESS] ?? routes.find(({ matches }) => matches(options))?.server
    if (server === undefined) return now.apply(this, args)
    const listener = normal.find(one => typeof one === 'function')
    if (listener !== undefined) this.once('connect', listener as () => void)
    adopt(this, () => server.connect())
    return this
  }
  const made = Object.assign(connect, { [ROUTES]: routes, original: now })
  Socket.prototype.connect = made as never
  return made
}

/** connect(options), connect(port, host), connect(path) */
function optionsOf(args: readonly unknown[]): Dialled {
  const [first, second] = args
  if (typeof first === 'object' && first !== null) return first as SocketConnectOpts
  if (typeof first === 'number' || Number(first) >= 0)
    return { port: first as number, host: typeof second === 'string' ? second : undefined }
  return { path: String(first) }
}

function matcherOf(address: string): (options: Dialled) => boolean {
  if (address.startsWith('rediss:')) throw new TypeError('connections with TLS cannot be intercepted')
  const path = address.startsWith('unix:') ? address.slice('unix:'.length) : address
  if (path.startsWith('/')) {
    const plain = path.startsWith('//') ? path.slice(2) : path
    return options => options.path === plain
  }
  const scheme = address.indexOf('://')
  const rest = scheme < 0 ? address : address.slice(scheme + 3)
  const place = rest.slice(rest.lastIndexOf('@') + 1)
  const slash = place.indexOf('/')
  const whole = slash < 0 ? place : place.slice(0, slash)
  const colon = whole.endsWith(']') ? -1 : whole.lastIndexOf(':')
  const host = bare(colon < 0 ? whole : whole.slice(0, colon))
  const port = colon < 0 ? DEFAULT_PORT : whole.slice(colon + 1)
  if (port !== '*' && !(Number(port) > 0)) throw new TypeError(`not an address: ${address}`)
  return options =>
    options.path === undefined &&
    (port === '*' || String(options.port) === port) &&
    (bare(options.host ?? '') === host || (LOOPBACK.includes(bare(options.host ?? '')) && LOOPBACK.includes(host)))
}

/** Without the brackets of IPv6. */
function bare(host: string): string {
  return (host.startsWith('[') ? host.slice(1, -1) : host).toLowerCase()
}
