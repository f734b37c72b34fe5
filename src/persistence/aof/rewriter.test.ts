import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MachineServer } from '../../../test/harness/machine.ts'
import { type VirtualMachine, virtualSystem } from '../../system/virtual.ts'

const LOG = { appendonly: 'yes', appendfsync: 'everysec' }
const FOLDER = 'appendonlydir'
const LATENCY_MS = 50

/** Makes background operations slow, and synchronous ones fail the test. Returns the function that undoes it. */
function slowDisk({ disk }: VirtualMachine): () => void {
  const { fsync, fdatasync } = disk
  disk.latencyMs = () => LATENCY_MS
  disk.fsync = disk.fdatasync = () => assert.fail('somebody waits for an fsync')
  return () => {
    disk.latencyMs = () => 0
    Object.assign(disk, { fsync, fdatasync })
  }
}

/** Ends the process (abandon) or the machine (crash), and restarts the machine. */
function reboot(machine: VirtualMachine, how: 'crash' | 'abandon'): void {
  machine.forget()
  machine.disk[how]()
  machine.disk.latencyMs = () => 0
  machine.advance(5000)
}

function info(server: MachineServer, field: string): string | undefined {
  return new RegExp(`${field}:(.*)\r`).exec(String(server.call('info', 'persistence')))?.[1]
}

function sizes(machine: VirtualMachine): { [name: string]: number } {
  const names = machine.disk.readdir(FOLDER).filter(name => name.endsWith('.aof'))
  return Object.fromEntries(names.map(name => [name, machine.disk.stat(`${FOLDER}/${name}`)!.sizeBytes]))
}

test('a rewrite waits for no fsync, and changes wait until those before them are on the disk', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, LOG)
  const quick = slowDisk(machine)
  server.call('set', 'a', 1)
  assert.equal(server.call('bgrewriteaof'), 'Background append only file rewriting started')
  assert.equal(info(server, 'aof_rewrite_in_progress'), '1')
  server.call('set', 'b', 2)
  // The manifest: write, fsync, close, rename, fsync of the folder. Then the next incremental file is used.
  machine.advance(5 * LATENCY_MS)
  server.call('set', 'c', 3)
  assert.equal(sizes(machine)['appendonly.aof.2.incr.aof'], 0)
  assert.notEqual(info(server, 'aof_buffer_length'), '0')
  machine.advance(LATENCY_MS)
  assert.ok(sizes(machine)['appendonly.aof.2.incr.aof'] > 0)
  assert.equal(info(server, 'aof_buffer_length'), '0')
  machine.advance(40 * LATENCY_MS)
  assert.equal(info(server, 'aof_rewrite_in_progress'), '0')
  assert.equal(info(server, 'aof_last_bgrewrite_status'), 'ok')
  assert.deepEqual(Object.keys(sizes(machine)), ['appendonly.aof.2.incr.aof'])
  quick()
  reboot(machine, 'crash')
  const again = await MachineServer.start(machine, LOG)
  assert.deepEqual(again.call('mget', 'a', 'b', 'c'), ['1', '2', '3'])
})

test('a rewrite whose manifest cannot be written leaves the log as it was', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, LOG)
  server.call('set', 'a', 1)
  machine.disk.failSyncs = 'EIO'
  server.call('bgrewriteaof')
  machine.settle()
  assert.equal(info(server, 'aof_rewrite_in_progress'), '0')
  assert.equal(info(server, 'aof_last_bgrewrite_status'), 'err')
  machine.disk.failSyncs = null
  server.call('set', 'b', 2)
  server.call('bgrewriteaof')
  machine.advance(100)
  assert.equal(info(server, 'aof_last_bgrewrite_status'), 'ok')
  server.call('set', 'c', 3)
  reboot(machine, 'abandon')
  const again = await MachineServer.start(machine, LOG)
  assert.deepEqual(again.call('mget', 'a', 'b', 'c'), ['1', '2', '3'])
})

test('a rewrite that is given up before it began leaves a log that goes on', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, LOG)
  server.call('set', 'a', 1)
  machine.disk.latencyMs = () => LATENCY_MS
  server.call('bgrewriteaof')
  server.call('config', 'set', 'appendonly', 'no')
  server.call('config', 'set', 'appendonly', 'yes')
  server.call('set', 'b', 2)
  machine.advance(60 * LATENCY_MS)
  assert.equal(info(server, 'aof_rewrite_in_progress'), '0')
  server.call('set', 'c', 3)
  machine.advance(3000)
  reboot(machine, 'crash')
  const again = await MachineServer.start(machine, LOG)
  assert.deepEqual(again.call('mget', 'a', 'b', 'c'), ['1', '2', '3'])
})

test('a torn file is cut when those behind it are empty', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, LOG)
  server.call('set', 'a', 1)
  await server.stop(['nosave'])
  const name = `${FOLDER}/appendonly.aof.1.incr.aof`
  machine.disk.append(name, new Uint8Array([42, 51]))
  machine.disk.append(`${FOLDER}/appendonly.aof.manifest`, bytes('file appendonly.aof.2.incr.aof seq 2 type i\n'))
  machine.disk.append(`${FOLDER}/appendonly.aof.2.incr.aof`, bytes(''))
  const again = await MachineServer.start(machine, LOG)
  again.call('set', 'b', 2)
  await again.stop(['nosave'])
  assert.ok(sizes(machine)['appendonly.aof.2.incr.aof'] > 0)
  const third = await MachineServer.start(machine, LOG)
  assert.deepEqual(third.call('mget', 'a', 'b'), ['1', '2'])
  await third.stop(['nosave'])
  machine.disk.append(name, new Uint8Array([42, 51]))
  await assert.rejects(MachineServer.start(machine, LOG), /the truncated file is not the last file/)
})

test('what a killed server has written, and the next one has shown, a power cut does not take', async () => {
  const machine = virtualSystem()
  const server = await MachineServer.start(machine, LOG)
  server.call('set', 'a', 1)
  reboot(machine, 'abandon')
  const again = await MachineServer.start(machine, LOG)
  assert.equal(again.call('get', 'a'), '1')
  reboot(machine, 'crash')
  const third = await MachineServer.start(machine, LOG)
  assert.equal(third.call('get', 'a'), '1')
})

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
