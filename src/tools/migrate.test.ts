import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, digestOf, fill, say, ToolBench } from '../../test/harness/tools.ts'
import type { Remote } from '../client/remote.ts'
import { migrateTool } from './migrate.ts'

const QUICK = { 'repl-diskless-sync-delay': '0' }
const URLS = ['redis://test:1', 'redis://test:2']

/** A source with data and an empty target. */
async function withServers(run: (bench: ToolBench, source: Remote, target: Remote) => Promise<void>): Promise<void> {
  const bench = new ToolBench()
  try {
    const source = await bench.start(1, QUICK, true)
    await fill(source)
    await run(bench, source, await bench.start(2))
  } finally {
    await bench.stop()
  }
}

for (const way of [[], ['--keys']])
  test(`a migration ${way.join(' ')} makes an empty server equal and leaves nothing else`, () =>
    withServers(async (bench, source, target) => {
      const { code, out } = await bench.run(migrateTool, ...URLS, ...way)
      assert.equal(code, 0)
      assert.match(out, /compared: 12 keys, all equal/)
      assert.equal(await digestOf(target), await digestOf(source))
      assert.equal(await ask(target, 'PEXPIRETIME', 'later'), await ask(source, 'PEXPIRETIME', 'later'))
      assert.deepEqual(bench.machine.disk.readdir('/'), [])
    }))

test('a dry run of migrate looks and changes nothing', () =>
  withServers(async (bench, _source, target) => {
    const { code, out } = await bench.run(migrateTool, ...URLS, '--dry-run')
    assert.equal(code, 0)
    assert.match(out, /redis:\/\/test:1 has 12 keys, redis:\/\/test:2 0: would be copied/)
    assert.equal(await ask(target, 'DBSIZE'), 0)
    assert.deepEqual(bench.machine.disk.readdir('/'), [])
  }))

test('a target that holds keys is refused, unless they may be replaced', () =>
  withServers(async (bench, source, target) => {
    await say(target, 'SET text mine', 'SET own 1')
    const refused = await bench.run(migrateTool, ...URLS)
    assert.equal(refused.code, 2)
    assert.match(refused.err, /holds 2 keys already/)
    await say(target, 'CLIENT SETNAME redstart-migrate')
    assert.match((await bench.run(migrateTool, ...URLS, '--replace')).err, /another migration into .* is under way/)
    await say(target, 'CLIENT SETNAME other')
    assert.match((await bench.run(migrateTool, URLS[0], URLS[0])).err, /both URLs are of the same server/)
    assert.equal((await bench.run(migrateTool, ...URLS, '--replace')).code, 0)
    assert.equal(await ask(target, 'GET', 'text'), await ask(source, 'GET', 'text'))
    assert.equal(await ask(target, 'GET', 'own'), '1')
  }))

for (const way of [[], ['--keys']])
  test(`what is written during a migration ${way.join(' ')} with --cutover is not lost`, () =>
    withServers(async (bench, source, target) => {
      const running = bench.run(migrateTool, ...URLS, '--cutover', '--pause', '5', ...way)
      let ended = false
      void running.finally(() => {
        ended = true
      })
      // A write postponed by the pause is executed after its end, when it no longer counts for the target.
      let written = 0
      for (let i = 0; i < 2000 && !ended; i++) {
        const writes = [
          source.try('RPUSH', `queue:${i % 7}`, `job ${i}`),
          source.try('INCR', 'counter'),
          source.try(i % 3 === 0 ? 'SET' : 'APPEND', `key:${i % 50}`, String(i)),
          i % 11 === 0 ? source.try('LPOP', 'queue:3') : undefined,
        ]
        await Promise.race([Promise.all(writes), running])
        if (!ended) written++
      }
      const { code, out, err } = await running
      assert.equal(code, 0, out + err)
      assert.match(out, /writes to the source are paused for 5 s/)
      assert.match(out, /all equal/)
      assert.ok(written > 0)
      const digest = await digestOf(target)
      const other = await bench.dialRemote(1)
      assert.equal(digest, await digestOf(other))
      await other.try('CLIENT', 'UNPAUSE')
      other.close()
    }))

test('an interrupted migration goes on where it stopped', () =>
  withServers(async (bench, source, target) => {
    let batches = 0
    bench.onDial = (port, connection) => {
      const { write } = connection
      connection.write = bytes => {
        const isFill = port === 2 && new TextDecoder('latin1').decode(bytes).includes('RESTORE')
        if (isFill && batches++ === 0) connection.onClose('Connection reset by peer')
        return write(bytes)
      }
    }
    const broken = await bench.run(migrateTool, ...URLS, '--state', '/m.state')
    assert.equal(broken.code, 2)
    assert.match(broken.err, /broke: Connection reset by peer. The same command goes on where it stopped/)
    assert.ok(bench.machine.disk.readdir('/').includes('m.state'))
    assert.match((await bench.run(migrateTool, URLS[1], URLS[0], '--state', '/m.state')).err, /is of a migration from/)
    await say(source, 'INCR number', 'DEL text')
    const again = await bench.run(migrateTool, ...URLS, '--state', '/m.state')
    assert.match(again.err, /going on with the migration of \/m.state/)
    assert.equal(again.code, 0, again.err)
    assert.equal(await digestOf(target), await digestOf(source))
    assert.deepEqual(bench.machine.disk.readdir('/'), [])
  }))

test('a link that breaks is taken up again, and no change is applied twice', () =>
  withServers(async (bench, source, target) => {
    const running = bench.run(migrateTool, ...URLS, '--follow', '--state', '/m.state')
    await bench.untilSaid(/following|key by key/)
    const second = await bench.dialRemote(2)
    assert.match(String(await ask(second, 'CLIENT', 'LIST')), /name=redstart-migrate/)
    second.close()
    for (let i = 0; i < 300; i++) {
      await say(source, 'INCR counter', 'LPUSH log x')
      if (i % 100 === 50) await source.try('CLIENT', 'KILL', 'TYPE', 'replica')
    }
    bench.machine.signal('SIGINT')
    const { code, err } = await running
    assert.equal(code, 0, err)
    assert.equal(await ask(target, 'GET', 'counter'), '300')
    assert.equal(await digestOf(target), await digestOf(source))
  }))

test('a full target, a wrong password and an absent server end a migration with a reason', () =>
  withServers(async (bench, _source, target) => {
    await say(target, 'CONFIG SET maxmemory 1')
    const full = await bench.run(migrateTool, ...URLS)
    assert.equal(full.code, 2)
    assert.match(full.err, /redis:\/\/test:2 is full \(maxmemory\)/)
    bench.machine.disk.failWrites = 'ENOSPC'
    const spool = await bench.run(migrateTool, ...URLS, '--state', '/s')
    assert.equal(spool.code, 2)
    assert.match(spool.err, /\/s could not be used: No space left on device/)
    bench.machine.disk.failWrites = null
    assert.match((await bench.run(migrateTool, 'redis://:x@test:1', URLS[1])).err, /refuses the password/)
    assert.match((await bench.run(migrateTool, 'redis://test:5', URLS[1], '--state', '/x')).err, /Connection refused/)
    assert.match((await bench.run(migrateTool, 'redis://test:1/4', URLS[1])).err, /the URL may name none/)
  }))
