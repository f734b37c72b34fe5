// Network: listening, dialling and resolving names. net/ implements it over the sockets of a runtime,
// virtual-network.ts without any.
//
//   listen ─▶ opened(connection) ─▶ Session ─▶ received … drained … [ended] ─▶ closed
//   dial   ─▶ Outgoing: onData … onDrain … onEnd ─▶ onClose
//
// Always: each `done` is called once, never before the call has returned; failures are NetworkErrors, as values. After
// `opened` returned undefined the network closes the connection. `closed` is called exactly once for a Session and
// `onClose` once for an Outgoing, whoever closed; nothing is called after it.

import { textOfError } from './errors.ts'

/** An accepted connection. */
export interface Connection {
  /** Writes as much of u8[start .. end) as it can at once; returns how much. After less than all, `drained` follows. */
  write(u8: Uint8Array, start: number, end: number): number
  /** After write(): the buffer is still in use and must not be changed. Absent: never. */
  readonly bufferInUse?: boolean
  /**
   * Closes. `afterWrites`: what write() took is still sent, then FIN. Otherwise the connection is reset: data on its
   * way may be lost.
   */
  close(afterWrites: boolean): void
  /** Stops and resumes reading. Incoming data stays in the operating system's buffer, which blocks the sender. */
  pause(): void
  resume(): void
  /**
   * While it is paused: reads what waits in the operating system's buffer into `u8`, and what follows into `next`; how
   * many bytes. 0: nothing came, or it has ended, which is seen after resume(). Absent: it cannot.
   */
  readInto?(u8: Uint8Array, next: Uint8Array): number
  readonly kind: 'tcp' | 'unix' | 'memory' | 'tls'
  /** 'address:port' of the peer and of our end, as CLIENT LIST prints them. */
  readonly peer: string
  readonly local: string
  readonly fd: number
  /** The common name in the peer's certificate, which was verified; '' in one without. Absent: there is none. */
  readonly certificateName?: string | undefined
}

/** Serves accepted connections. A Session is its state of one connection. */
export interface Receiver<Session> {
  /** A connection was accepted. undefined: it is refused (its error is written already). */
  opened(connection: Connection): Session | undefined
  /**
   * Bytes were received; the buffer (u8 and dv see the same) is free for reuse when this returns, unless it is `given`:
   * then it is the session's.
   */
  received(session: Session, u8: Uint8Array, dv: DataView, start: number, end: number, given?: boolean): void
  /** The connection is writable again after write() took less than all. */
  drained(session: Session): void
  /** The peer has half-closed, but still reads. Absent: the connection is closed after pending writes. */
  ended?(session: Session): void
  closed(session: Session): void
  /** A TLS handshake has failed; the connection is closed. */
  refused?(peer: string, reason: string): void
}

export interface ListenOptions {
  /** An address of this machine; '0.0.0.0' and '::' mean all. Ignored with `path`. */
  host: string
  /** 0: a free one. */
  port: number
  /** A Unix socket instead. */
  path?: string
  backlog: number
  /** TCP keepalive interval; 0: off. Read again for every connection. */
  keepaliveSeconds: number
  /** TLS. Its fields are read again for every connection. */
  tls?: ListenTls | undefined
  /** Neither the listener nor its connections keep the process alive. */
  unref?: boolean
}

export interface ListenTls {
  readonly context: TlsContext
  /** Certificates of clients: not asked for, or required, or verified where there is one. */
  readonly clients: 'no' | 'yes' | 'optional'
}

export type TlsProtocol = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** What a TlsContext is made of. Files are PEM text. */
export interface TlsSettings {
  readonly cert: string
  readonly key: string
  readonly passphrase: string
  /** The trusted authorities; none: the runtime's. */
  readonly ca: readonly string[]
  readonly protocols: readonly TlsProtocol[]
  /** Up to TLS 1.2, and from 1.3 on; '' is the runtime's default. */
  readonly ciphers: string
  readonly ciphersuites: string
  readonly preferServerCiphers: boolean
  /** 0: sessions are not resumed. */
  readonly sessionSeconds: number
  /** '': chosen by the runtime. */
  readonly dhParams: string
}

/** Certificate, key and rules of TLS connections, checked. Made by Network.secure(). */
export interface TlsContext {
  /** When its own certificate expires. */
  readonly expiresMs: number
}

export interface Listener {
  /** 'address:port', or the path of a Unix socket. */
  readonly address: string
  readonly port: number
  /** Stops accepting; open connections stay. */
  close(): void
}

/** The address of a server. */
export interface Address {
  /** A name or an address; ignored with `path`. */
  host: string
  port: number
  /** A Unix socket instead. */
  path?: string
  tls?: TlsOptions
  /** The address of this machine that the connection comes from, instead of the system's choice. */
  source?: string
}

export interface TlsOptions {
  /** PEM text of the trusted authorities, instead of the system's. */
  ca?: Uint8Array
  /** PEM text of our certificate and its key. */
  own?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined
  /** Our certificate and the trusted authorities. */
  context?: TlsContext
  /** False: any certificate is accepted. 'chain': one for any name. */
  verify: boolean | 'chain'
}

/** An outgoing connection. */
export interface Outgoing {
  /** 'address:port' of the other end and of ours. */
  readonly peer: string
  readonly local: string
  /** The callee owns the bytes. */
  onData: (bytes: Uint8Array) => void
  /** The peer has half-closed, but still reads; by default this closes. */
  onEnd: () => void
  /** `reason`: why the connection was lost, undefined after an orderly close. */
  onClose: (reason: string | undefined) => void
  /** The connection owns the bytes from now on. False: wait for onDrain. */
  write(bytes: Uint8Array): boolean
  onDrain: () => void
  /** Half-closes: the peer reads to the end, and may continue to send. */
  end(): void
  /** Closes both directions; buffered writes may be lost. */
  close(): void
  /** Closes with a reset. */
  reset(): void
  /** Stops and resumes reading, which blocks the sender. */
  pause(): void
  resume(): void
}

export interface Network {
  listen<Session>(
    options: ListenOptions,
    receiver: Receiver<Session>,
    done: (result: Listener | NetworkError) => void,
  ): void
  dial(address: Address, timeoutMs: number, done: (result: Outgoing | NetworkError) => void): void
  /** Makes the context of TLS connections. */
  secure(settings: TlsSettings, done: (result: TlsContext | NetworkError) => void): void
  /** The addresses of a name, best first: at least one. An address resolves to itself. */
  resolve(name: string, done: (result: readonly string[] | NetworkError) => void): void
}

/** A failed network operation: `code` is the C name (ECONNREFUSED), `message` the text of strerror or resolver. */
export class NetworkError extends Error {
  readonly code: string

  constructor(code: string, message: string = textOfError(code)) {
    super(message)
    this.name = 'NetworkError'
    this.code = code
  }
}

/** Dialling as a promise. Rejects with a NetworkError. */
type Dial = (address: Address, timeoutMs: number) => Promise<Outgoing>

export function dialing(network: Pick<Network, 'dial'>): Dial {
  return (address, timeoutMs) => settled(done => network.dial(address, timeoutMs, done))
}

/** Listening as a promise. Rejects with a NetworkError. */
export function listening<Session>(
  network: Network,
  options: ListenOptions,
  receiver: Receiver<Session>,
): Promise<Listener> {
  return settled(done => network.listen(options, receiver, done))
}

function settled<Result>(start: (done: (result: Result | NetworkError) => void) => void): Promise<Result> {
  return new Promise((resolve, reject) =>
    start(result => {
      if (result instanceof NetworkError) reject(result)
      else resolve(result)
    }),
  )
}

/** Descriptor number of a process's first connection; the runtimes do not expose theirs. */
export const FIRST_SOCKET_FD = 8

/** 'address:port' as Redis prints it; IPv6 in brackets, IPv4 in IPv6 as IPv4, '?:0' after a disconnect. */
export function joinedAddress(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return '?:0'
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
