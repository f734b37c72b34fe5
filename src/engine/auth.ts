// Auth: logins with AUTH and HELLO. The passwords of users decide, or first an authenticator of the embedding program.
//
//   AUTH ─▶ authenticator? ─▶ user | refused | failed
//              └ unhandled, or none ─▶ password of the user
//
// Always: a refused login leaves the client as the user that it was.

import { Slice } from '../lib/slice.ts'
import { CLIENT_CLOSING, CLIENT_MULTI, type Client } from './client.ts'
import type { Engine } from './engine.ts'
import type { Authenticator, LoginDecision } from './ports/authenticator.ts'

const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.'
const CANNOT_TELL = 'ERR the login could not be checked, try again later'

export interface Login {
  user: string
  password: string
}

export class Auth {
  /** Set by the server. */
  authenticator: Authenticator | undefined
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** AUTH with only a password makes no sense. */
  get isPasswordless(): boolean {
    return this.engine.acl.default.isNopass && this.authenticator === undefined
  }

  /** Logs the client in, or returns the error; `args`: the client's command. */
  byPassword(client: Client, login: Login, args: readonly Slice[], argc: number): string | undefined {
    const user = this.engine.acl.user(login.user)
    if (user?.isOn !== true || !user.accepts(login.password)) return this.refuse(client, login, args, argc)
    return this.accept(client, login, login.user)
  }

  /** The client is the user that its certificate names, where there is one that is on (tls-auth-clients-user). */
  byCertificate(client: Client, name: string): void {
    const user = Slice.of(name).latin1()
    if (user !== '' && this.engine.acl.user(user)?.isOn === true) this.accept(client, { user, password: '' }, user)
  }

  /** Asks the authenticator; `decided` gets the error, or undefined, before this returns or later. */
  ask(client: Client, login: Login, command: Slice, decided: (error: string | undefined) => void): void {
    const { id, connection } = client
    const object = [command.copy()]
    const request = { ...login, client: { id, address: connection.peer, kind: connection.kind } }
    this.authenticator!.decide(request, decision => {
      if (!client.has(CLIENT_CLOSING)) decided(this.apply(client, login, decision, object))
    })
  }

  private apply(client: Client, login: Login, decision: LoginDecision, args: Slice[]): string | undefined {
    switch (decision.kind) {
      case 'unhandled':
        return this.byPassword(client, login, args, 1)
      case 'user':
        if (this.engine.acl.user(decision.name)?.isOn !== true) return this.refuse(client, login, args, 1)
        return this.accept(client, login, decision.name)
      case 'refused':
        return this.refuse(client, login, args, 1)
      case 'failed':
        this.engine.observers.audit.tell(client, 'login-failed', { user: login.user })
        return CANNOT_TELL
    }
  }

  private accept(client: Client, login: Login, name: string): undefined {
    const { acl, observers } = this.engine
    acl.assign(client, acl.user(name)!)
    client.authenticated = true
    if (observers.audit.isHeard) observers.audit.tell(client, 'login', { user: login.user, object: name })
  }

  /** Counts it, adds it to ACL LOG, and returns the error. */
  private refuse(client: Client, login: Login, args: readonly Slice[], argc: number): string {
    const { acl, observers } = this.engine
    const context = client.has(CLIENT_MULTI) ? 'multi' : 'toplevel'
    acl.record(client, { reason: 'auth', context, object: args[0].latin1(), username: login.user }, { args, argc })
    observers.audit.tell(client, 'login-refused', { user: login.user })
    return WRONG_PASSWORD
  }
}
