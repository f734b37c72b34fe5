// TLS: real sockets, with certificates that openssl makes.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { Certificates } from '../../test/harness/certificates.ts'
import { startTls } from '../../test/harness/tls-server.ts'

const files = new Certificates()
const inFolder = (name: string) => files.path(name)
files.authority('ca')
files.authority('stranger')
files.authority('other')
files.signed('first')
files.signed('second')
files.signed('client')
files.signed('late', { days: -1 })
files.signed('moved', { authority: 'other' })

const started = (more = '') => startTls(files, more)

/** The reply to `command` and the name in the server's certificate; 'closed' when the server ends the connection. */
function ask(port: number, certificate: string | undefined, command = 'PING\r\n'): Promise<string> {
  const own =
    certificate === undefined
      ? {}
      : {
          cert: fs.readFileSync(inFolder(`${certificate}.crt`)),
          key: fs.readFileSync(inFolder(`${certificate}.key`)),
        }
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', port, ca: fs.readFileSync(inFolder('ca.crt')), ...own }
    const socket = tls.connect({ ...options, checkServerIdentity: () => undefined })
    socket.on('secureConnect', () => socket.write(command))
    socket.on('data', (bytes: Buffer) => {
      resolve(`${bytes.toString().trim()} ${socket.getPeerCertificate().subject.CN}`)
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve('closed'))
  })
}

test('a client needs a certificate of the authority by default', async () => {
  const { server, port } = await started()
  assert.equal(await ask(port, 'client'), '+PONG first')
  assert.equal(await ask(port, undefined), 'closed')
  assert.equal(await ask(port, 'stranger'), 'closed')
  await server.shutdown(['nosave', 'now'])
})

test('tls-auth-clients: optional verifies what there is, no asks for nothing; each connection obeys the current value', async () => {
  const { server, config, port } = await started('tls-auth-clients optional')
  assert.equal(await ask(port, undefined), '+PONG first')
  assert.equal(await ask(port, 'stranger'), 'closed')
  assert.equal(await ask(port, 'client'), '+PONG first')
  assert.equal(await config.set([['tls-auth-clients', 'no']]), null)
  assert.equal(await ask(port, 'stranger'), '+PONG first')
  await server.shutdown(['nosave', 'now'])
})

test('a client without TLS is disconnected, and others are served', async () => {
  const { server, port } = await started()
  const closed = new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', resolve)
  })
  await closed
  assert.equal(await ask(port, 'client'), '+PONG first')
  await server.shutdown(['nosave', 'now'])
})

test('a certificate that has expired, or whose authority is trusted no more, is refused', async () => {
  const { server, config, port } = await started()
  assert.equal(await ask(port, 'late'), 'closed')
  assert.equal(await ask(port, 'moved'), 'closed')
  assert.equal(await ask(port, 'client'), '+PONG first')
  // The server's own certificate stays: clients of the test trust its authority.
  assert.equal(await config.set([['tls-ca-cert-file', inFolder('other.crt')]]), null)
  assert.equal(await ask(port, 'client'), 'closed')
  assert.equal(await ask(port, 'moved'), '+PONG first')
  await server.shutdown(['nosave', 'now'])
})

test('a client that verifies names is not satisfied with a certificate for another host', async () => {
  const { server, port } = await started('tls-auth-clients no')
  const options = { host: '127.0.0.1', port, ca: fs.readFileSync(inFolder('ca.crt')), servername: 'elsewhere' }
  const failure = await new Promise(resolve => {
    tls
      .connect(options, () => resolve('connected'))
      .on('error', (error: Error & { code?: string }) => resolve(error.code))
  })
  assert.equal(failure, 'ERR_TLS_CERT_ALTNAME_INVALID')
  assert.equal(await ask(port, undefined), '+PONG first')
  await server.shutdown(['nosave', 'now'])
})

test('tls-auth-clients-user CN: a client is the user that its certificate names, while that is on', async () => {
  const { server, config, port } = await started('user client on nopass ~* +@all\nuser moved off nopass ~* +@all')
  const whoami = 'ACL WHOAMI\r\n'
  assert.equal(await ask(port, 'client', whoami), '$7\r\ndefault first')
  assert.equal(await config.set([['tls-auth-clients-user', 'cn']]), null)
  assert.equal(config.print('tls-auth-clients-user'), 'CN')
  assert.equal(await ask(port, 'client', whoami), '$6\r\nclient first')
  assert.equal(await ask(port, 'second', whoami), '$7\r\ndefault first')
  assert.equal(await config.set([['tls-ca-cert-file', inFolder('other.crt')]]), null)
  assert.equal(await ask(port, 'moved', whoami), '$7\r\ndefault first')
  await server.shutdown(['nosave', 'now'])
})

test('INFO says when the certificates expire', async () => {
  const { server, config, port } = await started()
  const seconds = async (which: string) => {
    const found = new RegExp(`tls_${which}_cert_expires_in_seconds:(-?\\d+)`).exec(
      await ask(port, 'client', 'INFO server\r\n'),
    )
    return found === null ? undefined : Number(found[1])
  }
  const first = await seconds('server')
  assert.ok(first !== undefined && first > 86400 && first <= 2 * 86400, String(first))
  assert.equal(await seconds('client'), undefined)
  const peer: [string, string][] = [
    ['tls-client-cert-file', inFolder('late.crt')],
    ['tls-client-key-file', inFolder('late.key')],
  ]
  assert.equal(await config.set(peer), null)
  assert.ok((await seconds('client'))! < 0)
  await server.shutdown(['nosave', 'now'])
})

test('CONFIG SET changes the certificate for new connections; what cannot be used changes nothing', async () => {
  const { server, config, port } = await started()
  const files = (name: string, key = name): [string, string][] => [
    ['tls-cert-file', inFolder(`${name}.crt`)],
    ['tls-key-file', inFolder(`${key}.key`)],
  ]
  const refusal = 'Unable to update TLS configuration. Check server logs.'
  assert.ok(String(await config.set(files('second', 'client'))).endsWith(refusal))
  assert.ok(String(await config.set([['tls-ciphers', 'nonsense']])).endsWith(refusal))
  assert.equal(await ask(port, 'client'), '+PONG first')
  assert.equal(await config.set(files('second')), null)
  assert.equal(await ask(port, 'client'), '+PONG second')
  await server.shutdown(['nosave', 'now'])
})

test('large values pass in both directions', async () => {
  const { server, port } = await started()
  const value = 'x'.repeat(3_000_000)
  const options = { host: '127.0.0.1', port, ca: fs.readFileSync(inFolder('ca.crt')) }
  const own = { cert: fs.readFileSync(inFolder('client.crt')), key: fs.readFileSync(inFolder('client.key')) }
  const socket = tls.connect({ ...options, ...own, checkServerIdentity: () => undefined })
  const expected = `+OK\r\n$${value.length}\r\n${value}\r\n`
  const got = await new Promise<string>(resolve => {
    let text = ''
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      if (text.length >= expected.length) resolve(text)
    })
    socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`)
  })
  assert.ok(got === expected)
  socket.destroy()
  await server.shutdown(['nosave', 'now'])
})

test('tls-prefer-server-ciphers decides whose order of ciphers counts', async () => {
  const [short, long] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']
  const { server, config, port } = await started(
    `tls-auth-clients no\ntls-protocols TLSv1.2\ntls-ciphers ${short}:${long}`,
  )
  const chosen = () =>
    new Promise(resolve => {
      const options = { host: '127.0.0.1', port, ca: fs.readFileSync(inFolder('ca.crt')), ciphers: `${long}:${short}` }
      const socket = tls.connect({ ...options, checkServerIdentity: () => undefined }, () => {
        resolve(socket.getCipher().name)
        socket.destroy()
      })
      socket.on('error', resolve)
    })
  assert.equal(await chosen(), long)
  assert.equal(await config.set([['tls-prefer-server-ciphers', 'yes']]), null)
  assert.equal(await chosen(), short)
  await server.shutdown(['nosave', 'now'])
})
