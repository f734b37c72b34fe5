import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf, fill, ToolBench } from '../../test/harness/tools.ts'
import { bytesOf } from '../lib/bytes.ts'
import { backupTool } from './backup.ts'
import { restoreTool } from './restore.ts'

async function withBench(run: (bench: ToolBench) => Promise<void>): Promise<void> {
  const bench = new ToolBench()
  try {
    await run(bench)
  } finally {
    await bench.stop()
  }
}

const QUICK = { 'repl-diskless-sync-delay': '0' }

for (const way of [[], ['--keys']])
  test(`a backup ${way.join(' ')} restored into an empty server makes it equal`, () =>
    withBench(async bench => {
      const source = await bench.start(1, QUICK, true)
      const target = await bench.start(2)
      await fill(source)
      const copied = await bench.run(backupTool, 'redis://test:1', '/today.rdb', ...way)
      assert.equal(copied.err, '')
      assert.equal(copied.code, 0)
      assert.match(copied.out, /^\/today.rdb: 12 keys \(1 with a time to live\) in 2 databases, 1 library/)
      assert.match(copied.out, way.length === 0 ? /consistent/ : /consistent per key, not at one moment/)
      assert.deepEqual(bench.machine.disk.readdir('/'), ['today.rdb'])
      const restored = await bench.run(restoreTool, '/today.rdb', 'redis://test:2')
      assert.equal(restored.err, '')
      assert.equal(restored.code, 0)
      assert.equal(await digestOf(target), await digestOf(source))
    }))

test('a dry run of backup looks and writes nothing', () =>
  withBench(async bench => {
    await fill(await bench.start(1, QUICK, true))
    const { code, out } = await bench.run(backupTool, 'redis://test:1', '/b.rdb', '--dry-run')
    assert.equal(code, 0)
    assert.match(out, /has 12 keys in 2 databases .* would be copied to \/b.rdb/)
    assert.deepEqual(bench.machine.disk.readdir('/'), [])
  }))

test('a backup does not write over a file unless it is told to', () =>
  withBench(async bench => {
    await bench.start(1, QUICK, true)
    bench.machine.disk.writeFile('/b.rdb', bytesOf('mine'))
    const refused = await bench.run(backupTool, 'redis://test:1', '/b.rdb')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /exists already/)
    assert.equal((await bench.run(backupTool, 'redis://test:1', '/b.rdb', '--replace')).code, 0)
  }))

test('a backup that fails leaves what was there, and says why', () =>
  withBench(async bench => {
    await fill(await bench.start(1, { ...QUICK, requirepass: 'secret' }, true))
    bench.machine.disk.writeFile('/b.rdb', bytesOf('mine'))
    const run = (url: string, ...more: string[]) => bench.run(backupTool, url, '/b.rdb', '--replace', ...more)
    const wrong = await run('redis://:guess@test:1')
    assert.equal(wrong.code, 2)
    assert.match(wrong.err, /redis:\/\/test:1 refuses the password: WRONGPASS/)
    assert.match((await run('redis://test:1')).err, /wants a password/)
    assert.match((await run('redis://test:9')).err, /cannot connect to redis:\/\/test:9: Connection refused/)
    assert.match((await run('http://test')).err, /is no URL of a server/)
    bench.onDial = (_, connection) => {
      const { write } = connection
      connection.write = bytes => {
        // Every connection that transfers keys is closed.
        if (/SYNC|DUMP/.test(new TextDecoder().decode(bytes))) connection.onClose('Connection reset by peer')
        return write(bytes)
      }
    }
    for (const more of [[], ['--keys']]) {
      const broken = await run('redis://:secret@test:1', ...more)
      assert.equal(broken.code, 2)
      assert.match(broken.err, /the connection to redis:\/\/test:1 broke: Connection reset by peer/)
    }
    bench.onDial = () => {}
    bench.machine.disk.failWrites = 'ENOSPC'
    const full = await run('redis://:secret@test:1')
    assert.equal(full.code, 2)
    assert.match(full.err, /\/b.rdb could not be written: No space left on device/)
    assert.deepEqual(bench.machine.disk.readdir('/'), ['b.rdb'])
    assert.equal(new TextDecoder().decode(bench.machine.disk.readFile('/b.rdb')), 'mine')
  }))

test('an interrupted backup leaves nothing', () =>
  withBench(async bench => {
    await fill(await bench.start(1, QUICK, true))
    bench.onDial = () => bench.machine.signal('SIGINT')
    const { code, err } = await bench.run(backupTool, 'redis://test:1', '/b.rdb', '--keys')
    assert.equal(code, 3)
    assert.match(err, /given up/)
    assert.deepEqual(bench.machine.disk.readdir('/'), [])
  }))
