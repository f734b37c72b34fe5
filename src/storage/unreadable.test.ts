// A record that is damaged on disk: the command that needs it is refused, files that need it are not written, and
// nothing else is concerned.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { virtualSystem } from '../system/virtual.ts'

const KEYS = 60
const REFUSED = 'ERR A value of this command cannot be read from disk'

/** A server with some values that are damaged on disk, and the names of these. */
async function damaged(directives: Readonly<Record<string, string>> = {}) {
  const all = { storage: 'disk', 'storage-memory': '1', appendonly: 'yes', ...directives }
  const server = await MachineServer.start(virtualSystem(), all)
  for (let i = 0; i < KEYS; i++) server.call('set', `text ${i}`, `${i} `.repeat(100))
  server.machine.advance(3000)
  const { disk } = server.machine
  const fd = disk.open('appendonlydir/appendonly.aof.values/value-1.log', 'r+')
  disk.write(fd, new Uint8Array(50), 0, 50, 5000)
  disk.close(fd)
  const bad: string[] = []
  for (let i = 0; i < KEYS; i++) if (isRefused(server, ['strlen', `text ${i}`])) bad.push(`text ${i}`)
  assert.ok(bad.length === 1 || bad.length === 2, String(bad))
  server.machine.advance(3000)
  return { server, bad }
}

function isRefused(server: MachineServer, words: readonly string[]): boolean {
  const reply = server.call(...words)
  if (!(reply instanceof RespError)) return false
  assert.equal(reply.message, REFUSED)
  return true
}

test('a command that needs a damaged value is refused before it runs, and no other', async () => {
  const { server, bad } = await damaged()
  assert.ok(isRefused(server, ['append', bad[0], 'x']))
  assert.ok(isRefused(server, ['mset', 'a', '1', 'b', '2']) === false)
  assert.ok(isRefused(server, ['eval', 'redis.call("set", "a", "3") return redis.call("get", KEYS[1])', '1', bad[0]]))
  assert.equal(server.call('get', 'a'), '1')
  server.call('multi')
  server.call('set', 'a', '4')
  server.call('get', bad[0])
  const exec = server.call('exec')
  assert.match(exec instanceof RespError ? exec.message : '', /^EXECABORT .*cannot be read from disk/)
  assert.equal(server.call('get', 'a'), '1')
  assert.equal(server.call('exists', bad[0]), 1)
  assert.equal(server.call('rename', bad[0], 'other'), 'OK')
  assert.ok(isRefused(server, ['get', 'other']))
  assert.equal(server.call('set', 'other', 'x'), 'OK')
  assert.equal(server.call('get', 'other'), 'x')
})

test('a damaged value that is only met while a command runs is an error of it', async () => {
  const { server, bad } = await damaged()
  const [number] = /\d+/.exec(bad[0])!
  server.call('rpush', 'numbers', 1, 2, number, 3)
  assert.ok(server.call('sort', 'numbers', 'get', 'text *') instanceof RespError)
  assert.ok(server.call('eval', `return redis.call("get", "${bad[0]}")`, 0) instanceof RespError)
  assert.ok(server.call('debug', 'digest') instanceof RespError)
  assert.equal(server.call('ping'), 'PONG')
})

for (const [name, command, directives, status] of [
  ['BGSAVE', 'bgsave', {}, 'rdb_last_bgsave_status'],
  ['a base of commands', 'bgrewriteaof', { 'aof-use-rdb-preamble': 'no' }, 'aof_last_bgrewrite_status'],
] as const)
  test(`a file that needs a damaged value is not written: ${name}`, async () => {
    const { server, bad } = await damaged({ ...directives, 'stop-writes-on-bgsave-error': 'no' })
    const state = () => new RegExp(`${status}:(\\w+)`).exec(String(server.call('info', 'persistence')))?.[1]
    server.call(command)
    server.machine.advance(5000)
    assert.equal(state(), 'err')
    assert.equal(server.machine.disk.stat('dump.rdb'), null)
    assert.ok(server.call('save') instanceof RespError)
    // Without that key they are, and whole.
    for (const key of bad) server.call('del', key)
    server.call(command)
    server.machine.advance(5000)
    assert.equal(state(), 'ok')
    const digest = server.call('debug', 'digest')
    await server.stop([command === 'bgsave' ? 'save' : 'nosave'])
    const again = await MachineServer.start(server.machine, command === 'bgsave' ? {} : { appendonly: 'yes' })
    assert.equal(again.call('debug', 'digest'), digest)
  })
