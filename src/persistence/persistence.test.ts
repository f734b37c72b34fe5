import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { encodeCommand, RespError } from '../../test/harness/resp.ts'
import { seededRandom, virtualSystem } from '../system/virtual.ts'

/** The longest write: a chunk, and a last element that overflows it. */
const LONGEST_WRITE = 384 * 1024

/** A few keys of every type and encoding, with and without expiry, in two databases. */
function fill(server: MachineServer): void {
  server.call('set', 'text', 'hello world, hello world, hello world')
  server.call('set', 'integer', '123456789')
  server.call('set', 'expiring', 'v', 'px', 100000000)
  server.call('set', 'long', 'abc'.repeat(200000))
  for (let i = 0; i < 300; i++) {
    server.call('rpush', 'list', `element ${i}`, i)
    server.call('hset', 'hash', `field ${i}`, i * 7)
    server.call('sadd', 'set', `member ${i}`)
    server.call('sadd', 'integers', i * 1000003)
    server.call('zadd', 'zset', i / 3, `member ${i}`)
    server.call('xadd', 'stream', `${i + 1}-1`, 'field', `value ${i}`)
  }
  server.call('rpush', 'short list', 'a', 1, 'b', -5)
  server.call('hset', 'short hash', 'a', 1, 'b', 'two')
  server.call('sadd', 'short set', 'x', 'y')
  server.call('zadd', 'short zset', 1, 'x', 2.5, 'y')
  server.call('xgroup', 'create', 'stream', 'group', '0')
  server.call('xreadgroup', 'group', 'group', 'consumer', 'count', 5, 'streams', 'stream', '>')
  server.call('select', 3)
  server.call('set', 'elsewhere', 1)
  server.call('select', 0)
}

async function restarted(
  directives: Readonly<Record<string, string>>,
  save: (s: MachineServer) => void,
): Promise<void> {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, directives)
  fill(server)
  const digest = server.digest()
  const pending = server.call('xpending', 'stream', 'group')
  const ttl = server.call('pttl', 'expiring')
  save(server)
  machine.settle()
  await server.stop(['nosave'])
  const again = await MachineServer.start(machine, directives)
  assert.equal(again.digest(), digest)
  assert.deepEqual(again.call('xpending', 'stream', 'group'), pending)
  assert.equal(again.call('pttl', 'expiring'), ttl)
}

test('SAVE writes what the next start reads', () => restarted({}, server => server.call('save')))
test('BGSAVE writes what the next start reads', () => restarted({}, server => server.call('bgsave')))
test('the append-only file is what the next start reads', () => restarted({ appendonly: 'yes' }, () => {}))
test('a rewritten append-only file is, too', () =>
  restarted({ appendonly: 'yes' }, server => server.call('bgrewriteaof')))
test('and one whose base is made of commands', () =>
  restarted({ appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }, server => server.call('bgrewriteaof')))

test('DEBUG RELOAD leaves everything as it was', async () => {
  const server = await MachineServer.start(virtualSystem())
  fill(server)
  const digest = server.digest()
  assert.equal(server.server.persistence.reload({ save: true, flush: true, merge: false, inTurns: false }), undefined)
  assert.equal(server.digest(), digest)
})

test('a background save holds the moment it began', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '1000' })
  fill(server)
  const digest = server.digest()
  assert.equal(server.call('bgsave'), 'Background saving started')
  machine.advance(2)
  server.call('del', 'text', 'hash', 'long')
  server.call('rpush', 'list', 'more')
  server.call('swapdb', 0, 3)
  server.call('set', 'text', 'new')
  server.call('flushdb')
  server.call('xadd', 'stream', '*', 'a', 'b')
  machine.advance(1000)
  assert.match(String(server.call('info', 'persistence')), /rdb_last_bgsave_status:ok/)
  const again = await MachineServer.start(machine)
  assert.equal(again.digest(), digest)
})

test('keys that are saved because they change are delayed for as well', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '1000000' })
  for (let i = 0; i < 20; i++) server.call('set', `key ${i}`, 'old')
  server.call('bgsave')
  for (let i = 0; i < 20; i++) server.call('set', `key ${i}`, 'new')
  machine.advance(15_000)
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:1/)
  machine.advance(10_000)
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:0/)
})

test('delays that are shorter than a timer add up', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '20' })
  for (let i = 0; i < 2000; i++) server.call('set', `key ${i}`, 'value')
  server.call('bgsave')
  machine.advance(30)
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:1/)
  machine.advance(30)
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:0/)
})

test('a delay between keys that is shortened while it runs ends', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { 'rdb-key-save-delay': '100000000' })
  fill(server)
  server.call('bgsave')
  machine.advance(5000)
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:1/)
  server.call('config', 'set', 'rdb-key-save-delay', '0')
  machine.advance(1000)
  assert.match(String(server.call('info', 'persistence')), /rdb_bgsave_in_progress:0/)
})

for (const [what, directives] of [
  ['an RDB file', {}],
  ['a rewritten log', { appendonly: 'yes' }],
  ['a rewritten log of commands', { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }],
] as const)
  test(`long elements go into ${what} in pieces`, async () => {
    const machine = virtualSystem()
    const server = await MachineServer.start(machine, directives)
    const random = seededRandom(7)
    const shrinking = () => `${random.u32()} `.repeat(100000)
    const lasting = () => random.bytes(900000)
    for (const long of [shrinking, lasting]) {
      server.call('rpush', 'list', 'a', long(), 'b', long())
      server.call('hset', 'hash', 'f', long(), long(), 'v', 'g', 'w')
      server.call('sadd', 'set', long(), 'x', long())
      server.call('zadd', 'zset', 1, long(), 2.5, 'y', 3, long())
      server.call('xadd', 'stream', '*', 'f', long(), 'g', 'v')
      server.call('set', long === lasting ? 'lasting' : 'shrinking', long())
    }
    const digest = server.digest()
    let longest = 0
    const { writeLater } = machine.disk
    machine.disk.writeLater = (fd, u8, offset, length, at, done) => {
      longest = Math.max(longest, length)
      writeLater.call(machine.disk, fd, u8, offset, length, at, done)
    }
    server.call('appendonly' in directives ? 'bgrewriteaof' : 'bgsave')
    // Keys changed meanwhile follow the value in progress.
    server.call('append', 'lasting', 'x')
    server.call('append', 'lasting', 'y')
    machine.advance(2000)
    assert.ok(longest > 0 && longest <= LONGEST_WRITE, `${longest} bytes in one piece`)
    await server.stop(['nosave'])
    const again = await MachineServer.start(machine, directives)
    if ('appendonly' in directives) assert.equal(again.call('strlen', 'lasting'), 900002)
    else assert.equal(again.digest(), digest)
  })

test('a failed save refuses writes until one succeeds', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { save: '3600 1' })
  server.call('set', 'a', 1)
  machine.disk.failWrites = 'ENOSPC'
  server.call('bgsave')
  machine.settle()
  machine.advance(10)
  assert.match(
    String((server.call('set', 'a', 2) as { message: string }).message),
    /^MISCONF Redis is configured to save RDB/,
  )
  assert.equal(server.call('get', 'a'), '1')
  machine.disk.failWrites = null
  assert.equal(server.call('save'), 'OK')
  assert.equal(server.call('set', 'a', 2), 'OK')
})

test('a full disk stops writes to the append-only file, and their return loses nothing', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  server.call('set', 'a', 1)
  machine.disk.failWrites = 'ENOSPC'
  server.call('set', 'b', 1)
  assert.match(
    String((server.call('set', 'c', 2) as { message: string }).message),
    /^MISCONF Errors writing to the AOF file: No space left on device/,
  )
  machine.disk.failWrites = null
  machine.advance(1500)
  assert.equal(server.call('set', 'd', 3), 'OK')
  machine.advance(2500)
  machine.disk.crash()
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.deepEqual(again.call('mget', 'a', 'b', 'c', 'd'), ['1', '1', null, '3'])
})

test('scripts may not write either while the disk takes nothing', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  server.call('set', 'a', 1)
  machine.disk.failWrites = 'ENOSPC'
  server.call('set', 'b', 1)
  const error = (...words: string[]) => (server.call(...words) as { message: string }).message
  assert.match(
    error('eval', "return redis.call('set', 'a', 2)", '0'),
    /^MISCONF Errors writing to the AOF file: No space/,
  )
  assert.match(
    error('eval', "#!lua\nreturn redis.call('get', 'a')", '0'),
    /^MISCONF Redis is configured to persist data to AOF, .* Writable scripts are blocked.* AOF error: No space/,
  )
  assert.equal(server.call('eval', "return redis.call('get', 'a')", 0), '1')
  assert.equal(server.call('eval', "#!lua flags=no-writes\nreturn redis.call('get', 'a')", 0), '1')
  machine.disk.failWrites = null
  machine.advance(1500)
  assert.equal(server.call('eval', "return redis.call('incr', 'a')", 0), 2)
})

test('fsync that fails stops writes, and what was acknowledged is on the disk once it works again', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  server.call('set', 'a', 1)
  machine.advance(1500)
  machine.disk.failSyncs = 'EIO'
  server.call('set', 'b', 1)
  machine.advance(1500)
  assert.match(
    String((server.call('set', 'c', 1) as { message: string }).message),
    /^MISCONF Errors writing to the AOF/,
  )
  assert.equal(server.call('get', 'b'), '1')
  machine.disk.failSyncs = null
  machine.advance(3000)
  assert.equal(server.call('set', 'd', 1), 'OK')
  machine.advance(5000)
  machine.disk.crash()
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.deepEqual(again.call('mget', 'a', 'b', 'c', 'd'), ['1', '1', null, '1'])
})

test('a torn end of the append-only file is cut, a torn transaction forgotten', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  server.call('set', 'a', 1)
  server.call('multi')
  server.call('set', 'a', 2)
  server.call('set', 'b', 2)
  server.call('exec')
  await server.stop()
  const path = 'appendonlydir/appendonly.aof.1.incr.aof'
  const bytes = machine.disk.readFile(path)
  for (let cut = 1; cut < 40; cut += 3) {
    machine.disk.writeFile(path, bytes.slice(0, bytes.length - cut))
    const again = await MachineServer.start(machine, { appendonly: 'yes' })
    assert.deepEqual(again.call('mget', 'a', 'b'), ['1', null])
    await again.stop()
  }
  machine.disk.writeFile(path, bytes.slice(0, bytes.length - 5))
  await assert.rejects(
    MachineServer.start(machine, { appendonly: 'yes', 'aof-load-truncated': 'no' }),
    /Unexpected end of file reading the append only file/,
  )
})

test('a command that fails while the append-only file is loaded is logged and counted', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  server.call('set', 'a', 'x')
  await server.stop()
  const path = 'appendonlydir/appendonly.aof.1.incr.aof'
  for (const words of [
    ['incr', 'a'],
    ['lpush', 'a', 'y'],
    ['set', 'b', '1'],
  ])
    machine.disk.append(path, encodeCommand(words))
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.deepEqual(again.call('mget', 'a', 'b'), ['x', '1'])
  for (const [error, name] of [
    ['value is not an integer or out of range', 'incr'],
    ['-WRONGTYPE Operation against a key holding the wrong kind of value', 'lpush'],
  ])
    assert.ok(
      machine.out.includes(
        `== CRITICAL == This server is sending an error to its AOF-loading-client: '${error}' after processing the command '${name}'`,
      ),
    )
  assert.match(String(again.call('info', 'stats')), /unexpected_error_replies:2/)
})

test('a transaction in the append-only file selects its database inside', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  for (const words of [['select', 3], ['multi'], ['set', 'a', 1], ['set', 'b', 2], ['exec']]) server.call(...words)
  await server.stop()
  const text = MachineServer.text(machine.disk.readFile('appendonlydir/appendonly.aof.1.incr.aof'))
  const words = text.split('\r\n').filter(line => !/^[*$]/.test(line))
  assert.equal(words.join(' '), 'MULTI SELECT 3 set a 1 set b 2 EXEC ')
})

test('a corrupt RDB file is refused with the place of the fault', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine)
  fill(server)
  server.call('save')
  const bytes = machine.disk.readFile('dump.rdb')
  bytes[bytes.length - 20] ^= 1
  machine.disk.writeFile('dump.rdb', bytes)
  await assert.rejects(MachineServer.start(machine), /RDB CRC error|Internal error|integrity/)
  machine.disk.writeFile('dump.rdb', bytes.slice(0, 100))
  await assert.rejects(MachineServer.start(machine), /Unexpected EOF reading RDB file/)
})

test('the old append-only file of one piece is taken over', async () => {
  const machine = virtualSystem()
  machine.disk.writeFile('appendonly.aof', new TextEncoder().encode('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n'))
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.equal(server.call('get', 'a'), '1')
  server.call('set', 'b', 2)
  await server.stop()
  assert.equal(machine.disk.stat('appendonly.aof'), null)
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.deepEqual(again.call('mget', 'a', 'b'), ['1', '2'])
})

test('CONFIG SET appendonly turns the log on and off', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine)
  fill(server)
  assert.equal(server.call('config', 'set', 'appendonly', 'yes'), 'OK')
  server.call('set', 'during', 1)
  machine.advance(100)
  server.call('set', 'after', 1)
  const digest = server.digest()
  machine.advance(3000)
  machine.disk.crash()
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.equal(again.digest(), digest)
  assert.equal(again.call('config', 'set', 'appendonly', 'no'), 'OK')
  assert.match(String(again.call('info', 'persistence')), /aof_enabled:0/)
})

/** Runs a command that loads the dataset in turns, while another client hears that it does. */
async function loadInTurns(server: MachineServer, words: readonly string[]): Promise<void> {
  const other = server.connect()
  server.send(0, words)
  server.send(other, ['get', 'k1'])
  const [told] = server.take(other)
  assert.ok(told instanceof RespError && told.message.startsWith('LOADING '))
  for (let turns = 0; turns < 20; turns++) {
    server.machine.settle()
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.deepEqual(server.take(0), ['OK'])
}

test('DEBUG LOADAOF loads in turns, and others are told that it does', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' })
  for (let i = 0; i < 3000; i++) server.call('set', `k${i % 50}`, i)
  const digest = server.digest()
  await loadInTurns(server, ['debug', 'loadaof'])
  assert.equal(server.digest(), digest)
  server.call('set', 'k1', 'after')
  const later = server.digest()
  await server.stop()
  const again = await MachineServer.start(machine, { appendonly: 'yes' })
  assert.equal(again.digest(), later)
})

test('DEBUG RELOAD loads in turns, and others are told that it does', async () => {
  const server = await MachineServer.start(virtualSystem(), { 'loading-process-events-interval-bytes': '16384' })
  for (let i = 0; i < 5000; i++) server.call('set', `k${i}`, i)
  const digest = server.digest()
  await loadInTurns(server, ['debug', 'reload'])
  assert.equal(server.digest(), digest)
  assert.equal(server.call('get', 'k1'), '1')
})

test('a script that takes long in the log is suspended: others hear that it loads', async () => {
  const machine = virtualSystem()
  const directives = { appendonly: 'yes', 'aof-use-rdb-preamble': 'no', 'lua-time-limit': '1' }
  const server = await MachineServer.start(machine, directives)
  const loading = server.connect()
  const other = server.connect()
  const script =
    "redis.call('incr', KEYS[1]); local n = 0; for i = 1, 300000 do n = n + i end; redis.call('incr', KEYS[1])"
  const lines = [['eval', script, '1', 'x'], ['multi'], ['eval', script, '1', 'x'], ['exec'], ['incr', 'x']]
  for (const words of lines) machine.disk.append('appendonlydir/appendonly.aof.1.incr.aof', encodeCommand(words))
  let readings = 0
  const { monotonicUs } = machine.system.clock
  machine.system.clock.monotonicUs = () => monotonicUs() + 500 * readings++
  server.send(loading, ['debug', 'loadaof'])
  const replies = new Set<unknown>()
  for (let turns = 0; turns < 100 && server.server.persistence.progress.active; turns++) {
    server.send(other, ['get', 'x'])
    for (const reply of server.take(other))
      replies.add(reply instanceof RespError ? reply.message.split(' ')[0] : reply)
    machine.settle()
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.deepEqual([...replies], ['LOADING'])
  machine.settle()
  assert.deepEqual(server.take(loading), ['OK'])
  server.send(loading, ['get', 'x'])
  assert.deepEqual(server.take(loading), ['5'])
  assert.match(machine.out, /Slow script detected/)
})

test('scripts in the log of a read-only replica write, as they did', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, { appendonly: 'yes' })
  const script = ['eval', "return redis.call('incr', KEYS[1])", '1', 'x']
  const lines = [script, ['multi'], script, ['exec']]
  await server.stop(['nosave'])
  for (const words of lines) machine.disk.append('appendonlydir/appendonly.aof.1.incr.aof', encodeCommand(words))
  const replica = await MachineServer.start(machine, { appendonly: 'yes', replicaof: 'nowhere 1' })
  assert.equal(replica.call('get', 'x'), '2')
  assert.ok(replica.call(...script) instanceof RespError)
})
