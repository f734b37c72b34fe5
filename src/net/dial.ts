// Dial: the way out: connections that this program opens to servers. dial-node.ts implements it on Bun and on Node.

export type { Address, Dial, Outgoing, TlsOptions } from '../system/network.ts'
