// Outgoing connections through node:net and node:tls, which Bun has as well.
//
// Always: an address that cannot be one (a port above 65535) is a failed connection, and `done` is called after dial().

import { lookup } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { textOfError } from '../system/errors.ts'
import {
  type Address,
  joinedAddress,
  type Network,
  NetworkError,
  type Outgoing,
  type TlsOptions,
} from '../system/network.ts'
import { TIMER_MS_MAX } from '../system/system.ts'
import { contextOptions } from './tls.ts'

export const dial: Network['dial'] = (address, timeoutMs, done) => {
  let socket: Socket
  try {
    socket = open(address)
  } catch (error) {
    setTimeout(() => done(failureOf(error as Error)), 0)
    return
  }
  let settled = false
  const settle = (result: Outgoing | NetworkError) => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    if (result instanceof NetworkError) socket.destroy()
    done(result)
  }
  const timer = setTimeout(() => settle(new NetworkError('ETIMEDOUT')), Math.min(timeoutMs, TIMER_MS_MAX))
  const failed = (error: Error) => settle(failureOf(error))
  socket.on('error', failed)
  socket.once(address.tls === undefined ? 'connect' : 'secureConnect', () => settle(outgoing(socket, address.path)))
}

export const resolve: Network['resolve'] = (name, done) =>
  lookup(name, { all: true }, (error, found) => {
    if (error !== null) done(failureOf(error))
    else done(found.map(one => one.address))
  })

function open({ host, port, path, tls, source }: Address): Socket {
  const to = {
    ...(path === undefined ? { host, port } : { path }),
    ...(source ? { localAddress: source } : {}),
    allowHalfOpen: true,
  }
  if (tls === undefined) return connect({ ...to, noDelay: true })
  const { verify, context } = tls
  const servername = isIP(host) === 0 ? host : undefined
  const own = context === undefined ? filesOf(tls) : contextOptions(context)
  const anyName = verify === 'chain' ? { checkServerIdentity: () => undefined } : {}
  return connectTls({ ...to, ...own, ...anyName, rejectUnauthorized: verify !== false, servername })
}

function filesOf({ ca, own }: TlsOptions): { ca?: string; cert?: string; key?: string } {
  const text = (pem: Uint8Array) => new TextDecoder().decode(pem)
  return {
    ...(ca === undefined ? {} : { ca: text(ca) }),
    ...(own === undefined ? {} : { cert: text(own.cert), key: text(own.key) }),
  }
}

function outgoing(socket: Socket, path: string | undefined): Outgoing {
  let reason: string | undefined
  const connection: Outgoing = {
    peer: path ?? joinedAddress(socket.remoteAddress, socket.remotePort),
    local: path ?? joinedAddress(socket.localAddress, socket.localPort),
    onData() {},
    onEnd: () => connection.close(),
    onClose() {},
    onDrain() {},
    write: bytes => socket.write(bytes),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
    reset: () => void (socket.resetAndDestroy === undefined ? socket.destroy() : socket.resetAndDestroy()),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  }
  socket.on('data', bytes => connection.onData(bytes))
  socket.on('drain', () => connection.onDrain())
  socket.on('error', error => {
    reason = failureOf(error).message
  })
  socket.on('end', () => connection.onEnd())
  socket.on('close', () => connection.onClose(reason))
  return connection
}

/** Errors without a code (an untrusted certificate) are described by their message. */
export function failureOf(error: Error): NetworkError {
  const { code } = error as { code?: string }
  if (code === undefined) return new NetworkError('EIO', error.message)
  const text = textOfError(code)
  return text === code ? new NetworkError(code, error.message || code) : new NetworkError(code)
}
