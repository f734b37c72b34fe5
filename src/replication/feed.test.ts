import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversation } from '../../test/harness/conversation.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { ask, fill, say, ToolBench } from '../../test/harness/tools.ts'
import { realSystem } from '../server/system/real.ts'
import { virtualSystem } from '../server/system/virtual.ts'
import type { Remote } from '../tools/online/remote.ts'
import { ReplicaLink } from '../tools/online/replica-link.ts'
import { parseServerUrl } from '../tools/online/server-url.ts'

const QUICK = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '3600' }

conversation('REPLCONF takes what replicas say', async c => {
  await c.expect('REPLCONF listening-port 7000 capa eof capa psync2 ip-address 10.0.0.1', 'OK')
  await c.expect('REPLCONF rdb-only 0', 'OK')
  await c.expectError('REPLCONF listening-port', 'ERR syntax error')
  await c.expectError('REPLCONF listening-port x', 'ERR value is not an integer or out of range')
  await c.expectError('REPLCONF nonsense 1', 'ERR Unrecognized REPLCONF option: nonsense')
})

conversation('a replica comes alone, and not in a transaction', async c => {
  await c.expectError('PSYNC ? x', 'ERR value is not an integer or out of range')
  await c.expect('MULTI', 'OK')
  await c.expectError('SYNC', 'ERR Command not allowed inside a transaction')
  await c.expectError('PSYNC ? -1', 'ERR Command not allowed inside a transaction')
  await c.expectError('EXEC', 'EXECABORT Transaction discarded because of previous errors.')
})

/** What a replica has heard. */
class Ear {
  rdbBytes = 0
  whole = false
  stream = ''
  error: Error | undefined
  link!: ReplicaLink

  static async open(bench: ToolBench, from?: { id: string; offset: number }, rdbOnly = false): Promise<Ear> {
    const ear = new Ear()
    ear.link = await ReplicaLink.open({
      url: parseServerUrl('redis://test:1')!,
      dial: bench.dial,
      timers: realSystem().timers,
      from,
      rdbOnly,
      target: {
        rdbBegins: () => {},
        rdb: bytes => {
          ear.rdbBytes += bytes.length
        },
        rdbEnds: () => {
          ear.whole = true
        },
        stream: bytes => {
          ear.stream += new TextDecoder('latin1').decode(bytes)
        },
      },
    })
    ear.link.onEnd = error => {
      ear.error = error
    }
    return ear
  }

  async until(done: (ear: Ear) => boolean): Promise<void> {
    for (let turns = 0; turns < 4000 && !done(this); turns++) await new Promise(resolve => setTimeout(resolve, 1))
    assert.ok(done(this))
  }
}

async function withPrimary(
  run: (bench: ToolBench, primary: Remote) => Promise<void>,
  config: { [name: string]: string } = {},
): Promise<void> {
  const bench = new ToolBench()
  try {
    await run(bench, await bench.start(1, { ...QUICK, ...config }, true))
  } finally {
    await bench.stop()
  }
}

const lines = (...words: string[]) => `*${words.length}\r\n${words.map(w => `$${w.length}\r\n${w}\r\n`).join('')}`

test('a replica gets the dataset, then every change as it is made', () =>
  withPrimary(async (bench, primary) => {
    await fill(primary)
    const ear = await Ear.open(bench)
    await ear.until(({ whole }) => whole)
    assert.ok(ear.rdbBytes > 500)
    await say(primary, 'SET a 1', 'GET a', 'SELECT 5', 'INCR n', 'MULTI', 'SADD s x', 'SADD s y', 'EXEC', 'SPOP s 2')
    const expected = [
      lines('SELECT', '0') + lines('SET', 'a', '1') + lines('SELECT', '5') + lines('INCR', 'n'),
      lines('MULTI') + lines('SADD', 's', 'x') + lines('SADD', 's', 'y') + lines('EXEC') + lines('DEL', 's'),
    ].join('')
    await ear.until(({ stream }) => stream.length >= expected.length)
    assert.equal(ear.stream, expected)
    const { master_repl_offset: offset, connected_slaves: replicas } = await primary.info('replication')
    assert.equal(ear.link.offset, Number(offset))
    assert.equal(replicas, '1')
    ear.link.close()
  }))

test('what is written while the dataset is being saved comes behind it', () =>
  withPrimary(
    async (bench, primary) => {
      for (let i = 0; i < 100; i++) await say(primary, `SET key:${i} old`)
      const opening = Ear.open(bench)
      for (let i = 0; i < 50; i++) await say(primary, `APPEND key:${i} +`)
      const ear = await opening
      await ear.until(({ whole }) => whole)
      await say(primary, 'SET last 1')
      await ear.until(({ stream }) => stream.includes('last'))
      const appended = ear.stream.match(/APPEND/g)?.length ?? 0
      assert.ok(appended <= 50)
      assert.equal(ear.link.offset, Number((await primary.info('replication')).master_repl_offset))
      ear.link.close()
    },
    { 'rdb-key-save-delay': '200' },
  ))

test('a replica that comes back gets what it has missed, as long as that is there', () =>
  withPrimary(
    async (bench, primary) => {
      const ear = await Ear.open(bench)
      await ear.until(({ whole }) => whole)
      await say(primary, 'SET a 1')
      await ear.until(({ stream }) => stream.includes('SET'))
      const { id, offset } = ear.link
      ear.link.close()
      await say(primary, 'SET b 2', 'SET c 3')
      const again = await Ear.open(bench, { id, offset })
      assert.ok(again.link.continued)
      const missed = lines('SET', 'b', '2') + lines('SET', 'c', '3')
      await again.until(({ stream }) => stream.length >= missed.length)
      assert.equal(again.stream, missed)
      again.link.close()
      await primary.call('SET', 'large', 'x'.repeat(100_000))
      for (const from of [
        { id, offset },
        { id: 'f'.repeat(40), offset: again.link.offset },
      ]) {
        const late = await Ear.open(bench, from)
        assert.ok(!late.link.continued)
        await late.until(({ whole }) => whole)
        late.link.close()
      }
    },
    { 'repl-backlog-size': '16kb' },
  ))

test('a replica that wants only the dataset gets nothing more', () =>
  withPrimary(async (bench, primary) => {
    const ear = await Ear.open(bench, undefined, true)
    await ear.until(({ whole }) => whole)
    await say(primary, 'SET a 1')
    const other = await Ear.open(bench)
    await other.until(({ whole }) => whole)
    assert.equal(ear.stream, '')
    ear.link.close()
    other.link.close()
  }))

test('a replica for which too much waits is let go', () =>
  withPrimary(
    async (bench, primary) => {
      for (let i = 0; i < 400; i++) await say(primary, `SET key:${i} x`)
      const ear = await Ear.open(bench)
      const value = new Uint8Array(100_000)
      for (let i = 0; i < 40 && ear.error === undefined; i++) await primary.call('SET', 'large', value)
      await ear.until(({ error }) => error !== undefined)
      assert.ok(!ear.whole)
      assert.equal(await ask(primary, 'PING'), 'PONG')
    },
    { 'client-output-buffer-limit': 'replica 1mb 0 0', 'rdb-key-save-delay': '10000' },
  ))

test('a server may end while a dataset is being saved for a replica, and saves itself whole', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '1000' })
  for (let i = 0; i < 50; i++) server.call('SET', `key:${i}`, 'x')
  const digest = server.digest()
  server.send(server.connect(), ['SYNC'])
  machine.advance(10)
  await server.stop(['save'])
  assert.deepEqual(machine.disk.readdir('/'), ['dump.rdb'])
  machine.forget()
  const again = await MachineServer.start(machine)
  assert.equal(again.digest(), digest)
})

test('a replica is let go when its dataset cannot be saved, and nothing else happens', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine)
  server.call('SET', 'a', '1')
  machine.disk.failWrites = 'ENOSPC'
  server.send(server.connect(), ['PSYNC', '?', '-1'])
  machine.advance(2000)
  assert.match(String(server.call('INFO', 'replication')), /connected_slaves:0/)
  machine.disk.failWrites = null
  server.send(server.connect(), ['PSYNC', '?', '-1'])
  machine.advance(2000)
  assert.match(String(server.call('INFO', 'replication')), /connected_slaves:1\r\nslave0:.*state=online/)
})
