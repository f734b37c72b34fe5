// Why a connection ended: a CloseReason for callbacks, the error made of it for promises.

/**
 * unreachable: no connection came about     lost: it broke            timeout: the server was silent too long
 * refused: an error was answered            protocol: no RESP came    closed: by us
 * noReplica: the server is no primary for us
 */
export type CloseKind = 'unreachable' | 'lost' | 'timeout' | 'refused' | 'protocol' | 'closed' | 'noReplica'

export interface CloseReason {
  readonly kind: CloseKind
  /** The operating system's or the server's text; '' when nothing is known. */
  readonly text: string
  /** Of 'refused': the command with the error reply. */
  readonly command?: string
}

export class ClientError extends Error {}

/** There is no connection to the server (any more). A retry may succeed. */
export class ConnectionLost extends ClientError {}

/** The server replied with an error that is fatal here. */
export class ServerRefused extends ClientError {}

/** The server does not accept us as a replica. */
export class ReplicationRefused extends ServerRefused {}

/** A reason as an error whose message names the server. */
export function errorOf({ kind, text, command }: CloseReason, server: string): ClientError {
  if (kind === 'unreachable') return new ConnectionLost(`cannot connect to ${server}: ${text}`)
  if (kind === 'noReplica') return new ReplicationRefused(text)
  if (kind !== 'refused')
    return new ConnectionLost(`the connection to ${server} broke${text === '' ? '' : `: ${text}`}`)
  if (command === 'AUTH') return new ServerRefused(`${server} refuses the password: ${text}`)
  if (text.startsWith('NOAUTH'))
    return new ServerRefused(`${server} wants a password: redis://[user]:password@host:port`)
  return new ServerRefused(`${server} answers: ${text}`)
}
