import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conversation } from '../../test/harness/conversation.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { encodeCommand, type RespError } from '../../test/harness/resp.ts'
import { ask, fill, say, ToolBench } from '../../test/harness/tools.ts'
import { AwaitedLink } from '../client/awaited-link.ts'
import type { Remote } from '../client/remote.ts'
import { parseServerUrl } from '../client/url.ts'
import type { Connection } from '../system/network.ts'
import { virtualSystem } from '../system/virtual.ts'

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

/** Records what a replica receives. */
class ReplicaRecorder {
  rdbBytes = 0
  whole = false
  stream = ''
  error: Error | undefined
  link!: AwaitedLink
  /** Called when anything has come, or the link has ended. */
  private changed: () => void = () => {}

  static async open(
    bench: ToolBench,
    from?: { id: string; offset: number },
    rdbOnly = false,
  ): Promise<ReplicaRecorder> {
    const ear = new ReplicaRecorder()
    ear.link = await AwaitedLink.open(parseServerUrl('redis://test:1')!, { from, rdbOnly }, bench.reach, {
      rdbBegins: () => {},
      rdb: bytes => {
        ear.rdbBytes += bytes.length
        ear.changed()
      },
      rdbEnds: () => {
        ear.whole = true
        ear.changed()
      },
      stream: bytes => {
        ear.stream += new TextDecoder('latin1').decode(bytes)
        ear.changed()
      },
    })
    ear.link.onEnd = error => {
      ear.error = error
      ear.changed()
    }
    return ear
  }

  async until(done: (ear: ReplicaRecorder) => boolean): Promise<void> {
    while (!done(this)) {
      assert.equal(this.error, undefined)
      await new Promise<void>(resolve => {
        this.changed = resolve
      })
    }
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

for (const diskless of ['yes', 'no'])
  test(`a replica gets the dataset, then every change as it is made: diskless ${diskless}`, () =>
    withPrimary(
      async (bench, primary) => {
        await fill(primary)
        const ear = await ReplicaRecorder.open(bench)
        await ear.until(({ whole }) => whole)
        assert.ok(ear.rdbBytes > 500)
        await say(
          primary,
          'SET a 1',
          'GET a',
          'SELECT 5',
          'INCR n',
          'MULTI',
          'SADD s x',
          'SADD s y',
          'EXEC',
          'SPOP s 2',
        )
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
      },
      { 'repl-diskless-sync': diskless },
    ))

for (const diskless of ['yes', 'no'])
  test(`what is written while the dataset is being saved comes behind it: diskless ${diskless}`, () =>
    withPrimary(
      async (bench, primary) => {
        for (let i = 0; i < 100; i++) await say(primary, `SET key:${i} old`)
        const opening = ReplicaRecorder.open(bench)
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
      { 'rdb-key-save-delay': '1000', 'repl-diskless-sync': diskless },
    ))

test('a replica that comes back gets what it has missed, as long as that is there', () =>
  withPrimary(
    async (bench, primary) => {
      const ear = await ReplicaRecorder.open(bench)
      await ear.until(({ whole }) => whole)
      await say(primary, 'SET a 1')
      await ear.until(({ stream }) => stream.includes('SET'))
      const { id, offset } = ear.link
      ear.link.close()
      await say(primary, 'SET b 2', 'SET c 3')
      const again = await ReplicaRecorder.open(bench, { id, offset })
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
        const late = await ReplicaRecorder.open(bench, from)
        assert.ok(!late.link.continued)
        await late.until(({ whole }) => whole)
        late.link.close()
      }
    },
    { 'repl-backlog-size': '16kb' },
  ))

test('a replica that wants only the dataset gets nothing more', () =>
  withPrimary(async (bench, primary) => {
    const ear = await ReplicaRecorder.open(bench, undefined, true)
    await ear.until(({ whole }) => whole)
    await say(primary, 'SET a 1')
    assert.equal(await ask(primary, 'WAIT', 1, 50), 0)
    const other = await ReplicaRecorder.open(bench)
    await other.until(({ whole }) => whole)
    assert.equal(ear.stream, '')
    ear.link.close()
    other.link.close()
  }))

test('a replica for which too much waits is let go', () =>
  withPrimary(
    async (bench, primary) => {
      for (let i = 0; i < 400; i++) await say(primary, `SET key:${i} x`)
      const ear = await ReplicaRecorder.open(bench)
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

test('a replica that asks for synchronization again is not answered, even while output waits for it', async () => {
  for (const first of [['SYNC'], ['PSYNC', '?', '-1']]) {
    const machine = virtualSystem({ seed: 1 })
    const server = await MachineServer.start(machine, { ...QUICK, 'repl-diskless-sync': 'no' })
    server.call('SET', 'a', '1')
    server.write(server.connect(), Buffer.concat([encodeCommand(first), encodeCommand(['SYNC'])]))
    machine.advance(1000)
    assert.match(String(server.call('INFO', 'replication')), /connected_slaves:1/, first[0])
    assert.equal(machine.out.match(/asks for synchronization/g)?.length, 1, first[0])
  }
})

test('PSYNC with an offset that is no number is refused and logged', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, QUICK)
  assert.match((server.call('PSYNC', 'id', 'x') as RespError).message, /ERR value is not an integer or out of range/)
  assert.match(machine.out, /Replica .* asks for synchronization but with a wrong offset\n$/)
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

test('WAIT is answered when as many replicas have what was written, or with those that have', () =>
  withPrimary(async (bench, primary) => {
    assert.equal(await ask(primary, 'WAIT', 1, 10), 0)
    const ears = [await ReplicaRecorder.open(bench), await ReplicaRecorder.open(bench)]
    for (const ear of ears) await ear.until(({ whole }) => whole)
    await say(primary, 'SET a 1')
    const waiting = ask(primary, 'WAIT', 2, 0)
    for (const ear of ears) {
      await ear.until(({ stream }) => stream.endsWith(lines('REPLCONF', 'GETACK', '*')))
      ear.link.acknowledge()
    }
    assert.equal(await waiting, 2)
    await say(primary, 'SET b 1')
    // Each also acknowledges once a second of itself, so which have what was written is sure only when all have.
    const inVain = ask(primary, 'WAIT', 3, 1000)
    for (const ear of ears) {
      await ear.until(({ stream }) => stream.includes(lines('SET', 'b', '1') + lines('REPLCONF', 'GETACK', '*')))
      ear.link.acknowledge()
    }
    assert.equal(await inVain, 2)
    for (const ear of ears) ear.link.close()
  }))

test('WAITAOF counts the replicas that say their disk has it', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine)
  server.call('SET', 'a', '1')
  const replica = server.connect()
  server.send(replica, ['PSYNC', '?', '-1'])
  machine.advance(2000)
  server.call('SET', 'b', '1')
  const [, offset] = /master_repl_offset:(\d+)/.exec(String(server.call('INFO', 'replication')))!
  server.send(replica, ['REPLCONF', 'ACK', offset])
  assert.equal(server.call('WAIT', 1, 100), 1)
  assert.deepEqual(server.call('WAITAOF', 0, 1, 10), [0, 0])
  const ahead = String(Number(offset) + 1000)
  server.send(replica, ['REPLCONF', 'ACK', ahead, 'FACK', offset])
  assert.deepEqual(server.call('WAITAOF', 0, 1, 10), [0, 1])
})

test('with min-replicas-to-write, writes are refused while too few replicas are near', () =>
  withPrimary(
    async (bench, primary) => {
      const tooFew = /^NOREPLICAS Not enough good replicas to write\.$/
      const write = async (...words: string[]) =>
        String(((await ask(primary, ...words)) as { text?: string }).text ?? 'done')
      const script = ['EVAL', "return redis.call('incr', 'n')", '0']
      assert.match(await write('SET', 'a', '1'), tooFew)
      assert.match(await write(...script), /^NOREPLICAS Not enough good replicas to write\./)
      assert.match(await write('EVAL', '#!lua\nreturn 1', '0'), tooFew)
      assert.equal(await ask(primary, 'GET', 'a'), null)
      assert.equal(await ask(primary, 'EVAL', "return redis.call('exists', 'n')", 0), 0)
      const ear = await ReplicaRecorder.open(bench)
      await ear.until(({ whole }) => whole)
      for (let turns = 0; turns < 500 && (await write('SET', 'a', '1')) !== 'done'; turns++) ear.link.acknowledge()
      assert.equal(await write(...script), 'done')
      assert.equal((await primary.info('replication')).min_slaves_good_slaves, '1')
      ear.link.close()
      for (let turns = 0; turns < 500 && (await write('SET', 'a', '1')) === 'done'; turns++);
      assert.match(await write('SET', 'a', '1'), tooFew)
      await say(primary, 'CONFIG SET min-replicas-to-write 0')
      assert.equal(await write('SET', 'a', '1'), 'done')
    },
    { 'min-replicas-to-write': '1' },
  ))

/** Connects a client that takes what `write` says of its output; sends its commands. */
function connected({ server: { engine }, machine }: MachineServer, write: Connection['write']) {
  const client = engine.connections.connect({
    kind: 'tcp',
    peer: '10.0.0.1:1',
    local: '10.0.0.2:6379',
    fd: 0,
    write,
    close() {},
    pause() {},
    resume() {},
  })
  return (...words: string[]): void => {
    const bytes = new Uint8Array(encodeCommand(words))
    engine.input.receive(client, bytes, new DataView(bytes.buffer), 0, bytes.length)
    machine.settle()
  }
}

test('several replicas are sent one dataset, and one that takes nothing holds the others up no longer than it may', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, { ...QUICK, 'repl-diskless-sync-delay': '5' })
  for (let i = 0; i < 10; i++) server.call('SET', `key:${i}`, machine.system.random.bytes(90_000))
  const received: Uint8Array[] = []
  let isSynchronising = false
  for (const takes of [true, false]) {
    const send = connected(server, (u8, start, end) => {
      if (!takes && isSynchronising) return 0
      received.push(u8.slice(start, end))
      return end - start
    })
    send('REPLCONF', 'capa', 'eof')
    send('PSYNC', '?', '-1')
  }
  isSynchronising = true
  const bytesReceived = () => received.reduce((sum, { length }) => sum + length, 0)
  machine.advance(4000)
  assert.ok(bytesReceived() < 1000, 'others might come')
  machine.advance(3000)
  assert.ok(bytesReceived() > 1000 && bytesReceived() < 900_000, 'as fast as the slowest')
  assert.match((server.call('BGSAVE') as RespError).message, /Another child process is active/)
  machine.advance(70_000)
  assert.ok(bytesReceived() > 900_000)
  const text = received.map(u8 => String.fromCharCode(...u8.subarray(0, 200))).join('')
  const [, mark] = /\$EOF:([0-9a-f]{40})\r\nREDIS/.exec(text)!
  assert.ok(received.some((u8, i) => i > 0 && String.fromCharCode(...u8.subarray(-40)) === mark))
  assert.equal(server.call('BGSAVE'), 'Background saving started')
})

test('rdb-filter-only: the snapshot has the functions alone, or nothing, and each filter a snapshot of its own', async () => {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, QUICK)
  server.call('SET', 'a key', 'a value')
  server.call('FUNCTION', 'LOAD', "#!lua name=mylib\nredis.register_function('f', function() return 1 end)")
  const received = ['functions', '', 'FUNCTIONS functions', undefined].map(filter => {
    const socket = server.server.memory.connect()
    const replica = { text: '' }
    socket.onData = bytes => {
      replica.text += Buffer.from(bytes).toString('latin1')
    }
    const options = filter === undefined ? [] : ['rdb-filter-only', filter]
    socket.write(encodeCommand(['REPLCONF', 'capa', 'eof', 'rdb-only', '1', ...options]))
    socket.write(encodeCommand(['SYNC']))
    machine.settle()
    return replica
  })
  server.call('SET', 'a key', 'changed')
  machine.advance(5000)
  const contents = received.map(({ text }) => [
    /EOF:[0-9a-f]{40}\r\nREDIS/.test(text),
    text.includes('mylib'),
    text.includes('a key'),
  ])
  assert.deepEqual(contents, [
    [true, true, false],
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ])
  assert.equal(server.call('GET', 'a key'), 'changed')
  assert.equal(server.call('BGSAVE'), 'Background saving started')
})

test('output that waits for a replica takes no memory from the data', async () => {
  const machine = virtualSystem({ seed: 1 })
  const directives = { ...QUICK, 'maxmemory-policy': 'allkeys-random', 'repl-backlog-size': '16384' }
  const server = await MachineServer.start(machine, directives)
  for (let i = 0; i < 20; i++) server.call('SET', `key:${i}`, 'x'.repeat(10_000))
  let takes = true
  const send = connected(server, (_u8, start, end) => (takes ? end - start : 0))
  send('REPLCONF', 'capa', 'eof')
  send('PSYNC', '?', '-1')
  machine.advance(3000)
  send('REPLCONF', 'ACK', '0')
  assert.match(String(server.call('INFO', 'replication')), /state=online/)
  const figure = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(String(server.call('INFO', 'memory')))![1])
  const counted = () => figure('used_memory') - figure('mem_not_counted_for_evict')
  const before = counted()
  server.call('CONFIG', 'SET', 'maxmemory', String(before + 32 * 1024))
  takes = false
  for (let i = 0; i < 20_000; i++) server.call('SETRANGE', 'key:0', '0', 'abc')
  assert.ok(figure('mem_clients_slaves') > 500_000)
  assert.equal(server.call('DBSIZE'), 20)
  assert.ok(counted() - before < 20_000, `${counted() - before} bytes more`)
})

conversation(
  'without replicas the offset counts the commands that go to the append-only file',
  async c => {
    const offset = async () => (await c.figure('master_repl_offset')) - before
    const before = await c.figure('master_repl_offset')
    await c.expect('SET a 1', 'OK')
    assert.equal(await offset(), 0)
    await c.config('appendonly', 'yes')
    await c.expect('SET a 1', 'OK')
    await c.expect('GET a', '1')
    await c.expect('MSET a 1 b 2', 'OK')
    assert.equal(await offset(), 2)
    await c.do(['EVAL', "redis.call('SET', 'a', 1) redis.call('DEL', 'b')", '0'])
    assert.equal(await offset(), 6)
    await c.do('PUBLISH channel message')
    assert.equal(await offset(), 6)
  },
  { since: '7.2' },
)
