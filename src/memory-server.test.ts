import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import RedisMemoryServer, { resolveConfig } from './memory-server.ts'

async function ping(host: string, port: number, password?: string): Promise<string> {
  const redis = new Redis({
    host,
    port,
    retryStrategy: null,
    ...(password === undefined ? {} : { password }),
  } as object)
  const reply = await redis.ping()
  redis.disconnect()
  return reply
}

test('the first question for an address starts the server', async () => {
  const server = new RedisMemoryServer()
  assert.equal(server.getInstanceInfo(), false)
  const [host, port] = [await server.getHost(), await server.getPort()]
  assert.equal(host, '127.0.0.1')
  assert.equal(await ping(host, port), 'PONG')
  const info = server.getInstanceInfo()
  assert.ok(info !== false && info.port === port && info.ip === host && info.instance.getPid() === process.pid)
  await assert.rejects(server.start(), /already in status/)
  assert.equal(await server.stop(), true)
  assert.equal(server.getInstanceInfo(), false)
  assert.equal(await server.stop(), true)
})

test('servers do not share data, and one that starts again keeps its port', async () => {
  const [a, b] = [await RedisMemoryServer.create({ autoStart: true }), await RedisMemoryServer.create()]
  assert.notEqual(a.getInstanceInfo(), false)
  assert.equal(b.getInstanceInfo(), false)
  const [first, second] = [await a.ensureInstance(), await b.ensureInstance()]
  assert.notEqual(first.port, second.port)
  first.instance.server.callSync('SET', 'k', 'v')
  assert.equal(second.instance.server.callSync('GET', 'k'), null)
  await a.stop()
  assert.equal(await a.getPort(), first.port)
  for (const server of [a, b]) await server.stop()
})

test('args are directives, options of binaries have no effect, a taken port is replaced', async () => {
  const one = new RedisMemoryServer({
    instance: { args: ['--requirepass', 'two words', '--databases', '4', '--save', '900', '1', '--port', '1'] },
    binary: { version: '6.0.10', systemBinary: '/nowhere' },
  })
  const { port, ip, instance } = await one.ensureInstance()
  assert.equal(await ping(ip, port, 'two words'), 'PONG')
  assert.deepEqual(instance.server.callSync('CONFIG GET', 'databases', 'save'), { databases: '4', save: '900 1' })
  const two = new RedisMemoryServer({ instance: { port } })
  assert.notEqual(await two.getPort(), port)
  for (const server of [one, two]) await server.stop()
  await assert.rejects(new RedisMemoryServer({ instance: { args: ['redis.conf'] } }).start(), /a directive is --name/)
})

test('settings come from the environment, and from the nearest package.json', () => {
  const folder = mkdtempSync(join(tmpdir(), 'memory-server-'))
  const before = process.cwd()
  try {
    mkdirSync(join(folder, 'inner'))
    writeFileSync(join(folder, 'package.json'), '{"redisMemoryServer":{"version":"6","downloadDir":"d"}}')
    writeFileSync(join(folder, 'inner/package.json'), '{"redisMemoryServer":{"version":"7"}}')
    process.chdir(join(folder, 'inner'))
    assert.equal(resolveConfig('VERSION'), '7')
    assert.equal(resolveConfig('DOWNLOAD_DIR'), 'd')
    process.env.REDISMS_VERSION = '5'
    assert.equal(resolveConfig('VERSION'), '5')
    assert.equal(resolveConfig('NOTHING'), undefined)
  } finally {
    delete process.env.REDISMS_VERSION
    process.chdir(before)
    rmSync(folder, { recursive: true })
  }
})
