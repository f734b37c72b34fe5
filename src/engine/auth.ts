// Auth: logins with AUTH and HELLO.

import type { Slice } from '../lib/slice.ts'
import { CLIENT_MULTI, type Client } from './client.ts'
import type { Engine } from './engine.ts'

export const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.'

export class Auth {
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** AUTH with only a password makes no sense. */
  get isPasswordless(): boolean {
    return this.engine.acl.default.isNopass
  }

  /** Logs the client in as this user; false, with an ACL LOG entry, if it may not. `args`: the client's command. */
  login(client: Client, name: string, password: string, args: readonly Slice[], argc: number): boolean {
    const { acl, stats } = this.engine
    const user = acl.user(name)
    if (user?.isOn !== true || !user.accepts(password)) {
      stats.aclDeniedAuth++
      const context = client.has(CLIENT_MULTI) ? 'multi' : 'toplevel'
      acl.record(client, { reason: 'auth', context, object: args[0].latin1(), username: name }, { args, argc })
      return false
    }
    acl.assign(client, user)
    client.authenticated = true
    return true
  }
}
