// TLS: real sockets, with certificates that openssl makes.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { Config } from '../config/config.ts'
import { loadText } from '../config/parser.ts'
import { runtimeNetwork } from '../net/runtime.ts'
import { realSystem } from '../system/real.ts'
import { Logger } from './log.ts'
import { Server } from './server.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-tls-'))
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
const inFolder = (name: string) => path.join(folder, name)
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function authority(name: string): void {
  openssl('req', '-x509', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`)
}

function signed(name: string, days = '2'): void {
  openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
  openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-days', days, '-out', `${name}.crt`)
}

authority('ca')
authority('stranger')
signed('first')
signed('second')
signed('client')

async function started(more = ''): Promise<{ server: Server; config: Config; port: number }> {
  const system = realSystem(runtimeNetwork())
  const config = new Config(system.disk)
  // A free port of the system's choice.
  const port = await new Promise<number>(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
  fs.copyFileSync(inFolder('first.crt'), inFolder('server.crt'))
  fs.copyFileSync(inFolder('first.key'), inFolder('server.key'))
  const files = `tls-cert-file ${inFolder('server.crt')}\ntls-key-file ${inFolder('server.key')}`
  loadText(
    config,
    `port 0\nbind 127.0.0.1\nlogfile ${inFolder('log')}\ntls-port ${port}\n${files}\n` +
      `tls-ca-cert-file ${inFolder('ca.crt')}\n${more}`,
  )
  const server = new Server(config, system, new Logger(system, config))
  await server.listen()
  return { server, config, port }
}

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
