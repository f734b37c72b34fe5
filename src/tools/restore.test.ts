import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, digestOf, fill, say, ToolBench } from '../../test/harness/tools.ts'
import { backupTool } from './backup.ts'
import { restoreTool } from './restore.ts'

/** A bench with a file of all types, and an empty server. */
async function withFile(run: (bench: ToolBench, target: Awaited<ReturnType<ToolBench['start']>>) => Promise<void>) {
  const bench = new ToolBench()
  try {
    await fill(await bench.start(1))
    await bench.run(backupTool, 'redis://test:1', '/f.rdb')
    await run(bench, await bench.start(2, {}, true))
  } finally {
    await bench.stop()
  }
}

test('only keys that are wanted are restored, where they are wanted', () =>
  withFile(async (bench, target) => {
    const args = ['/f.rdb', 'redis://test:2', '--match', '*e*', '--match', 'list', '--exclude', 'stream', '--db', '3=5']
    const dry = await bench.run(restoreTool, ...args, '--dry-run')
    assert.equal(dry.code, 0)
    assert.match(dry.out, /would get 8 keys and 0 libraries; 4 keys are left out/)
    assert.equal(await ask(target, 'DBSIZE'), 0)
    assert.equal((await bench.run(restoreTool, ...args)).code, 0)
    assert.equal(await ask(target, 'DBSIZE'), 7)
    await say(target, 'SELECT 5')
    assert.equal(await ask(target, 'GET', 'other'), '1')
  }))

test('with a database in the URL all keys go there', () =>
  withFile(async (bench, target) => {
    assert.equal((await bench.run(restoreTool, '/f.rdb', 'redis://test:2/7')).code, 0)
    await say(target, 'SELECT 7')
    assert.equal(await ask(target, 'DBSIZE'), 12)
  }))

test('keys that are there stay and are counted, or are replaced', () =>
  withFile(async (bench, target) => {
    await say(target, 'SET text mine')
    const kept = await bench.run(restoreTool, '/f.rdb', 'redis://test:2')
    assert.equal(kept.code, 1)
    assert.match(kept.out, /there already, not replaced: 1 keys/)
    assert.equal(await ask(target, 'GET', 'text'), 'mine')
    const again = await bench.run(restoreTool, '/f.rdb', 'redis://test:2', '--replace', '--rate', '100000')
    assert.equal(again.code, 0)
    assert.equal(await ask(target, 'GET', 'text'), 'hello')
  }))

test('a server that does not understand payloads gets plain commands', () =>
  withFile(async (bench, target) => {
    bench.onDial = (_, connection) => {
      const { write } = connection
      connection.write = bytes => {
        const text = new TextDecoder('latin1').decode(bytes)
        if (!text.includes('RESTORE')) return write(bytes)
        // Every RESTORE gets an older server's reply; the batch's other commands are SELECTs.
        const words = text.match(/\$[67]\r\n(RESTORE|SELECT)\r\n/g) ?? []
        const replies = words.map(word =>
          word.includes('SELECT') ? '+OK\r\n' : '-ERR DUMP payload version or checksum are wrong\r\n',
        )
        connection.onData(new TextEncoder().encode(replies.join('')))
        return true
      }
    }
    for (const more of [[], ['--replace']]) {
      const { code, out, err } = await bench.run(restoreTool, '/f.rdb', 'redis://test:2', ...more)
      assert.equal(err, '')
      assert.equal(code, 0)
      assert.match(out, /restored in plain commands: 12/)
      bench.machine.out = ''
      await say(target, 'SET text mine')
      if (more.length === 0) await say(target, 'FLUSHALL', 'FUNCTION FLUSH', 'SET text mine')
    }
    await say(target, 'SET text hello')
    const other = await bench.run(restoreTool, '/f.rdb', 'redis://test:2')
    assert.equal(other.code, 1)
    assert.match(other.out, /not replaced: 12 keys/)
  }))

test('restored in plain commands or by payload, the dataset is the same', () =>
  withFile(async (bench, target) => {
    await bench.run(restoreTool, '/f.rdb', 'redis://test:2')
    const copy = await bench.start(3)
    assert.equal((await bench.run(restoreTool, '/f.rdb', 'redis://test:3')).code, 0)
    assert.equal(await digestOf(copy), await digestOf(target))
  }))

test('a server that is full says so, and what was restored is told', () =>
  withFile(async (bench, target) => {
    await say(target, 'CONFIG SET maxmemory 1')
    const { code, err } = await bench.run(restoreTool, '/f.rdb', 'redis://test:2')
    assert.equal(code, 2)
    assert.match(err, /full \(maxmemory\)|OOM/)
  }))

test('nothing of a damaged file is sent', () =>
  withFile(async (bench, target) => {
    const bytes = bench.machine.disk.readFile('/f.rdb').slice()
    bytes[bytes.length - 20] ^= 1
    bench.machine.disk.writeFile('/f.rdb', bytes)
    const { code, err } = await bench.run(restoreTool, '/f.rdb', 'redis://test:2')
    assert.equal(code, 2)
    assert.match(err, /\/f.rdb is damaged at byte \d+/)
    assert.equal(await ask(target, 'DBSIZE'), 0)
  }))

test('a connection that breaks is told with how far it came', () =>
  withFile(async bench => {
    bench.onDial = (_, connection) => {
      const { write } = connection
      connection.write = bytes => {
        if (new TextDecoder('latin1').decode(bytes).includes('RESTORE')) connection.onClose(undefined)
        return write(bytes)
      }
    }
    const { code, err } = await bench.run(restoreTool, '/f.rdb', 'redis://test:2')
    assert.equal(code, 2)
    assert.match(err, /broke. 0 of 12 keys are restored; --replace to begin again/)
  }))
