// Modules that decide logins, shown with the example that takes JSON Web Tokens.

import assert from 'node:assert/strict'
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import jwt from '../../examples/jwt-login.ts'
import { createServer } from '../index.ts'
import { defineModule } from '../module.ts'

type RedstartServer = Awaited<ReturnType<typeof createServer>>

const SECRET = 'a secret of the test'
const HOUR_S = 3600
const NOW_S = 1_700_000_000

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function shared(claims: object, header: object = { alg: 'HS256', typ: 'JWT' }, secret = SECRET): string {
  const text = `${encoded(header)}.${encoded(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

function signed(claims: object, alg: string, key: KeyObject, kid?: string): string {
  const text = `${encoded({ alg, kid })}.${encoded(claims)}`
  return `${text}.${createSign('sha256').update(text).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')}`
}

async function serverWith(config: Record<string, string | number>): Promise<RedstartServer> {
  const server = await createServer({ modules: [jwt], config, clock: { mode: 'virtual', startMs: NOW_S * 1000 } })
  const client = server.client()
  await client.call('ACL SETUSER', 'alice', 'on', '~alice:*', '+@all')
  client.close()
  return server
}

async function login(server: RedstartServer, token: string): Promise<unknown> {
  const client = server.client()
  try {
    await client.call('AUTH', '-', token)
    return await client.call('ACL WHOAMI')
  } catch (error) {
    return (error as Error).message
  } finally {
    client.close()
  }
}

const REFUSED = 'WRONGPASS invalid username-password pair or user is disabled.'

test('a token names the user, as long as it is valid', async () => {
  await using server = await serverWith({ 'jwt.secret': SECRET, 'jwt.issuer': 'here', 'jwt.audience': 'redis' })
  const good = { sub: 'alice', iss: 'here', aud: ['other', 'redis'], nbf: NOW_S, exp: NOW_S + HOUR_S }
  assert.equal(await login(server, shared(good)), 'alice')
  for (const wrong of [
    { ...good, exp: NOW_S - 1 },
    { ...good, nbf: NOW_S + 10 },
    { ...good, iss: 'there' },
    { ...good, aud: 'other' },
    { ...good, sub: 'bob' },
    { ...good, sub: 1 },
  ])
    assert.equal(await login(server, shared(wrong)), REFUSED, JSON.stringify(wrong))
})

test('a signature or an algorithm that does not fit is refused', async () => {
  await using server = await serverWith({ 'jwt.secret': SECRET })
  const claims = { sub: 'alice' }
  assert.equal(await login(server, shared(claims, { alg: 'HS256' }, 'another')), REFUSED)
  assert.equal(await login(server, shared(claims, { alg: 'none' })), REFUSED)
  assert.equal(await login(server, `${encoded({ alg: 'none' })}.${encoded(claims)}.`), REFUSED)
  assert.equal(await login(server, `${shared(claims).slice(0, -4)}AAAA`), REFUSED)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  assert.equal(await login(server, signed(claims, 'RS256', privateKey)), REFUSED)
})

test('a public key is no secret that tokens could be made with', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  await using server = await serverWith({ 'jwt.public-key': pem.replaceAll('\n', '\\n') })
  assert.equal(await login(server, signed({ sub: 'alice' }, 'ES256', privateKey)), 'alice')
  assert.equal(await login(server, signed({ sub: 'alice' }, 'RS256', privateKey)), REFUSED)
  assert.equal(await login(server, shared({ sub: 'alice' }, { alg: 'HS256' }, pem)), REFUSED)
})

test('keys are fetched from the address of an issuer when they are needed', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let asked = 0
  const issuer = createHttpServer((_, response) => {
    asked++
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] }))
  })
  await new Promise<void>(resolve => issuer.listen(0, '127.0.0.1', resolve))
  const { port } = issuer.address() as AddressInfo
  await using server = await serverWith({ 'jwt.jwks-url': `http://127.0.0.1:${port}/keys` })
  const token = signed({ sub: 'alice' }, 'RS256', privateKey, 'one')
  assert.deepEqual([await login(server, token), await login(server, token)], ['alice', 'alice'])
  assert.equal(await login(server, signed({ sub: 'alice' }, 'RS256', privateKey, 'two')), REFUSED)
  assert.equal(asked, 1)
  issuer.close()
})

test('the connection ends with its token, unless it has a new one', async () => {
  await using server = await serverWith({ 'jwt.secret': SECRET })
  const client = server.client()
  const id = await client.call('CLIENT ID')
  await client.call('AUTH', '-', shared({ sub: 'alice', exp: NOW_S + 10 }))
  await client.call('AUTH', '-', shared({ sub: 'alice', exp: NOW_S + 20 }))
  await server.clock.advance(15_000)
  assert.equal(await client.call('CLIENT ID'), id)
  await server.clock.advance(10_000)
  assert.equal(String(await server.client().call('CLIENT LIST')).includes(`id=${id} `), false)
  client.close()
})

test('other passwords are left to the users, and all of them when the module is gone', async () => {
  await using server = await serverWith({ 'jwt.secret': SECRET, 'enable-module-command': 'yes' })
  const client = server.client()
  await client.call('ACL SETUSER', 'bob', 'on', '>word', '+@all')
  assert.equal(await client.call('AUTH', 'bob', 'word'), 'OK')
  assert.equal(await client.call('MODULE UNLOAD', 'jwt'), 'OK')
  assert.equal(await login(server, shared({ sub: 'alice' })), REFUSED)
  assert.equal(await client.call('AUTH', 'bob', 'word'), 'OK')
  client.close()
})

test('a module that fails to decide refuses the login', async () => {
  const failing = defineModule({
    name: 'failing',
    version: 1,
    apiVersion: 1,
    auth: ({ user }) => {
      if (user === 'now') throw new Error('now')
      return user === 'later' ? Promise.reject(new Error('later')) : undefined
    },
  })
  await using server = await createServer({ modules: [failing] })
  const client = server.client()
  for (const user of ['now', 'later'])
    await assert.rejects(client.call('AUTH', user, 'x'), /the login could not be checked/)
  assert.equal(await client.call('PING'), 'PONG')
  client.close()
})
