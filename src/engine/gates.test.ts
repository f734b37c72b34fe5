import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conversation } from '../../test/harness/conversation.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { projectRoot } from '../../test/tidy/source.ts'
import { virtualSystem } from '../system/virtual.ts'
import { EXEC_GATES, GATES, RETRY_GATES, SCRIPT_GATES, SCRIPT_WRITE_GATES } from './gates.ts'

test('the drawing shows the gates of every list in their order', () => {
  const head = readFileSync(join(projectRoot, 'src/engine/gates.ts'), 'utf8').split('\n')
  const title = head.find(line => line.startsWith('//   gate '))!
  const columns = ['client', 'EXEC', 'script', 'write in script', 'retry'].map(name => title.indexOf(name))
  const drawn: [string, number][][] = columns.map(() => [])
  for (const line of head) {
    const name = /^\/\/ {3}(\w+) +[\w/]+ {2,}/.exec(line)?.[1]
    if (name === undefined || name === 'gate') continue
    columns.forEach((at, i) => {
      const place = /\d+/.exec(line.slice(at, columns[i + 1] ?? line.length).padEnd(4))?.[0]
      if (place !== undefined) drawn[i].push([name, Number(place)])
    })
  }
  const ordered = drawn.map(list => list.sort((a, b) => a[1] - b[1]).map(([name]) => name))
  assert.deepEqual(
    ordered,
    [GATES, EXEC_GATES, SCRIPT_GATES, SCRIPT_WRITE_GATES, RETRY_GATES].map(list => [...list]),
  )
})

conversation('of two gates that would refuse, the earlier one answers', async c => {
  await c.config('maxmemory', '1')
  await c.expect('MULTI', 'OK')
  // transaction before memory
  await c.expectError('SYNC', 'ERR Command not allowed inside a transaction')
  await c.expectError('SET k v', "OOM command not allowed when used memory > 'maxmemory'.")
  await c.expectError('EXEC', 'EXECABORT Transaction discarded because of previous errors.')
})

conversation(
  'memory is looked at before the pub/sub state',
  async c => {
    await c.config('maxmemory', '1')
    c.tell('SUBSCRIBE c')
    await c.expectMessage(['subscribe', 'c', 1])
    await c.expectError('SET k v', "OOM command not allowed when used memory > 'maxmemory'.")
    await c.expectError('GET k', /^ERR Can't execute 'get': only/)
    c.tell('UNSUBSCRIBE c')
    await c.expectMessage(['unsubscribe', 'c', 0])
    await c.config('maxmemory', '0')
  },
  { resp: 2 },
)

test('a gate that is set and taken away again leaves nothing', async () => {
  const server = await MachineServer.start(virtualSystem())
  const { engine } = server.server
  server.connect()
  const before = engine.gates.names
  server.call('config', 'set', 'maxmemory', '100mb', 'min-replicas-to-write', '1')
  assert.deepEqual(
    engine.gates.names.filter(name => !before.includes(name)),
    ['memory', 'goodReplicas'],
  )
  server.call('config', 'set', 'maxmemory', '0', 'min-replicas-to-write', '0')
  assert.deepEqual(engine.gates.names, before)
})

for (const reason of ['pause', 'snapshot'] as const)
  test(`a client that goes while it is postponed is forgotten: ${reason}`, async () => {
    const machine = virtualSystem()
    const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '20000' })
    const { engine } = server.server
    server.connect()
    const leaving = server.connect()
    const fields = Array.from({ length: 10000 }, (_, i) => `field or value ${i}`)
    server.call('hset', 'large', ...fields)
    server.call('mset', 'small', 1, 'other', 1)
    if (reason === 'pause') server.call('client', 'pause', '100000')
    else server.call('bgsave')
    server.send(leaving, ['hset', 'large', 'new', 'field'])
    assert.equal(engine.postponed.count, 1)
    const [client] = [...engine.clients.values()].slice(-1)
    engine.closeClient(client)
    assert.equal(engine.postponed.count, 0)
    engine.postponed.release(reason)
    engine.serveBlockedAndFlush()
    assert.equal(engine.clients.has(client.id), false)
  })

conversation('postponed clients are counted among those that are blocked', async c => {
  const paused = await c.another()
  await c.expect('CLIENT PAUSE 100000 WRITE', 'OK')
  const set = await paused.start('SET k v')
  await c.expect('INFO clients', /blocked_clients:1\r\n/)
  await c.expect('CLIENT UNPAUSE', 'OK')
  await paused.expectReply(set, 'OK')
  await c.expect('INFO clients', /blocked_clients:0\r\n/)
})
