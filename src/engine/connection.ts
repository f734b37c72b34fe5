// Connection: what the engine asks of a transport. Adapters in net/ implement it; the engine implements Receiver.

/** One connection, seen from the engine. */
export interface Connection {
  /** Writes what it can of u8[start .. end) at once; how many bytes it took. */
  write(u8: Uint8Array, start: number, end: number): number
  /** After write(): the connection still needs the buffer, which must not be changed any more. Absent: never. */
  readonly holdsBuffer?: boolean
  /** Closes; `afterWrites`: what write() took is still sent. */
  close(afterWrites: boolean): void
  /** Stops and resumes onData. */
  pause(): void
  resume(): void
  readonly kind: 'tcp' | 'unix' | 'memory' | 'tls'
  /** 'address:port' of the peer and of our end, as CLIENT LIST prints them. */
  readonly peer: string
  readonly local: string
  readonly fd: number
}
