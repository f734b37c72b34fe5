// Auth: who a connection speaks for. There is one user so far, 'default', whose password is requirepass.

import { sha256Hex } from '../lib/sha256.ts'
import { Slice } from '../lib/slice.ts'
import type { Client } from './client.ts'
import type { Engine } from './engine.ts'

export const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.'

export function userExists(_engine: Engine, name: string): boolean {
  return name === 'default'
}

/** The hash that stands for the password of 'default'; undefined: none is needed. */
export function passwordHash(requirepass: string): string | undefined {
  return requirepass === '' ? undefined : sha256Hex(Slice.of(requirepass))
}

/** 'user default …' as ACL LIST and the configuration file have it. */
export function defaultUserLine(requirepass: string): string {
  const hash = passwordHash(requirepass)
  const secret = hash === undefined ? 'nopass sanitize-payload' : `sanitize-payload #${hash}`
  return `user default on ${secret} ~* &* +@all`
}

/** The connection becomes `user` if the password is right. */
export function authenticate(engine: Engine, client: Client, user: string, password: string): boolean {
  const wanted = engine.settings.requirepass
  if (user !== 'default' || (wanted !== '' && !sameSecret(wanted, password))) {
    engine.stats.aclDeniedAuth++
    return false
  }
  client.user = user
  client.authenticated = true
  return true
}

/** The connection is what it was when it was new. */
export function resetAuth(engine: Engine, client: Client): void {
  client.user = 'default'
  client.authenticated = engine.settings.requirepass === ''
}

/** Takes a time that tells nothing about where two secrets differ. */
export function sameSecret(secret: string, given: string): boolean {
  let difference = secret.length ^ given.length
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ (secret.charCodeAt(i % secret.length) | 0)
  return difference === 0
}
