// Dial: the way out: connections that this program opens to servers. dial-node.ts implements it on Bun and on Node.
//
// Always: `onClose` comes once, after the last `onData`; bytes given to onData are the callee's to keep.

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

export interface Outgoing {
  onData: (bytes: Uint8Array) => void
  /** `reason`: why the connection broke, if it was not closed in order. */
  onClose: (reason: string | undefined) => void
  /** The bytes are copied or sent before they are used again: they are the connection's. False: it is better to wait for onDrain. */
  write(bytes: Uint8Array): boolean
  onDrain: () => void
  close(): void
}

/** Rejects with an Error whose message says why, in the words of the operating system. */
export type Dial = (address: Address, timeoutMs: number) => Promise<Outgoing>
