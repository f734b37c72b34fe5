// Clients over TLS, with certificates of their own: libraries and programs, and a change of certificates under load.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Config } from '../../src/config/config.ts'
import { Certificates } from '../harness/certificates.ts'
import { sleep } from '../harness/target.ts'
import { startTls, useCertificate } from '../harness/tls-server.ts'

const files = new Certificates()
files.authority('ca')
for (const name of ['first', 'second', 'client']) files.signed(name)
const read = (name: string) => readFileSync(files.path(name))
const own = () => ({ ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') })
const anyName = { checkServerIdentity: () => undefined }

async function withServer(body: (port: number, config: Config) => Promise<void>): Promise<void> {
  const { server, config, port } = await startTls(files)
  try {
    await body(port, config)
  } finally {
    await server.shutdown(['nosave', 'now'])
  }
}

function output(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(err, { cause: error })),
    )
  })
}

function runs(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('ioredis', () =>
  withServer(async port => {
    const redis = new Redis({ host: '127.0.0.1', port, tls: { ...own(), ...anyName }, lazyConnect: true })
    await redis.connect()
    await redis.set('k', 'x'.repeat(100_000))
    assert.equal((await redis.get('k'))?.length, 100_000)
    redis.disconnect()
  }))

test('node-redis', () =>
  withServer(async port => {
    const client = createClient({ socket: { host: '127.0.0.1', port, tls: true, ...own(), ...anyName } })
    await client.connect()
    await client.set('k', 'x'.repeat(100_000))
    assert.equal((await client.get('k'))?.length, 100_000)
    client.destroy()
  }))

const noCli = runs('redis-cli', '--tls', '--version') ? false : 'there is no redis-cli with TLS'

test('redis-cli --tls', { skip: noCli }, () =>
  withServer(async port => {
    const certificate = ['--cert', files.path('client.crt'), '--key', files.path('client.key')]
    const to = ['-h', '127.0.0.1', '-p', String(port), '--tls', '--cacert', files.path('ca.crt')]
    assert.equal(await output('redis-cli', ...to, ...certificate, 'SET', 'k', 'v'), 'OK\n')
    assert.equal(await output('redis-cli', ...to, ...certificate, 'GET', 'k'), 'v\n')
    assert.doesNotMatch(await output('redis-cli', ...to, 'GET', 'k').catch(String), /^v$/m)
  }),
)

const PYTHON = `
import redis, sys
port, folder = int(sys.argv[1]), sys.argv[2]
r = redis.Redis(host='127.0.0.1', port=port, ssl=True, ssl_ca_certs=folder + '/ca.crt', ssl_check_hostname=False,
                ssl_certfile=folder + '/client.crt', ssl_keyfile=folder + '/client.key')
r.set('k', 'x' * 100000)
with r.pipeline() as pipe:
    print(len(r.get('k')), pipe.incr('n').incr('n').execute())
`
const noPython = runs('python3', '-c', 'import redis') ? false : "there is no Python with its package 'redis'"

test("Python's redis", { skip: noPython }, () =>
  withServer(async port => {
    assert.equal(await output('python3', '-c', PYTHON, String(port), files.folder), '100000 [1, 2]\n')
  }),
)

/** One connection that asks for the next PING when the last is answered. */
class Pinger {
  answers = 0
  closed = false
  private readonly socket: TLSSocket

  constructor(port: number) {
    const socket = connectTls({ host: '127.0.0.1', port, ...own(), ...anyName })
    this.socket = socket
    const ask = () => socket.write('*1\r\n$4\r\nPING\r\n')
    socket.on('secureConnect', ask)
    socket.on('data', (bytes: Buffer) => {
      assert.equal(bytes.toString(), '+PONG\r\n')
      this.answers++
      ask()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
  }

  get certificate(): unknown {
    return this.socket.getPeerCertificate().subject?.CN
  }

  async until(answers: number): Promise<void> {
    for (let times = 0; this.answers < answers && times < 2000; times++) await sleep(5)
    assert.ok(this.answers >= answers, `${this.answers} answers`)
  }

  end(): void {
    this.socket.destroy()
  }
}

test('certificates change under load, and no connection is lost', () =>
  withServer(async (port, config) => {
    const old = Array.from({ length: 8 }, () => new Pinger(port))
    for (const one of old) await one.until(1)
    for (const name of ['second', 'first', 'second']) {
      useCertificate(files, name)
      assert.equal(await config.set([['tls-cert-file', files.path('server.crt')]]), null)
      const fresh = new Pinger(port)
      await fresh.until(10)
      assert.equal(fresh.certificate, name)
      fresh.end()
      for (const one of old) await one.until(one.answers + 10)
    }
    for (const one of old) {
      assert.deepEqual([one.closed, one.certificate], [false, 'first'])
      one.end()
    }
  }))
