// NodeTls: secures accepted sockets on Node, each with the context and the rule for certificates of that moment.
//
// Always: a TLS server of Node stands for one context and one rule, and never listens itself; sockets are given to it.
// A new context makes a new one: connections of the old go on.

import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { joinedAddress, type ListenTls, type TlsContext } from '../system/network.ts'
import { certificateName, HANDSHAKE_SECONDS, type RuntimeTls } from './tls.ts'

interface Secured {
  accept(socket: TLSSocket): void
  refused: ((peer: string, reason: string) => void) | undefined
}

export class NodeTls {
  private readonly tls: ListenTls
  private readonly allowHalfOpen: boolean
  private readonly secured: Secured
  private server: Server | undefined
  private context: TlsContext | undefined
  private clients: ListenTls['clients'] = 'no'

  constructor(tls: ListenTls, allowHalfOpen: boolean, secured: Secured) {
    this.tls = tls
    this.allowHalfOpen = allowHalfOpen
    this.secured = secured
  }

  /** Begins the handshake on an accepted socket. */
  begin(socket: Socket): void {
    const { context, clients } = this.tls
    if (this.server === undefined || context !== this.context || clients !== this.clients) {
      this.server = this.serverFor(context, clients)
      this.context = context
      this.clients = clients
    }
    this.server.emit('connection', socket)
  }

  private serverFor(context: TlsContext, clients: ListenTls['clients']): Server {
    const { accept, refused } = this.secured
    const refuse = (socket: TLSSocket, reason: string) => {
      refused?.(joinedAddress(socket.remoteAddress, socket.remotePort), reason)
      socket.destroy()
    }
    const server = createServer({
      ...(context as RuntimeTls).options,
      allowHalfOpen: this.allowHalfOpen,
      handshakeTimeout: HANDSHAKE_SECONDS * 1000,
      requestCert: clients !== 'no',
      rejectUnauthorized: clients === 'yes',
    })
    server.on('tlsClientError', (error, socket) => refuse(socket, error.message))
    server.on('secureConnection', socket => {
      const isVerified = clients === 'no' || socket.authorized
      if (isVerified || certificateName(socket.getPeerCertificate()) === undefined) accept(socket)
      else refuse(socket, `the certificate of the client is not valid: ${String(socket.authorizationError)}`)
    })
    return server
  }
}
