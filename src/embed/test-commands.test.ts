import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { Config } from '../config/config.ts'
import { runtimeNetwork } from '../net/runtime.ts'
import { Logger } from '../server/log.ts'
import { Server } from '../server/server.ts'
import { ServerTime } from '../system/server-time.ts'
import { virtualSystem } from '../system/virtual.ts'
import { TestCommands } from './test-commands.ts'

const turn = () => new Promise(resolve => void setImmediate(resolve))

/** A server with the commands, and a connection: the reply to each line. */
async function started() {
  const time = new ServerTime(1_000_000)
  const system = { ...virtualSystem().system, network: runtimeNetwork(), clock: time.clock, timers: time.timers }
  const commands = new TestCommands()
  const config = new Config(system.disk)
  config.put('save', [])
  const options = { failed: () => {}, mayRest: true, modules: [{ module: commands.module }] }
  const server = new Server(config, system, new Logger(system, config), options)
  await server.load()
  commands.attach(server, time)
  const socket = server.memory.connect()
  return { ask: asking(socket), end: () => server.shutdown(['nosave', 'now']) }
}

/** The reply to each line that is sent. */
function asking(socket: { onData: (bytes: Uint8Array) => void; write(line: string): unknown }) {
  let received = ''
  socket.onData = bytes => {
    received += new TextDecoder().decode(bytes)
  }
  return async (line: string) => {
    received = ''
    socket.write(`${line}\r\n`)
    while (received === '') await turn()
    return received
  }
}

test('the clock, snapshots, faults and reset as commands', async () => {
  const { ask, end } = await started()
  await ask('SET k v EX 3600')
  assert.equal(await ask('REDSTART SNAPSHOT a'), '+OK\r\n')
  assert.equal(await ask('REDSTART CLOCK NOW'), ':1000000\r\n')
  assert.equal(await ask('REDSTART CLOCK ADVANCE 30m'), '+OK\r\n')
  assert.equal(await ask('TTL k'), ':1800\r\n')
  await ask('FLUSHALL')
  assert.equal(await ask('REDSTART RESTORE a'), '+OK\r\n')
  assert.equal(await ask('TTL k'), ':1800\r\n')
  assert.equal(await ask('REDSTART CLOCK ADVANCE 1800000'), '+OK\r\n')
  assert.equal(await ask('GET k'), '$-1\r\n')
  assert.equal(await ask('REDSTART FAULT GET ERROR READONLY TIMES 1 SKIP 1'), '+OK\r\n')
  assert.equal(await ask('GET k'), '$-1\r\n')
  assert.equal(await ask('GET k'), "-READONLY You can't write against a read only replica.\r\n")
  await ask('REDSTART FAULT * ERROR BUSY')
  assert.match(await ask('PING'), /^-BUSY/)
  assert.equal(await ask('REDSTART FAULT CLEAR'), '+OK\r\n')
  await ask('SET left 1')
  assert.equal(await ask('REDSTART RESET'), '+OK\r\n')
  assert.equal(await ask('DBSIZE'), ':0\r\n')
  await end()
})

test('what is wrong with such a command is an error reply', async () => {
  const { ask, end } = await started()
  assert.equal(await ask('REDSTART RESTORE nothing'), '-ERR no such snapshot\r\n')
  assert.match(await ask('REDSTART FAULT GET DROP SIDEWAYS'), /^-ERR a connection drops/)
  assert.equal(await ask('REDSTART FAULT GET ERROR'), '-ERR syntax error\r\n')
  assert.equal(await ask('REDSTART CLOCK JUMP'), '-ERR syntax error\r\n')
  assert.match(await ask('REDSTART CLOCK ADVANCE soon'), /^-ERR/)
  await ask('MULTI')
  assert.match(await ask('REDSTART SNAPSHOT a'), /^\+QUEUED|^-ERR/)
  assert.match(await ask('EXEC'), /ERR/)
  await end()
})

test('a fork has the data, the clock, settings and users, and nothing in common afterwards', async () => {
  const { ask, end } = await started()
  await ask('SET k v EX 3600')
  await ask('CONFIG SET maxmemory-policy allkeys-lru')
  await ask('ACL SETUSER ann on >secret ~* +@all')
  await ask('REDSTART CLOCK ADVANCE 30m')
  const port = Number((await ask('REDSTART FORK')).slice(1))
  const fork = new Redis({ port, username: 'ann', password: 'secret', retryStrategy: null } as object)
  assert.equal(await fork.ttl('k'), 1800)
  assert.deepEqual(await fork.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'allkeys-lru'])
  await fork.set('k', 'other')
  assert.equal(await fork.call('REDSTART', 'CLOCK', 'ADVANCE', '1h'), 'OK')
  assert.equal(await ask('GET k'), '$1\r\nv\r\n')
  assert.equal(await ask('REDSTART CLOCK NOW'), ':2800000\r\n')
  const closed = new Promise(resolve => void fork.once('end', resolve))
  await fork.shutdown('NOSAVE').catch(() => {})
  await closed
  await end()
})
