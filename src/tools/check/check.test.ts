import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { RandomCommands } from '../../../test/harness/random-commands.ts'
import { latin1Bytes } from '../../../test/harness/resp.ts'
import { seededRandom, type VirtualMachine, virtualSystem } from '../../system/virtual.ts'
import { runTool } from '../command-line.ts'
import { check } from './check.ts'

/** Runs `redstart check` on the machine; returns its exit code and output. */
async function checked(
  machine: VirtualMachine,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  machine.out = ''
  machine.err = ''
  const code = await runTool(check, args, machine.system)
  return { code, out: machine.out, err: machine.err }
}

/** A machine on which a server has run random commands. */
async function busyMachine(directives: Readonly<Record<string, string>> = {}, commands = 400) {
  const machine = virtualSystem({ seed: 5 })
  const server = await MachineServer.start(machine, directives)
  const random = new RandomCommands(seededRandom(9))
  for (let i = 0; i < commands; i++) server.call(...random.next())
  return { machine, server }
}

const resp = (...words: string[]) => `*${words.length}\r\n${words.map(w => `$${w.length}\r\n${w}\r\n`).join('')}`

function withFile(text: string, name = 'f.aof'): VirtualMachine {
  const machine = virtualSystem()
  machine.disk.writeFile(name, latin1Bytes(text))
  return machine
}

test('a whole RDB is good, and its keys are counted', async () => {
  const { machine, server } = await busyMachine()
  server.call('save')
  const keys = String(server.call('info', 'keyspace')).matchAll(/keys=(\d+)/g)
  const total = [...keys].reduce((sum, [, n]) => sum + Number(n), 0)
  const { code, out } = await checked(machine, 'dump.rdb')
  assert.equal(code, 0)
  assert.match(out, new RegExp(`RDB version 11, written by 7\\.2\\.4\n {2}read: ${total} keys, 3 databases, `))
  assert.match(out, /checksum: right\n {2}good\n$/)
})

test('of a damaged RDB what stands before the fault is saved into a new file', async () => {
  const { machine, server } = await busyMachine()
  server.call('save')
  const whole = machine.disk.readFile('dump.rdb')
  for (let i = 0; i < 12; i++) {
    const cutAt = 9 + Math.floor((i * (whole.length - 9)) / 12)
    machine.disk.writeFile('d.rdb', whole.subarray(0, cutAt))
    const before = await checked(machine, 'd.rdb', '--fix', '--dry-run')
    assert.equal(before.code, 1)
    const keys = Number(/can be saved: (\d+) keys? before/.exec(before.out)?.[1])
    assert.equal(machine.disk.stat('d.rdb.fixed'), null)
    assert.equal((await checked(machine, 'd.rdb', '--fix', '--yes')).code, 0)
    assert.deepEqual(machine.disk.readFile('d.rdb'), whole.subarray(0, cutAt))
    const after = await checked(machine, 'd.rdb.fixed')
    assert.equal(after.code, 0, after.out)
    assert.match(after.out, new RegExp(`read: ${keys} keys?`))
    machine.disk.unlink('d.rdb.fixed')
  }
})

test('what is saved of an RDB loads', async () => {
  const { machine, server } = await busyMachine()
  server.call('save')
  const bytes = machine.disk.readFile('dump.rdb')
  const other = virtualSystem()
  other.disk.writeFile('d', bytes.subarray(0, bytes.length >> 1))
  await checked(other, 'd', '--fix', '--yes')
  other.disk.rename('d.fixed', 'dump.rdb')
  const again = await MachineServer.start(other)
  assert.ok(Number(again.call('dbsize')) > 10)
})

test('a wrong checksum is a fault, and all keys can be saved', async () => {
  const { machine, server } = await busyMachine()
  server.call('save')
  const bytes = machine.disk.readFile('dump.rdb')
  bytes[bytes.length - 1] ^= 1
  machine.disk.writeFile('d', bytes)
  const { code, out } = await checked(machine, 'd', '--fix', '--yes')
  assert.equal(code, 0)
  assert.match(out, /checksum: wrong\n {2}FAULT at offset \d+: RDB CRC error/)
  assert.deepEqual(machine.disk.readFile('d.fixed'), machine.disk.readFile('dump.rdb'))
})

test('around damaged values everything else is saved', async () => {
  const { machine, server } = await busyMachine({}, 0)
  for (let i = 10; i < 40; i++) {
    server.call('hset', `h${i}`, 'f', 1, 'g', 2)
    server.call('set', `s${i}`, 'ab'.repeat(40 + i), 'px', 100000)
  }
  server.call('save')
  const bytes = machine.disk.readFile('dump.rdb')
  const at = (key: string) => Buffer.from(bytes).indexOf(key) + key.length
  // The listpack's own length, after its string's; the beginning of a compressed string's bytes.
  bytes[at('h15') + 1] ^= 1
  bytes[at('h20') + 1] ^= 1
  bytes[at('s17') + 4] = 0xff
  machine.disk.writeFile('d', bytes)
  const { code, out } = await checked(machine, 'd', '--fix', '--yes')
  assert.equal(code, 0)
  const named = [.../'([hs]\d+)'/g[Symbol.matchAll](/damaged are only (.*)/.exec(out)![1])].map(([, key]) => key)
  assert.deepEqual(named.sort(), ['h15', 'h20', 's17'])
  assert.match(out, /can be saved: the other 57 keys/)
  const other = virtualSystem()
  other.disk.writeFile('dump.rdb', machine.disk.readFile('d.fixed'))
  const again = await MachineServer.start(other)
  assert.equal(again.call('dbsize'), 57)
  assert.deepEqual(again.call('mget', 's17', 's16'), [null, 'ab'.repeat(56)])
})

test('what follows a damaged value counts only if it makes sense to the end', async () => {
  const { machine, server } = await busyMachine({}, 0)
  for (let i = 10; i < 40; i++) server.call('hset', `h${i}`, 'f', 1, 'g', 2)
  server.call('save')
  const bytes = machine.disk.readFile('dump.rdb')
  const first = /h\d\d/.exec(Buffer.from(bytes).toString('latin1'))!.index
  // A length that includes a part of the next key, so that parsing continues in the middle of something.
  bytes[first + 3] += 7
  machine.disk.writeFile('d', bytes)
  const { out } = await checked(machine, 'd')
  assert.match(out, new RegExp(`can be saved: 0 keys before offset ${first - 2}\n`))
})

test('an existing FILE.fixed is not overwritten', async () => {
  const { machine, server } = await busyMachine({}, 20)
  server.call('save')
  machine.disk.writeFile('d', machine.disk.readFile('dump.rdb').subarray(0, 60))
  machine.disk.writeFile('d.fixed', new Uint8Array(3))
  const { code, err } = await checked(machine, 'd', '--fix', '--yes')
  assert.deepEqual([code, err], [2, 'redstart check: d.fixed: File exists\n'])
})

test('a file that is nothing of the kind is a fault at its beginning', async () => {
  const { code, out } = await checked(withFile('hello', 'f'), 'f')
  assert.equal(code, 1)
  assert.match(out, /FAULT at offset 0: This is no RDB/)
  assert.equal((await checked(withFile('', 'f'), 'f')).code, 0)
  assert.equal((await checked(withFile('', 'f.rdb'), 'f.rdb')).code, 1)
  const none = await checked(withFile(''), 'none')
  assert.deepEqual([none.code, none.err], [2, 'redstart check: none: No such file or directory\n'])
})

test('a DUMP payload is known by its checksum', async () => {
  const { machine, server } = await busyMachine({}, 0)
  server.call('rpush', 'l', 'a', 'b', 'c')
  const payload = latin1Bytes(String(server.call('dump', 'l')))
  machine.disk.writeFile('p', payload)
  const { code, out } = await checked(machine, 'p')
  assert.equal(code, 0)
  assert.match(out, /DUMP payload\n {2}checksum: right\n {2}good/)
  payload[0] ^= 1
  machine.disk.writeFile('p', payload)
  assert.equal((await checked(machine, 'p')).code, 1)
})

const GOOD = resp('SELECT', '0') + resp('SET', 'k', 'v')
const GROUP = resp('MULTI') + resp('SET', 'a', '1') + resp('EXEC')

test('an append-only file is whole up to its last whole command or group', async () => {
  for (const [tail, offset, wholeTo] of [
    ['', -1, 0],
    [GROUP, -1, 0],
    ['*2\r\n$3\r\nSE', 10, 0],
    ['*1\r\n$9999\r\n', 4, 0],
    [GROUP + resp('EXEC'), GROUP.length, GROUP.length],
    [resp('MULTI') + resp('SET', 'a', '1'), 15 + 27, 0],
    [resp('multi') + resp('MULTI'), 15, 0],
    [`${GROUP}\0\0\0`, GROUP.length, GROUP.length],
    [`${GROUP}SET`, GROUP.length, GROUP.length],
    ['*x\r\n', 0, 0],
    ['*1\r\n+4\r\nPING\r\n', 4, 0],
    ['*1\r\n$4\r\nPINGS\r\n', 12, 0],
    ['#TS:17\r\n*', 9, 8],
  ] as const) {
    const machine = withFile(GOOD + tail)
    const { code, out } = await checked(machine, 'f.aof')
    assert.equal(code, offset < 0 ? 0 : 1, `${tail}: ${out}`)
    if (offset < 0) continue
    assert.match(out, new RegExp(`FAULT at offset ${GOOD.length + offset}: `), tail)
    assert.match(out, new RegExp(`whole up to offset ${GOOD.length + wholeTo}\n {2}--fix would cut off`), tail)
    assert.equal((await checked(machine, 'f.aof', '--fix', '--yes')).code, 0)
    assert.equal(machine.disk.stat('f.aof')?.sizeBytes, GOOD.length + wholeTo)
    assert.equal((await checked(machine, 'f.aof')).code, 0)
  }
})

test('nothing is cut without a yes', async () => {
  const machine = withFile(`${GOOD}*`)
  machine.typed.push('n')
  const no = await checked(machine, 'f.aof', '--fix')
  assert.equal(no.code, 3)
  assert.match(no.err, /^This will cut off the 1 byte behind it\. Go on\? \[y\/N\] $/)
  assert.equal((await checked(machine, 'f.aof', '--fix')).code, 3, 'nobody is there to answer')
  assert.equal((await checked(machine, 'f.aof', '--fix', '--dry-run', '--yes')).code, 1)
  assert.equal(machine.disk.stat('f.aof')?.sizeBytes, GOOD.length + 1)
  machine.typed.push('y')
  assert.equal((await checked(machine, 'f.aof', '--fix')).code, 0)
  assert.equal(machine.disk.stat('f.aof')?.sizeBytes, GOOD.length)
})

test('arguments longer than the window are passed over', async () => {
  const long = 'x'.repeat(3 << 20)
  assert.equal((await checked(withFile(resp('SET', 'k', long) + GROUP), 'f.aof')).code, 0)
  const { out } = await checked(withFile(resp('SET', 'k', long).slice(0, -1)), 'f.aof')
  assert.match(out, /FAULT at offset \d+: The file ends in the middle of a command/)
})

test('a file is cut behind a time', async () => {
  const text = `#TS:100\r\n${GOOD}#TS:200\r\n${GROUP}#TS:300\r\n${GOOD}`
  const cutAt = async (seconds: string, more = '') => {
    const machine = withFile(text + more)
    const { code } = await checked(machine, '--truncate-to-timestamp', seconds, 'f.aof', '--yes')
    return [code, machine.disk.stat('f.aof')?.sizeBytes]
  }
  assert.deepEqual(await cutAt('300'), [0, text.length])
  assert.deepEqual(await cutAt('299'), [0, text.indexOf('#TS:300')])
  assert.deepEqual(await cutAt('100', '*'), [0, text.indexOf('#TS:200')])
  assert.deepEqual(await cutAt('99'), [2, text.length], 'nothing would be left')
  assert.deepEqual(await cutAt('300', '*'), [1, text.length + 1], 'there is a fault before that time')
  assert.deepEqual(await cutAt('-1'), [2, text.length])
})

function withManifest(files: Record<string, string>, manifest: string): VirtualMachine {
  const machine = virtualSystem()
  machine.disk.mkdir('dir')
  machine.disk.writeFile('dir/a.manifest', latin1Bytes(manifest))
  for (const [name, text] of Object.entries(files)) machine.disk.writeFile(`dir/${name}`, latin1Bytes(text))
  return machine
}

const THREE = 'file b seq 1 type b\nfile i1 seq 1 type i\nfile i2 seq 2 type i\n'

test('the files of a manifest are checked in their order, and only the last may be cut', async () => {
  const good = { b: GOOD, i1: GROUP, i2: GOOD }
  for (const path of ['dir', 'dir/a.manifest']) {
    const { code, out } = await checked(withManifest(good, THREE), path)
    assert.equal(code, 0)
    assert.match(out, /dir\/b: [\s\S]*good\ndir\/i1: [\s\S]*good\ndir\/i2: [\s\S]*good\n$/)
  }
  const last = withManifest({ ...good, i2: `${GOOD}*` }, THREE)
  assert.equal((await checked(last, 'dir')).code, 1)
  assert.equal((await checked(last, 'dir', '--fix', '--yes')).code, 0)
  assert.equal((await checked(last, 'dir')).code, 0)
  const earlier = withManifest({ ...good, i1: `${GOOD}*` }, THREE)
  const refused = await checked(earlier, 'dir', '--fix', '--yes')
  assert.equal(refused.code, 1)
  assert.match(refused.out, /others follow this file, so it may not be cut/)
  assert.equal(earlier.disk.stat('dir/i1')?.sizeBytes, GOOD.length + 1)
  const beforeEmpty = withManifest({ ...good, i1: `${GOOD}*`, i2: '' }, THREE)
  assert.equal((await checked(beforeEmpty, 'dir', '--fix', '--yes')).code, 0)
  assert.equal(beforeEmpty.disk.stat('dir/i1')?.sizeBytes, GOOD.length)
})

test('a manifest that cannot be read, or whose files are missing, is a fault', async () => {
  const missing = await checked(withManifest({ b: GOOD, i2: '' }, THREE), 'dir')
  assert.equal(missing.code, 1)
  assert.match(missing.out, /FAULT: the file i1 is missing/)
  const twice = await checked(withManifest({}, 'file b seq 1 type b\nfile c seq 2 type b\n'), 'dir/a.manifest')
  assert.equal(twice.code, 1)
  assert.match(twice.out, /FAULT in line 2: Found duplicate base file information: file c seq 2 type b/)
  const empty = await checked(withManifest({}, ''), 'dir')
  assert.equal(empty.code, 1)
  const machine = virtualSystem()
  machine.disk.mkdir('none')
  assert.equal((await checked(machine, 'none')).code, 2)
})

test('an append-only file goes back in time only in its last file', async () => {
  const machine = withManifest({ b: GOOD, i1: `#TS:5\r\n${GOOD}#TS:9\r\n${GOOD}`, i2: `#TS:12\r\n${GOOD}` }, THREE)
  const early = await checked(machine, 'dir', '--truncate-to-timestamp', '7', '--yes')
  assert.equal(early.code, 2)
  assert.match(early.err, /This is not the last file/)
  assert.equal((await checked(machine, 'dir', '--truncate-to-timestamp', '12', '--yes')).code, 0)
})

test('a file that a server writes to is not cut', async () => {
  const { machine, server } = await busyMachine({ appendonly: 'yes' }, 10)
  const name = 'appendonlydir/appendonly.aof.1.incr.aof'
  machine.disk.append(name, latin1Bytes('*2'))
  const { code, err } = await checked(machine, 'appendonlydir', '--fix', '--yes')
  assert.equal(code, 2)
  assert.match(err, /The server with pid 4242 writes to this file: shut it down first/)
  await server.stop()
  assert.equal((await checked(machine, 'appendonlydir', '--fix', '--yes')).code, 0)
})

test('what a server with an append-only file writes is good', async () => {
  for (const preamble of ['yes', 'no']) {
    const { machine, server } = await busyMachine({ appendonly: 'yes', 'aof-use-rdb-preamble': preamble })
    server.call('bgrewriteaof')
    machine.advance(5000)
    for (let i = 0; i < 5; i++) server.call('set', 'k', i)
    await server.stop()
    const { code, out } = await checked(machine, 'appendonlydir')
    assert.equal(code, 0, out)
    assert.match(out, /appendonly\.aof\.2\.base\.(rdb|aof): /)
  }
})
