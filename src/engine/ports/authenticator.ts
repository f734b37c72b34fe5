// Authenticator: decides logins instead of the passwords of users. Implemented by server/logins.ts around functions of
// an embedding program or an extension.

export interface LoginRequest {
  /** As the client named it; byte strings, one char a byte. */
  readonly user: string
  readonly password: string
  readonly client: LoginClient
}

interface LoginClient {
  readonly id: number
  /** Address and port, or the path of the Unix socket. */
  readonly address: string
  readonly kind: 'tcp' | 'tls' | 'unix' | 'memory'
}

/**
 * user: logs in as that user, which must exist and be on. refused: wrong. unhandled: the passwords of users decide.
 * failed: it cannot be told (an exception, a time-out); the login is refused.
 */
export type LoginDecision =
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'refused' | 'unhandled' | 'failed' }

export interface Authenticator {
  /** Calls `decided` once, before it returns or later. */
  decide(request: LoginRequest, decided: (decision: LoginDecision) => void): void
}
