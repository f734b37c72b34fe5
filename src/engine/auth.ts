// Auth: the user of a connection. There is one user so far, 'default', whose password is requirepass.

import { sha256Hex } from '../lib/sha256.ts'
import { Slice } from '../lib/slice.ts'
import type { Client } from './client.ts'
import type { Stats } from './monitoring/stats.ts'
import type { Settings } from './settings.ts'

export const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.'

/** The stored hash of the password of 'default'; undefined: no password (nopass). */
export function passwordHash(requirepass: string): string | undefined {
  return requirepass === '' ? undefined : sha256Hex(Slice.of(requirepass))
}

/** 'user default …' as ACL LIST and the configuration file have it. */
export function defaultUserLine(requirepass: string): string {
  const hash = passwordHash(requirepass)
  const secret = hash === undefined ? 'nopass sanitize-payload' : `sanitize-payload #${hash}`
  return `user default on ${secret} ~* &* +@all`
}

export class Auth {
  private readonly settings: Settings
  private readonly stats: Stats

  constructor(settings: Settings, stats: Stats) {
    this.settings = settings
    this.stats = stats
  }

  userExists(name: string): boolean {
    return name === 'default'
  }

  /** A new connection is authenticated as 'default' unless that needs a password. */
  reset(client: Client): void {
    client.user = 'default'
    client.authenticated = this.settings.requirepass === ''
  }

  /** AUTH: sets the connection's user if the password is right. */
  authenticate(client: Client, user: string, password: string): boolean {
    const wanted = this.settings.requirepass
    if (user !== 'default' || (wanted !== '' && !sameSecret(wanted, password))) {
      this.stats.aclDeniedAuth++
      return false
    }
    client.user = user
    client.authenticated = true
    return true
  }
}

/** Constant-time comparison. */
function sameSecret(secret: string, given: string): boolean {
  let difference = secret.length ^ given.length
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ (secret.charCodeAt(i % secret.length) | 0)
  return difference === 0
}
