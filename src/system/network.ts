// Network: how a program listens, dials and finds addresses. net/ implements it over the sockets of a runtime,
// virtual-network.ts without any.
//
//   listen ─▶ opened(connection) ─▶ Session ─▶ received … drained … [ended] ─▶ closed
//   dial   ─▶ Outgoing: onData … onDrain … onEnd ─▶ onClose
//
// Always: whatever `done` is handed comes once, never before the call has returned; failures are NetworkErrors, as
// values. After `opened` gave undefined the network closes the connection. `closed` comes exactly once for a Session
// and `onClose` once for an Outgoing, whoever has closed; after it nothing else comes.

import { textOfError } from './errors.ts'

/** A connection that came in. */
export interface Connection {
  /** Writes what it can of u8[start .. end) at once; how many bytes it took. After less than all, `drained` comes. */
  write(u8: Uint8Array, start: number, end: number): number
  /** After write(): the connection still needs the buffer, which must not be changed any more. Absent: never. */
  readonly holdsBuffer?: boolean
  /**
   * Closes. `afterWrites`: what write() took is still sent, then the end. Otherwise the connection is reset: what is on
   * its way may be lost.
   */
  close(afterWrites: boolean): void
  /** Stops and resumes reading. What comes meanwhile stays with the operating system, which makes the sender wait. */
  pause(): void
  resume(): void
  readonly kind: 'tcp' | 'unix' | 'memory' | 'tls'
  /** 'address:port' of the peer and of our end, as CLIENT LIST prints them. */
  readonly peer: string
  readonly local: string
  readonly fd: number
}

/** Whoever serves connections that come in. A Session is what it knows a connection by. */
export interface Receiver<Session> {
  /** A connection is open. undefined: it has been refused (what there was to say is written). */
  opened(connection: Connection): Session | undefined
  /** Bytes came; the buffer (u8 and dv see the same) is free again when this returns. */
  received(session: Session, u8: Uint8Array, dv: DataView, start: number, end: number): void
  /** The connection takes bytes again after write() took less than all. */
  drained(session: Session): void
  /** The peer has sent its last byte, but still reads. Absent: the connection then closes after what was written. */
  ended?(session: Session): void
  closed(session: Session): void
}

export interface ListenOptions {
  /** An address of this machine; '0.0.0.0' and '::' mean all. Ignored with `path`. */
  host: string
  /** 0: a free one. */
  port: number
  /** A Unix socket instead. */
  path?: string
  backlog: number
  /** Idle connections are probed after so many seconds; 0: never. */
  keepaliveSeconds: number
}

export interface Listener {
  /** 'address:port', or the path of a Unix socket. */
  readonly address: string
  readonly port: number
  /** No more connections come in; those that are open stay. */
  close(): void
}

/** What is dialled. */
export interface Address {
  /** A name or an address; ignored with `path`. */
  host: string
  port: number
  /** A Unix socket instead. */
  path?: string
  tls?: TlsOptions
}

export interface TlsOptions {
  /** PEM text of the authorities to believe, instead of the system's. */
  ca?: Uint8Array
  /** False: whatever certificate the server shows is taken. */
  verify: boolean
}

/** A connection that this program has opened. */
export interface Outgoing {
  /** 'address:port' of the other end and of ours. */
  readonly peer: string
  readonly local: string
  /** The bytes are the callee's to keep. */
  onData: (bytes: Uint8Array) => void
  /** The peer has sent its last byte, but still reads; closes unless it is set. */
  onEnd: () => void
  /** `reason`: why the connection broke, if it was not closed in order. */
  onClose: (reason: string | undefined) => void
  /** The bytes are the connection's from now on. False: it is better to wait for onDrain. */
  write(bytes: Uint8Array): boolean
  onDrain: () => void
  /** Nothing more is written: the peer reads to the end, and may go on sending. */
  end(): void
  /** Ends both directions; what waits for onDrain may be lost. */
  close(): void
  /** Gives the connection up: the peer sees that it broke. */
  reset(): void
  /** Stops and resumes reading; what comes meanwhile makes the sender wait. */
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
  /** The addresses that a name stands for, best first: at least one. An address stands for itself. */
  resolve(name: string, done: (result: readonly string[] | NetworkError) => void): void
}

/** A failed operation of the network: `code` is the C name (ECONNREFUSED), `message` what strerror or resolver say. */
export class NetworkError extends Error {
  readonly code: string

  constructor(code: string, message: string = textOfError(code)) {
    super(message)
    this.name = 'NetworkError'
    this.code = code
  }
}

/** For who awaits connections. Rejects with a NetworkError. */
export type Dial = (address: Address, timeoutMs: number) => Promise<Outgoing>

export function dialing(network: Pick<Network, 'dial'>): Dial {
  return (address, timeoutMs) => settled(done => network.dial(address, timeoutMs, done))
}

/** For who awaits listeners. Rejects with a NetworkError. */
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

/** The first connection of a process gets this descriptor's number; the runtimes do not tell theirs. */
export const FIRST_SOCKET_FD = 8

/** 'address:port' as Redis prints it; IPv6 in brackets, IPv4 in IPv6 as IPv4, '?:0' where the peer has gone already. */
export function joinedAddress(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return '?:0'
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
