// Outgoing connections through node:net and node:tls, which Bun has as well.

import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Address, Dial, Outgoing } from './dial.ts'

export const dial: Dial = (address, timeoutMs) =>
  new Promise((resolve, reject) => {
    const socket = open(address)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error('Connection timed out'))
    }, timeoutMs)
    const failed = (error: Error) => {
      clearTimeout(timer)
      reject(new Error(reasonOf(error)))
    }
    socket.once('error', failed)
    socket.once(address.tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(outgoing(socket))
    })
  })

function open({ host, port, path, tls }: Address): Socket {
  const to = path === undefined ? { host, port } : { path }
  if (tls === undefined) return connect({ ...to, noDelay: true })
  const ca = tls.ca === undefined ? undefined : new TextDecoder().decode(tls.ca)
  const servername = isIP(host) === 0 ? host : undefined
  return connectTls({ ...to, rejectUnauthorized: tls.verify, ca, servername })
}

function outgoing(socket: Socket): Outgoing {
  let reason: string | undefined
  const connection: Outgoing = {
    onData: () => {},
    onClose: () => {},
    onDrain: () => {},
    write: bytes => socket.write(bytes),
    close: () => socket.destroy(),
  }
  socket.on('data', bytes => connection.onData(bytes))
  socket.on('drain', () => connection.onDrain())
  socket.on('error', error => {
    reason = reasonOf(error)
  })
  socket.on('end', () => socket.destroy())
  socket.on('close', () => connection.onClose(reason))
  return connection
}

const REASONS: { readonly [code: string]: string } = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOTFOUND: 'Name or service not known',
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EPIPE: 'Broken pipe',
}

function reasonOf(error: Error): string {
  const { code } = error as { code?: string }
  return (code === undefined ? undefined : REASONS[code]) ?? (error.message || String(code))
}
