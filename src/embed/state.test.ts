import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Talk } from '../../test/harness/talk.ts'
import { createServer, type EmbeddedServer } from '../index.ts'

const digest = (server: EmbeddedServer) => new Talk(server).ask('DEBUG DIGEST')
const CONFIG = { 'enable-debug-command': 'yes' } as const
const KINDS = [
  'SET s text',
  'SET n 12',
  'SET t soon EX 1000',
  'RPUSH l a b c',
  'SADD i 1 2 3',
  'SADD m x y z',
  'HSET h f 1 g 2',
  'ZADD z 1 one 2 two',
  'XADD x 1-1 f v',
  'XGROUP CREATE x g 0',
  'XREADGROUP GROUP g c STREAMS x >',
]

test('a snapshot is the dataset of its moment, however often it is restored', async () => {
  await using server = await createServer({ config: CONFIG })
  const talk = new Talk(server)
  talk.ask(...KINDS)
  const before = digest(server)
  const snapshot = server.snapshot()
  assert.equal(snapshot.keys, 9)
  for (let round = 0; round < 3; round++) {
    talk.ask(
      'DEL s l',
      'SET s other',
      'HSET h new 1',
      'ZADD z 5 five',
      'XADD x 2-2 a b',
      'SET t forever',
      'SELECT 3',
      'SET k v',
    )
    talk.ask('SELECT 0')
    assert.notEqual(digest(server), before)
    server.restore(snapshot)
    assert.equal(digest(server), before)
    assert.equal(talk.ask('GET s'), '$4\r\ntext\r\n')
    assert.equal(talk.ask('XPENDING x g'), '*4\r\n:1\r\n$3\r\n1-1\r\n$3\r\n1-1\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n')
  }
  talk.ask('FLUSHALL')
  server.restore(snapshot)
  assert.equal(digest(server), before)
})

test('an empty snapshot, and one taken while a flushed dataset is being freed', async () => {
  await using server = await createServer({ config: CONFIG })
  const empty = server.snapshot()
  const talk = new Talk(server)
  for (let i = 0; i < 500; i++) talk.ask(`RPUSH list${i} ${'x '.repeat(200)}`)
  const full = digest(server)
  const snapshot = server.snapshot()
  talk.ask('FLUSHALL ASYNC')
  const freeing = server.snapshot()
  server.restore(snapshot)
  assert.equal(digest(server), full)
  server.restore(freeing)
  assert.equal(talk.ask('DBSIZE'), ':0\r\n')
  await server.clock.advance(1000)
  server.restore(empty)
  assert.equal(talk.ask('SET k v', 'DBSIZE'), '+OK\r\n:1\r\n')
})

test('a transaction fails that watches a key of before or after', async () => {
  await using server = await createServer()
  const writer = new Talk(server)
  const [there, gone, untouched] = [new Talk(server), new Talk(server), new Talk(server)]
  writer.ask('SET there 1')
  const snapshot = server.snapshot()
  writer.ask('DEL there', 'SET gone 1')
  there.ask('WATCH there')
  gone.ask('WATCH gone')
  untouched.ask('WATCH never')
  server.restore(snapshot)
  assert.equal(there.ask('MULTI', 'PING', 'EXEC').slice(-5), '*-1\r\n')
  assert.equal(gone.ask('MULTI', 'PING', 'EXEC').slice(-5), '*-1\r\n')
  assert.equal(untouched.ask('MULTI', 'PING', 'EXEC').slice(-11), '*1\r\n+PONG\r\n')
})

test('blocked clients get what the snapshot has for them, or go on waiting', async () => {
  await using server = await createServer()
  const writer = new Talk(server)
  writer.ask('RPUSH q one', 'XADD s 1-1 f v', 'XGROUP CREATE s g $')
  const snapshot = server.snapshot()
  writer.ask('DEL q', 'XGROUP CREATE other g $ MKSTREAM')
  const [pop, wait, group] = [new Talk(server), new Talk(server), new Talk(server)]
  pop.ask('BLPOP q 0')
  wait.ask('BLPOP elsewhere 0')
  group.ask('XREADGROUP GROUP g c BLOCK 0 STREAMS other >')
  server.restore(snapshot)
  assert.equal(pop.received, '*2\r\n$1\r\nq\r\n$3\r\none\r\n')
  assert.match(group.received, /^-NOGROUP|^-UNBLOCKED/)
  assert.equal(wait.received, '')
  writer.ask('RPUSH elsewhere x')
  assert.equal(wait.received, '*2\r\n$9\r\nelsewhere\r\n$1\r\nx\r\n')
})

test('tracking clients are told to forget everything', async () => {
  await using server = await createServer()
  const talk = new Talk(server)
  talk.ask('HELLO 3', 'SET k v', 'CLIENT TRACKING ON', 'GET k')
  const snapshot = server.snapshot()
  talk.ask('PING')
  server.restore(snapshot)
  assert.equal(talk.received, '+PONG\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n')
})

test('scripts and function libraries are those of the snapshot', async () => {
  await using server = await createServer()
  const talk = new Talk(server)
  const library = (name: string, result: number) =>
    talk.ask(
      `FUNCTION LOAD REPLACE "#!lua name=${name}\\nredis.register_function('${name}', function() return ${result} end)"`,
    )
  library('one', 1)
  talk.ask(`SCRIPT LOAD "return 1"`, `EVAL "return 'kept'" 0`)
  const snapshot = server.snapshot()
  library('one', 2)
  library('two', 2)
  talk.ask(`SCRIPT LOAD "return 2"`)
  server.restore(snapshot)
  assert.equal(talk.ask('FCALL one 0'), ':1\r\n')
  assert.match(talk.ask('FCALL two 0'), /^-ERR Function not found/)
  const [kept, later] = ['e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '7f923f79fe76194c868d7e1d0820de36700eb649']
  assert.equal(talk.ask(`SCRIPT EXISTS ${kept} ${later}`), '*2\r\n:1\r\n:0\r\n')
  assert.equal(talk.ask(`EVALSHA ${kept} 0`), ':1\r\n')
  talk.ask('SCRIPT FLUSH')
  server.restore(snapshot)
  assert.equal(talk.ask(`EVALSHA ${kept} 0`), ':1\r\n')
  await using fork = await server.fork()
  assert.equal(new Talk(fork).ask(`EVALSHA ${kept} 0`, 'FCALL one 0'), ':1\r\n:1\r\n')
})

test('a command that has not arrived whole survives a restore', async () => {
  await using server = await createServer()
  const talk = new Talk(server)
  const snapshot = server.snapshot()
  const value = 'v'.repeat(100_000)
  talk.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n${value.slice(0, 60_000)}`)
  const within = server.snapshot()
  server.restore(snapshot)
  server.restore(within)
  talk.send(`${value.slice(60_000)}\r\n`)
  assert.equal(talk.received, '+OK\r\n')
  assert.equal(talk.ask('STRLEN k'), ':100000\r\n')
  talk.ask('DEL k')
  await using fork = await server.fork({ data: within })
  assert.equal(new Talk(fork).ask('SET a b', 'GET a'), '+OK\r\n$1\r\nb\r\n')
})

test('forks begin with the same data and share nothing', async () => {
  await using server = await createServer({ config: { ...CONFIG, databases: 3 } })
  const talk = new Talk(server)
  talk.ask(...KINDS, 'SELECT 2', 'SET other 1')
  const before = digest(server)
  await using fork = await server.fork()
  assert.equal(digest(fork), before)
  new Talk(fork).ask('SET s changed', 'FLUSHDB')
  assert.equal(digest(server), before)
  talk.ask('FLUSHALL')
  assert.equal(new Talk(fork).ask('SELECT 2', 'GET other'), '+OK\r\n$1\r\n1\r\n')
  assert.equal(new Talk(fork).ask('CONFIG GET databases'), '*2\r\n$9\r\ndatabases\r\n$1\r\n3\r\n')
})

test('forks that follow closed ones use their memory, and nothing of it is seen', async () => {
  await using server = await createServer({ config: CONFIG })
  for (let i = 0; i < 300; i++) server.callSync('SET', `k${i}`, `value ${i}`.repeat(100))
  new Talk(server).ask(...KINDS)
  const before = digest(server)
  await using alive = await server.fork()
  for (let round = 0; round < 3; round++) {
    const fork = await server.fork()
    assert.equal(digest(fork), before, `round ${round}`)
    const grandchild = await fork.fork()
    new Talk(fork).ask('FLUSHALL', `SET big ${'x'.repeat(100_000)}`)
    assert.equal(digest(grandchild), before)
    if (round % 2 === 0) server.callSync('SET', 'round', round)
    const socket = fork.connect()
    await fork.close()
    socket.write('GET big\r\n')
    await fork.clock.advance(1000)
    await grandchild.close()
    server.callSync('DEL', 'round')
  }
  assert.equal(digest(server), before)
  assert.equal(digest(alive), before)
})

test('a snapshot of a dataset that has not changed is the one of before', async () => {
  await using server = await createServer({ config: { maxmemoryPolicy: 'allkeys-lfu' } })
  const talk = new Talk(server)
  talk.ask('SET k v', 'SELECT 1', 'SET other v', 'SELECT 0')
  let last = server.snapshot()
  const isSame = () => {
    const { image } = last
    last = server.snapshot()
    return last.image.dataset === image.dataset
  }
  assert.ok(isSame())
  talk.ask('PING', 'GET nothing', 'DEL nothing')
  assert.ok(isSame())
  // A read counts its access.
  for (const command of ['GET k', 'SET k w', 'APPEND k x', 'EXPIRE k 100', 'SWAPDB 0 1', 'FLUSHALL', 'HSET h f v']) {
    talk.ask(command)
    assert.ok(!isSame(), command)
  }
  server.restore(last)
  assert.ok(isSame())
  await using fork = await server.fork()
  assert.equal(fork.snapshot().image.dataset, last.image.dataset)
})

test("a fork's clock begins where its parent's is", async () => {
  await using server = await createServer({ clock: { mode: 'virtual', startMs: 1000 } })
  new Talk(server).ask('SET k v PX 500')
  await server.clock.advance(400)
  await using fork = await server.fork()
  assert.equal(fork.clock.now(), 1400)
  await fork.clock.advance(100)
  assert.equal(new Talk(fork).ask('EXISTS k'), ':0\r\n')
  assert.equal(new Talk(server).ask('EXISTS k'), ':1\r\n')
})

test('expiries of a restored dataset are played by the clock', async () => {
  await using server = await createServer({ clock: 'virtual', config: { 'notify-keyspace-events': 'Ex' } })
  const talk = new Talk(server)
  talk.ask('SET a 1 PX 1000', 'SET b 1 PX 2000')
  const snapshot = server.snapshot()
  await server.clock.advance(1500)
  talk.ask('FLUSHALL')
  server.restore(snapshot)
  const listener = new Talk(server)
  listener.ask('SUBSCRIBE __keyevent@0__:expired')
  listener.received = ''
  await server.clock.advance(1000)
  assert.deepEqual(listener.received.match(/\r\n[ab]\r\n/g), ['\r\na\r\n', '\r\nb\r\n'])
})

test('data: plain values of every type, and back', async () => {
  const data = {
    bytes: { $base64: '/wA=' },
    hash: { a: '1', b: '2' },
    list: ['a', 'b'],
    members: { $set: ['x', 'y'] },
    odd: { $hash: { $set: 'a field' } },
    scores: { $zset: { one: 1, two: 2.5 } },
    stream: { $stream: [['1-1', { f: 'v' }]] },
    text: 'text',
  } as const
  await using server = await createServer({ data })
  assert.deepEqual(JSON.parse(JSON.stringify(server)), data)
  assert.deepEqual(server.toJSON({ match: 's*' }), { scores: data.scores, stream: data.stream })
  await using other = await createServer({
    data: { n: 7, set: new Set(['a']), zset: new Map([['a', 1]]), short: { $value: 'v', $ttl: 1000 } },
    clock: 'virtual',
  })
  assert.deepEqual(other.toJSON({ ttl: true }), {
    n: '7',
    set: { $set: ['a'] },
    short: { $value: 'v', $ttl: 1000 },
    zset: { $zset: { a: 1 } },
  })
  assert.match(new Talk(other).ask('INFO stats'), /total_commands_processed:0/)
  await assert.rejects(createServer({ data: { k: [['nested']] as unknown as string } }), /the value of 'k'/)
  await assert.rejects(createServer({ data: 'text' as unknown as { k: string } }), /data is an object/)
})

test('data: an RDB file, which rdb() makes', async () => {
  await using server = await createServer({ config: CONFIG })
  const talk = new Talk(server)
  talk.ask(...KINDS, `FUNCTION LOAD "#!lua name=one\\nredis.register_function('one', function() return 1 end)"`)
  const rdb = server.rdb()
  assert.equal(new TextDecoder().decode(rdb.subarray(0, 9)), 'REDIS0011')
  await using other = await createServer({ config: CONFIG, data: rdb })
  assert.equal(digest(other), digest(server))
  assert.equal(new Talk(other).ask('FCALL one 0'), ':1\r\n')
  await assert.rejects(createServer({ data: rdb.subarray(0, 50) }))
})

test('reset makes the server as it was made, data included', async () => {
  await using server = await createServer({ data: { k: 'v' }, config: { maxmemory: '100mb', requirepass: '' } })
  const talk = new Talk(server)
  talk.ask(
    'SET k other',
    'SET more 1',
    'CONFIG SET maxmemory 1gb appendonly yes',
    'ACL SETUSER alice on nopass +@all ~*',
    'ACL SETUSER default -debug',
    'EVAL "return 1" 0',
    'CLIENT PAUSE 100000 WRITE',
    'NOCOMMAND',
  )
  server.reset()
  assert.equal(talk.ask('GET k', 'DBSIZE'), '$1\r\nv\r\n:1\r\n')
  assert.equal(talk.ask('CONFIG GET maxmemory'), '*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n')
  assert.equal(talk.ask('ACL USERS'), '*1\r\n$7\r\ndefault\r\n')
  assert.match(talk.ask('ACL LIST'), /\+@all\r\n$/)
  assert.match(talk.ask('INFO'), /number_of_cached_scripts:0\r\n(.|\r\n)*total_error_replies:0\r\n/)
  assert.equal(talk.ask('SET k w'), '+OK\r\n')
  server.reset({ clients: 'close' })
  assert.equal(talk.isClosed, true)
  assert.equal(new Talk(server).ask('GET k'), '$1\r\nv\r\n')
})

test('a restore from within a script or on a replica is an error; with an append-only file it is rewritten', async () => {
  await using server = await createServer({ config: { ...CONFIG, appendonly: true } })
  const talk = new Talk(server)
  talk.ask('SET k v')
  const snapshot = server.snapshot()
  talk.ask('SET k w')
  server.restore(snapshot)
  while (talk.ask('INFO persistence').includes('aof_rewrite_in_progress:1'))
    await new Promise(done => setTimeout(done, 5))
  assert.match(talk.ask('INFO persistence'), /aof_enabled:1\r\n(.|\r\n)*aof_last_bgrewrite_status:ok/)
  talk.ask('SET l v', 'DEBUG LOADAOF')
  assert.equal(talk.ask('GET k'), '$1\r\nv\r\n')
  talk.ask('REPLICAOF 127.0.0.1 1')
  assert.throws(() => server.restore(snapshot), /replica/)
  await server.close()
  assert.throws(() => server.snapshot(), /closed/)
})

test('in cluster mode a snapshot is an RDB file in memory', async () => {
  await using server = await createServer({ config: { ...CONFIG, 'cluster-enabled': true } })
  const talk = new Talk(server)
  talk.ask('CLUSTER ADDSLOTSRANGE 0 16383')
  await server.clock.advance(3000)
  talk.ask(...KINDS)
  const before = digest(server)
  const snapshot = server.snapshot()
  talk.ask('DEL s', 'SET other 1')
  server.restore(snapshot)
  assert.equal(digest(server), before)
})

test('in cluster mode the clock plays the expiries of a restored dataset, and none of before', async () => {
  await using server = await createServer({
    clock: { mode: 'virtual', startMs: 0 },
    config: { 'cluster-enabled': true },
  })
  server.callSync('CLUSTER ADDSLOTSRANGE', 0, 16383)
  await server.clock.advance('5s')
  const expired: [number, string][] = []
  server.on('expired', ({ key }) => expired.push([server.clock.now(), key]))
  for (const key of ['a', 'b', 'c']) server.callSync('SET', key, 'v', 'EX', 60)
  const snapshot = server.snapshot()
  server.callSync('FLUSHALL')
  for (let i = 0; i < 50; i++) server.callSync('SET', `gone${i}`, 'v', 'EX', 30)
  await server.clock.advance('1s')
  server.restore(snapshot)
  await server.clock.advance('2m')
  assert.deepEqual(
    expired.sort(([, a], [, b]) => (a < b ? -1 : 1)),
    ['a', 'b', 'c'].map(key => [65_000, key]),
  )
})

test('a fork goes on with the clock of its original, wherever that was moved', async () => {
  await using server = await createServer()
  server.callSync('SET', 'k', 'v', 'EX', 7200)
  await server.clock.advance('1h')
  await using fork = await server.fork()
  assert.ok(Math.abs(fork.clock.now() - server.clock.now()) < 1000)
  assert.ok(Number(fork.callSync('TTL', 'k')) <= 3600)
})
