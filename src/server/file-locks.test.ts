import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { Config } from '../config/config.ts'
import { loadText } from '../config/parser.ts'
import { realProcess } from '../system/real-process.ts'
import { DiskError } from '../system/system.ts'
import { type VirtualMachine, virtualSystem } from '../system/virtual.ts'
import { FileLocks } from './file-locks.ts'
import { Logger } from './log.ts'

function locksOn(machine: VirtualMachine, directives: string): { locks: FileLocks; config: Config } {
  const config = new Config(machine.disk)
  loadText(config, directives)
  return { locks: new FileLocks(machine.system, config, new Logger(machine.system, config)), config }
}

const SAVING = 'save 60 1'

test('a second server that writes the same files is refused, and nothing of the first is touched', async () => {
  const machine = virtualSystem({ cwd: '/data' })
  const first = await MachineServer.start(machine, { save: '60 1', appendonly: 'yes' })
  const names = machine.disk.readdir('/data')
  assert.deepEqual(names, ['appendonlydir', 'appendonlydir.appendonly.aof.lock', 'dump.rdb.lock'])
  for (const directives of [{ save: '1 1' }, { appendonly: 'yes' }] as Record<string, string>[])
    await assert.rejects(MachineServer.start(machine, directives), /Another server \(pid 4242\) keeps its data/)
  assert.deepEqual(machine.disk.readdir('/data'), names)
  await first.stop(['nosave'])
  assert.deepEqual(machine.disk.readdir('/data'), ['appendonlydir'])
  await (await MachineServer.start(machine, { save: '60 1', appendonly: 'yes' })).stop(['nosave'])
})

test('servers share a folder when they write other files, or none', async () => {
  const machine = virtualSystem()
  const others: Record<string, string>[] = [
    { save: '60 1' },
    { save: '60 1', dbfilename: 'other.rdb' },
    { save: '' },
    { save: '' },
    { appendonly: 'yes' },
    { appendonly: 'yes', appenddirname: 'other' },
    { appendonly: 'yes', appendfilename: 'other.aof' },
  ]
  for (const directives of others) await assert.doesNotReject(MachineServer.start(machine, directives))
})

test('the lock of a server that is gone is taken over', async () => {
  const machine = virtualSystem()
  await MachineServer.start(machine, { save: '60 1' })
  machine.forget()
  await MachineServer.start(machine, { save: '60 1' })
  await assert.rejects(MachineServer.start(machine, { save: '60 1' }), /Another server/)
  assert.deepEqual(machine.disk.readdir('/'), ['dump.rdb.lock'], 'nothing is left of taking it over')
})

test('CONFIG SET takes and gives back locks, and refuses what would take the files of another', async () => {
  const machine = virtualSystem({ cwd: '/data' })
  machine.disk.mkdir('/other')
  await MachineServer.start(machine, { save: '60 1' })
  const second = await MachineServer.start(machine, { 'enable-protected-configs': 'yes' })
  const refused = (...words: string[]) => {
    const reply = second.call('config', 'set', ...words)
    assert.ok(reply instanceof RespError && /Another server keeps its data in the same files/.test(reply.message))
  }
  refused('save', '60 1')
  assert.deepEqual(second.call('config', 'get', 'save'), ['save', ''])
  assert.equal(second.call('config', 'set', 'save', '60 1', 'dbfilename', 'mine.rdb'), 'OK')
  refused('dbfilename', 'dump.rdb')
  assert.deepEqual(machine.disk.readdir('/data'), ['dump.rdb.lock', 'mine.rdb.lock'])
  assert.equal(second.call('config', 'set', 'appendonly', 'yes'), 'OK')
  assert.ok(machine.disk.stat('/data/appendonlydir.appendonly.aof.lock'))
  assert.equal(second.call('config', 'set', 'appendonly', 'no'), 'OK')
  assert.equal(second.call('config', 'set', 'save', ''), 'OK')
  assert.deepEqual(
    machine.disk.readdir('/data').filter(name => name.endsWith('.lock')),
    ['dump.rdb.lock'],
  )
})

test('a server that cannot load leaves no lock behind', async () => {
  const machine = virtualSystem()
  machine.disk.writeFile('dump.rdb', Uint8Array.of(1, 2, 3))
  await assert.rejects(MachineServer.start(machine, { save: '60 1' }), /reading/)
  assert.deepEqual(machine.disk.readdir('/'), ['dump.rdb'])
})

test('a lock that was torn, or not yet written, is nobody’s', () => {
  const machine = virtualSystem()
  for (const text of ['\0\0\0', '42', 'x:y', '4242:0']) {
    machine.disk.writeFile('dump.rdb.lock', new TextEncoder().encode(text))
    assert.equal(locksOn(machine, SAVING).locks.sync(), undefined, text)
  }
  machine.disk.writeFile('dump.rdb.lock', new Uint8Array(0))
  assert.ok(locksOn(machine, SAVING).locks.sync(), 'it may be in the middle of being written')
  machine.advance(10_000)
  assert.equal(locksOn(machine, SAVING).locks.sync(), undefined)
})

test('where no lock can be made the server goes on', () => {
  const machine = virtualSystem()
  const disk = machine.disk as unknown as { open(path: string, flag: string): number }
  const { open } = machine.disk
  disk.open = () => {
    throw new DiskError('EROFS')
  }
  assert.equal(locksOn(machine, SAVING).locks.sync(), undefined)
  assert.match(machine.out, /Can't guard the files of this server .*dump\.rdb\.lock: Read-only file system/)
  disk.open = open.bind(machine.disk) as typeof disk.open
  machine.disk.failWrites = 'ENOSPC'
  assert.equal(locksOn(machine, SAVING).locks.sync(), undefined)
  assert.deepEqual(machine.disk.readdir('/'), [], 'no empty lock is left')
})

test('a lock that somebody else took in the meantime is left to him', () => {
  const machine = virtualSystem()
  const write = (identity: string) => machine.disk.writeFile('dump.rdb.lock', new TextEncoder().encode(identity))
  write('1:1')
  const { rename } = machine.disk
  machine.disk.rename = (from, to) => {
    // Just before the dead lock is set aside, another process puts its own in its place.
    write(machine.system.process.identity)
    machine.disk.rename = rename
    rename.call(machine.disk, from, to)
  }
  assert.match(String(locksOn(machine, SAVING).locks.sync()), /Another server/)
  assert.deepEqual(machine.disk.readdir('/'), ['dump.rdb.lock'])
})

test('a real process runs until it has ended', async () => {
  const { identity, isRunning } = realProcess()
  assert.equal(isRunning(identity), true)
  for (const nobody of ['', '0:', '-1:', 'x', '42', `${identity}1`]) assert.equal(isRunning(nobody), false, nobody)
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
  await new Promise(resolve => child.once('exit', resolve))
  assert.equal(isRunning(`${child.pid}:`), false)
})
