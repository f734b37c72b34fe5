// Logins with JSON Web Tokens, as OAuth and OpenID Connect servers issue them: the password of AUTH is the token, and a
// claim of it names the user, who must exist (ACL SETUSER alice on ~alice:* +@all; no password is needed).
//
//   AUTH - <token> ─▶ key (jwt.secret, jwt.public-key, or jwt.jwks-url) ─▶ signature, exp, nbf, iss, aud ─▶ user
//
// Always: a password that has not the form of a token is left to the passwords of users; a token that is wrong is
// refused. The algorithm must fit the key: it is never what the token asks for alone. A connection ends with its token.

import { createHmac, createPublicKey, createVerify, type KeyObject, timingSafeEqual } from 'node:crypto'
import { defineModule, type LoginAnswer, type ModuleLogin, type ModuleServer } from '../src/module.ts'

interface Token {
  readonly header: { readonly alg?: unknown; readonly kid?: unknown }
  readonly claims: { readonly [name: string]: unknown }
  /** What was signed. */
  readonly text: string
  readonly signature: Buffer
}

const HASHES = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
  ['RS256', 'sha256'],
  ['RS384', 'sha384'],
  ['RS512', 'sha512'],
  ['ES256', 'sha256'],
  ['ES384', 'sha384'],
])
const CURVES = new Map([
  ['ES256', 'prime256v1'],
  ['ES384', 'secp384r1'],
])
/** Keys are asked for again when a token names an unknown one, but not more often. */
const REFRESH_MS = 60_000
const FETCH_MS = 3000
/** Timers hold no longer. */
const TIMER_MS_MAX = 2 ** 31 - 1

class JwtLogins {
  private readonly server: ModuleServer
  private keys = new Map<string, KeyObject>()
  private fetchedMs = Number.NEGATIVE_INFINITY
  /** By the id of a client: cancels the end of its connection. */
  private readonly ends = new Map<number, () => void>()

  constructor(server: ModuleServer) {
    this.server = server
    server.on('client-disconnected', ({ id }) => this.forget(id))
  }

  decide(login: ModuleLogin): LoginAnswer | Promise<LoginAnswer> {
    const token = tokenOf(login.password)
    if (token === undefined) return undefined
    const { server } = this
    const known = this.keyOf(token)
    const url = String(server.config('jwks-url'))
    if (known !== undefined || url === '') return this.judged(token, known, login)
    return this.fetched(url).then(() => this.judged(token, this.keyOf(token), login))
  }

  private judged(token: Token, key: KeyObject | string | undefined, login: ModuleLogin): LoginAnswer {
    const { server } = this
    const why = key === undefined ? 'its key is unknown' : (refusalOf(token, server) ?? wrongSignature(token, key))
    const user = token.claims[String(server.config('user-claim'))]
    const problem = why ?? (typeof user === 'string' ? undefined : 'it names no user')
    if (problem !== undefined) {
      server.log('notice', `jwt: a token of ${login.client.address} was refused: ${problem}`)
      return false
    }
    this.endWith(token, login.client.id)
    return { user: user as string }
  }

  private keyOf({ header }: Token): KeyObject | string | undefined {
    const { server } = this
    const isShared = String(header.alg).startsWith('HS')
    const secret = String(server.config('secret'))
    if (isShared) return secret === '' ? undefined : secret
    const pem = String(server.config('public-key'))
    return pem === '' ? this.keys.get(String(header.kid)) : createPublicKey(pem.replaceAll('\\n', '\n'))
  }

  private async fetched(url: string): Promise<void> {
    const { server } = this
    if (server.nowMs() - this.fetchedMs < REFRESH_MS) return
    this.fetchedMs = server.nowMs()
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) })
    const { keys } = (await response.json()) as { keys: ({ kid?: string } & Record<string, string>)[] }
    this.keys = new Map(keys.map(jwk => [String(jwk.kid), createPublicKey({ key: jwk, format: 'jwk' })]))
  }

  /** The connection is closed when the token expires, if it has not logged in again by then. */
  private endWith({ claims }: Token, id: number): void {
    const { server } = this
    this.forget(id)
    if (typeof claims.exp !== 'number' || server.config('close-expired') === false) return
    const end = () => {
      this.ends.delete(id)
      server.closeClient(id)
    }
    this.ends.set(id, server.after(Math.min(Math.max(0, claims.exp * 1000 - server.nowMs()), TIMER_MS_MAX), end))
  }

  private forget(id: number): void {
    this.ends.get(id)?.()
    this.ends.delete(id)
  }
}

/** undefined: this is no token. */
function tokenOf(password: string): Token | undefined {
  const [head, body, signature, ...more] = password.split('.')
  if (signature === undefined || more.length > 0) return undefined
  const [header, claims] = [parsed(head), parsed(body)]
  if (header === undefined || claims === undefined) return undefined
  return { header, claims, text: `${head}.${body}`, signature: Buffer.from(signature, 'base64url') }
}

function parsed(part: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : undefined
  } catch {
    return undefined
  }
}

/** What is wrong with the claims. */
function refusalOf({ claims: { exp, nbf, iss, aud } }: Token, server: ModuleServer): string | undefined {
  const nowS = server.nowMs() / 1000
  const leewayS = Number(server.config('leeway-s'))
  const issuer = String(server.config('issuer'))
  const audience = String(server.config('audience'))
  if (exp !== undefined && !(typeof exp === 'number' && nowS < exp + leewayS)) return 'it has expired'
  if (nbf !== undefined && !(typeof nbf === 'number' && nowS >= nbf - leewayS)) return 'it is not valid yet'
  if (issuer !== '' && iss !== issuer) return 'it is of another issuer'
  if (audience !== '' && ![aud].flat().includes(audience)) return 'it is for another audience'
  return undefined
}

function wrongSignature({ header, text, signature }: Token, key: KeyObject | string): string | undefined {
  const alg = String(header.alg)
  const hash = HASHES.get(alg)
  if (hash === undefined) return 'its algorithm is not known'
  if (typeof key === 'string') {
    const right = createHmac(hash, key).update(text).digest()
    return right.length === signature.length && timingSafeEqual(right, signature) ? undefined : 'its signature is wrong'
  }
  const curve = CURVES.get(alg)
  const fits =
    curve === undefined
      ? key.asymmetricKeyType === 'rsa' && alg.startsWith('RS')
      : key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve
  if (!fits) return 'its algorithm does not fit the key'
  const isRight = createVerify(hash).update(text).verify({ key, dsaEncoding: 'ieee-p1363' }, signature)
  return isRight ? undefined : 'its signature is wrong'
}

const logins = new WeakMap<ModuleServer, JwtLogins>()

export default defineModule({
  name: 'jwt',
  version: 1,
  apiVersion: 1,
  config: {
    secret: { kind: 'text', initial: '', sensitive: true },
    'public-key': { kind: 'text', initial: '' },
    'jwks-url': { kind: 'text', initial: '' },
    issuer: { kind: 'text', initial: '' },
    audience: { kind: 'text', initial: '' },
    'user-claim': { kind: 'text', initial: 'sub' },
    'leeway-s': { kind: 'integer', initial: 0, min: 0, max: 3600 },
    'close-expired': { kind: 'yes-no', initial: true },
  },
  setup: server => {
    logins.set(server, new JwtLogins(server))
  },
  auth: (login, server) => logins.get(server)?.decide(login),
})
